#include "hub/store/segment_file.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace vesta::hub {

SegmentFile& SegmentFile::operator=(SegmentFile&& other) noexcept {
  if (this == &other) return *this;
  Close();
  vfs_ = other.vfs_;
  room_ = std::move(other.room_);
  path_ = std::move(other.path_);
  file_ = std::exchange(other.file_, nullptr);
  errno_ = other.errno_;
  return *this;
}

int SegmentFile::Told(int code) const {
  if (code != SQLITE_OK) errno_ = errno;
  return code;
}

int SegmentFile::Open(sqlite3_vfs* vfs, const std::string& path, bool write, bool create) {
  Close();
  vfs_ = vfs == nullptr ? sqlite3_vfs_find(nullptr) : vfs;
  // SQLite asks for the path to stay, with two zeros behind it.
  path_ = std::make_unique<std::string>(path + std::string(2, '\0'));
  room_ = std::make_unique<char[]>(static_cast<size_t>(vfs_->szOsFile));
  auto* file = reinterpret_cast<sqlite3_file*>(room_.get());
  // Opened as a log of a database: a new one makes its folder durable with its first sync.
  const int flags =
      SQLITE_OPEN_WAL | (write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | (create ? SQLITE_OPEN_CREATE : 0);
  errno = 0;
  const int code = Told(vfs_->xOpen(vfs_, path_->c_str(), file, flags, nullptr));
  if (code == SQLITE_OK) {
    file_ = file;
  } else if (file->pMethods != nullptr) {
    file->pMethods->xClose(file);
  }
  return code;
}

void SegmentFile::Close() {
  if (file_ != nullptr) file_->pMethods->xClose(file_);
  file_ = nullptr;
}

int SegmentFile::Read(uint64_t offset, size_t size, std::string* bytes) const {
  uint64_t end = 0;
  if (const int code = Size(&end); code != SQLITE_OK) return code;
  size = offset >= end ? 0 : static_cast<size_t>(std::min<uint64_t>(size, end - offset));
  bytes->resize(size);
  if (size == 0) return SQLITE_OK;
  return Told(file_->pMethods->xRead(file_, bytes->data(), static_cast<int>(size), static_cast<sqlite3_int64>(offset)));
}

int SegmentFile::Write(uint64_t offset, std::string_view bytes) {
  return Told(
      file_->pMethods->xWrite(file_, bytes.data(), static_cast<int>(bytes.size()), static_cast<sqlite3_int64>(offset)));
}

int SegmentFile::Sync() { return Told(file_->pMethods->xSync(file_, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY)); }

int SegmentFile::Truncate(uint64_t size) {
  return Told(file_->pMethods->xTruncate(file_, static_cast<sqlite3_int64>(size)));
}

int SegmentFile::Size(uint64_t* size) const {
  sqlite3_int64 bytes = 0;
  const int code = Told(file_->pMethods->xFileSize(file_, &bytes));
  *size = static_cast<uint64_t>(bytes);
  return code;
}

bool SegmentFile::Exists(sqlite3_vfs* vfs, const std::string& path) {
  if (vfs == nullptr) vfs = sqlite3_vfs_find(nullptr);
  int there = 0;
  return vfs->xAccess(vfs, path.c_str(), SQLITE_ACCESS_EXISTS, &there) == SQLITE_OK && there != 0;
}

int SegmentFile::Delete(sqlite3_vfs* vfs, const std::string& path) {
  if (vfs == nullptr) vfs = sqlite3_vfs_find(nullptr);
  return vfs->xDelete(vfs, path.c_str(), 0);
}

}  // namespace vesta::hub
