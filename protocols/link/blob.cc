#include "protocols/link/blob.h"

#include <algorithm>

#include "protocols/link/seal.h"

namespace vesta::link {

std::optional<BlobResult> BlobReceiver::Offer(const BlobManifest& manifest, const BlobLimits& limits,
                                              BlobStore& store) {
  const bool is_firmware = manifest.kind == BlobKind::kFirmware;
  const uint32_t current = is_firmware ? limits.firmware : limits.configuration;
  if (manifest.version == current) return BlobResult::kComplete;
  if (manifest.version < current) return BlobResult::kOlder;
  if (manifest.target != 0 && manifest.target != limits.hardware) return BlobResult::kOtherTarget;
  const BlobManifest& known = progress_.manifest;
  const bool is_known = known.kind == manifest.kind && known.version == manifest.version &&
                        known.digest == manifest.digest && known.size == manifest.size;
  if (is_known && progress_.is_active) return std::nullopt;                   // go on
  if (is_known && progress_.first == blocks()) return BlobResult::kComplete;  // verified, not yet started
  if (is_firmware && !crypto::VerifyP256(limits.signer, ManifestDigest(manifest), manifest.signature)) {
    return BlobResult::kBadSignature;
  }
  if (!store.Begin(manifest)) return BlobResult::kTooBig;
  progress_ = {manifest, true, 0, 0};
  return std::nullopt;
}

BlobRequest BlobReceiver::Wanted() const {
  BlobRequest request{progress_.manifest.kind, progress_.manifest.version, progress_.first, 0};
  const uint32_t left = std::min<uint32_t>(blocks() - progress_.first, kBlocksAhead);
  const uint32_t all = left == kBlocksAhead ? ~uint32_t{0} : (uint32_t{1} << left) - 1;
  request.wanted = all & ~progress_.have;
  return request;
}

std::optional<BlobResult> BlobReceiver::Take(const BlobBlock& block, BlobStore& store) {
  const BlobManifest& manifest = progress_.manifest;
  if (!progress_.is_active || block.kind != manifest.kind || block.version != manifest.version ||
      block.block < progress_.first || block.block >= blocks()) {
    return std::nullopt;
  }
  const uint32_t ahead = block.block - progress_.first;
  const uint32_t offset = block.block * static_cast<uint32_t>(kBlockSize);
  const size_t size = std::min<size_t>(kBlockSize, manifest.size - offset);
  if (ahead >= kBlocksAhead || (progress_.have >> ahead & 1) != 0 || block.bytes.size() != size) return std::nullopt;
  if (!store.Write(manifest, offset, block.bytes)) {
    progress_.is_active = false;
    return BlobResult::kWriteFailed;
  }
  progress_.have |= uint32_t{1} << ahead;
  while ((progress_.have & 1) != 0) {
    progress_.have >>= 1;
    ++progress_.first;
  }
  if (progress_.first < blocks()) return std::nullopt;
  progress_.is_active = false;
  const BlobResult result = Verify(store);
  if (result != BlobResult::kComplete) progress_ = {};
  return result;
}

BlobResult BlobReceiver::Verify(BlobStore& store) {
  const BlobManifest& manifest = progress_.manifest;
  crypto::Sha256Stream stream;
  std::array<uint8_t, kBlockSize> bytes;
  for (uint32_t offset = 0; offset < manifest.size; offset += static_cast<uint32_t>(kBlockSize)) {
    const auto part = std::span(bytes).first(std::min<size_t>(kBlockSize, manifest.size - offset));
    if (!store.ReadBack(manifest, offset, part)) return BlobResult::kWriteFailed;
    stream.Add(part);
  }
  if (!crypto::SameBytes(stream.Finish(), manifest.digest)) return BlobResult::kBadDigest;
  return store.Complete(manifest);
}

}  // namespace vesta::link
