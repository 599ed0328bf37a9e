#include "app/printable.h"

#include <fmt/format.h>

namespace vesta::app {

std::string Printable(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c >= 0x20 && c < 0x7F) {
      safe += c;
    } else {
      safe += fmt::format("\\x{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  return safe;
}

}  // namespace vesta::app
