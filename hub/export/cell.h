// Cells of CSV files (RFC 4180) that a spreadsheet takes for what they are.
//
// Texts of devices are hostile: one that begins with = + - @ or a control character would be run as a formula, so it
// gets an apostrophe in front (and so does one that begins with an apostrophe, to be undone exactly). Numbers are
// written by us and need none. Bytes that are not UTF-8 become U+FFFD, NUL too.
#pragma once

#include <string>
#include <string_view>

#include "model/value.h"

namespace vesta::hub {

// A text of a device or a user: guarded, and quoted when it must be.
void AppendTextCell(std::string_view text, std::string* out);
// What AppendTextCell put in front is taken off again.
std::string_view UnguardText(std::string_view cell);

// The exact digits of a decimal, the shortest text of a real that reads back the same, the code of a state; nothing for
// none. Not for texts.
void AppendNumber(const Value& value, std::string* out);

}  // namespace vesta::hub
