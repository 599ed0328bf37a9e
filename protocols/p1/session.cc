#include "protocols/p1/session.h"

#include <algorithm>
#include <cstdlib>

#include "protocols/p1/session_parts.h"
#include "protocols/p1/text.h"

namespace vesta::p1 {
namespace {

constexpr UtcUs kFirstBelievable_us = 978307200 * kUsPerSecond;  // 2001: entries from before the meter was installed
constexpr int64_t kThresholdOff = 999;                           // 999, 999.9 or 999.99: no limit set
constexpr size_t kTitleOffset = 2;
constexpr size_t kTitleSize = 8;

std::string_view Text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// The identification may begin with an escape (IEC 62056-21: a backslash and one character, the mode of the data); it
// says nothing of the meter.
std::string_view ModelOf(std::string_view ident) {
  if (ident.size() > 2 && ident[0] == '\\') ident.remove_prefix(2);
  return ident;
}

}  // namespace

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
    inner.crc_given = static_cast<uint16_t>(inner.crc_given * 16 + HexDigitValue(c));
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

}  // namespace vesta::p1
