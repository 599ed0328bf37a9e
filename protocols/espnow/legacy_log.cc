#include "protocols/espnow/legacy_log.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace vesta::espnow::legacy {

bool DayLog::Add(std::string_view key, double value) {
  if (key.empty() || key.size() >= kNameSize) return false;
  Sum* const begin = sums_.data();
  Sum* const end = begin + size_;
  Sum* at = std::lower_bound(begin, end, key, [](const Sum& s, std::string_view k) { return s.key.data() < k; });
  if (at == end || at->key.data() != key) {
    if (size_ == kMaxKeys) return false;
    std::move_backward(at, end, end + 1);
    *at = {};
    std::copy(key.begin(), key.end(), at->key.begin());
    ++size_;
  }
  at->hundredths += Hundredths(value);
  ++at->count;
  return true;
}

size_t DayLog::WriteRow(UtcUs now_us, std::span<char, kRowSize> out) {
  if (size_ == 0) return 0;
  const CivilTime t = CivilFromUs(now_us);
  size_t at = static_cast<size_t>(std::snprintf(out.data(), out.size(),
                                                "{\"ID\":\"ESP8266\",\"UID\":\"%04d-%02u-%02uT%02u:%02u:%02u\"",
                                                static_cast<int>(t.year), t.month, t.day, t.hour, t.minute, t.second));
  static_assert(kRowSize > 64 + kMaxKeys * (2 * kNameSize + 8), "every key fits");
  for (size_t i = 0; i < size_; ++i) {
    const Sum& s = sums_[i];
    char mean[kNameSize];
    const size_t n = WriteHundredths(Hundredths(static_cast<double>(s.hundredths) / s.count / 100), mean);
    at += static_cast<size_t>(
        std::snprintf(out.data() + at, out.size() - at, ",\"%s\":\"%.*s\"", s.key.data(), static_cast<int>(n), mean));
  }
  out[at++] = '}';
  size_ = 0;
  return at;
}

size_t WriteFileName(const CivilTime& local, std::span<char, kFileNameSize> out) {
  return static_cast<size_t>(std::snprintf(out.data(), out.size(), "/%04d_%02u_%02u.JSN",
                                           static_cast<int>(local.year) % 10000, local.month % 100u, local.day % 100u));
}

}  // namespace vesta::espnow::legacy
