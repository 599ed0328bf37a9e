// Writes P1 telegrams as meters print them: CR LF line ends, zero-padded fields, CRC-16/ARC.
//
// An encoder of its own, on purpose not shared with the decoder: it is what the decoder is tested against. Form and
// digits: DSMR 2.2 to 5.0.2, e-MUCS and Smarty samples.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "model/calendar.h"

namespace vesta::simulators {

// CRC-16/ARC, bit by bit.
uint16_t TelegramCrc(std::string_view bytes);

// "230115184500W" of an instant in a zone; without the letter for DSMR 2.2.
std::string TelegramStamp(UtcUs utc_us, const Zone& zone, bool with_letter = true);

// The bytes of the text as hex pairs, upper case: how identifiers are printed.
std::string HexOfText(std::string_view text);

class TelegramWriter {
 public:
  // "ISK5\2M550T-1013"; the slash, the line end and the blank line are added.
  explicit TelegramWriter(std::string_view identification);

  // obis(value)
  TelegramWriter& Text(std::string_view obis, std::string_view value);
  // obis(00012.345*kWh): `number` counts steps of 10^-decimals, `digits` counts all digits of the field. A negative
  // number has its sign before the zeros.
  TelegramWriter& Number(std::string_view obis, int64_t number, int digits, int decimals, std::string_view unit = "");
  // obis(stamp)(00012.345*m3)
  TelegramWriter& Stamped(std::string_view obis, std::string_view stamp, int64_t number, int digits, int decimals,
                          std::string_view unit);
  // A line as it is, for forms that only one meter has.
  TelegramWriter& Line(std::string_view line);

  // The end mark, with the CRC or without. The writer is used up.
  std::string FinishWithCrc();
  std::string FinishWithoutCrc();

  // "(00012.345*m3)"
  static std::string Group(int64_t number, int digits, int decimals, std::string_view unit);

 private:
  std::string text_;
};

}  // namespace vesta::simulators
