// Several compressed parts in one run of bytes, each to be had without the others: what one row of the history holds of
// all series of a device.
//
// A directory in front says of each part whose it is, how many items it has, between which times they lie, and where
// its bytes stand; each part and the directory have a CRC-32, so that damage is found where it is read. Parts are zstd
// frames, or plain where that is shorter. Format: docs/formats/store.md. Portable but for the compressor.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hub/store/byte_coding.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace vesta::hub {

// Parts in a box: all series of a device, and one that they share.
inline constexpr size_t kMaxParts = 65537;
// A part unpacked. Beyond this a damaged length would eat the memory.
inline constexpr size_t kMaxPartBytes = 64u << 20;

// Levels of zstd: of what stays, and of what is read once or twice.
inline constexpr int kHistoryLevel = 3;
inline constexpr int kJournalLevel = 1;

// zstd with its working memory, made once: making it costs more than packing a small part.
class Packer {
 public:
  Packer();
  // Appends the bytes packed to *out; false: they are not shorter packed, and nothing was appended.
  bool Pack(std::string_view bytes, std::string* out, int level = kHistoryLevel);
  // False when they do not unpack to just so many bytes.
  bool Unpack(std::string_view packed, size_t size, std::string* out);
  // Gives the working memory back; it is made again when it is needed.
  void Release();

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* context) const;
    void operator()(ZSTD_DCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_CCtx_s, Free> compressor_;
  std::unique_ptr<ZSTD_DCtx_s, Free> decompressor_;
};

uint32_t Crc32(std::string_view bytes);

struct PartEntry {
  uint64_t owner = 0;  // series id; 0: shared by all
  uint64_t items = 0;
  int64_t first_us = 0;
  int64_t last_us = 0;
  uint64_t size = 0;    // unpacked
  uint64_t stored = 0;  // == size: not packed
  uint32_t crc = 0;     // of the stored bytes
  std::string_view bytes;
};

class BoxWriter {
 public:
  // Adds a part, packing it; parts are added in order of owner.
  void Add(PartEntry entry, std::string_view unpacked, Packer* packer);
  // Adds a part of another box as it is.
  void AddStored(const PartEntry& entry);
  bool empty() const { return entries_.empty(); }
  std::string Finish() const;

 private:
  std::vector<PartEntry> entries_;
  std::string bytes_;
};

class BoxReader {
 public:
  // The bytes must stay. False: damaged.
  bool Open(std::string_view box);
  const std::vector<PartEntry>& parts() const { return parts_; }
  const PartEntry* Find(uint64_t owner) const;
  static bool Unpack(const PartEntry& part, Packer* packer, std::string* out);

 private:
  std::vector<PartEntry> parts_;
};

}  // namespace vesta::hub
