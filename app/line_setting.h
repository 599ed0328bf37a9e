// Which settings the serial ports of a protocol's devices have, the usual one first.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace vesta::app {

struct LineSetting {
  uint32_t baud;
  const char* framing;
};

std::span<const LineSetting> LineSettingsOf(std::string_view protocol);

}  // namespace vesta::app
