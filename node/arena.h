// The one piece of memory that the functions of a node share. What is taken is given back only all at once, when a new
// configuration is applied. Need() adds up what a configuration would take without taking it, so that one that does not
// fit is refused with the sum.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <utility>

namespace vesta::node {

inline constexpr size_t kArenaAlignment = 8;
constexpr size_t Aligned(size_t size) { return (size + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment; }

class Arena {
 public:
  explicit Arena(std::span<uint8_t> memory) : memory_(memory) {}

  size_t size() const { return memory_.size(); }
  size_t used() const { return used_; }
  void Clear() { used_ = 0; }

  // Empty when it does not fit.
  std::span<uint8_t> Take(size_t size) {
    const size_t taken = Aligned(size);
    if (taken > memory_.size() - used_) return {};
    const auto piece = memory_.subspan(used_, size);
    used_ += taken;
    return piece;
  }
  // nullptr when it does not fit. The object is never destroyed: it owns nothing.
  template <typename T, typename... Arguments>
  T* Make(Arguments&&... arguments) {
    static_assert(alignof(T) <= kArenaAlignment);
    const auto piece = Take(sizeof(T));
    return piece.empty() ? nullptr : new (piece.data()) T(std::forward<Arguments>(arguments)...);
  }

 private:
  std::span<uint8_t> memory_;
  size_t used_ = 0;
};

}  // namespace vesta::node
