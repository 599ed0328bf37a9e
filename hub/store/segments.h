// The journal's files: fixed slots beside the database, made to their full size ahead of use and used again and again.
//
// A segment is one use of a slot; segments are numbered from 1 on and never reuse a number. A segment begins with a
// header and holds entries, one a commit, each at a multiple of 512 bytes, so that no later write touches a sector of
// an acknowledged one. An entry names its segment and its number in the row of all commits and bears a checksum: what
// the slot held before, and what a power cut left in part, is told apart and is the end. One commit is one write and
// one sync. Format: docs/formats/journal.md.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/store/part_box.h"
#include "hub/store/segment_file.h"
#include "hub/store/store.h"

namespace vesta::hub {

inline constexpr uint64_t kSectorBytes = 512;
// Size of a slot: an hour or so of a home's readings. An entry that is larger gets a slot of its own.
inline constexpr uint64_t kSegmentBytes = 256u << 10;
// Free slots kept for the next segments; more are deleted.
inline constexpr size_t kSpareSlots = 2;
// Slots at most: what is not folded has tens of megabytes at most, whatever the disk does.
inline constexpr size_t kMaxSlots = 65536;
inline constexpr uint64_t kMaxJournalEntryBytes = 256u << 20;

// Where an entry stands, and which commit it is.
struct JournalPlace {
  uint64_t segment = 1;
  uint64_t offset = kSectorBytes;
  uint64_t unit = 1;
};

struct EntryHead {
  JournalPlace place;
  JournalNumber first_number = 0;  // 0: no readings
  JournalNumber last_number = 0;
  UtcUs first_us = 0;  // earliest and latest time of its readings
  UtcUs last_us = 0;
  uint32_t records = 0;
  uint32_t readings_size = 0;  // unpacked
  uint32_t readings_stored = 0;
  uint32_t rest_size = 0;
  uint32_t rest_stored = 0;
  uint64_t size() const;  // with its padding
};

class Entry {
 public:
  EntryHead head;
  // False: they do not unpack.
  bool Readings(Packer* packer, std::string* out) const;
  bool Rest(Packer* packer, std::string* out) const;

 private:
  friend class SegmentSet;
  std::string bytes_;
};

// The slots of a store as they are now, for reading.
class SegmentSet {
 public:
  SegmentSet(std::string path, sqlite3_vfs* vfs, bool write) : path_(std::move(path)), vfs_(vfs), write_(write) {}

  // Opens what is new and reads which segment each slot holds.
  int Refresh();
  // Reads the entry at *place, or at the beginning of the next segment when there is none, and moves *place there.
  // SQLITE_DONE: no more entries.
  int ReadEntry(JournalPlace* place, Entry* entry);
  // As ReadEntry, but only the head.
  int ReadHead(JournalPlace* place, EntryHead* head);
  // Whether an entry of a later commit than place's stands anywhere: then the one at place was damaged, not cut short.
  int AnyBeyond(const JournalPlace& place, JournalPlace* found);
  // Whether a slot holds this segment, as of the last Refresh.
  bool Holds(uint64_t segment) { return Find(segment) != nullptr; }
  // The files of the segments from this one on, the newest first; and the number of the newest.
  std::vector<std::string> FilesFrom(uint64_t segment) const;
  uint64_t newest_segment() const;
  uint64_t size_bytes() const;
  // errno of the slot that failed last.
  int system_errno() const { return errno_; }

 protected:
  struct Slot {
    SegmentFile file;
    uint64_t segment = 0;  // 0: none, free
    uint64_t size = 0;
  };
  std::string SlotPath(size_t slot) const;
  Slot* Find(uint64_t segment);
  int Fail(const Slot& slot, int code);

  std::string path_;
  sqlite3_vfs* vfs_;
  bool write_;
  std::vector<Slot> slots_;
  int errno_ = 0;

 private:
  int ReadAt(const JournalPlace& place, bool whole, Entry* entry);
};

// Builds the bytes of an entry.
std::string BuildEntry(EntryHead head, std::string_view readings, std::string_view rest, Packer* packer);

class SegmentLog final : public SegmentSet {
 public:
  SegmentLog(std::string path, sqlite3_vfs* vfs, uint64_t segment_bytes, bool sync)
      : SegmentSet(std::move(path), vfs, true), segment_bytes_(segment_bytes), sync_(sync) {}

  // Where the next entry goes: behind the last one that is whole.
  void SetEnd(const JournalPlace& end) { end_ = end; }
  const JournalPlace& end() const { return end_; }

  // Writes and syncs. *place is where it stands. After an error the same may be tried again. The head's place is
  // filled in here.
  int Append(const EntryHead& head, std::string_view readings, std::string_view rest, Packer* packer,
             JournalPlace* place);
  // Segments below this one are not needed any more.
  void Free(uint64_t segment);

 private:
  int NextSegment();

  uint64_t segment_bytes_;
  bool sync_;
  JournalPlace end_;
  uint64_t free_below_ = 0;
  bool header_is_due_ = false;  // of the newest segment, not known to be on the disk
};

}  // namespace vesta::hub
