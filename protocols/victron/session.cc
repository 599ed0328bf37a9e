#include "protocols/victron/session.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "protocols/victron/products.h"
#include "protocols/victron/records.h"
#include "protocols/victron/registers.h"

namespace vesta::victron {
namespace {

constexpr uint8_t kInstantReadout = 0x10;
constexpr size_t kPresenceSize = 4;  // header of a device whose Instant Readout is off
constexpr size_t kHeaderSize = 8;
constexpr uint8_t kTwoByteType = 0xFF;  // the record is not encrypted
constexpr std::string_view kManufacturer = "Victron Energy";
constexpr int64_t kNever_us = INT64_MIN / 2;

// By outcome.
constexpr const char* kMessageCounterNames[] = {
    "network_malformed",       "network_foreign_group", "network_overflow_recorded", "network_auth_failed",
    "network_no_overflow_yet", "network_decoded",       "network_duplicate",         "network_no_room",
};
static_assert(std::size(kMessageCounterNames) == static_cast<size_t>(vesmart::Outcome::kCountOfOutcomes));

constexpr size_t HashOf(uint64_t address) { return static_cast<size_t>(address * 0x9E3779B97F4A7C15u >> 56); }

bool IsText(uint8_t c) { return c >= 0x20 && c != 0x7F; }

// The product says what a device is, unless it only is the radio of something else or is set to measure something else.
DeviceKind KindOf(const Product* product, DeviceKind record_kind) {
  if (product == nullptr || product->kind == DeviceKind::kOther) return record_kind;
  if (record_kind == DeviceKind::kDcMeter) return record_kind;
  if (product->kind == DeviceKind::kGateway && record_kind != DeviceKind::kOther) return record_kind;
  return product->kind;
}

}  // namespace

// What every advert looks at stands first, in one or two cache lines.
struct alignas(64) BleSession::Slot {
  uint64_t address = 0;
  uint64_t key_revision = 0;  // of the ring that the key came from
  crypto::Aes128Block cipher;
  int64_t nonce_us = kNever_us;
  int64_t rssi_us = kNever_us;
  uint16_t nonce = 0;
  bool has_nonce = false;
  uint8_t first_key_byte = 0;
  bool is_announced = false;
  DeviceKind record_kind = DeviceKind::kOther;  // as the frames have it
  DeviceKind kind = DeviceKind::kOther;         // as announced
  bool is_master = false;
  uint16_t product = 0;
  uint16_t record_type = 0;
  uint16_t network = 0;
  FieldMemory memory;
  char identity[kAddressTextSize] = {};
  bool has_serial = false;
  char serial[vesmart::kSerialTextSize] = {};
  char name[kMaxNameSize] = {};
};

struct BleSession::Call {
  const ble::Advert& advert;
  const Bytes& manufacturer_data;
  const Now& now;
  SessionEvents& events;
  FrameEvent frame;
};

BleSession::BleSession(const KeyRing* keys) : keys_(keys), slots_(std::make_unique<Slot[]>(kMaxDevices)) {}
BleSession::~BleSession() = default;

void BleSession::Receive(Bytes datagram, const Now& now, SessionEvents& events) {
  ++counters_.adverts;
  const uint64_t offset = bytes_;
  bytes_ += datagram.size();
  const std::optional<ble::Advert> advert = ble::ReadAdvert(datagram);
  if (!advert) {
    ++counters_.not_an_advert;
    return;
  }
  const std::optional<Bytes> data = ble::FindManufacturerData(advert->data, kVictronCompany);
  if (!data || data->empty()) {
    ++counters_.foreign;
    return;
  }
  Call call{*advert, *data, now, events, {}};
  call.frame.raw = datagram;
  call.frame.stream_offset = offset;
  call.frame.link.sender = advert->address;
  call.frame.link.rssi_dbm = advert->rssi_dbm == ble::kUnknownRssi ? int16_t{0} : int16_t{advert->rssi_dbm};
  const uint8_t format = data->front();
  if (format == kInstantReadout) {
    TakeRecord(*data, call);
  } else if (format == vesmart::kOpOverflow || format == vesmart::kOpMessage) {
    TakeMessage(*data, call);
  } else {
    ++counters_.unknown_format;
  }
}

// Bytes of a record: 0 format, 1 unknown, 2..3 product, 4 type, 5..6 nonce, 7 first byte of the key or second of the
// type, 8.. payload.
void BleSession::TakeRecord(Bytes record, Call& call) {
  if (record.size() < kHeaderSize) {
    if (record.size() == kPresenceSize) {
      return Reject(call, "instant_readout_off", &counters_.instant_readout_off, false);
    }
    return Reject(call, "short", &counters_.short_records, false);
  }
  const auto product = static_cast<uint16_t>(record[2] | record[3] << 8);
  const auto nonce = static_cast<uint16_t>(record[5] | record[6] << 8);
  const bool encrypted = record[4] != kTwoByteType;
  const auto type = static_cast<uint16_t>(encrypted ? record[4] : kTwoByteType << 8 | record[7]);
  Slot* slot = FindSlot(call.advert.address);
  if (slot != nullptr && slot->has_nonce) {
    if (nonce == slot->nonce) return AcceptRepeat(call, &counters_.repeats, encrypted);
    const auto behind = static_cast<uint16_t>(slot->nonce - nonce);
    if (behind <= kOldNonceWindow && call.now.monotonic_us - slot->nonce_us <= kNonceMemory_us) {
      return AcceptRepeat(call, &counters_.old, encrypted);
    }
  }
  RecordWords plain = LoadRecord(record.subspan(kHeaderSize));
  if (encrypted) {
    const bool is_cached = slot != nullptr && slot->key_revision == keys_->revision();
    const Key* key = is_cached ? nullptr : keys_->FindKey(call.advert.address);
    if (!is_cached && key == nullptr) return Reject(call, "no_key", &counters_.no_key, true);
    if (record[7] != (is_cached ? slot->first_key_byte : key->front())) {
      return Reject(call, "key_mismatch", &counters_.key_mismatch, true);
    }
    if (slot == nullptr) slot = MakeSlot(call.advert.address);
    if (slot == nullptr) return Reject(call, "too_many_devices", &counters_.devices_refused, true);
    if (!is_cached && !TakeKey(slot, *key)) return Reject(call, "no_key", &counters_.no_key, true);
    // The counter block is the nonce and zeros. Written as words, since a store of bytes would hold up the cipher's
    // load.
    alignas(crypto::kAesBlockSize) uint64_t words[2] = {nonce, 0};
    const std::span<uint8_t, crypto::kAesBlockSize> block(reinterpret_cast<uint8_t*>(words), sizeof(words));
    slot->cipher.Encrypt(block, block);
    plain = Xor(plain, block);
  } else {
    if (RecordBits(type) == 0) return Reject(call, "unknown_type", &counters_.unknown_type, false);
    if (slot == nullptr && plain_count_ < kMaxPlainDevices) {
      slot = MakeSlot(call.advert.address);
      if (slot != nullptr) ++plain_count_;
    }
    if (slot == nullptr) return Reject(call, "too_many_devices", &counters_.devices_refused, false);
  }
  if (!slot->is_announced || slot->product != product || slot->record_type != type) {
    slot->record_type = type;
    Describe(slot, product, KindOfRecord(type), call);
  }
  slot->has_nonce = true;
  slot->nonce = nonce;
  slot->nonce_us = call.now.monotonic_us;
  writer_.Start(NumberOf(slot), ChooseTime(kNoTime, call.now), &slot->memory);
  if (!DecodeRecord(type, plain, writer_)) {
    return Reject(call, "unknown_type", &counters_.unknown_type, encrypted);
  }
  ++counters_.records;
  Accept(slot, call, encrypted);
}

void BleSession::TakeMessage(Bytes data, Call& call) {
  vesmart::Message message;
  const vesmart::Outcome outcome = receiver_.Receive(data, *keys_, &message);
  uint64_t* counter = &counters_.messages[static_cast<size_t>(outcome)];
  switch (outcome) {
    case vesmart::Outcome::kOverflowRecorded:
      ++*counter;
      call.events.OnFrame(call.frame);
      return;
    case vesmart::Outcome::kDuplicate:
      return AcceptRepeat(call, counter, true);
    case vesmart::Outcome::kDecoded:
      ++*counter;
      return PutMessage(message, call);
    default:
      return Reject(call, vesmart::OutcomeName(outcome), counter, true);
  }
}

void BleSession::PutMessage(const vesmart::Message& message, Call& call) {
  Slot* slot = FindSlot(call.advert.address);
  if (slot == nullptr) slot = MakeSlot(call.advert.address);
  if (slot == nullptr) return Reject(call, "too_many_devices", &counters_.devices_refused, true);
  slot->network = message.network;

  constexpr uint16_t kProductRegister = 0x0100;
  constexpr uint16_t kSetPointRegister = 0x2001;
  constexpr uint16_t kStateRegister = 0x200C;
  constexpr uint16_t kPanelPowerRegister = 0xEDBC;
  uint16_t product = slot->product;
  DeviceKind kind = slot->record_kind;
  bool is_master = false;
  uint16_t id = 0;
  Bytes value;
  vesmart::Items look(message.cleartext);
  while (look.Next(&id, &value)) {
    if (id == kProductRegister && value.size() == 4) product = static_cast<uint16_t>(value[1] | value[2] << 8);
    if (id == kPanelPowerRegister && kind == DeviceKind::kOther) kind = DeviceKind::kSolarCharger;
    is_master = is_master || id == kSetPointRegister || id == kStateRegister;
  }
  char serial[vesmart::kSerialTextSize];
  vesmart::FormatSerial(message.serial, serial);
  if (!slot->has_serial || std::memcmp(serial, slot->serial, sizeof(serial)) != 0) {
    std::memcpy(slot->serial, serial, sizeof(serial));
    slot->has_serial = true;
    slot->is_announced = false;
  }
  Describe(slot, product, kind, call);

  writer_.Start(NumberOf(slot), ChooseTime(kNoTime, call.now), &slot->memory);
  vesmart::Items items(message.cleartext);
  while (items.Next(&id, &value)) {
    const Register* row = FindRegister(id);
    if (row == nullptr) {
      ++counters_.unknown_registers;
      continue;
    }
    // A known register of another length is another thing: no scale is applied to it. Network info is 1 or 2 bytes.
    const size_t size = RegisterSize(row->type);
    const bool size_fits = size == 0 || size == value.size() || row->coding == Coding::kNetworkInfo;
    if (!size_fits || (row->field != kNoField && !PutRegister(*row, value, slot->kind, writer_))) {
      ++counters_.wrong_lengths;
    }
  }
  if (items.is_truncated()) ++counters_.truncated_messages;
  if (is_master) PutMaster(slot);
  Accept(slot, call, true);
}

// The charge master is who last sent a set-point or state; there is one in a network.
void BleSession::PutMaster(Slot* slot) {
  writer_.Flag(kChargeMaster, true);
  if (slot->is_master) return;
  slot->is_master = true;
  for (size_t i = 0; i < slot_count_; ++i) {
    Slot& other = slots_[i];
    if (&other == slot || !other.is_master || other.network != slot->network) continue;
    other.is_master = false;
    writer_.Continue(static_cast<uint16_t>(i), &other.memory);
    writer_.Flag(kChargeMaster, false);
    writer_.Continue(NumberOf(slot), &slot->memory);
  }
}

void BleSession::Accept(Slot* slot, Call& call, bool encrypted) {
  if (call.now.monotonic_us - slot->rssi_us >= kRssiInterval_us) AddRssi(slot, call);
  // A name can only stand beside the data where there is more than flags and data.
  constexpr size_t kFlagsAndHeader = 7;
  if (call.advert.data.size() > call.manufacturer_data.size() + kFlagsAndHeader) AddName(slot, call);
  if (slot->kind == DeviceKind::kSolarCharger) AddSolar(slot, call);
  call.frame.link_encrypted = encrypted;
  call.frame.readings = writer_.readings();
  call.events.OnFrame(call.frame);
}

void BleSession::Reject(Call& call, const char* reason, uint64_t* counter, bool encrypted) {
  ++*counter;
  call.frame.verdict = FrameVerdict::kRejected;
  call.frame.reason = reason;
  call.frame.link_encrypted = encrypted;
  call.events.OnFrame(call.frame);
}

void BleSession::AcceptRepeat(Call& call, uint64_t* counter, bool encrypted) {
  ++*counter;
  call.frame.link.is_repeat = true;
  call.frame.link_encrypted = encrypted;
  call.events.OnFrame(call.frame);
}

void BleSession::AddRssi(Slot* slot, Call& call) {
  slot->rssi_us = call.now.monotonic_us;
  if (call.frame.link.rssi_dbm != 0) writer_.Number(kRssi, call.frame.link.rssi_dbm, 0);
}

void BleSession::AddName(Slot* slot, Call& call) {
  const Bytes name = ble::FindName(call.advert.data);
  const size_t size = std::min(name.size(), kMaxNameSize);
  for (size_t i = 0; i < size; ++i) slot->name[i] = IsText(name[i]) ? static_cast<char>(name[i]) : '_';
  if (size > 0) writer_.Text(kDescription, {slot->name, size});
}

void BleSession::AddSolar(Slot* slot, Call& call) {
  const uint16_t number = NumberOf(slot);
  const int64_t now_us = call.now.monotonic_us;
  const auto decimal_of = [](const Reading* reading) {
    return reading != nullptr && reading->value.kind() == ValueKind::kDecimal;
  };
  if (decimal_of(writer_.yield_today())) {
    pv_.SetYield(number, writer_.yield_today()->value.decimal().mantissa, now_us);
  }
  if (!decimal_of(writer_.pv_power())) return;
  // Whole watts from Instant Readout, hundredths from VE.Smart.
  const Decimal power = writer_.pv_power()->value.decimal();
  pv_.SetPower(number, power.exponent == 0 ? power.mantissa * 100 : power.mantissa, now_us);
  if (now_us - pv_told_us_ >= kSumInterval_us) TellSums(call);
}

// The sums and every charger's share, all of the same moment.
void BleSession::TellSums(Call& call) {
  pv_told_us_ = call.now.monotonic_us;
  pv_.Refresh(pv_told_us_);
  if (pv_.member_count() < 2) return;
  if (!pv_announced_) {
    pv_announced_ = true;
    DeviceInfo info;
    info.identity = "pv_sum";
    info.kind = DeviceKind::kSolarCharger;
    info.model = "All solar chargers";
    call.events.OnDevice(kPvSumSlot, info);
  }
  for (size_t i = 0; i < pv_.used(); ++i) {
    if (!pv_.is_member(i)) continue;
    writer_.Continue(static_cast<uint16_t>(i), &slots_[i].memory);
    writer_.Derived(kPvShare, pv_.share(i), -2);
  }
  writer_.Continue(kPvSumSlot, &pv_memory_);
  writer_.Derived(kPvPowerSum, pv_.power_cW(), -2);
  int64_t yield = 0;
  if (pv_.yield(&yield)) {
    writer_.Derived(kYieldTodaySum, yield, -2);
  } else {
    writer_.Unavailable(kYieldTodaySum);
  }
}

BleSession::Slot* BleSession::FindSlot(uint64_t address) {
  for (size_t at = HashOf(address);; at = (at + 1) % kIndexSize) {
    if (index_[at] == 0) return nullptr;
    Slot* slot = &slots_[index_[at] - 1u];
    if (slot->address == address) return slot;
  }
}

BleSession::Slot* BleSession::MakeSlot(uint64_t address) {
  if (slot_count_ == kMaxDevices) return nullptr;
  size_t at = HashOf(address);
  while (index_[at] != 0) at = (at + 1) % kIndexSize;
  Slot* slot = &slots_[slot_count_++];
  index_[at] = static_cast<uint8_t>(slot_count_);
  slot->address = address;
  FormatAddress(address, slot->identity);
  return slot;
}

uint16_t BleSession::NumberOf(const Slot* slot) const { return static_cast<uint16_t>(slot - slots_.get()); }

bool BleSession::TakeKey(Slot* slot, const Key& key) {
  if (!slot->cipher.SetKey(key)) return false;
  slot->key_revision = keys_->revision();
  slot->first_key_byte = key.front();
  return true;
}

void BleSession::Describe(Slot* slot, uint16_t product_id, DeviceKind record_kind, Call& call) {
  if (slot->is_announced && slot->product == product_id && slot->record_kind == record_kind) return;
  const Product* product = product_id == 0 ? nullptr : FindProduct(product_id);
  slot->is_announced = true;
  slot->product = product_id;
  slot->record_kind = record_kind;
  slot->kind = KindOf(product, record_kind);
  DeviceInfo info;
  info.identity = {slot->identity, sizeof(slot->identity)};
  info.identity_on_wire = true;
  info.kind = slot->kind;
  info.manufacturer = kManufacturer;
  if (product != nullptr) info.model = product->name;
  if (slot->has_serial) info.serial = {slot->serial, sizeof(slot->serial)};
  call.events.OnDevice(NumberOf(slot), info);
}

void BleSession::ReportCounters(CounterSink& sink) const {
  sink.Count("adverts", counters_.adverts);
  sink.Count("not_an_advert", counters_.not_an_advert);
  sink.Count("foreign", counters_.foreign);
  sink.Count("unknown_format", counters_.unknown_format);
  sink.Count("records", counters_.records);
  sink.Count("repeats", counters_.repeats);
  sink.Count("old", counters_.old);
  sink.Count("no_key", counters_.no_key);
  sink.Count("key_mismatch", counters_.key_mismatch);
  sink.Count("short", counters_.short_records);
  sink.Count("unknown_type", counters_.unknown_type);
  sink.Count("instant_readout_off", counters_.instant_readout_off);
  sink.Count("devices_refused", counters_.devices_refused);
  for (size_t i = 0; i < counters_.messages.size(); ++i) {
    sink.Count(kMessageCounterNames[i], counters_.messages[i]);
  }
  sink.Count("network_truncated", counters_.truncated_messages);
  sink.Count("network_wrong_length", counters_.wrong_lengths);
  sink.Count("network_unknown_registers", counters_.unknown_registers);
  sink.Count("readings_dropped", writer_.dropped());
}

}  // namespace vesta::victron
