// The readings that are in the journal and not folded yet, for a reader beside the writer.
//
// It keeps the heads of the entries that it has seen, so that a query reads only what it needs. The writer goes on
// meanwhile: an entry under way fails its checksum and counts as the end; a slot that was taken for a new segment while
// it was read is noticed afterwards, and the caller asks again with a newer place to begin from.
#pragma once

#include <deque>

#include "hub/store/segments.h"

namespace vesta::hub {

class JournalTail {
 public:
  JournalTail(std::string path, sqlite3_vfs* vfs) : segments_(std::move(path), vfs, false) {}

  struct Wanted {
    JournalNumber after = 0;
    JournalNumber up_to = UINT64_MAX;
    SeriesId series = 0;  // 0: all
    UtcUs from_us = INT64_MIN;
    UtcUs to_us = INT64_MAX;  // inclusive
    size_t limit = SIZE_MAX;
  };
  // Adds what is wanted, in journal order, from `start` on. SQLITE_DONE; SQLITE_BUSY: the writer has used a slot again
  // meanwhile.
  int Read(const JournalPlace& start, const Wanted& wanted, RecordBatch* batch);

  int system_errno() const { return segments_.system_errno(); }

 private:
  int Follow(const JournalPlace& start);
  int StillThere(bool* there);

  SegmentSet segments_;
  Packer packer_;
  std::deque<EntryHead> heads_;
  JournalPlace next_;
};

}  // namespace vesta::hub
