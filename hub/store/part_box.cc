#include "hub/store/part_box.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>

namespace vesta::hub {
namespace {

constexpr uint8_t kBoxVersion = 1;
// What is shorter does not get shorter: a zstd frame has a dozen bytes of its own.
constexpr size_t kPackFrom = 24;

}  // namespace

void Packer::Free::operator()(ZSTD_CCtx_s* context) const { ZSTD_freeCCtx(context); }
void Packer::Free::operator()(ZSTD_DCtx_s* context) const { ZSTD_freeDCtx(context); }

Packer::Packer() = default;

void Packer::Release() {
  compressor_.reset();
  decompressor_.reset();
}

bool Packer::Pack(std::string_view bytes, std::string* out, int level) {
  if (bytes.size() < kPackFrom) return false;
  if (compressor_ == nullptr) compressor_.reset(ZSTD_createCCtx());
  const size_t before = out->size();
  out->resize(before + ZSTD_compressBound(bytes.size()));
  const size_t packed = ZSTD_compressCCtx(compressor_.get(), out->data() + before, out->size() - before, bytes.data(),
                                          bytes.size(), level);
  const bool shorter = ZSTD_isError(packed) == 0 && packed < bytes.size();
  out->resize(before + (shorter ? packed : 0));
  return shorter;
}

bool Packer::Unpack(std::string_view packed, size_t size, std::string* out) {
  if (size > kMaxPartBytes) return false;
  // A frame says its own size: room is made only for what it really holds.
  if (ZSTD_getFrameContentSize(packed.data(), packed.size()) != size) return false;
  if (decompressor_ == nullptr) decompressor_.reset(ZSTD_createDCtx());
  out->resize(size);
  return ZSTD_decompressDCtx(decompressor_.get(), out->data(), size, packed.data(), packed.size()) == size;
}

uint32_t Crc32(std::string_view bytes) {
  return static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

void BoxWriter::Add(PartEntry entry, std::string_view unpacked, Packer* packer) {
  const size_t before = bytes_.size();
  if (!packer->Pack(unpacked, &bytes_)) bytes_.append(unpacked);
  entry.size = unpacked.size();
  entry.stored = bytes_.size() - before;
  entry.crc = Crc32(std::string_view(bytes_).substr(before));
  entry.bytes = {};
  entries_.push_back(entry);
}

void BoxWriter::AddStored(const PartEntry& entry) {
  bytes_.append(entry.bytes);
  entries_.push_back(entry);
  entries_.back().bytes = {};
}

std::string BoxWriter::Finish() const {
  std::string box;
  ByteWriter out(&box);
  out.Byte(kBoxVersion);
  out.Varint(entries_.size());
  uint64_t owner = 0;
  int64_t time_us = 0;
  int64_t span_us = 0;
  for (const PartEntry& entry : entries_) {
    out.Varint(entry.owner - owner);
    out.Varint(entry.items);
    out.Signed(WrappingSubtract(entry.first_us, time_us));
    const int64_t span = WrappingSubtract(entry.last_us, entry.first_us);
    out.Signed(WrappingSubtract(span, span_us));
    span_us = span;
    out.Varint(entry.size);
    out.Varint(entry.stored);
    out.Fixed32(entry.crc);
    owner = entry.owner;
    time_us = entry.first_us;
  }
  out.Fixed32(Crc32(box));
  box.append(bytes_);
  return box;
}

bool BoxReader::Open(std::string_view box) {
  parts_.clear();
  ByteReader in(box);
  if (in.Byte() != kBoxVersion) return false;
  const uint64_t count = in.Varint();
  if (!in.ok() || count > kMaxParts || count > in.left()) return false;
  parts_.reserve(count);
  uint64_t owner = 0;
  int64_t time_us = 0;
  int64_t span_us = 0;
  for (uint64_t i = 0; i < count; ++i) {
    PartEntry& entry = parts_.emplace_back();
    entry.owner = owner += in.Varint();
    entry.items = in.Varint();
    entry.first_us = time_us = WrappingAdd(time_us, in.Signed());
    span_us = WrappingAdd(span_us, in.Signed());
    entry.last_us = WrappingAdd(time_us, span_us);
    entry.size = in.Varint();
    entry.stored = in.Varint();
    entry.crc = in.Fixed32();
    if (entry.size > kMaxPartBytes || entry.stored > entry.size) return false;
  }
  if (!in.ok()) return false;
  const size_t directory = box.size() - in.left();
  if (in.Fixed32() != Crc32(box.substr(0, directory)) || !in.ok()) return false;
  for (PartEntry& entry : parts_) entry.bytes = in.Raw(entry.stored);
  return in.ok() && in.left() == 0;
}

const PartEntry* BoxReader::Find(uint64_t owner) const {
  const auto found = std::lower_bound(parts_.begin(), parts_.end(), owner,
                                      [](const PartEntry& part, uint64_t wanted) { return part.owner < wanted; });
  return found == parts_.end() || found->owner != owner ? nullptr : &*found;
}

bool BoxReader::Unpack(const PartEntry& part, Packer* packer, std::string* out) {
  if (Crc32(part.bytes) != part.crc) return false;
  if (part.stored == part.size) {
    out->assign(part.bytes);
    return true;
  }
  return packer->Unpack(part.bytes, part.size, out);
}

}  // namespace vesta::hub
