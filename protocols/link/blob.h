// The node's side of an image transfer: firmware or configuration, pulled in blocks of 192 bytes.
//
// The signature of a firmware is checked before the first block is asked for, the digest after the last was written.
// What is missing is asked for by a bit map of 32 blocks, so that a download goes on after loss, sleep and restart:
// Progress is all that must be kept.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "protocols/link/wire.h"

namespace vesta::link {

// Where the image goes: an update slot or a file.
class BlobStore {
 public:
  virtual ~BlobStore() = default;
  virtual bool Begin(const BlobManifest& manifest) = 0;  // false when there is no room
  virtual bool Write(const BlobManifest& manifest, uint32_t offset, Bytes bytes) = 0;
  virtual bool ReadBack(const BlobManifest& manifest, uint32_t offset, std::span<uint8_t> out) = 0;
  // Whole and verified: may be started, to be confirmed after its first good report. kComplete, or why it is of no use
  // here all the same: a configuration that does not fit.
  virtual BlobResult Complete(const BlobManifest& manifest) = 0;
};

struct BlobLimits {
  crypto::P256Key signer = {};  // whose firmware is taken
  uint32_t hardware = 0;
  uint32_t firmware = 0;       // that runs
  uint32_t configuration = 0;  // that runs
};

struct BlobProgress {
  BlobManifest manifest;
  bool is_active = false;
  uint16_t first = 0;  // all blocks before are written
  uint32_t have = 0;   // bit i: block first + i is written
};

class BlobReceiver {
 public:
  // An answer for the hub, or nullopt when blocks are to be asked for.
  std::optional<BlobResult> Offer(const BlobManifest& manifest, const BlobLimits& limits, BlobStore& store);
  std::optional<BlobResult> Take(const BlobBlock& block, BlobStore& store);

  bool is_active() const { return progress_.is_active; }
  BlobRequest Wanted() const;
  const BlobProgress& progress() const { return progress_; }
  void Restore(const BlobProgress& progress) { progress_ = progress; }

 private:
  uint32_t blocks() const { return static_cast<uint32_t>((progress_.manifest.size + kBlockSize - 1) / kBlockSize); }
  BlobResult Verify(BlobStore& store);

  BlobProgress progress_;
};

}  // namespace vesta::link
