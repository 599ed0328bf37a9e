#include "protocols/p1/crc16.h"

#include <array>
#include <bit>
#include <cstring>

namespace vesta::p1 {
namespace {

static_assert(std::endian::native == std::endian::little, "Crc16Arc loads eight bytes in wire order");

constexpr uint16_t kArcPolynomial = 0xA001;  // 0x8005 reflected
constexpr uint16_t kX25Polynomial = 0x8408;  // 0x1021 reflected
constexpr uint16_t kX25Initial = 0xFFFF;
constexpr uint16_t kX25FinalXor = 0xFFFF;

using Table = std::array<uint16_t, 256>;

constexpr Table MakeTable(uint16_t polynomial) {
  Table table{};
  for (unsigned i = 0; i < 256; ++i) {
    auto crc = static_cast<uint16_t>(i);
    for (int bit = 0; bit < 8; ++bit) {
      crc = static_cast<uint16_t>((crc & 1) != 0 ? (crc >> 1) ^ polynomial : crc >> 1);
    }
    table[i] = crc;
  }
  return table;
}

constexpr Table kArcTable = MakeTable(kArcPolynomial);
constexpr Table kX25Table = MakeTable(kX25Polynomial);

// Table k gives what a byte contributes when k more bytes follow it.
constexpr std::array<Table, 8> MakeArcSlices() {
  std::array<Table, 8> slices{};
  slices[0] = kArcTable;
  for (size_t k = 1; k < slices.size(); ++k) {
    for (size_t i = 0; i < 256; ++i) {
      const uint16_t previous = slices[k - 1][i];
      slices[k][i] = static_cast<uint16_t>((previous >> 8) ^ kArcTable[previous & 0xFF]);
    }
  }
  return slices;
}
constexpr std::array<Table, 8> kArcSlices = MakeArcSlices();

constexpr uint16_t Step(const Table& table, uint16_t crc, uint8_t byte) {
  return static_cast<uint16_t>((crc >> 8) ^ table[(crc ^ byte) & 0xFF]);
}

// The high byte of a table entry names the entry, which is what makes a step reversible.
constexpr std::array<uint8_t, 256> MakeInverse(const Table& table) {
  std::array<uint8_t, 256> inverse{};
  for (size_t i = 0; i < 256; ++i) inverse[table[i] >> 8] = static_cast<uint8_t>(i);
  return inverse;
}
constexpr std::array<uint8_t, 256> kArcInverse = MakeInverse(kArcTable);
constexpr std::array<uint8_t, 256> kX25Inverse = MakeInverse(kX25Table);

constexpr uint16_t StepBack(const Table& table, const std::array<uint8_t, 256>& inverse, uint16_t crc, uint8_t byte) {
  const uint8_t index = inverse[crc >> 8];
  return static_cast<uint16_t>(((crc ^ table[index]) << 8) | (index ^ byte));
}

}  // namespace

uint16_t Crc16Arc(std::span<const uint8_t> bytes) {
  const uint8_t* p = bytes.data();
  size_t n = bytes.size();
  uint64_t crc = 0;
  for (; n >= 8; n -= 8, p += 8) {
    uint64_t w;
    std::memcpy(&w, p, 8);
    w ^= crc;
    crc = static_cast<uint64_t>(kArcSlices[7][w & 0xFF] ^ kArcSlices[6][(w >> 8) & 0xFF] ^
                                kArcSlices[5][(w >> 16) & 0xFF] ^ kArcSlices[4][(w >> 24) & 0xFF] ^
                                kArcSlices[3][(w >> 32) & 0xFF] ^ kArcSlices[2][(w >> 40) & 0xFF] ^
                                kArcSlices[1][(w >> 48) & 0xFF] ^ kArcSlices[0][static_cast<uint8_t>(w >> 56)]);
  }
  auto result = static_cast<uint16_t>(crc);
  for (; n > 0; --n, ++p) result = Step(kArcTable, result, *p);
  return result;
}

uint16_t Crc16X25(std::span<const uint8_t> bytes) {
  uint16_t crc = kX25Initial;
  for (const uint8_t byte : bytes) crc = Step(kX25Table, crc, byte);
  return crc ^ kX25FinalXor;
}

Crc16::Crc16(CrcVariant variant) : variant_(variant), state_(variant == CrcVariant::kX25 ? kX25Initial : 0) {}

void Crc16::Add(uint8_t byte) { state_ = Step(variant_ == CrcVariant::kX25 ? kX25Table : kArcTable, state_, byte); }

uint16_t Crc16::value() const {
  return variant_ == CrcVariant::kX25 ? static_cast<uint16_t>(state_ ^ kX25FinalXor) : state_;
}

size_t FindTelegramSuffix(std::span<const uint8_t> bytes, uint16_t crc, CrcVariant variant) {
  const bool x25 = variant == CrcVariant::kX25;
  const Table& table = x25 ? kX25Table : kArcTable;
  const std::array<uint8_t, 256>& inverse = x25 ? kX25Inverse : kArcInverse;
  const uint16_t initial = x25 ? kX25Initial : 0;
  uint16_t state = x25 ? static_cast<uint16_t>(crc ^ kX25FinalXor) : crc;
  // `state` is what the register must hold before byte i for the checksum to come out right.
  for (size_t i = bytes.size(); i-- > 1;) {
    state = StepBack(table, inverse, state, bytes[i]);
    if (state == initial && bytes[i] == '/') return i;
  }
  return kNoSuffix;
}

}  // namespace vesta::p1
