// The records of Instant Readout: types 0x00 to 0x0D, 0x0F and 0xFF01, from plain bytes to readings.
//
// A record is a little-endian row of bits. A field that does not fit completely is not available, bytes behind the last
// field are a later firmware's business and ignored, and a raw code for "not available" never becomes a number. Facts:
// reference of the Victron formats, sections 4 to 7.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "model/reading.h"
#include "protocols/victron/writer.h"

namespace vesta::victron {

using Bytes = std::span<const uint8_t>;

inline constexpr uint16_t kRecordTest = 0x00;
inline constexpr uint16_t kRecordSolarCharger = 0x01;
inline constexpr uint16_t kRecordBatteryMonitor = 0x02;
inline constexpr uint16_t kRecordInverter = 0x03;
inline constexpr uint16_t kRecordDcConverter = 0x04;
inline constexpr uint16_t kRecordSmartLithium = 0x05;
inline constexpr uint16_t kRecordInverterRs = 0x06;
inline constexpr uint16_t kRecordGx = 0x07;
inline constexpr uint16_t kRecordAcCharger = 0x08;
inline constexpr uint16_t kRecordBatteryProtect = 0x09;
inline constexpr uint16_t kRecordLynxBms = 0x0A;
inline constexpr uint16_t kRecordMultiRs = 0x0B;
inline constexpr uint16_t kRecordVeBus = 0x0C;
inline constexpr uint16_t kRecordDcMeter = 0x0D;
inline constexpr uint16_t kRecordSmartBms = 0x0E;  // layout not published
inline constexpr uint16_t kRecordOrionXs = 0x0F;
inline constexpr uint16_t kRecordSolarSense = 0xFF01;

// One cipher block: every published record fits, and what lies beyond is not agreed upon.
inline constexpr size_t kMaxRecordSize = 16;

// A record as two words, first byte lowest. What lies behind its end means nothing: who takes a field looks at the
// size.
struct RecordWords {
  uint64_t low = 0;
  uint64_t high = 0;
  size_t size = 0;  // in bytes, at most kMaxRecordSize

  // `width` bits from `bit` on.
  constexpr uint32_t Take(unsigned bit, unsigned width) const {
    uint64_t value = 0;
    if (bit >= 64) {
      value = high >> (bit - 64);
    } else if (bit == 0) {
      value = low;
    } else {
      value = low >> bit | high << (64 - bit);
    }
    return static_cast<uint32_t>(value & ((uint64_t{1} << width) - 1));
  }
};

// Little-endian, wherever this runs; written out, compilers make one load of it.
inline uint64_t LoadWord(const uint8_t* p) {
  return uint64_t{p[0]} | uint64_t{p[1]} << 8 | uint64_t{p[2]} << 16 | uint64_t{p[3]} << 24 | uint64_t{p[4]} << 32 |
         uint64_t{p[5]} << 40 | uint64_t{p[6]} << 48 | uint64_t{p[7]} << 56;
}

// Reads at most kMaxRecordSize bytes.
inline RecordWords LoadRecord(Bytes bytes) {
  constexpr size_t kWord = 8;
  RecordWords record;
  record.size = std::min(bytes.size(), kMaxRecordSize);
  if (record.size >= kWord) {
    record.low = LoadWord(bytes.data());
    // The last eight bytes, moved down: those that the first word has fall out.
    const size_t overlap = kMaxRecordSize - record.size;
    if (overlap < kWord) record.high = LoadWord(bytes.data() + record.size - kWord) >> (8 * overlap);
    return record;
  }
  for (size_t i = 0; i < record.size; ++i) record.low |= uint64_t{bytes[i]} << (8 * i);
  return record;
}

// The same record with a cipher block laid over it.
inline RecordWords Xor(const RecordWords& record, std::span<const uint8_t, kMaxRecordSize> block) {
  return {record.low ^ LoadWord(block.data()), record.high ^ LoadWord(block.data() + 8), record.size};
}

// Bits that the published layout takes; 0 when the type has none.
size_t RecordBits(uint16_t type);

// False when the type has no known layout; then nothing is written.
bool DecodeRecord(uint16_t type, const RecordWords& plain, ReadingWriter& writer);

// What sends such records when the product id does not tell.
DeviceKind KindOfRecord(uint16_t type);

}  // namespace vesta::victron
