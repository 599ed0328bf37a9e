// A file of the journal, reached through an SQLite VFS: the disk that a test cuts off is then one for both, the
// database and the journal beside it. Calls return SQLite result codes.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace vesta::hub {

class SegmentFile {
 public:
  SegmentFile() = default;
  ~SegmentFile() { Close(); }
  SegmentFile(SegmentFile&& other) noexcept { *this = std::move(other); }
  SegmentFile& operator=(SegmentFile&& other) noexcept;

  // vfs nullptr: the system's.
  int Open(sqlite3_vfs* vfs, const std::string& path, bool write, bool create);
  void Close();
  bool is_open() const { return file_ != nullptr; }

  // Reads up to `size` bytes; what lies behind the end of the file is not there.
  int Read(uint64_t offset, size_t size, std::string* bytes) const;
  int Write(uint64_t offset, std::string_view bytes);
  int Sync();
  int Truncate(uint64_t size);
  int Size(uint64_t* size) const;
  // errno of the last failure, for the words about it.
  int system_errno() const { return errno_; }

  static bool Exists(sqlite3_vfs* vfs, const std::string& path);
  static int Delete(sqlite3_vfs* vfs, const std::string& path);

 private:
  int Told(int code) const;

  sqlite3_vfs* vfs_ = nullptr;
  std::unique_ptr<char[]> room_;  // SQLite's file object lives here
  std::unique_ptr<std::string> path_;
  sqlite3_file* file_ = nullptr;
  mutable int errno_ = 0;
};

}  // namespace vesta::hub
