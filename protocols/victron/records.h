// The records of Instant Readout: types 0x00 to 0x0D, 0x0F and 0xFF01, from plain bytes to readings.
//
// A record is a little-endian row of bits. A field that does not fit completely is not available, bytes behind the last
// field are a later firmware's business and ignored, and a raw code for "not available" never becomes a number. Facts:
// reference of the Victron formats, sections 4 to 7.
#pragma once

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

// Bits that the published layout takes; 0 when the type has none.
size_t RecordBits(uint16_t type);

// False when the type has no known layout; then nothing is written.
bool DecodeRecord(uint16_t type, Bytes plain, ReadingWriter& writer);

// What sends such records when the product id does not tell.
DeviceKind KindOfRecord(uint16_t type);

}  // namespace vesta::victron
