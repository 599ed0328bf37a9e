// What an export for research leaves out and how it hides who a device is and when it was used.
//
// With a key, a device is named by a keyed hash (HMAC-SHA256) of its key, and its times are shifted back by a whole
// number of days that the same key gives for this device: intervals and the time of day stay, dates do not. The same
// key gives the same names and shifts again. Free text, serial numbers, names, places and instants inside values are
// left out. Without the key neither can be undone or recomputed; who has it can do both. docs/exports.md states the
// limits.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "hub/devices/directory.h"

namespace vesta::hub {

// Shorter keys can be guessed.
inline constexpr size_t kMinExportKeyBytes = 16;
inline constexpr size_t kMaxExportKeyBytes = 4096;
// Dates go back by 1 to so many days.
inline constexpr uint32_t kMaxShiftDays = 3650;

class Privacy {
 public:
  explicit Privacy(std::string key) : key_(std::move(key)) {}

  // "d-" and 24 hex digits.
  std::string NameOf(std::string_view device_key) const;
  // What is to be added to the times of a device: a negative number of whole days.
  int64_t ShiftUs(std::string_view device_key) const;

 private:
  std::array<uint8_t, 32> Mac(std::string_view purpose, std::string_view text) const;

  std::string key_;
};

// False for fields whose values tell who or when: texts, identifiers, messages, instants.
bool IsAnonymous(const SeriesField& field);

// Reads a key: the file's bytes without a line end behind them. The error is for people.
tl::expected<std::string, std::string> ReadExportKey(const std::string& path);

// The key of a hub for exports over its API, in its data folder: no key ever stands in an URL.
inline constexpr std::string_view kExportKeyFile = "export.key";
// The same; a file that is not there is made first, with a random key that only its owner may read.
tl::expected<std::string, std::string> ReadOrMakeExportKey(const std::string& path);

}  // namespace vesta::hub
