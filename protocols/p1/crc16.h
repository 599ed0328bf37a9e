// The two checksums that P1 telegrams carry: CRC-16/ARC (nearly all) and CRC-16/X-25 (Holley DTSD545).
//
// Eight bytes a step, since the checksum is the largest single part of the work on a telegram. Check values of
// "123456789": BB3D and 906E. Facts: reference of the P1 port, CRC section.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vesta::p1 {

enum class CrcVariant : uint8_t { kArc = 0, kX25 = 1, kIgnore = 2 };

uint16_t Crc16Arc(std::span<const uint8_t> bytes);
uint16_t Crc16X25(std::span<const uint8_t> bytes);

// The checksum of a byte sequence that is produced piece by piece (a telegram with its line ends mended).
class Crc16 {
 public:
  explicit Crc16(CrcVariant variant);
  void Add(uint8_t byte);
  uint16_t value() const;

 private:
  CrcVariant variant_;
  uint16_t state_;
};

inline constexpr size_t kNoSuffix = SIZE_MAX;

// Where the shortest suffix begins that starts with '/', is not the whole and has the given checksum: the telegram that
// a cut one ran into. One backward pass, whatever the number of candidates. kNoSuffix when there is none.
size_t FindTelegramSuffix(std::span<const uint8_t> bytes, uint16_t crc, CrcVariant variant);

}  // namespace vesta::p1
