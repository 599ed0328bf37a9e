// The labels of VE.Direct text: what each means, in which field it lands, and in which power of ten it is sent.
//
// A label that the table lacks is passed over and counted. Values keep the digits that the wire sent; only the exponent
// makes V of mV. Facts: reference of Victron, section 10.
#pragma once

#include <cstdint>
#include <string_view>

#include "model/value.h"
#include "protocols/victron/fields.h"

namespace vesta::vedirect {

enum class LabelForm : uint8_t {
  kNumber = 0,
  kDrawn,        // a number, negative on the wire, kept positive (victron/fields.h)
  kTimeToGo,     // a number; -1 is "for ever": no value
  kState,        // a code
  kSignedState,  // a signed code, kept as 16 bits
  kMode,         // a device mode; 0 is 4 (off)
  kOnOff,        // "ON", "OFF" in any case
  kAlarmBits,    // decimal bits, text of reasons
  kOffBits,      // hex bits "0x00000001", text of reasons
  kProduct,      // "0xA042"
  kSerial,
  kFirmware,
  kFirmwareExtended,
  kModel,
  kIgnored,  // known, says nothing that is kept
};

struct LabelRow {
  std::string_view label;
  uint16_t field;  // of victron::Fields(), kNoField for the ones of a form of their own
  LabelForm form;
  int8_t exponent;
};

// nullptr: not known.
const LabelRow* FindLabel(std::string_view label);

// The number of a text such as "-7625", "0x00000009" or "On" by the row's form; exact, with the row's exponent. False
// when it is no such text. A value that the device does not have ("---", endless time to go) is none.
bool ReadLabelValue(const LabelRow& row, std::string_view text, Value* value);

// Hex digits behind "0x", at most 32 bits. False when it is something else.
bool ReadHexNumber(std::string_view text, uint32_t* number);

// Steps through the fields of a block that the framer let through: "\r\nLABEL\tVALUE" each.
class BlockFields {
 public:
  explicit BlockFields(std::string_view block) : rest_(block) {}
  // The checksum is not among them.
  bool Next(std::string_view* label, std::string_view* value);

 private:
  std::string_view rest_;
};

}  // namespace vesta::vedirect
