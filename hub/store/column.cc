#include "hub/store/column.h"

namespace vesta::hub {
namespace {

enum Mode : uint8_t { kConstant = 0, kPlain = 1, kDifferences = 2, kSecondDifferences = 3 };

}  // namespace

void WriteColumn(std::span<const int64_t> values, ByteWriter* out) {
  size_t plain = 0;
  size_t once = 0;
  size_t twice = 0;
  bool constant = true;
  int64_t previous = 0;
  int64_t difference = 0;
  for (const int64_t value : values) {
    const int64_t step = WrappingSubtract(value, previous);
    plain += VarintSize(ZigZag(value));
    once += VarintSize(ZigZag(step));
    twice += VarintSize(ZigZag(WrappingSubtract(step, difference)));
    constant = constant && value == values[0];
    previous = value;
    difference = step;
  }
  if (constant) {
    out->Byte(kConstant);
    out->Signed(values.empty() ? 0 : values[0]);
    return;
  }
  // At equal length the longer chain has more zeros when it is even, but twice the noise when it is not.
  const Mode mode = plain <= once && plain <= twice ? kPlain : once <= twice ? kDifferences : kSecondDifferences;
  out->Byte(mode);
  previous = 0;
  difference = 0;
  for (const int64_t value : values) {
    const int64_t step = WrappingSubtract(value, previous);
    out->Signed(mode == kPlain ? value : mode == kDifferences ? step : WrappingSubtract(step, difference));
    previous = value;
    difference = step;
  }
}

bool ReadColumn(ByteReader* in, size_t count, std::vector<int64_t>* values) {
  const uint8_t mode = in->Byte();
  if (mode == kConstant) {
    values->assign(count, in->Signed());
    return in->ok();
  }
  if (mode > kSecondDifferences || in->left() < count) return false;
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
  return in->ok();
}

}  // namespace vesta::hub
