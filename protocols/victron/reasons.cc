#include "protocols/victron/reasons.h"

#include <cstring>

namespace vesta::victron {
namespace {

constexpr std::string_view kBetween = ", ";
constexpr std::string_view kCut = "...";

}  // namespace

std::string_view ReasonText(uint32_t bits, std::span<const StateName> names, std::span<char, kReasonTextSize> out) {
  if (bits == 0) return "none";
  size_t used = 0;
  for (uint32_t bit = 0; bit < 32; ++bit) {
    if ((bits >> bit & 1) == 0) continue;
    std::string_view name = FindStateName(names, bit);
    char number[] = "bit_00";
    if (name.empty()) {
      number[4] = static_cast<char>('0' + bit / 10);
      number[5] = static_cast<char>('0' + bit % 10);
      name = number;
      if (bit < 10) {
        number[4] = number[5];
        name.remove_suffix(1);
      }
    }
    // An empty view still points somewhere: memcpy must not be given null.
    const std::string_view before = kBetween.substr(0, used == 0 ? 0 : kBetween.size());
    const bool fits = used + before.size() + name.size() + kBetween.size() + kCut.size() <= out.size();
    if (!fits) name = kCut;
    std::memcpy(out.data() + used, before.data(), before.size());
    used += before.size();
    std::memcpy(out.data() + used, name.data(), name.size());
    used += name.size();
    if (!fits) break;
  }
  return {out.data(), used};
}

}  // namespace vesta::victron
