#include "protocols/p1/session.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "protocols/p1/text.h"

namespace vesta::p1 {
namespace {

constexpr int64_t kUsPerDay = 86400 * kUsPerSecond;
constexpr UtcUs kFirstBelievable_us = 978307200 * kUsPerSecond;  // 2001: entries from before the meter was installed
constexpr int64_t kThresholdOff = 999;                           // 999, 999.9 or 999.99: no limit set
constexpr size_t kTitleOffset = 2;
constexpr size_t kTitleSize = 8;

// Tells whether a text is the one seen before. Not for anything that an attacker may gain by.
uint64_t Hash(std::string_view text, uint64_t seed = 0x243F6A8885A308D3) {
  uint64_t h = seed ^ (text.size() * 0x9E3779B97F4A7C15);
  const char* p = text.data();
  size_t n = text.size();
  for (; n >= 8; n -= 8, p += 8) {
    uint64_t w;
    std::memcpy(&w, p, 8);
    h = (h ^ w) * 0x9FB21C651E98DF25;
    h ^= h >> 32;
  }
  uint64_t w = 0;
  if (n > 0) std::memcpy(&w, p, n);
  h = (h ^ w) * 0x9FB21C651E98DF25;
  return h ^ (h >> 29);
}

std::string_view Text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// "", "0000", "----": an identifier that nobody set.
bool IsUnset(std::string_view id) {
  return id.find_first_not_of('0') == std::string_view::npos || id.find_first_not_of('-') == std::string_view::npos;
}

struct Identity {
  char text[kMaxIdentitySize];
  size_t size = 0;
  std::string_view view() const { return {text, size}; }
  void Append(std::string_view more) {
    for (const char c : more) {
      if (size == kMaxIdentitySize) return;
      text[size++] = IsPrintable(c) ? c : '_';
    }
  }
};

// The printable form of an equipment identifier.
Identity FromId(std::string_view raw, bool may_be_hex) {
  Identity id;
  id.size = DecodeText({kNoField, may_be_hex, raw}, id.text, sizeof(id.text));
  return id;
}

// The identification may begin with an escape (IEC 62056-21: a backslash and one character, the mode of the data); it
// says nothing of the meter.
std::string_view ModelOf(std::string_view ident) {
  if (ident.size() > 2 && ident[0] == '\\') ident.remove_prefix(2);
  return ident;
}

}  // namespace

struct P1Session::Slot {
  Identity identity;
};

struct P1Session::ChannelMemory {
  struct Value {
    bool known = false;
    bool usable = false;
    uint16_t field = kNoField;
    UtcUs stamp_us = kNoTime;
    Decimal value;
  };
  uint16_t slot = kNoDevice;
  uint64_t id_hash = 0;
  uint64_t contract_hash = 0;
  int device_type = -1;
  int valve = -1;
  int switch_state = -1;
  std::array<Value, kMaxChannelReadings> values;
};

P1Session::P1Session(const Options& options)
    : options_(options),
      framer_(
          {options.max_telegram, options.crc, options.strip_bit7, options.repair_line_ends, options.lenient_end_mark},
          this),
      decoder_({options.zone, options.summer_time}),
      pool_capacity_(std::clamp(options.max_telegram, kMinMaxTelegram, kMaxMaxTelegram)),
      pool_(std::make_unique<char[]>(pool_capacity_)),
      content_(std::make_unique<Content>()),
      slots_(std::make_unique<Slot[]>(kMaxDevices)),
      channels_(std::make_unique<ChannelMemory[]>(kMaxChannels)),
      text_hashes_(std::make_unique<uint64_t[]>(Fields().size())) {
  if (!options_.has_key) return;
  cipher_.SetKeys(options_.key, options_.has_authentication_key, options_.authentication_key);
  plain_capacity_ = pool_capacity_ + kEncryptedOverhead;
  plain_ = std::make_unique<uint8_t[]>(plain_capacity_ + kReadablePast);
}

P1Session::~P1Session() = default;

void P1Session::ReceiveAny(Bytes bytes, const Now& now, SessionEvents& events) {
  now_ = &now;
  events_ = &events;
  framer_.Receive(bytes, now.monotonic_us);
}

void P1Session::Tick(const Now& now, SessionEvents& events) {
  now_ = &now;
  events_ = &events;
  framer_.Tick(now.monotonic_us);
}

void P1Session::LinkReset(const Now& now, SessionEvents& events) {
  now_ = &now;
  events_ = &events;
  framer_.Reset();
  // Static values go out once more, so that whoever joined with the link has them.
  std::fill_n(text_hashes_.get(), Fields().size(), 0);
  for (size_t i = 0; i < kMaxChannels; ++i) {
    channels_[i].contract_hash = 0;
    channels_[i].device_type = channels_[i].valve = channels_[i].switch_state = -1;
  }
}

void P1Session::OnDiscarded(Bytes raw, uint64_t offset, const char* reason) {
  if (std::string_view(reason) == "length") {
    Reject(raw, offset, true, reason, &counters_.rejected_length);
    return;
  }
  if (std::string_view(reason) == "cut") {
    ++counters_.discarded_cut;
  } else if (std::string_view(reason) == "overlong") {
    ++counters_.discarded_overlong;
  } else {
    ++counters_.discarded_incomplete;
  }
  FrameEvent event;
  event.verdict = FrameVerdict::kDiscarded;
  event.reason = reason;
  event.raw = raw;
  event.stream_offset = offset;
  event.link_encrypted = !raw.empty() && raw[0] == kEncryptedStart;
  events_->OnFrame(event);
}

void P1Session::Reject(Bytes raw, uint64_t offset, bool encrypted, const char* reason, uint64_t* counter) {
  ++*counter;
  FrameEvent event;
  event.verdict = FrameVerdict::kRejected;
  event.reason = reason;
  event.raw = raw;
  event.stream_offset = offset;
  event.link_encrypted = encrypted;
  events_->OnFrame(event);
}

void P1Session::OnTelegram(const TelegramFrame& frame) {
  uint8_t flags = 0;
  if (frame.crc == CrcState::kMismatch) {
    Reject(frame.raw, frame.offset, false, "crc", &counters_.rejected_crc);
    return;
  }
  decoder_.Decode(Text(frame.raw).substr(0, frame.end_mark), Text(frame.raw).data() + frame.raw.size() + kReadablePast,
                  content_.get(), this);
  // A telegram that says nothing and proves nothing is noise.
  const bool says_nothing = content_->objects == 0 && frame.crc == CrcState::kAbsent;
  if (frame.crc == CrcState::kAbsent && (says_nothing || PromisesCrc(*content_))) {
    if (says_nothing || (!options_.accept_missing_crc && options_.crc != CrcVariant::kIgnore)) {
      Reject(frame.raw, frame.offset, false, "missing_crc", &counters_.rejected_missing_crc);
      return;
    }
    ++counters_.repaired_missing_crc;
    flags = kReadingRepaired;
  } else if (frame.crc == CrcState::kAbsent) {
    ++counters_.telegrams_without_crc;
  } else if (frame.crc == CrcState::kRepaired) {
    ++counters_.repaired_line_ends;
    flags = kReadingRepaired;
  } else if (frame.crc == CrcState::kIgnored) {
    ++counters_.crc_ignored;
    flags = kReadingRepaired;
  }
  if (frame.no_end_mark) {
    ++counters_.repaired_end_mark;
    flags = kReadingRepaired;
  }
  if (frame.bit7_stripped) {
    ++counters_.repaired_bit7;
    flags = kReadingRepaired;
  }
  Accept(frame, frame.raw, frame.offset, false, flags);
}

bool P1Session::IsReplay(const EncryptedFrame& frame) const {
  return title_known_ && std::equal(last_title_.begin(), last_title_.end(), frame.system_title.begin()) &&
         frame.frame_counter <= last_frame_counter_;
}

// A frame that failed. When the same meter's next frame begins inside it, it was cut and is no forgery.
void P1Session::RejectUnchecked(const EncryptedFrame& frame, Bytes raw, uint64_t offset, const char* reason,
                                uint64_t* counter) {
  const std::string_view start = Text(raw).substr(0, kTitleOffset + kTitleSize);
  const size_t next = Text(raw).find(start, 1);
  if (next != std::string_view::npos && !frame.ciphertext.empty()) {
    OnDiscarded(raw.first(next), offset, "cut");
    return;
  }
  Reject(raw, offset, true, reason, counter);
}

bool P1Session::OnEncrypted(Bytes raw, uint64_t offset) {
  if (!cipher_.has_key()) {
    Reject(raw, offset, true, "no_key", &counters_.rejected_no_key);
    return true;
  }
  const EncryptedFrame frame = SplitEncryptedFrame(raw);
  const bool tagged = !frame.tag.empty();
  const bool tag_right = tagged && cipher_.DecryptChecked(frame, plain_.get());
  if (tagged && !tag_right && options_.tag_policy == TagPolicy::kCheck) {
    RejectUnchecked(frame, raw, offset, "tag", &counters_.rejected_tag);
    return false;
  }
  if (!tag_right) cipher_.DecryptUnchecked(frame, plain_.get());

  std::string_view telegram(reinterpret_cast<const char*>(plain_.get()), frame.ciphertext.size());
  while (!telegram.empty() &&
         (telegram.back() == '\r' || telegram.back() == '\n' || telegram.back() == '\0' || telegram.back() == ' ')) {
    telegram.remove_suffix(1);
  }
  TelegramFrame inner;
  inner.raw = {plain_.get(), telegram.size()};
  inner.offset = offset;
  inner.end_mark = FindEndMark(telegram);
  if (telegram.empty() || telegram.front() != '/' || inner.end_mark == telegram.size()) {
    RejectUnchecked(frame, raw, offset, "not_a_telegram", &counters_.rejected_not_a_telegram);
    return tag_right;
  }
  for (const char c : telegram.substr(inner.end_mark + 1)) {
    inner.crc_given = static_cast<uint16_t>(inner.crc_given * 16 + HexDigit(c));
    inner.crc = CrcState::kOk;
  }
  const Bytes covered = inner.raw.first(inner.end_mark + 1);
  inner.crc_computed = options_.crc == CrcVariant::kX25 ? Crc16X25(covered) : Crc16Arc(covered);
  const bool inner_right = inner.crc == CrcState::kOk && inner.crc_given == inner.crc_computed;
  // A right tag proves every byte; then the telegram's own checksum only tells of the meter.
  if (!inner_right && !tag_right) {
    RejectUnchecked(frame, raw, offset, "inner_crc", &counters_.rejected_inner_crc);
    return false;
  }
  if (IsReplay(frame)) {
    Reject(raw, offset, true, "replay", &counters_.rejected_replay);
    return true;
  }
  title_known_ = true;
  std::copy(frame.system_title.begin(), frame.system_title.end(), last_title_.begin());
  last_frame_counter_ = frame.frame_counter;
  if (!inner_right) ++counters_.inner_crc_wrong_but_tag_right;
  if (tagged && !tag_right) ++counters_.tag_ignored;
  decoder_.Decode(telegram.substr(0, inner.end_mark), telegram.data() + telegram.size() + kReadablePast, content_.get(),
                  this);
  Accept(inner, raw, offset, true, 0);
  return true;
}

// content_ holds what the telegram says.
void P1Session::Accept(const TelegramFrame& frame, Bytes raw, uint64_t offset, bool encrypted, uint8_t flags) {
  Content& c = *content_;
  ++counters_.telegrams_accepted;
  counters_.objects += c.objects;
  counters_.unknown_objects += c.unknown_objects;
  counters_.units_inferred += c.units_inferred;
  counters_.units_mismatched += c.units_mismatched;
  counters_.values_unreadable += c.values_unreadable;
  FrameEvent event;
  event.raw = raw;
  event.stream_offset = offset;
  event.link_encrypted = encrypted;

  const UtcUs clock_us = TelegramTime();
  const bool duplicate = clock_us != kNoTime && clock_us == last_clock_us_ && frame.raw.size() == last_size_ &&
                         frame.crc_computed == last_crc_;
  last_clock_us_ = clock_us;
  last_size_ = frame.raw.size();
  last_crc_ = frame.crc_computed;
  if (duplicate) {
    ++counters_.duplicates;
    events_->OnFrame(event);
    return;
  }

  pool_used_ = 0;
  reading_count_ = c.number_count;
  FindMeter();
  if (meter_slot_ == kNoDevice) {
    events_->OnFrame(event);
    return;
  }
  const StampedTime time = ChooseTime(clock_us, *now_);
  for (size_t i = 0; i < c.number_count; ++i) {
    Reading& r = c.numbers[i];
    r.device = meter_slot_;
    r.time_us = time.time_us;
    r.time_quality = time.quality;
  }
  if (c.numbers_need_care) CareForNumbers();
  EmitTexts(time);
  if (c.tariff.seen) EmitTariff(time);
  EmitDemand(time);
  if (c.failure_log_seen) EmitFailures();
  if (c.history_seen) EmitHistory(time);
  if (c.any_channel) {
    for (uint8_t i = 0; i < std::min(options_.mbus_channels, kMaxChannels); ++i) EmitChannel(i, time);
  }
  if (flags != 0) {
    for (size_t i = 0; i < reading_count_; ++i) c.numbers[i].flags |= flags;
  }
  if (c.anomalies != 0) ++counters_.odd_telegrams;
  counters_.last_anomalies = c.anomalies;
  counters_.readings += reading_count_;
  event.readings = {c.numbers.data(), reading_count_};
  events_->OnFrame(event);
}

// The telegram's own clock. In the repeated hour without a letter, whichever reading is nearer to the hub's clock, or
// behind the previous telegram.
UtcUs P1Session::TelegramTime() {
  const Content& c = *content_;
  if (!c.clock_seen) return kNoTime;
  if (!c.clock.has_time()) {
    ++counters_.stamps_unusable;
    return kNoTime;
  }
  const UtcUs first = c.clock.utc_us;
  const UtcUs second = c.clock.utc_alternative_us;
  if (c.clock.status != StampStatus::kAmbiguous) return first;
  if (now_->clock == ClockQuality::kSynchronised) {
    return std::abs(now_->utc_us - first) <= std::abs(now_->utc_us - second) ? first : second;
  }
  return last_clock_us_ != kNoTime && last_clock_us_ > first && last_clock_us_ <= second + kUsPerDay ? second : first;
}

// Thresholds that say "off" become unavailable; power factors in thousandths become plain, impossible ones are marked.
void P1Session::CareForNumbers() {
  for (size_t i = 0; i < content_->number_count; ++i) {
    Reading& r = content_->numbers[i];
    if (r.value.kind() != ValueKind::kDecimal) continue;
    const Field& field = Fields()[r.field];
    if (field.quantity == Quantity::kPowerFactor) {
      Decimal d = r.value.decimal();
      const bool above_one = Compare(d, {1, 0}) > 0 || Compare(d, {-1, 0}) < 0;
      if (above_one && d.exponent == 0) d = Scale(d, -3);
      r.value = Value::OfDecimal(d);
      if (Compare(d, {1, 0}) > 0 || Compare(d, {-1, 0}) < 0) r.quality = ValueQuality::kOutOfRange;
      continue;
    }
    const bool limiter = r.field == kKnown.limiter_threshold;
    const bool fuse = std::string_view(field.key).substr(0, 14) == "fuse_threshold";
    const bool limiter_apparent = r.field == kKnown.limiter_threshold_kva || r.field == kKnown.limiter_threshold_a;
    if (!limiter && !fuse && !limiter_apparent) continue;
    const Decimal d = r.value.decimal();
    const bool belgian_off = limiter && Compare(d, {99999, -3}) == 0;
    if (Compare(d, {kThresholdOff, 0}) < 0 && !belgian_off) continue;
    r.value = Value::None();
    r.quality = ValueQuality::kUnavailable;
  }
}

uint16_t P1Session::SlotOf(std::string_view identity) {
  for (size_t i = 0; i < slot_count_; ++i) {
    if (slots_[i].identity.view() == identity) return static_cast<uint16_t>(i);
  }
  if (slot_count_ == kMaxDevices) {
    ++counters_.devices_dropped;
    return kNoDevice;
  }
  slots_[slot_count_].identity = Identity();
  slots_[slot_count_].identity.Append(identity);
  return static_cast<uint16_t>(slot_count_++);
}

void P1Session::FindMeter() {
  const Content& c = *content_;
  const uint64_t header_hash = Hash(c.header.raw);
  const bool has_id = !IsUnset(c.equipment_id);
  std::string_view firmware;
  for (size_t i = 0; i < c.text_count; ++i) {
    if (c.texts[i].field == kKnown.firmware) firmware = c.texts[i].raw;
  }
  const uint64_t hash = Hash(firmware, Hash(c.version, Hash(c.emucs_version, Hash(c.equipment_id, header_hash))));
  if (hash == meter_hash_ && meter_slot_ != kNoDevice) return;
  // A telegram that leaves the identifier out comes from the meter that printed the same header before.
  if (!has_id && header_hash == header_hash_ && meter_slot_ != kNoDevice) return;

  Identity id;
  if (has_id) {
    id = FromId(c.equipment_id, c.id_rank > 1);
  } else {
    id.Append(c.header.raw.size() > 1 ? c.header.raw.substr(1) : std::string_view("meter"));
  }
  const uint16_t slot = SlotOf(id.view());
  if (slot == kNoDevice) {
    meter_slot_ = kNoDevice;
    return;
  }
  if (slot != meter_slot_) {
    // Another meter on the same cable: nothing known of the old one holds.
    std::fill_n(text_hashes_.get(), Fields().size(), 0);
    for (size_t i = 0; i < kMaxChannels; ++i) channels_[i] = ChannelMemory();
    failure_hash_ = history_hash_ = 0;
    failure_count_ = history_count_ = 0;
    demand_max_known_ = {};
  }
  meter_slot_ = slot;
  meter_hash_ = hash;
  header_hash_ = header_hash;
  char emucs[16];
  const size_t emucs_size = DecodeText({kNoField, true, c.emucs_version}, emucs, sizeof(emucs));
  DeviceInfo info;
  info.identity = id.view();
  info.identity_on_wire = has_id;
  info.kind = DeviceKind::kElectricityMeter;
  info.manufacturer = c.header.flag;
  info.model = ModelOf(c.header.ident);
  info.serial = has_id ? id.view() : std::string_view();
  info.firmware = !firmware.empty() ? firmware : !c.version.empty() ? c.version : std::string_view(emucs, emucs_size);
  events_->OnDevice(slot, info);
}

Reading* P1Session::Add(uint16_t slot, uint16_t field, Value value, StampedTime time) {
  if (reading_count_ == content_->numbers.size()) {
    ++counters_.log_entries_dropped;
    return nullptr;
  }
  Reading& r = content_->numbers[reading_count_++];
  r = Reading();
  r.device = slot;
  r.field = field;
  r.time_us = time.time_us;
  r.time_quality = time.quality;
  r.value = value;
  return &r;
}

// Hex becomes text in the pool; printable text stays where it is.
std::string_view P1Session::PoolText(const TextValue& text) {
  const bool decode = text.octets && IsHex(text.raw) && IsPrintableHex(text.raw);
  if (!decode && IsPrintable(text.raw)) return text.raw;
  char* out = pool_.get() + pool_used_;
  const size_t size = DecodeText(text, out, pool_capacity_ - pool_used_);
  pool_used_ += size;
  return {out, size};
}

void P1Session::EmitTexts(StampedTime time) {
  const Content& c = *content_;
  for (size_t i = 0; i < c.text_count; ++i) {
    const TextValue& text = c.texts[i];
    const uint64_t hash = Hash(text.raw) | 1;  // 0 stands for never
    if (text_hashes_[text.field] == hash) continue;
    text_hashes_[text.field] = hash;
    Add(meter_slot_, text.field, Value::OfText(PoolText(text)), time);
  }
}

void P1Session::EmitTariff(StampedTime time) {
  const int number = content_->tariff.number;
  if (number < 0) return;
  Add(meter_slot_, kKnown.tariff_number, Value::OfInteger(number), time);
  if (options_.tariff_rule == TariffRule::kNone || number < 1 || number > 2) return;
  const bool low = (number == 1) == (options_.tariff_rule == TariffRule::kNl);
  Add(meter_slot_, kKnown.tariff, Value::OfState(low ? kTariffLow : kTariffNormal), time);
}

void P1Session::EmitDemand(StampedTime time) {
  constexpr size_t kCount = 2;
  for (size_t i = 0; i < kCount; ++i) {
    const DemandMax& max = content_->demand_max[i];
    if (!max.seen || !max.has_value || (max.unit != Unit::kKilowatt && max.unit != Unit::kNone)) continue;
    const HistoryKey key{max.stamp.utc_us, max.value.mantissa, i == 1};
    if (demand_max_known_[i] && demand_max_[i].month_us == key.month_us && demand_max_[i].value == key.value) continue;
    demand_max_known_[i] = true;
    demand_max_[i] = key;
    const StampedTime own = max.stamp.has_time() ? StampedTime{max.stamp.utc_us, TimeQuality::kDeviceClock} : time;
    Add(meter_slot_, i == 0 ? kKnown.demand_max_month : kKnown.demand_max_month_export, Value::OfDecimal(max.value),
        own);
  }
}

void P1Session::EmitFailures() {
  const uint64_t hash = Hash(content_->failure_log);
  if (hash == failure_hash_) return;
  failure_hash_ = hash;
  FailureLogCursor cursor(content_->failure_log, decoder_.rules());
  std::array<FailureKey, kMaxFailureEntries> entries;
  size_t count = 0;
  FailureEntry entry;
  for (uint16_t index = 0; cursor.Next(&entry); ++index) {
    if (!entry.end.has_time()) continue;
    const FailureKey key{entry.end.utc_us, entry.duration_s.mantissa};
    const auto same = [&key](const FailureKey& k) { return k.end_us == key.end_us && k.duration_s == key.duration_s; };
    if (std::any_of(entries.begin(), entries.begin() + count, same)) continue;  // meters repeat entries
    if (count == kMaxFailureEntries) {
      ++counters_.log_entries_dropped;
      continue;
    }
    entries[count++] = key;
    if (std::any_of(failures_.begin(), failures_.begin() + failure_count_, same)) continue;
    Reading* r = Add(meter_slot_, kKnown.power_failure, Value::OfDecimal(entry.duration_s),
                     {entry.end.utc_us, TimeQuality::kDeviceClock});
    if (r == nullptr) continue;
    r->index = index;
    if (entry.end.utc_us < kFirstBelievable_us) r->quality = ValueQuality::kSuspect;
  }
  content_->anomalies |= cursor.anomalies();
  failures_ = entries;
  failure_count_ = count;
}

void P1Session::EmitHistory(StampedTime time) {
  const uint64_t hash = Hash(content_->history);
  if (hash == history_hash_) return;
  history_hash_ = hash;
  HistoryCursor cursor(content_->history, decoder_.rules());
  if (!cursor.standard()) {
    content_->anomalies |= cursor.anomalies();
    Add(meter_slot_, kKnown.monthly_profile, Value::OfText(PoolText({kNoField, false, content_->history})), time);
    return;
  }
  std::array<HistoryKey, kMaxHistoryEntries> entries;
  size_t count = 0;
  HistoryEntry entry;
  while (cursor.Next(&entry)) {
    // A month without a peak carries an impossible stamp and zero.
    if (!entry.month_end.has_time() || !entry.has_peak_at || !entry.peak_at.has_time()) continue;
    if (entry.unit != Unit::kKilowatt && entry.unit != Unit::kNone) continue;
    const HistoryKey key{entry.month_end.utc_us, entry.value.mantissa, entry.is_export};
    if (count == kMaxHistoryEntries) {
      ++counters_.log_entries_dropped;
      continue;
    }
    entries[count++] = key;
    const auto same = [&key](const HistoryKey& k) {
      return k.month_us == key.month_us && k.value == key.value && k.is_export == key.is_export;
    };
    if (std::any_of(history_.begin(), history_.begin() + history_count_, same)) continue;
    const StampedTime own{entry.month_end.utc_us, TimeQuality::kDeviceClock};
    Reading* peak = Add(meter_slot_, entry.is_export ? kKnown.demand_month_peak_export : kKnown.demand_month_peak,
                        Value::OfDecimal(entry.value), own);
    if (peak != nullptr) peak->index = entry.row;
    Reading* at = Add(meter_slot_, entry.is_export ? kKnown.demand_month_peak_export_at : kKnown.demand_month_peak_at,
                      Value::OfInteger(entry.peak_at.utc_us / kUsPerSecond), own);
    if (at != nullptr) at->index = entry.row;
  }
  content_->anomalies |= cursor.anomalies();
  history_ = entries;
  history_count_ = count;
}

uint16_t P1Session::ChannelSlot(uint8_t number, const Channel& channel, ChannelMemory* memory) {
  const uint64_t id_hash = Hash(channel.id, static_cast<uint64_t>(channel.device_type + 2));
  if (memory->slot != kNoDevice && memory->id_hash == id_hash) return memory->slot;

  bool usable = false;
  Unit unit = Unit::kNone;
  for (size_t i = 0; i < channel.reading_count; ++i) {
    if (channel.readings[i].usable) {
      usable = true;
      unit = channel.readings[i].unit;
    }
  }
  const bool has_id = !IsUnset(channel.id);
  const bool nothing_connected = channel.device_type == 0 || (!has_id && !usable);
  if (nothing_connected) return memory->slot;  // gone: what it had becomes unavailable

  Identity id;
  const std::string_view meter = slots_[meter_slot_].identity.view();
  bool on_wire = false;
  if (has_id) {
    id = FromId(channel.id, true);
    on_wire = id.view() != meter;
    // Two channels with one identifier (redacted, or a mistake): the place tells them apart.
    for (uint8_t other = 0; other < kMaxChannels; ++other) {
      if (other == number || channels_[other].slot == kNoDevice || !content_->channels[other].seen) continue;
      if (slots_[channels_[other].slot].identity.view() == id.view()) on_wire = false;
    }
  }
  if (!on_wire) {
    id = Identity();
    constexpr std::string_view kSuffix = "-mbus1";
    id.Append(meter.substr(0, kMaxIdentitySize - kSuffix.size()));
    id.Append("-mbus");
    const char digit = static_cast<char>('1' + number);
    id.Append({&digit, 1});
  }
  const uint16_t slot = SlotOf(id.view());
  if (slot == kNoDevice) return kNoDevice;
  if (slot != memory->slot) {
    *memory = ChannelMemory();
    memory->slot = slot;
  }
  memory->id_hash = id_hash;
  DeviceInfo info;
  info.identity = id.view();
  info.identity_on_wire = on_wire;
  info.kind = ChannelKind(channel.device_type, unit);
  info.serial = on_wire ? id.view() : std::string_view();
  info.parent = meter_slot_;
  events_->OnDevice(slot, info);
  return slot;
}

void P1Session::EmitChannel(uint8_t number, StampedTime time) {
  const Channel& channel = content_->channels[number];
  if (!channel.seen) return;
  ChannelMemory& memory = channels_[number];
  const uint16_t slot = ChannelSlot(number, channel, &memory);
  if (slot == kNoDevice) {
    for (size_t i = 0; i < channel.reading_count; ++i) ++counters_.submeter_values_unusable;
    return;
  }
  const auto emit_state = [this, slot, time](int value, int* last, uint16_t field) {
    if (value < 0 || value == *last) return;
    *last = value;
    Add(slot, field, Value::OfState(static_cast<uint32_t>(value)), time);
  };
  emit_state(channel.device_type, &memory.device_type, kKnown.device_type);
  emit_state(channel.valve, &memory.valve, kKnown.valve_state);
  emit_state(channel.switch_state, &memory.switch_state, kKnown.switch_state);
  if (channel.contract_seen) {
    const uint64_t hash = Hash(channel.contract) | 1;
    if (hash != memory.contract_hash) {
      memory.contract_hash = hash;
      Add(slot, kKnown.contract_id, Value::OfText(PoolText({kNoField, true, channel.contract})), time);
    }
  }
  EmitChannelValues(channel, &memory, time);
}

void P1Session::EmitChannelValues(const Channel& channel, ChannelMemory* memory, StampedTime time) {
  uint16_t done = kNoField;  // the same quantity twice in one channel: the first usable one counts
  for (size_t i = 0; i < channel.reading_count; ++i) {
    const ChannelReading& reading = channel.readings[i];
    ChannelMemory::Value& last = memory->values[i];
    if (!reading.usable) {
      ++counters_.submeter_values_unusable;
      // Told once, when a value was there before.
      if (last.known && last.usable) {
        Reading* r = Add(memory->slot, last.field, Value::None(), time);
        if (r != nullptr) r->quality = ValueQuality::kUnavailable;
      }
      last.usable = false;
      continue;
    }
    const uint16_t field = ChannelField(channel.device_type, reading.unit);
    if (field == done) continue;
    done = field;
    UtcUs stamp_us = reading.stamped ? reading.stamp.utc_us : kNoTime;
    const bool same_value = last.known && last.value == reading.value;
    // The repeated hour without a letter: an earlier stamp than the last, or the same with another value, is its second
    // pass.
    if (reading.stamped && reading.stamp.status == StampStatus::kAmbiguous && last.known &&
        (last.stamp_us > stamp_us || (last.stamp_us == stamp_us && !same_value)) &&
        last.stamp_us <= reading.stamp.utc_alternative_us + kUsPerDay) {
      stamp_us = reading.stamp.utc_alternative_us;
    }
    const bool is_new = !last.known || !last.usable || last.field != field ||
                        (reading.stamped ? last.stamp_us != stamp_us : !same_value);
    if (!is_new) continue;
    last = {true, true, field, stamp_us, reading.value};
    StampedTime own = time;
    if (reading.stamped) {
      own = {stamp_us, TimeQuality::kDeviceClock};
      if (time.quality != TimeQuality::kHubNotSynchronised && stamp_us > time.time_us + kUsPerDay) {
        own = time;
        ++counters_.submeter_restamped;
      }
    }
    Reading* r = Add(memory->slot, field, Value::OfDecimal(reading.value), own);
    if (r != nullptr && reading.stamped && reading.stamp.status == StampStatus::kNonexistent) {
      r->quality = ValueQuality::kSuspect;
    }
  }
}

void P1Session::OnUnknownObject(std::string_view code, std::string_view groups) {
  for (size_t i = 0; i <= unknown_count_; ++i) {
    if (i == kMaxUnknownCodes) {
      ++counters_.unknown_codes_dropped;
      return;
    }
    UnknownCode& entry = unknown_[i];
    if (i == unknown_count_) {
      ++unknown_count_;
      std::copy_n(code.data(), std::min(code.size(), sizeof(entry.code) - 1), entry.code);
    } else if (code != entry.code) {
      continue;
    }
    ++entry.count;
    size_t n = 0;
    for (; n < groups.size() && n + 1 < sizeof(entry.value); ++n) {
      entry.value[n] = IsPrintable(groups[n]) ? groups[n] : ' ';
    }
    entry.value[n] = '\0';
    return;
  }
}

}  // namespace vesta::p1
