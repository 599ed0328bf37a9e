#include "hub/store/column.h"

#include <numeric>

namespace vesta::hub {
namespace {

enum Mode : uint8_t { kConstant = 0, kPlain = 1, kDifferences = 2, kSecondDifferences = 3, kEven = 4, kDivided = 16 };

// As VarintSize, without a loop.
size_t SizeOf(int64_t value) { return (static_cast<size_t>(63 - __builtin_clzll(ZigZag(value) | 1)) * 37 >> 8) + 1; }

char* WriteSigned(int64_t value, char* to) {
  uint64_t rest = ZigZag(value);
  for (; rest >= 0x80; rest >>= 7) *to++ = static_cast<char>(rest | 0x80);
  *to++ = static_cast<char>(rest);
  return to;
}

}  // namespace

namespace {

// The largest number that divides all; 1 when they have none in common. Whole seconds among milliseconds, tens among
// units: what a column does not need takes no room.
int64_t CommonDivisor(std::span<const int64_t> values) {
  uint64_t divisor = 0;
  for (const int64_t value : values) {
    if (value == INT64_MIN) return 1;
    const auto size = static_cast<uint64_t>(value < 0 ? -value : value);
    if (divisor != 0 && size % divisor == 0) continue;  // mostly so, and much cheaper
    divisor = std::gcd(divisor, size);
    if (divisor == 1) return 1;
  }
  return divisor == 0 ? 1 : static_cast<int64_t>(divisor);
}

struct Sizes {
  size_t plain = 0;
  size_t once = 0;
  size_t twice = 0;
};

Sizes Measure(std::span<const int64_t> values) {
  Sizes sizes;
  int64_t previous = 0;
  int64_t difference = 0;
  for (const int64_t value : values) {
    const int64_t change = WrappingSubtract(value, previous);
    sizes.plain += SizeOf(value);
    sizes.once += SizeOf(change);
    sizes.twice += SizeOf(WrappingSubtract(change, difference));
    previous = value;
    difference = change;
  }
  return sizes;
}

bool IsEven(std::span<const int64_t> values) {
  const int64_t step = values.size() < 2 ? 0 : WrappingSubtract(values[1], values[0]);
  for (size_t i = 1; i < values.size(); ++i) {
    if (WrappingSubtract(values[i], values[i - 1]) != step) return false;
  }
  return true;
}

}  // namespace

void WriteColumn(std::span<const int64_t> values, ByteWriter* out) {
  if (IsEven(values)) {
    const int64_t first = values.empty() ? 0 : values[0];
    const int64_t step = values.size() < 2 ? 0 : WrappingSubtract(values[1], first);
    out->Byte(step == 0 ? kConstant : kEven);
    out->Signed(first);
    if (step != 0) out->Signed(step);
    return;
  }
  const int64_t divisor = CommonDivisor(values);
  std::vector<int64_t> divided;
  if (divisor != 1) {
    divided.reserve(values.size());
    for (const int64_t value : values) divided.push_back(value / divisor);
    values = divided;
  }
  const auto [plain, once, twice] = Measure(values);
  // At equal length the longer chain has more zeros when it is even, but twice the noise when it is not.
  const Mode mode = plain <= once && plain <= twice ? kPlain : once <= twice ? kDifferences : kSecondDifferences;
  out->Byte(static_cast<uint8_t>(mode | (divisor == 1 ? 0 : kDivided)));
  if (divisor != 1) out->Varint(static_cast<uint64_t>(divisor));
  char* to = out->Extend(mode == kPlain ? plain : mode == kDifferences ? once : twice);
  if (mode == kPlain) {
    for (const int64_t value : values) to = WriteSigned(value, to);
    return;
  }
  int64_t previous = 0;
  int64_t difference = 0;
  for (const int64_t value : values) {
    const int64_t change = WrappingSubtract(value, previous);
    to = WriteSigned(mode == kDifferences ? change : WrappingSubtract(change, difference), to);
    previous = value;
    difference = change;
  }
}

bool ReadColumn(ByteReader* in, size_t count, std::vector<int64_t>* values) {
  uint8_t mode = in->Byte();
  if (mode == kConstant) {
    values->assign(count, in->Signed());
    return in->ok();
  }
  if (mode == kEven) {
    int64_t value = in->Signed();
    const int64_t step = in->Signed();
    values->resize(count);
    for (int64_t& one : *values) {
      one = value;
      value = WrappingAdd(value, step);
    }
    return in->ok();
  }
  int64_t divisor = 1;
  if ((mode & kDivided) != 0) {
    mode = static_cast<uint8_t>(mode ^ kDivided);
    divisor = static_cast<int64_t>(in->Varint());
  }
  if (mode == kConstant || mode > kSecondDifferences || in->left() < count) return false;
  values->resize(count);
  int64_t previous = 0;
  int64_t difference = 0;
  for (int64_t& value : *values) {
    const int64_t read = in->Signed();
    if (mode == kPlain) {
      value = read;
      continue;
    }
    difference = mode == kDifferences ? read : WrappingAdd(difference, read);
    previous = WrappingAdd(previous, difference);
    value = previous;
  }
  if (divisor != 1) {
    for (int64_t& value : *values) {
      value = static_cast<int64_t>(static_cast<uint64_t>(value) * static_cast<uint64_t>(divisor));
    }
  }
  return in->ok();
}

}  // namespace vesta::hub
