// The registers of Victron devices: one table for VE.Smart messages and for VE.Direct HEX frames.
//
// A row says how the bytes of a register are read (all little-endian), which code means "not available", and which
// field it feeds. Registers without a field can still be read and shown by number and name. Secrets (keys, network ids)
// have no row on purpose. Facts: register lists of the reference of the Victron formats, section 11, and of VE.Smart,
// section 5.
#pragma once

#include <cstdint>
#include <span>

#include "model/reading.h"
#include "protocols/victron/fields.h"
#include "protocols/victron/writer.h"

namespace vesta::victron {

using Bytes = std::span<const uint8_t>;

enum class RegisterType : uint8_t { kU8, kU16, kU32, kS8, kS16, kS32, kString, kBytes };

// How a register's number becomes readings.
enum class Coding : uint8_t {
  kNumber,         // into the field, with the scale
  kState,          // the code
  kFlag,           // 0 off, else on
  kText,           // ends at the first 0x00 or 0xFF
  kDrawn,          // a charge drawn: its size, whatever the sign
  kKelvin,         // hundredths of a kelvin
  kProductId,      // instance, id, flags
  kVersion,        // instance, 24 bits
  kDeviceMode,     // 0 means 4
  kActiveAcIn,     // 240 means 2, not connected
  kMonitorMode,    // signed, kept as 16 bits
  kAlarmReason,    // with the alarm flag
  kWarningReason,  // with the warning flag
  kOffReason,
  kLoadOffReason,
  kChargerFlags,
  kBmsFlags,
  kSmartlithiumError,
  kBmsIo,        // two-bit fields: contactor, charging, discharging, relay, ...
  kBmsWarnings,  // two-bit fields: alarms and warnings
  kTwoWireBms,
  kNetworkInfo,
  kNetworkMode,
  kNetworkStatus,
  kDc1Voltage,  // battery or output, by the kind of device
  kDc1Current,
  kDc1Power,
  kDc2Voltage,  // second output, or the starter battery of a battery monitor
  kLoadVoltage,
  kInputVoltage,  // panel or input
  kInputPower,
  kInputCurrent,
};

struct Register {
  uint16_t id;
  const char* name;
  RegisterType type;
  int8_t exponent;
  Unit unit;
  bool has_na;
  uint32_t na;  // the raw code for "not available", unsigned
  uint16_t field;
  Coding coding;
};

// Sorted by id.
std::span<const Register> Registers();
// nullptr when the list does not have it.
const Register* FindRegister(uint16_t id);

// Bytes that a value of this type has on the wire; 0 for texts and byte strings.
size_t RegisterSize(RegisterType type);

struct RegisterNumber {
  bool is_available = false;  // false: the code for "not available"
  int64_t raw = 0;
  int8_t exponent = 0;
};

// Reads a value of 1, 2 or 4 bytes, of whatever width arrived, with the sign of the register's type. False for a text,
// a byte string and any other length.
bool ReadRegister(const Register& row, Bytes value, RegisterNumber* number);

// The readings of one register. `kind` chooses the field where the same register means different things. Bits, states
// and flags included; nothing is written for a register without a field or a value of an impossible length: then false.
bool PutRegister(const Register& row, Bytes value, DeviceKind kind, ReadingWriter& writer);

// Shared with the radio records, which carry the same bits.
void PutAlarmReason(uint32_t bits, ReadingWriter& writer);
void PutWarningReason(uint32_t bits, ReadingWriter& writer);
void PutBmsFlags(uint32_t bits, ReadingWriter& writer);
void PutBmsIo(uint32_t fields, ReadingWriter& writer);
void PutBmsWarnings(uint32_t fields, ReadingWriter& writer);

// The field of DC channel 1 and of the input side of a device of this kind.
struct DcFields {
  uint16_t voltage;
  uint16_t current;
  uint16_t power;
};
DcFields DcFieldsOf(DeviceKind kind);
DcFields InputFieldsOf(DeviceKind kind);

}  // namespace vesta::victron
