// Whether a key opens an advert: the check byte, then whether the content makes sense.
#include <algorithm>
#include <string_view>

#include "protocols/crypto.h"
#include "protocols/victron/keys.h"
#include "protocols/victron/records.h"

namespace vesta::victron {
namespace {

constexpr uint8_t kInstantReadout = 0x10;
constexpr size_t kHeaderSize = 8;
constexpr uint8_t kTwoByteType = 0xFF;
// Real devices show none or, with a newer firmware, one; noise shows several.
constexpr int kSignsOfNoise = 2;

// Numbers that no device of this kind measures.
bool IsOutlandish(uint16_t id, const Value& value) {
  const Field& field = Fields()[id];
  const double number = value.ToDouble();
  switch (field.quantity) {
    case Quantity::kVoltage:
      return number < -1 || number > (id == kAcOutVoltage ? 300 : 100);
    case Quantity::kCurrent:
      return number < -1500 || number > 1500;
    case Quantity::kTemperature:
      return number < -50 || number > 130;
    case Quantity::kStateOfCharge:
      return number > 100;
    case Quantity::kPower:
    case Quantity::kApparentPower:
      return number < -30000 || number > 30000;
    case Quantity::kEnergy:
      return number > 300;
    default:
      return false;
  }
}

int SignsOfNoise(uint16_t type, const RecordWords& plain) {
  FieldMemory memory;
  ReadingWriter writer;
  writer.Start(0, {0, TimeQuality::kHubNotSynchronised}, &memory);
  DecodeRecord(type, plain, writer);
  int signs = 0;
  for (const Reading& reading : writer.readings()) {
    const Field& field = Fields()[reading.field];
    if (reading.quality == ValueQuality::kDerived) continue;
    if (reading.value.kind() == ValueKind::kState && field.kind == FieldKind::kState) {
      signs += FindStateName(field.states, reading.value.state()).empty() ? 1 : 0;
    } else if (reading.value.kind() == ValueKind::kText) {
      signs += reading.value.text().find("bit_") != std::string_view::npos ? 1 : 0;
    } else if (reading.value.kind() == ValueKind::kDecimal) {
      signs += IsOutlandish(reading.field, reading.value) ? 1 : 0;
    }
  }
  // Bits behind the last field are ones.
  const size_t bits = RecordBits(type);
  const auto padding = static_cast<unsigned>(8 * plain.size - std::min(8 * plain.size, bits));
  if (padding > 0 && padding < 8) {
    const uint32_t ones = (1u << padding) - 1;
    signs += plain.Take(static_cast<unsigned>(bits), padding) != ones ? 1 : 0;
  }
  return signs;
}

}  // namespace

KeyTrial TryKey(const Key& key, Bytes data) {
  if (data.size() <= kHeaderSize || data[0] != kInstantReadout) return KeyTrial::kNothingToOpen;
  if (data[4] == kTwoByteType) return KeyTrial::kNotEncrypted;
  if (data[7] != key.front()) return KeyTrial::kOtherKey;
  const uint16_t type = data[4];
  if (RecordBits(type) == 0) return KeyTrial::kUnknownContent;
  crypto::Aes128Block cipher;
  std::array<uint8_t, kMaxRecordSize> block{};
  block[0] = data[5];
  block[1] = data[6];
  if (!cipher.SetKey(key) || !cipher.Encrypt(block, block)) return KeyTrial::kNothingToOpen;
  const RecordWords plain = Xor(LoadRecord(data.subspan(kHeaderSize)), block);
  return SignsOfNoise(type, plain) < kSignsOfNoise ? KeyTrial::kOpens : KeyTrial::kImplausible;
}

}  // namespace vesta::victron
