// Opens a raw CAN socket on an interface of Linux: classic frames, error frames, filters, the count of frames dropped.
//
// The interface itself is brought up outside the hub (that needs CAP_NET_ADMIN). Facts: linux/can.h, linux/can/raw.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "hub/config/config.h"

namespace vesta::hub {

struct CanSocketError {
  std::string what;
  std::string hint;
  bool missing = false;  // not there or down, at the moment: cheap to look for
};

// The descriptor, non-blocking, close-on-exec; the caller's to close.
tl::expected<int, CanSocketError> OpenCanSocket(const SourceConfig& config);

struct CanFilter {
  uint32_t id = 0;    // with the extended flag where the text has 8 digits
  uint32_t mask = 0;  // likewise, and with the remote flag: data frames only
};
// "123:7FF", "086F1297:1FFFFFFF". Empty: no such text.
std::optional<CanFilter> ParseCanFilter(const std::string& text);

}  // namespace vesta::hub
