// A disk in memory, as an SQLite VFS, whose power can be cut.
//
// What was written but not synced is kept apart. When the power goes, each 512-byte sector of it is on the disk or not,
// by chance; so are unsynced truncations. Files that were made or deleted are only sure to be so once their folder was
// synced, which SQLite does with the first sync of a new journal or log and when it asks for it at a deletion: all of
// the folder's changes are sure then. The disk is honest: what was synced stays. Bytes beside a write are never
// touched, as SQLite assumes by default of real disks (SQLITE_IOCAP_POWERSAFE_OVERWRITE).
//
// A point is a write, sync, truncation, deletion or the making of a file; the power can be cut at any of them. Locks
// and the shared memory of the write-ahead log live in this process. Each disk is a VFS of its own.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace vesta {

class PowerCutVfs {
 public:
  explicit PowerCutVfs(std::string name);
  ~PowerCutVfs();
  PowerCutVfs(const PowerCutVfs&) = delete;
  PowerCutVfs& operator=(const PowerCutVfs&) = delete;

  const std::string& name() const { return name_; }

  // Points passed since the disk was made or the count was started anew.
  uint64_t points() const;
  // The power goes at the n-th point from now on, 1-based; 0: never.
  void CutAt(uint64_t point);
  bool off() const;

  // The machine starts again with what the cut left, by seed. Handles from before answer with errors for ever.
  void Reboot(uint32_t seed);

  // Until called with SQLITE_OK, each write, sync and truncation fails with this code and does nothing.
  void FailWrites(int code);

  // All files as they are, synced or not; and a disk that holds just these, synced.
  using Image = std::map<std::string, std::string>;
  Image Save() const;
  void Load(const Image& image);

 private:
  friend struct PowerCutFile;
  struct Change {
    bool truncation = false;
    uint64_t offset = 0;  // or the new size
    std::string bytes;
  };
  struct Inode {
    std::string current;
    std::string durable;
    std::vector<Change> pending;
    std::map<const void*, int> locks;  // by handle
  };
  using Folder = std::map<std::string, std::shared_ptr<Inode>>;
  struct SharedMemory {
    std::vector<std::unique_ptr<char[]>> regions;
    std::map<const void*, std::pair<uint32_t, uint32_t>> locks;  // by handle: shared and exclusive slots
  };

  // Counts a point; false when the power is off or goes now.
  bool Point();
  static void Apply(const Change& change, std::string* bytes);
  static void ApplyTorn(const Change& change, std::mt19937& random, std::string* bytes);

  std::string name_;
  sqlite3_vfs vfs_{};
  mutable std::mutex mutex_;
  Folder folder_;
  Folder durable_folder_;
  std::map<std::string, std::shared_ptr<SharedMemory>> shared_memory_;
  uint64_t points_ = 0;
  uint64_t cut_at_ = 0;
  bool off_ = false;
  int fail_code_ = SQLITE_OK;
  uint64_t generation_ = 0;
};

}  // namespace vesta
