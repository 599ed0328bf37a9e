// A short text of fixed room: names of functions and sensors. UTF-8 as the user gave it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "protocols/link/wire.h"

namespace vesta::node {

struct Name {
  uint8_t size = 0;
  std::array<char, link::kMaxName> bytes = {};

  std::string_view view() const { return {bytes.data(), size}; }
  bool empty() const { return size == 0; }
  // False, and nothing is changed, when it is too long.
  bool Set(std::string_view text) {
    if (text.size() > bytes.size()) return false;
    std::copy(text.begin(), text.end(), bytes.begin());
    size = static_cast<uint8_t>(text.size());
    return true;
  }
};

}  // namespace vesta::node
