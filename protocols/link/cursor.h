// Reads and writes the members of a message one after the other, with the bounds checked once at the end: a Taker that
// ran short gives zeros and says so, a Putter that ran full writes nothing more. Little-endian.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "protocols/little_endian.h"

namespace vesta::link {

class Putter {
 public:
  explicit Putter(std::span<uint8_t> out) : out_(out) {}
  Putter& U8(uint8_t v) { return Raw({&v, 1}); }
  Putter& U16(uint16_t v) {
    uint8_t bytes[2];
    wire::Put16(bytes, v);
    return Raw(bytes);
  }
  Putter& U32(uint32_t v) {
    uint8_t bytes[4];
    wire::Put32(bytes, v);
    return Raw(bytes);
  }
  Putter& U48(uint64_t v) {
    uint8_t bytes[6];
    wire::Put48(bytes, v);
    return Raw(bytes);
  }
  Putter& Raw(std::span<const uint8_t> bytes) {
    if (bytes.size() > out_.size() - at_) return *this;
    std::copy(bytes.begin(), bytes.end(), out_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ += bytes.size();
    return *this;
  }
  template <size_t n>
  Putter& Array(const std::array<uint8_t, n>& bytes) {
    return Raw(bytes);
  }
  size_t size() const { return at_; }

 private:
  std::span<uint8_t> out_;
  size_t at_ = 0;
};

class Taker {
 public:
  explicit Taker(std::span<const uint8_t> in) : rest_(in) {}
  Taker& U8(uint8_t* out) {
    const auto s = Some(1);
    *out = s.empty() ? uint8_t{0} : s[0];
    return *this;
  }
  Taker& U16(uint16_t* out) {
    const auto s = Some(2);
    *out = s.empty() ? uint16_t{0} : wire::Get16(s.data());
    return *this;
  }
  Taker& U32(uint32_t* out) {
    const auto s = Some(4);
    *out = s.empty() ? 0 : wire::Get32(s.data());
    return *this;
  }
  Taker& U48(uint64_t* out) {
    const auto s = Some(6);
    *out = s.empty() ? 0 : wire::Get48(s.data());
    return *this;
  }
  template <size_t n>
  Taker& Array(std::array<uint8_t, n>* out) {
    const auto s = Some(n);
    out->fill(0);
    std::copy(s.begin(), s.end(), out->begin());
    return *this;
  }
  std::span<const uint8_t> Some(size_t n) {
    if (is_short_ || n > rest_.size()) return Fail();
    const auto s = rest_.first(n);
    rest_ = rest_.subspan(n);
    return s;
  }
  std::span<const uint8_t> Rest() { return Some(rest_.size()); }
  std::span<const uint8_t> Fail() {
    is_short_ = true;
    return {};
  }
  bool is_short() const { return is_short_; }
  bool AtEnd() const { return !is_short_ && rest_.empty(); }

 private:
  std::span<const uint8_t> rest_;
  bool is_short_ = false;
};

}  // namespace vesta::link
