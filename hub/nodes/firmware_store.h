// The firmware packages that a hub has for its nodes: taken in pieces, checked, kept in a folder, read in blocks while
// nodes load them. docs/formats/firmware.md has the form.
//
// A package is signed by who made it and checked by the node; the hub holds no key and can only refuse what is damaged.
// One package for each kind of hardware: a new one takes the old one's place. What comes in lies in a file of its own
// until it is whole. Errors are for people.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "protocols/crypto_link.h"
#include "protocols/link/wire.h"

namespace vesta::hub {

inline constexpr std::string_view kFirmwareMark = "VESTAFW1";
inline constexpr size_t kFirmwareHead = 8 + link::kManifestSize;
inline constexpr size_t kMaxFirmwares = 8;
// A piece of an upload: fits into one request of the API as hex digits.
inline constexpr size_t kMaxUploadPiece = 30000;

// False: this is no head of a package.
bool ReadFirmwareHead(std::span<const uint8_t> bytes, link::BlobManifest* out);
std::string WriteFirmwareHead(const link::BlobManifest& manifest);

class FirmwareStore {
 public:
  explicit FirmwareStore(std::string folder) : folder_(std::move(folder)) {}

  void Load(std::vector<std::string>* problems);

  struct Uploaded {
    uint64_t received = 0;
    uint64_t size = 0;
    link::BlobManifest manifest;
    bool is_complete = false;
  };
  // Pieces come in order; offset 0 begins anew.
  tl::expected<Uploaded, std::string> Upload(uint64_t offset, std::span<const uint8_t> bytes);

  const std::vector<link::BlobManifest>& all() const { return all_; }
  // For this hardware, else one that fits any; nullptr when there is none.
  const link::BlobManifest* Find(uint32_t hardware) const;
  // Returns how many bytes were read, fewer at the end or after a fault of the disk.
  size_t Read(uint32_t target, uint32_t offset, std::span<uint8_t> out) const;

 private:
  std::string PathOf(uint32_t target) const;
  tl::expected<void, std::string> Finish();

  const std::string folder_;
  std::vector<link::BlobManifest> all_;
  Uploaded upload_;
  crypto::Sha256Stream digest_;
};

}  // namespace vesta::hub
