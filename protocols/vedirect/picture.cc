#include "protocols/vedirect/picture.h"

#include <algorithm>
#include <cstring>

namespace vesta::vedirect {
namespace {

constexpr uint64_t kFnvStart = 14695981039346656037u;
constexpr uint64_t kFnvPrime = 1099511628211u;

uint64_t HashOf(const Value& value) {
  uint64_t hash = kFnvStart ^ static_cast<uint64_t>(value.kind());
  const auto mix = [&hash](uint64_t word) { hash = (hash ^ word) * kFnvPrime; };
  switch (value.kind()) {
    case ValueKind::kDecimal:
      mix(static_cast<uint64_t>(value.decimal().mantissa));
      mix(static_cast<uint64_t>(value.decimal().exponent));
      break;
    case ValueKind::kState:
      mix(value.state());
      break;
    case ValueKind::kText:
      for (const char c : value.text()) mix(static_cast<uint8_t>(c));
      break;
    case ValueKind::kReal:
    case ValueKind::kNone:
      break;
  }
  return hash;
}

// The bits that have a flag of their own in the table.
struct BitFlag {
  uint16_t field;
  uint8_t bit;
};
constexpr BitFlag kBmsFlags[] = {{victron::kChargingAllowed, 25}, {victron::kDischargingAllowed, 26}};

}  // namespace

void Picture::Forget() {
  memory_.fill({});
  text_us_.fill(INT64_MIN);
  sent_by_device_.fill(false);
  count_ = 0;
  kind_ = DeviceKind::kOther;
}

void Picture::Begin(uint16_t slot, StampedTime time, int64_t monotonic_us, Origin origin) {
  slot_ = slot;
  time_ = time;
  monotonic_us_ = monotonic_us;
  origin_ = origin;
  count_ = 0;
  pool_used_ = 0;
}

uint16_t Picture::FieldForKind(uint16_t field) const {
  if (kind_ == DeviceKind::kDcConverter) {
    switch (field) {
      case victron::kBatteryVoltage:
        return victron::kOutputVoltage;
      case victron::kBatteryCurrent:
        return victron::kOutputCurrent;
      case victron::kBatteryPower:
        return victron::kOutputPower;
      case victron::kPvVoltage:
        return victron::kInputVoltage;
      case victron::kPvCurrent:
        return victron::kInputCurrent;
      case victron::kPvPower:
        return victron::kInputPower;
      default:
        return field;
    }
  }
  if (kind_ == DeviceKind::kBatteryProtect) {
    if (field == victron::kBatteryVoltage) return victron::kInputVoltage;
    if (field == victron::kDeviceState) return victron::kProtectState;
  }
  const bool monitor = kind_ == DeviceKind::kBatteryMonitor || kind_ == DeviceKind::kDcMeter;
  if (monitor && field == victron::kOutput2Voltage) return victron::kAuxVoltage;
  return field;
}

bool Picture::IsNews(uint16_t field, const Value& value) {
  if (victron::Fields()[field].pace == Pace::kFast) return true;
  Memory& memory = memory_[field];
  const uint64_t hash = HashOf(value);
  if (memory.known && memory.hash == hash) return false;
  memory = {hash, true};
  return true;
}

void Picture::Put(uint16_t wanted_field, const Value& value, ValueQuality quality) {
  const uint16_t field = FieldForKind(wanted_field);
  if (quality != ValueQuality::kDerived) sent_by_device_[field] = true;
  if (origin_ == Origin::kText) {
    text_us_[field] = monotonic_us_;
  } else if (KnownByText(field, monotonic_us_)) {
    ++passed_over_;
    return;
  }
  if (count_ == readings_.size()) {
    ++dropped_;
    return;
  }
  if (!IsNews(field, value)) return;
  Reading& reading = readings_[count_++];
  reading = {};
  reading.device = slot_;
  reading.field = field;
  // A label that comes twice in one block gives two readings.
  for (size_t i = 0; i + 1 < count_; ++i)
    reading.index = static_cast<uint16_t>(reading.index + (readings_[i].field == field));
  reading.quality = value.is_none() ? ValueQuality::kUnavailable : quality;
  reading.time_quality = time_.quality;
  reading.time_us = time_.time_us;
  reading.value = value;
}

std::string_view Picture::Keep(std::string_view text) {
  const size_t room = pool_.size() - pool_used_;
  text = text.substr(0, room);
  if (!text.empty()) std::memcpy(pool_.data() + pool_used_, text.data(), text.size());
  const std::string_view kept(pool_.data() + pool_used_, text.size());
  pool_used_ += text.size();
  return kept;
}

void Picture::PutBits(uint16_t field, BitsOf names, uint32_t bits) {
  std::array<char, victron::kReasonTextSize> text;
  Put(field, Value::OfText(Keep(victron::ReasonText(bits, NamesOf(names), text))));
  if (field == victron::kWarningReason) Put(victron::kWarning, Value::OfState(bits != 0 ? 1 : 0));
  if (names != BitsOf::kBmsFlags) return;
  for (const BitFlag& flag : kBmsFlags) Put(flag.field, Value::OfState(bits >> flag.bit & 1));
}

void Picture::PutText(uint16_t field, std::string_view text) {
  text = text.substr(0, std::min({text.find('\0'), text.find('\xFF'), text.size()}));
  const size_t start = pool_used_;
  for (const char c : text) {
    const char printable = c >= 0x20 && c <= 0x7E ? c : '?';
    Keep({&printable, 1});
  }
  Put(field, Value::OfText({pool_.data() + start, pool_used_ - start}));
}

const Value* Picture::Find(uint16_t field) const {
  for (size_t i = 0; i < count_; ++i) {
    if (readings_[i].field == field) return &readings_[i].value;
  }
  return nullptr;
}

void Picture::PutProduct(uint16_t field, uint16_t volts, uint16_t amperes) {
  if (sent_by_device_[field]) return;
  const Value* u = Find(volts);
  const Value* i = Find(amperes);
  if (u == nullptr || i == nullptr || u->kind() != ValueKind::kDecimal || i->kind() != ValueKind::kDecimal) return;
  const Decimal a = u->decimal();
  const Decimal b = i->decimal();
  // Both have at most 33 bits, so the product is exact.
  Put(field, Value::OfDecimal(a.mantissa * b.mantissa, static_cast<int8_t>(a.exponent + b.exponent)),
      ValueQuality::kDerived);
}

void Picture::Derive() {
  if (kind_ == DeviceKind::kDcConverter) {
    PutProduct(victron::kOutputPower, victron::kOutputVoltage, victron::kOutputCurrent);
    PutProduct(victron::kInputPower, victron::kInputVoltage, victron::kInputCurrent);
  } else {
    PutProduct(victron::kBatteryPower, victron::kBatteryVoltage, victron::kBatteryCurrent);
    PutProduct(victron::kLoadPower, victron::kBatteryVoltage, victron::kLoadCurrent);
  }
  PutProduct(victron::kAcOutApparentPower, victron::kAcOutVoltage, victron::kAcOutCurrent);
}

}  // namespace vesta::vedirect
