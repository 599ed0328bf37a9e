// Hears a source for a while, through the ordinary transports: what doctor judges by.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hub/config/config.h"

namespace vesta::app {

// More says nothing new: some forty telegrams.
inline constexpr size_t kListenedBytesMax = 64 * 1024;

struct Listened {
  bool opened = false;
  std::string error;  // it could not be opened, or closed by itself
  std::string hint;
  std::vector<uint8_t> bytes;
};

// Ends before the time when a frame was understood, or told that it needs a key.
Listened ListenTo(const hub::SourceConfig& config, double seconds);

}  // namespace vesta::app
