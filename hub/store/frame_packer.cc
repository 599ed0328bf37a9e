#include "hub/store/frame_packer.h"

#include <zdict.h>
#include <zstd.h>

#include <algorithm>

namespace vesta::hub {
namespace {

constexpr uint8_t kMagic[] = {0x28, 0xB5, 0x2F, 0xFD};  // of every zstd frame
constexpr int kFrameLevel = 3;
// Every so many frames are not trained on: they show whether the dictionary is good for frames that it has not seen.
constexpr size_t kProofEvery = 4;

}  // namespace

std::vector<uint8_t> TrainFrameDictionary(const std::vector<std::vector<uint8_t>>& frames) {
  std::vector<uint8_t> samples;
  std::vector<size_t> sizes;
  const auto is_proof = [](size_t i) { return i % kProofEvery == 0; };
  for (size_t i = 0; i < frames.size(); ++i) {
    if (is_proof(i)) continue;
    samples.insert(samples.end(), frames[i].begin(), frames[i].end());
    sizes.push_back(frames[i].size());
  }
  std::vector<uint8_t> dictionary(kFrameDictionaryBytes);
  const size_t trained = ZDICT_trainFromBuffer(dictionary.data(), dictionary.size(), samples.data(), sizes.data(),
                                               static_cast<unsigned>(sizes.size()));
  if (ZDICT_isError(trained) != 0) return {};
  dictionary.resize(trained);
  FramePacker packer;
  packer.Add(1, "", dictionary);
  size_t raw_size = 0;
  size_t packed_size = 0;
  std::vector<uint8_t> packed;
  for (size_t i = 0; i < frames.size(); i += kProofEvery) {
    raw_size += frames[i].size();
    packed_size += packer.Pack("", frames[i], &packed) != 0 ? packed.size() : frames[i].size();
  }
  if (packed_size > raw_size / 5 * 4) dictionary.clear();
  return dictionary;
}

FramePacker::FramePacker() = default;
FramePacker::~FramePacker() = default;
void FramePacker::Free::operator()(ZSTD_CCtx_s* context) const { ZSTD_freeCCtx(context); }
void FramePacker::Free::operator()(ZSTD_CDict_s* dictionary) const { ZSTD_freeCDict(dictionary); }

void FramePacker::Add(int64_t id, const std::string& source, std::span<const uint8_t> dictionary) {
  Dictionary& one = dictionaries_[source];
  one.id = id;
  one.bytes.reset(dictionary.empty() ? nullptr : ZSTD_createCDict(dictionary.data(), dictionary.size(), kFrameLevel));
}

int64_t FramePacker::Pack(const std::string& source, std::span<const uint8_t> frame, std::vector<uint8_t>* packed) {
  const auto found = dictionaries_.find(source);
  if (found == dictionaries_.end() || found->second.bytes == nullptr) return 0;
  if (context_ == nullptr) {
    context_.reset(ZSTD_createCCtx());
    // The table says which dictionary it was, the transport's own check sum was looked at long ago.
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_dictIDFlag, 0);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 0);
  }
  ZSTD_CCtx_refCDict(context_.get(), found->second.bytes.get());
  std::vector<uint8_t> whole(ZSTD_compressBound(frame.size()));
  const size_t size = ZSTD_compress2(context_.get(), whole.data(), whole.size(), frame.data(), frame.size());
  if (ZSTD_isError(size) != 0 || size - sizeof(kMagic) >= frame.size()) return 0;
  packed->assign(whole.begin() + sizeof(kMagic), whole.begin() + static_cast<std::ptrdiff_t>(size));
  return found->second.id;
}

FrameUnpacker::FrameUnpacker() = default;
FrameUnpacker::~FrameUnpacker() = default;
void FrameUnpacker::Free::operator()(ZSTD_DCtx_s* context) const { ZSTD_freeDCtx(context); }
void FrameUnpacker::Free::operator()(ZSTD_DDict_s* dictionary) const { ZSTD_freeDDict(dictionary); }

void FrameUnpacker::Add(int64_t id, std::span<const uint8_t> dictionary) {
  if (dictionary.empty() || dictionaries_.size() >= kMaxFrameDictionaries) return;
  dictionaries_[id].reset(ZSTD_createDDict(dictionary.data(), dictionary.size()));
}

bool FrameUnpacker::Unpack(int64_t id, std::span<const uint8_t> packed, std::vector<uint8_t>* frame) {
  frame->clear();
  const auto found = dictionaries_.find(id);
  if (found == dictionaries_.end() || found->second == nullptr) return false;
  whole_.assign(std::begin(kMagic), std::end(kMagic));
  whole_.insert(whole_.end(), packed.begin(), packed.end());
  const unsigned long long size = ZSTD_getFrameContentSize(whole_.data(), whole_.size());
  if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size > kMaxUnpackedFrame) return false;
  if (context_ == nullptr) context_.reset(ZSTD_createDCtx());
  frame->resize(size);
  const size_t unpacked = ZSTD_decompress_usingDDict(context_.get(), frame->data(), frame->size(), whole_.data(),
                                                     whole_.size(), found->second.get());
  if (unpacked == size) return true;
  frame->clear();
  return false;
}

}  // namespace vesta::hub
