#include "protocols/vedirect/picture.h"

#include "protocols/victron/registers.h"

namespace vesta::vedirect {
namespace {

constexpr uint64_t kFnvStart = 14695981039346656037u;
constexpr uint64_t kFnvPrime = 1099511628211u;

uint64_t HashOf(const Value& value) {
  uint64_t hash = (kFnvStart ^ static_cast<uint64_t>(value.kind())) * kFnvPrime;
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
  return hash == 0 ? 1 : hash;
}

}  // namespace

void Picture::Forget() {
  seen_ = {};
  hash_.fill(0);
  text_us_.fill(INT64_MIN);
  sent_by_device_.fill(false);
}

victron::ReadingWriter& Picture::Begin(uint16_t slot, StampedTime time) {
  writer_.Start(slot, time, &seen_);
  return writer_;
}

bool Picture::IsNews(const Reading& reading) {
  if (victron::Fields()[reading.field].pace == Pace::kFast) return true;
  const uint64_t hash = HashOf(reading.value);
  if (hash_[reading.field] == hash) return false;
  hash_[reading.field] = hash;
  return true;
}

std::span<const Reading> Picture::Finish(Origin origin, int64_t monotonic_us, DeviceKind kind) {
  for (const Reading& reading : writer_.readings()) sent_by_device_[reading.field] = true;
  Derive(kind);
  size_t count = 0;
  for (const Reading& reading : writer_.readings()) {
    if (origin == Origin::kText) {
      text_us_[reading.field] = monotonic_us;
    } else if (KnownByText(reading.field, monotonic_us)) {
      ++passed_over_;
      continue;
    }
    if (!IsNews(reading)) continue;
    Reading& news = news_[count];
    news = reading;
    // A label that comes twice in one block gives two readings.
    for (size_t i = 0; i < count; ++i) {
      if (news_[i].field == reading.field) ++news.index;
    }
    ++count;
  }
  return {news_.data(), count};
}

const Value* Picture::Find(uint16_t field) const {
  for (const Reading& reading : writer_.readings()) {
    if (reading.field == field) return &reading.value;
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
  // Each is a number of at most ten digits; only nonsense would not fit.
  constexpr int64_t kLimit = int64_t{1} << 31;
  if (a.mantissa > kLimit || a.mantissa < -kLimit || b.mantissa > kLimit || b.mantissa < -kLimit) return;
  writer_.Derived(field, a.mantissa * b.mantissa, static_cast<int8_t>(a.exponent + b.exponent));
}

void Picture::Derive(DeviceKind kind) {
  const victron::DcFields dc = victron::DcFieldsOf(kind);
  PutProduct(dc.power, dc.voltage, dc.current);
  if (kind == DeviceKind::kDcConverter) {
    const victron::DcFields input = victron::InputFieldsOf(kind);
    PutProduct(input.power, input.voltage, input.current);
  }
  PutProduct(victron::kLoadPower, dc.voltage, victron::kLoadCurrent);
  PutProduct(victron::kAcOutApparentPower, victron::kAcOutVoltage, victron::kAcOutCurrent);
}

}  // namespace vesta::vedirect
