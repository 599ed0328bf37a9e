// Versions of Victron firmware as text: "1.23", "4.13-rcC", "2.08-beta-01".
//
// Every source writes into the caller's buffer and returns a view of it; what can't be read is handed back as it is,
// cut to the buffer. Facts: reference of Victron, sections 10 (FW, FWE) and 11 (ping, register 0x0102).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace vesta::vedirect {

inline constexpr size_t kFirmwareTextSize = 16;

// The label FW: "208", "0408", "C208".
std::string_view FirmwareOfLabel(std::string_view text, std::span<char> out);
// The label FWE: "0208FF", "208FF", "020801".
std::string_view FirmwareOfExtendedLabel(std::string_view text, std::span<char> out);
// The 16 bits of a ping: type in the two highest, then MM.LL as hex digits.
std::string_view FirmwareOfPing(uint16_t raw, std::span<char> out);
// The 24 bits 0xHHMMLL of register 0x0102: HH 0 is the 16-bit scheme, LL 0xFF a release.
std::string_view FirmwareOfAppVersion(uint32_t raw, std::span<char> out);

}  // namespace vesta::vedirect
