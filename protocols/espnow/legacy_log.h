// The day log of the original server: every quarter of an hour one row with the mean of each value that came since the
// row before, in a file of its own for each local day.
//
// Values are rounded to two decimals before the mean and the mean is printed with two. Keys stand in byte order; a key
// without a new value is left out; no row without any. Facts: the original server's logger and its published files.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "model/calendar.h"
#include "protocols/espnow/legacy_network.h"

namespace vesta::espnow::legacy {

class DayLog {
 public:
  // The original's parser ends at 2 kB of description, some 40 devices with two values each.
  static constexpr size_t kMaxKeys = 128;
  static constexpr size_t kRowSize = 8192;

  // False when the table of keys is full or the key is too long; the caller counts it.
  bool Add(std::string_view key, double value);

  // Writes the JSON object of a row and forgets the values; 0 when there is nothing to write.
  size_t WriteRow(UtcUs now_us, std::span<char, kRowSize> out);

 private:
  struct Sum {
    std::array<char, kNameSize> key = {};
    int64_t hundredths = 0;
    uint32_t count = 0;
  };
  std::array<Sum, kMaxKeys> sums_ = {};
  size_t size_ = 0;  // sorted by key
};

inline constexpr size_t kFileNameSize = 20;
// "/YYYY_MM_DD.JSN" of a local date, with an end mark. Returns the length.
size_t WriteFileName(const CivilTime& local, std::span<char, kFileNameSize> out);

}  // namespace vesta::espnow::legacy
