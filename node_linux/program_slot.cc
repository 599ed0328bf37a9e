#include "node_linux/program_slot.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <string_view>

namespace vesta::node_linux {

std::optional<uint32_t> ProgramFiles::VersionOf(const std::string& link) const {
  std::array<char, 64> target;
  const ssize_t size = readlink(link.c_str(), target.data(), target.size());
  constexpr std::string_view kPrefix = "program-";
  if (size <= 0 || access(link.c_str(), X_OK) != 0) return std::nullopt;
  const std::string_view name(target.data(), static_cast<size_t>(size));
  uint32_t version = 0;
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const char* const end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + kPrefix.size(), end, version);
  return error == std::errc() && stop == end ? std::optional(version) : std::nullopt;
}

bool ProgramFiles::SetLink(const std::string& link, uint32_t version) const {
  const std::string beside = link + ".new";
  unlink(beside.c_str());
  return symlink(("program-" + std::to_string(version)).c_str(), beside.c_str()) == 0 &&
         std::rename(beside.c_str(), link.c_str()) == 0;
}

void ProgramFiles::RemoveTrial() const {
  const std::optional<uint32_t> version = VersionOf(trial());
  if (version && version != VersionOf(good())) unlink(image(*version).c_str());
  unlink(trial().c_str());
  unlink(tried().c_str());
}

void ProgramSlot::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

bool ProgramSlot::Begin(uint32_t size) {
  Close();
  if (!takes_ || size > link::kMaxBlobSize) return false;
  fd_ = open(files_.loading().c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  size_ = size;
  return fd_ >= 0 && ftruncate(fd_, static_cast<off_t>(size)) == 0;
}

bool ProgramSlot::Write(uint32_t offset, std::span<const uint8_t> bytes) {
  if (fd_ < 0 || offset > size_ || bytes.size() > size_ - offset) return false;
  return pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset)) == static_cast<ssize_t>(bytes.size());
}

bool ProgramSlot::Read(uint32_t offset, std::span<uint8_t> out) {
  if (fd_ < 0 || offset > size_ || out.size() > size_ - offset) return false;
  return pread(fd_, out.data(), out.size(), static_cast<off_t>(offset)) == static_cast<ssize_t>(out.size());
}

bool ProgramSlot::Activate() {
  const bool is_stored = fd_ >= 0 && fchmod(fd_, 0700) == 0 && fsync(fd_) == 0;
  Close();
  unlink(files_.tried().c_str());
  is_replaced_ = is_stored && std::rename(files_.loading().c_str(), files_.image(version_).c_str()) == 0 &&
                 files_.SetLink(files_.trial(), version_);
  return is_replaced_;
}

void ProgramSlot::Confirm() {
  // Only the one that runs now: what was loaded since is not tried yet.
  if (is_replaced_ || access(files_.tried().c_str(), F_OK) != 0) return;
  const std::optional<uint32_t> version = files_.VersionOf(files_.trial());
  const std::optional<uint32_t> before = files_.VersionOf(files_.good());
  if (!version || !files_.SetLink(files_.good(), *version)) return;
  files_.RemoveTrial();
  if (before && before != version) unlink(files_.image(*before).c_str());
}

}  // namespace vesta::node_linux
