// Raw frames of the archive, compressed one by one with a dictionary that was trained on frames of their source: a
// frame is too short to compress alone, and its neighbours look like it.
//
// What is stored is a zstd frame without its four magic bytes, which are always the same. Portable but for the
// compressor. Format: docs/formats/store.md.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;
struct ZSTD_CDict_s;
struct ZSTD_DDict_s;

namespace vesta::hub {

inline constexpr size_t kFrameDictionaryBytes = 8192;
// Frames that a dictionary is trained on: enough of them, and not so many that it takes long.
inline constexpr size_t kTrainFrames = 256;
inline constexpr size_t kTrainBytes = 128 * 1024;
// A frame unpacked; none that a session takes is longer.
inline constexpr size_t kMaxUnpackedFrame = 1u << 20;
// Sources with a dictionary; those beyond are kept as they are.
inline constexpr size_t kMaxFrameDictionaries = 64;

// Empty when the frames have nothing in common that is worth a fifth of their size: sealed ones, for example.
std::vector<uint8_t> TrainFrameDictionary(const std::vector<std::vector<uint8_t>>& frames);

class FramePacker {
 public:
  FramePacker();
  ~FramePacker();
  // Takes over a dictionary of the table; empty bytes: frames of this source are kept as they are.
  void Add(int64_t id, const std::string& source, std::span<const uint8_t> dictionary);
  bool Knows(const std::string& source) const { return dictionaries_.contains(source); }
  bool full() const { return dictionaries_.size() >= kMaxFrameDictionaries; }
  // The dictionary that *packed was made with; 0, and *packed is left alone, when the frame is not shorter packed.
  int64_t Pack(const std::string& source, std::span<const uint8_t> frame, std::vector<uint8_t>* packed);

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* context) const;
    void operator()(ZSTD_CDict_s* dictionary) const;
  };
  struct Dictionary {
    int64_t id = 0;
    std::unique_ptr<ZSTD_CDict_s, Free> bytes;  // none: not worth it
  };
  std::unique_ptr<ZSTD_CCtx_s, Free> context_;
  std::map<std::string, Dictionary> dictionaries_;
};

class FrameUnpacker {
 public:
  FrameUnpacker();
  ~FrameUnpacker();
  void Add(int64_t id, std::span<const uint8_t> dictionary);
  bool Has(int64_t id) const { return dictionaries_.contains(id); }
  // False: damaged, or an unknown dictionary; *frame is empty then.
  bool Unpack(int64_t id, std::span<const uint8_t> packed, std::vector<uint8_t>* frame);

 private:
  struct Free {
    void operator()(ZSTD_DCtx_s* context) const;
    void operator()(ZSTD_DDict_s* dictionary) const;
  };
  std::unique_ptr<ZSTD_DCtx_s, Free> context_;
  std::map<int64_t, std::unique_ptr<ZSTD_DDict_s, Free>> dictionaries_;
  std::vector<uint8_t> whole_;  // with its magic bytes
};

}  // namespace vesta::hub
