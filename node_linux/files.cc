#include "node_linux/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

namespace vesta::node_linux {

std::optional<std::string> ReadFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  std::string text;
  char part[4096];
  ssize_t size = 0;
  while ((size = read(fd, part, sizeof(part))) > 0 && text.size() <= kMaxFile)
    text.append(part, static_cast<size_t>(size));
  close(fd);
  if (size < 0 || text.size() > kMaxFile) return std::nullopt;
  return text;
}

bool WriteFile(const std::string& path, std::span<const uint8_t> bytes) {
  const std::string beside = path + ".new";
  const int fd = open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  bool is_good = true;
  while (is_good && !bytes.empty()) {
    const ssize_t size = write(fd, bytes.data(), bytes.size());
    is_good = size > 0 || (size < 0 && errno == EINTR);
    if (size > 0) bytes = bytes.subspan(static_cast<size_t>(size));
  }
  is_good = is_good && fsync(fd) == 0;
  close(fd);
  is_good = is_good && std::rename(beside.c_str(), path.c_str()) == 0;
  if (!is_good) {
    unlink(beside.c_str());
    return false;
  }
  // The name is on the disk with its folder.
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const int folder = open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return true;
  fsync(folder);
  close(folder);
  return true;
}

std::string FileStore::PathOf(node::StoreRecord record) const {
  return folder_ + "/record-" + std::to_string(static_cast<int>(record));
}

size_t FileStore::Read(node::StoreRecord record, std::span<uint8_t> out) {
  const std::optional<std::string> text = ReadFile(PathOf(record));
  if (!text) return 0;
  std::copy_n(text->begin(), std::min(text->size(), out.size()), out.begin());
  return text->size();
}

bool FileStore::Write(node::StoreRecord record, std::span<const uint8_t> bytes) {
  return WriteFile(PathOf(record), bytes);
}

bool FileSlot::Begin(uint32_t size) {
  if (size > max_size_) return false;
  written_.assign(size, 0);
  return true;
}

bool FileSlot::Write(uint32_t offset, std::span<const uint8_t> bytes) {
  if (offset > written_.size() || bytes.size() > written_.size() - offset) return false;
  std::copy(bytes.begin(), bytes.end(), written_.begin() + offset);
  return true;
}

bool FileSlot::Read(uint32_t offset, std::span<uint8_t> out) {
  if (offset > written_.size() || out.size() > written_.size() - offset) return false;
  std::copy_n(written_.begin() + offset, out.size(), out.begin());
  return true;
}

bool FileSlot::Activate() {
  if (!WriteFile(path_, written_)) return false;
  active_.reset();
  return true;
}

size_t FileSlot::ReadActive(uint32_t offset, std::span<uint8_t> out) {
  if (!active_) active_ = ReadFile(path_).value_or("");
  if (offset >= active_->size()) return 0;
  return active_->copy(reinterpret_cast<char*>(out.data()), out.size(), offset);
}

}  // namespace vesta::node_linux
