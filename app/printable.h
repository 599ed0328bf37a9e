// Texts from devices, made safe for a terminal: they are hostile, and an escape sequence can do harm there.
#pragma once

#include <string>
#include <string_view>

namespace vesta::app {

// Printable ASCII stays, everything else becomes \xNN.
std::string Printable(std::string_view text);

}  // namespace vesta::app
