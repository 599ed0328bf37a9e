#include "hub/nodes/firmware_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace vesta::hub {

namespace {

namespace fs = std::filesystem;

// A file that closes itself.
class File {
 public:
  File(const std::string& path, int flags) : fd_(open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  bool is_open() const { return fd_ >= 0; }
  size_t ReadAt(uint64_t offset, std::span<uint8_t> out) const {
    size_t done = 0;
    while (done < out.size()) {
      const ssize_t size = pread(fd_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) break;
      done += static_cast<size_t>(size);
    }
    return done;
  }
  bool WriteAt(uint64_t offset, std::span<const uint8_t> bytes) const {
    while (!bytes.empty()) {
      const ssize_t size = pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) return false;
      offset += static_cast<uint64_t>(size);
      bytes = bytes.subspan(static_cast<size_t>(size));
    }
    return true;
  }
  bool Sync() const { return fsync(fd_) == 0; }

 private:
  int fd_;
};

std::string UploadPath(const std::string& folder) { return folder + "/upload"; }

}  // namespace

bool ReadFirmwareHead(std::span<const uint8_t> bytes, link::BlobManifest* out) {
  if (bytes.size() < kFirmwareHead || std::memcmp(bytes.data(), kFirmwareMark.data(), kFirmwareMark.size()) != 0) {
    return false;
  }
  return link::Read(bytes.subspan(kFirmwareMark.size(), link::kManifestSize), out) &&
         out->kind == link::BlobKind::kFirmware && out->size > 0 && out->size <= link::kMaxBlobSize;
}

std::string WriteFirmwareHead(const link::BlobManifest& manifest) {
  std::array<uint8_t, link::kMaxBody> body;
  const size_t size = link::Write(manifest, body);
  return std::string(kFirmwareMark) + std::string(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(size));
}

std::string FirmwareStore::PathOf(uint32_t target) const { return fmt::format("{}/hardware-{}", folder_, target); }

void FirmwareStore::Load(std::vector<std::string>* problems) {
  all_.clear();
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_, error)) {
    if (!entry.path().filename().string().starts_with("hardware-")) continue;
    std::array<uint8_t, kFirmwareHead> head;
    link::BlobManifest manifest;
    const File file(entry.path().string(), O_RDONLY);
    const bool is_read = file.is_open() && file.ReadAt(0, head) == head.size() && ReadFirmwareHead(head, &manifest);
    if (is_read && entry.file_size(error) == kFirmwareHead + manifest.size && all_.size() < kMaxFirmwares) {
      all_.push_back(manifest);
    } else {
      problems->push_back(fmt::format("{}: this is no whole firmware package", entry.path().string()));
    }
  }
}

tl::expected<FirmwareStore::Uploaded, std::string> FirmwareStore::Upload(uint64_t offset,
                                                                         std::span<const uint8_t> bytes) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (bytes.empty() || bytes.size() > kMaxUploadPiece) {
    return tl::unexpected(fmt::format("a piece has 1 to {} bytes", kMaxUploadPiece));
  }
  if (offset == 0) {
    upload_ = {};
    digest_.Finish();
    if (!ReadFirmwareHead(bytes, &upload_.manifest)) return tl::unexpected(std::string("this is no firmware package"));
    upload_.size = kFirmwareHead + upload_.manifest.size;
  }
  if (upload_.size == 0 || offset != upload_.received || offset + bytes.size() > upload_.size) {
    return tl::unexpected(fmt::format("the piece at {} was awaited", upload_.received));
  }
  const File file(UploadPath(folder_), offset == 0 ? O_RDWR | O_CREAT | O_TRUNC : O_RDWR);
  if (!file.is_open() || !file.WriteAt(offset, bytes)) {
    return tl::unexpected(fmt::format("{}: {}", UploadPath(folder_), std::strerror(errno)));
  }
  digest_.Add(offset == 0 ? bytes.subspan(kFirmwareHead) : bytes);
  upload_.received += bytes.size();
  if (upload_.received < upload_.size) return upload_;
  if (auto finished = Finish(); !finished) {
    upload_ = {};
    unlink(UploadPath(folder_).c_str());
    return tl::unexpected(finished.error());
  }
  Uploaded done = upload_;
  done.is_complete = true;
  upload_ = {};
  return done;
}

tl::expected<void, std::string> FirmwareStore::Finish() {
  const link::BlobManifest& manifest = upload_.manifest;
  if (digest_.Finish() != manifest.digest)
    return tl::unexpected(std::string("the package is damaged: its digest is another"));
  const auto same = std::find_if(all_.begin(), all_.end(),
                                 [&](const link::BlobManifest& one) { return one.target == manifest.target; });
  if (same == all_.end() && all_.size() >= kMaxFirmwares)
    return tl::unexpected(std::string("there are too many kinds of hardware"));
  if (!File(UploadPath(folder_), O_RDWR).Sync())
    return tl::unexpected(std::string("it could not be written to the disk"));
  std::error_code error;
  fs::rename(UploadPath(folder_), PathOf(manifest.target), error);
  if (error) return tl::unexpected(error.message());
  if (same == all_.end()) {
    all_.push_back(manifest);
  } else {
    *same = manifest;
  }
  return {};
}

const link::BlobManifest* FirmwareStore::Find(uint32_t hardware) const {
  const link::BlobManifest* any = nullptr;
  for (const link::BlobManifest& one : all_) {
    if (one.target == hardware) return &one;
    if (one.target == 0) any = &one;
  }
  return any;
}

size_t FirmwareStore::Read(uint32_t target, uint32_t offset, std::span<uint8_t> out) const {
  const File file(PathOf(target), O_RDONLY);
  return file.is_open() ? file.ReadAt(kFirmwareHead + uint64_t{offset}, out) : 0;
}

}  // namespace vesta::hub
