// The registers of the HEX protocol that end in a field of the shared Victron table: type, power of ten, meaning.
//
// A register of the maker's that carries a setting or a service value is known but gives no reading; keys that a device
// may hand out (VE.Smart, Instant Readout) are secrets: they are neither asked for nor kept. The width that arrives is
// taken: some registers are wider on some firmware. Facts: reference of Victron, section 11; tests/vectors/victron
// holds the same table.
#pragma once

#include <cstdint>
#include <span>

#include "model/session.h"
#include "model/value.h"
#include "protocols/vedirect/poll.h"

namespace vesta::vedirect {

enum class RegisterForm : uint8_t {
  kUnsigned = 0,
  kSigned,
  kDrawn,            // signed, kept positive (victron/fields.h)
  kCelsiusOfKelvin,  // 0.01 K, unsigned
  kState,
  kSignedState,  // 16 bits, where all bits set is a code of its own
  kMode,         // a device mode; 0 is 4 (off)
  kActiveAcIn,   // 240 is 2 (not connected)
  kFlag,
  kBits,  // text of reasons
  kText,
  // With code of their own in the session.
  kProduct,
  kFirmware,
  kNetworkStatus,
  kHistoryDay,
  kHistoryTotal,
};

enum class BitsOf : uint8_t {
  kNone = 0,
  kAlarm,
  kOff,
  kLoadOff,
  kBmsFlags,
  kSmartlithium,
  kNetworkMode,
  kNetworkInfo,
  kChargerFlags,
  kNetworkSenses,
};
std::span<const StateName> NamesOf(BitsOf bits);

struct RegisterRow {
  uint16_t reg;
  uint16_t field;
  RegisterForm form;
  int8_t exponent;
  BitsOf bits;
};

// nullptr: gives no reading.
const RegisterRow* FindRegister(uint16_t reg);
// Known to the reference, whether it gives a reading or not.
bool IsKnownRegister(uint16_t reg);
// A key or network id: neither asked for, kept nor archived.
bool IsSecretRegister(uint16_t reg);

// The value of a row that has no code of its own; bits come as a state with all 32 of them. None when the device says
// that it has none. False when the width makes no sense.
bool ReadRegisterValue(const RegisterRow& row, Bytes bytes, Value* value);

// What the session asks for: what text does not say, and what it says in fewer digits. What text says anyway is left
// to the text.
std::span<const PollRow> PollRows();

}  // namespace vesta::vedirect
