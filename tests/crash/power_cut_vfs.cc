#include "tests/crash/power_cut_vfs.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <utility>

namespace vesta {

namespace {
constexpr uint64_t kSectorBytes = 512;
constexpr int kSectorSizeSaid = 4096;  // as SQLite's own VFS for Linux says
}  // namespace

// An open file. SQLite gives the room and calls through the table of functions.
struct PowerCutFile {
  sqlite3_file base;
  struct State {
    PowerCutVfs* disk;
    std::shared_ptr<PowerCutVfs::Inode> inode;
    std::shared_ptr<PowerCutVfs::SharedMemory> shared;
    std::string path;
    bool sync_folder;  // with the first sync
    uint64_t generation;
    int lock = SQLITE_LOCK_NONE;
  };
  State* state;

  static State& Of(sqlite3_file* file) { return *reinterpret_cast<PowerCutFile*>(file)->state; }
  static bool Dead(const State& state) { return state.disk->off_ || state.generation != state.disk->generation_; }

  static int Close(sqlite3_file* file) {
    State* state = &Of(file);
    {
      const std::lock_guard lock(state->disk->mutex_);
      state->inode->locks.erase(state);
      if (state->shared != nullptr) state->shared->locks.erase(state);
    }
    delete state;
    return SQLITE_OK;
  }

  static int Read(sqlite3_file* file, void* to, int count, sqlite3_int64 offset) {
    State& state = Of(file);
    const std::lock_guard lock(state.disk->mutex_);
    if (Dead(state)) return SQLITE_IOERR_READ;
    const std::string& bytes = state.inode->current;
    const size_t start = std::min(bytes.size(), static_cast<size_t>(offset));
    const size_t have = std::min(bytes.size() - start, static_cast<size_t>(count));
    std::memcpy(to, bytes.data() + start, have);
    if (have == static_cast<size_t>(count)) return SQLITE_OK;
    std::memset(static_cast<char*>(to) + have, 0, static_cast<size_t>(count) - have);
    return SQLITE_IOERR_SHORT_READ;
  }

  static int Make(State& state, PowerCutVfs::Change change, int error) {
    const std::lock_guard lock(state.disk->mutex_);
    if (Dead(state)) return error;
    if (state.disk->fail_code_ != SQLITE_OK) return state.disk->fail_code_;
    const bool on = state.disk->Point();
    PowerCutVfs::Apply(change, &state.inode->current);
    state.inode->pending.push_back(std::move(change));  // what the cut interrupts may be there in part
    return on ? SQLITE_OK : error;
  }
  static int Write(sqlite3_file* file, const void* from, int count, sqlite3_int64 offset) {
    return Make(Of(file),
                {false, static_cast<uint64_t>(offset), std::string(static_cast<const char*>(from), size_t(count))},
                SQLITE_IOERR_WRITE);
  }
  static int Truncate(sqlite3_file* file, sqlite3_int64 size) {
    return Make(Of(file), {true, static_cast<uint64_t>(size), {}}, SQLITE_IOERR_TRUNCATE);
  }

  static int Sync(sqlite3_file* file, int) {
    State& state = Of(file);
    const std::lock_guard lock(state.disk->mutex_);
    if (Dead(state)) return SQLITE_IOERR_FSYNC;
    if (state.disk->fail_code_ != SQLITE_OK) return state.disk->fail_code_;
    if (!state.disk->Point()) return SQLITE_IOERR_FSYNC;
    for (const PowerCutVfs::Change& change : state.inode->pending) PowerCutVfs::Apply(change, &state.inode->durable);
    state.inode->pending.clear();
    if (std::exchange(state.sync_folder, false)) state.disk->durable_folder_ = state.disk->folder_;
    return SQLITE_OK;
  }

  static int FileSize(sqlite3_file* file, sqlite3_int64* size) {
    State& state = Of(file);
    const std::lock_guard lock(state.disk->mutex_);
    if (Dead(state)) return SQLITE_IOERR_FSTAT;
    *size = static_cast<sqlite3_int64>(state.inode->current.size());
    return SQLITE_OK;
  }

  // The highest lock that another handle holds.
  static int Others(const State& state) {
    int highest = SQLITE_LOCK_NONE;
    for (const auto& [handle, level] : state.inode->locks) {
      if (handle != &state) highest = std::max(highest, level);
    }
    return highest;
  }
  static int Lock(sqlite3_file* file, int level) {
    State& state = Of(file);
    const std::lock_guard lock(state.disk->mutex_);
    if (level <= state.lock) return SQLITE_OK;
    const int others = Others(state);
    const int allowed = level == SQLITE_LOCK_SHARED     ? SQLITE_LOCK_RESERVED
                        : level == SQLITE_LOCK_RESERVED ? SQLITE_LOCK_SHARED
                                                        : SQLITE_LOCK_NONE;
    if (others > allowed) return SQLITE_BUSY;
    state.lock = state.inode->locks[&state] = level;
    return SQLITE_OK;
  }
  static int Unlock(sqlite3_file* file, int level) {
    State& state = Of(file);
    const std::lock_guard lock(state.disk->mutex_);
    state.lock = state.inode->locks[&state] = std::min(level, state.lock);
    return SQLITE_OK;
  }
  static int CheckReservedLock(sqlite3_file* file, int* result) {
    State& state = Of(file);
    const std::lock_guard lock(state.disk->mutex_);
    *result = std::max(state.lock, Others(state)) >= SQLITE_LOCK_RESERVED ? 1 : 0;
    return SQLITE_OK;
  }
  static int FileControl(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
  static int SectorSize(sqlite3_file*) { return kSectorSizeSaid; }
  static int DeviceCharacteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

  static int ShmMap(sqlite3_file* file, int region, int size, int extend, void volatile** to) {
    State& state = Of(file);
    const std::lock_guard lock(state.disk->mutex_);
    if (Dead(state)) return SQLITE_IOERR_SHMMAP;
    if (state.shared == nullptr) {
      std::shared_ptr<PowerCutVfs::SharedMemory>& shared = state.disk->shared_memory_[state.path];
      if (shared == nullptr) shared = std::make_shared<PowerCutVfs::SharedMemory>();
      state.shared = shared;
    }
    auto& regions = state.shared->regions;
    *to = nullptr;
    if (regions.size() <= static_cast<size_t>(region) && extend == 0) return SQLITE_OK;
    while (regions.size() <= static_cast<size_t>(region)) {
      regions.push_back(std::make_unique<char[]>(static_cast<size_t>(size)));
    }
    *to = regions[static_cast<size_t>(region)].get();
    return SQLITE_OK;
  }
  static int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
    State& state = Of(file);
    const std::lock_guard lock(state.disk->mutex_);
    if (state.shared == nullptr) return SQLITE_IOERR_SHMLOCK;
    const uint32_t slots = ((1u << count) - 1) << offset;
    auto& [shared, exclusive] = state.shared->locks[&state];
    if ((flags & SQLITE_SHM_UNLOCK) != 0) {
      shared &= ~slots;
      exclusive &= ~slots;
      return SQLITE_OK;
    }
    for (const auto& [handle, held] : state.shared->locks) {
      if (handle == &state) continue;
      if ((held.second & slots) != 0) return SQLITE_BUSY;
      if ((flags & SQLITE_SHM_EXCLUSIVE) != 0 && (held.first & slots) != 0) return SQLITE_BUSY;
    }
    ((flags & SQLITE_SHM_EXCLUSIVE) != 0 ? exclusive : shared) |= slots;
    return SQLITE_OK;
  }
  static void ShmBarrier(sqlite3_file* file) {
    const std::lock_guard lock(Of(file).disk->mutex_);
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }
  static int ShmUnmap(sqlite3_file* file, int remove) {
    State& state = Of(file);
    const std::lock_guard lock(state.disk->mutex_);
    if (state.shared == nullptr) return SQLITE_OK;
    state.shared->locks.erase(&state);
    state.shared.reset();
    if (remove != 0 && state.generation == state.disk->generation_) state.disk->shared_memory_.erase(state.path);
    return SQLITE_OK;
  }

  static constexpr sqlite3_io_methods kMethods = {2,
                                                  Close,
                                                  Read,
                                                  Write,
                                                  Truncate,
                                                  Sync,
                                                  FileSize,
                                                  Lock,
                                                  Unlock,
                                                  CheckReservedLock,
                                                  FileControl,
                                                  SectorSize,
                                                  DeviceCharacteristics,
                                                  ShmMap,
                                                  ShmLock,
                                                  ShmBarrier,
                                                  ShmUnmap,
                                                  nullptr,
                                                  nullptr};

  static PowerCutVfs& Disk(sqlite3_vfs* vfs) { return *static_cast<PowerCutVfs*>(vfs->pAppData); }

  static int Open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* flags_out) {
    file->pMethods = nullptr;
    PowerCutVfs& disk = Disk(vfs);
    const std::lock_guard lock(disk.mutex_);
    if (path == nullptr || disk.off_) return SQLITE_CANTOPEN;  // temporary files stay in memory
    const auto found = disk.folder_.find(path);
    std::shared_ptr<PowerCutVfs::Inode> inode;
    bool is_new = false;
    if (found != disk.folder_.end()) {
      inode = found->second;
    } else {
      if ((flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
      if (disk.fail_code_ != SQLITE_OK) return disk.fail_code_;
      if (!disk.Point()) return SQLITE_CANTOPEN;
      inode = disk.folder_[path] = std::make_shared<PowerCutVfs::Inode>();
      is_new = true;
    }
    const int journals = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
    auto* opened = reinterpret_cast<PowerCutFile*>(file);
    opened->state = new State{&disk, inode, nullptr, path, is_new && (flags & journals) != 0, disk.generation_};
    file->pMethods = &kMethods;
    if (flags_out != nullptr) *flags_out = flags;
    return SQLITE_OK;
  }
  static int Delete(sqlite3_vfs* vfs, const char* path, int sync_folder) {
    PowerCutVfs& disk = Disk(vfs);
    const std::lock_guard lock(disk.mutex_);
    if (disk.off_) return SQLITE_IOERR_DELETE;
    if (disk.folder_.count(path) == 0) return SQLITE_IOERR_DELETE_NOENT;
    if (!disk.Point()) return SQLITE_IOERR_DELETE;
    disk.folder_.erase(path);
    if (sync_folder != 0) disk.durable_folder_ = disk.folder_;
    return SQLITE_OK;
  }
  static int Access(sqlite3_vfs* vfs, const char* path, int, int* result) {
    PowerCutVfs& disk = Disk(vfs);
    const std::lock_guard lock(disk.mutex_);
    if (disk.off_) return SQLITE_IOERR_ACCESS;
    const auto found = disk.folder_.find(path);
    *result = found != disk.folder_.end() ? 1 : 0;
    return SQLITE_OK;
  }
  static int FullPathname(sqlite3_vfs*, const char* path, int size, char* out) {
    sqlite3_snprintf(size, out, "%s", path);
    return SQLITE_OK;
  }
};

PowerCutVfs::PowerCutVfs(std::string name) : name_(std::move(name)) {
  // Time, sleep and randomness are the system's.
  vfs_ = *sqlite3_vfs_find(nullptr);
  vfs_.szOsFile = sizeof(PowerCutFile);
  vfs_.zName = name_.c_str();
  vfs_.pNext = nullptr;
  vfs_.pAppData = this;
  vfs_.xOpen = PowerCutFile::Open;
  vfs_.xDelete = PowerCutFile::Delete;
  vfs_.xAccess = PowerCutFile::Access;
  vfs_.xFullPathname = PowerCutFile::FullPathname;
  sqlite3_vfs_register(&vfs_, 0);
}

PowerCutVfs::~PowerCutVfs() { sqlite3_vfs_unregister(&vfs_); }

bool PowerCutVfs::Point() {
  ++points_;
  if (points_ == cut_at_) off_ = true;
  return !off_;
}

uint64_t PowerCutVfs::points() const {
  const std::lock_guard lock(mutex_);
  return points_;
}

void PowerCutVfs::CutAt(uint64_t point) {
  const std::lock_guard lock(mutex_);
  points_ = 0;
  cut_at_ = point;
}

bool PowerCutVfs::off() const {
  const std::lock_guard lock(mutex_);
  return off_;
}

void PowerCutVfs::FailWrites(int code) {
  const std::lock_guard lock(mutex_);
  fail_code_ = code;
}

void PowerCutVfs::Apply(const Change& change, std::string* bytes) {
  if (change.truncation) {
    bytes->resize(change.offset);
    return;
  }
  const size_t end = change.offset + change.bytes.size();
  if (bytes->size() < end) bytes->resize(end);
  std::memcpy(bytes->data() + change.offset, change.bytes.data(), change.bytes.size());
}

void PowerCutVfs::ApplyTorn(const Change& change, std::mt19937& random, std::string* bytes) {
  if (change.truncation) {
    if (random() % 2 == 0) Apply(change, bytes);
    return;
  }
  for (uint64_t at = 0; at < change.bytes.size();) {
    const uint64_t offset = change.offset + at;
    const uint64_t count = std::min<uint64_t>(kSectorBytes - offset % kSectorBytes, change.bytes.size() - at);
    if (random() % 2 == 0) Apply({false, offset, change.bytes.substr(at, count)}, bytes);
    at += count;
  }
}

void PowerCutVfs::Reboot(uint32_t seed) {
  const std::lock_guard lock(mutex_);
  std::mt19937 random(seed);
  // All of it lost, all of it there, or anything between.
  const uint32_t kind = random() % 4;
  Folder left;
  for (const auto& [path, inode] : durable_folder_) {
    const auto now = folder_.find(path);
    const bool changed = now == folder_.end() || now->second != inode;
    const bool old_stays = kind == 0 || (kind > 1 && random() % 2 == 0);
    if (!changed || old_stays) left[path] = inode;
  }
  for (const auto& [path, inode] : folder_) {
    const auto before = durable_folder_.find(path);
    if (before != durable_folder_.end() && before->second == inode) continue;
    const bool new_stays = kind == 1 || (kind > 1 && random() % 2 == 0);
    if (new_stays) left[path] = inode;
  }
  folder_.clear();
  for (const auto& [path, inode] : left) {
    auto rebooted = std::make_shared<Inode>();
    rebooted->durable = inode->durable;
    for (const Change& change : inode->pending) {
      if (kind == 1) Apply(change, &rebooted->durable);
      if (kind > 1) ApplyTorn(change, random, &rebooted->durable);
    }
    rebooted->current = rebooted->durable;
    folder_[path] = std::move(rebooted);
  }
  durable_folder_ = folder_;
  shared_memory_.clear();
  ++generation_;
  off_ = false;
  points_ = 0;
  cut_at_ = 0;
}

PowerCutVfs::Image PowerCutVfs::Save() const {
  const std::lock_guard lock(mutex_);
  Image image;
  for (const auto& [path, inode] : folder_) image[path] = inode->current;
  return image;
}

void PowerCutVfs::Load(const Image& image) {
  const std::lock_guard lock(mutex_);
  folder_.clear();
  for (const auto& [path, bytes] : image) {
    auto inode = std::make_shared<Inode>();
    inode->current = inode->durable = bytes;
    folder_[path] = std::move(inode);
  }
  durable_folder_ = folder_;
  shared_memory_.clear();
  ++generation_;
  off_ = false;
  points_ = 0;
  cut_at_ = 0;
}

}  // namespace vesta
