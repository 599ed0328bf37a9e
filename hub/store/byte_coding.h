// Bytes of the store's own formats, written and read: little-endian integers, varints (7 bits a byte, low ones first),
// zigzag varints for signed numbers, and texts with their length in front.
//
// A reader never goes beyond its bytes: what is missing reads as 0 and ok() is false from then on. Portable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vesta::hub {

// Wrap around instead of overflowing, and back again: any two integers survive.
inline int64_t WrappingSubtract(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}
inline int64_t WrappingAdd(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

inline uint64_t ZigZag(int64_t value) { return static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63); }
inline int64_t UnZigZag(uint64_t value) { return static_cast<int64_t>(value >> 1 ^ (~(value & 1) + 1)); }

inline size_t VarintSize(uint64_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

class ByteWriter {
 public:
  explicit ByteWriter(std::string* out) : out_(out) {}

  void Byte(uint8_t value) { out_->push_back(static_cast<char>(value)); }
  void Fixed32(uint32_t value) { Fixed(value, 4); }
  void Fixed64(uint64_t value) { Fixed(value, 8); }
  void Varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) Byte(static_cast<uint8_t>(value | 0x80));
    Byte(static_cast<uint8_t>(value));
  }
  void Signed(int64_t value) { Varint(ZigZag(value)); }
  void Text(std::string_view text) {
    Varint(text.size());
    out_->append(text);
  }
  void Raw(std::string_view bytes) { out_->append(bytes); }
  // Room for so many bytes, to be filled in before the next call.
  char* Extend(size_t bytes) {
    out_->resize(out_->size() + bytes);
    return out_->data() + out_->size() - bytes;
  }

 private:
  void Fixed(uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) Byte(static_cast<uint8_t>(value >> (8 * i)));
  }

  std::string* out_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : next_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool ok() const { return ok_; }
  size_t left() const { return static_cast<size_t>(end_ - next_); }

  uint8_t Byte() {
    if (next_ == end_) return Fail();
    return static_cast<uint8_t>(*next_++);
  }
  uint32_t Fixed32() { return static_cast<uint32_t>(Fixed(4)); }
  uint64_t Fixed64() { return Fixed(8); }
  uint64_t Varint() {
    if (next_ != end_ && static_cast<uint8_t>(*next_) < 0x80) return static_cast<uint8_t>(*next_++);
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (next_ == end_) return Fail();
      const auto byte = static_cast<uint8_t>(*next_++);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    return Fail();
  }
  int64_t Signed() { return UnZigZag(Varint()); }
  // A view into the bytes that are read.
  std::string_view Raw(uint64_t size) {
    if (size > left()) {
      Fail();
      return {};
    }
    const std::string_view bytes(next_, static_cast<size_t>(size));
    next_ += size;
    return bytes;
  }
  std::string_view Text() { return Raw(Varint()); }

 private:
  uint8_t Fail() {
    ok_ = false;
    next_ = end_;
    return 0;
  }
  uint64_t Fixed(int bytes) {
    if (left() < static_cast<size_t>(bytes)) return Fail();
    uint64_t value = 0;
    for (int i = 0; i < bytes; ++i) value |= static_cast<uint64_t>(static_cast<uint8_t>(*next_++)) << (8 * i);
    return value;
  }

  const char* next_;
  const char* end_;
  bool ok_ = true;
};

}  // namespace vesta::hub
