// The readings that are in the journal and not folded yet, for a reader beside the writer.
//
// It keeps the heads of the entries that it has seen, so that a query reads only what it needs. The writer goes on
// meanwhile: an entry under way fails its checksum and counts as the end; a slot that was taken for a new segment while
// it was read is noticed afterwards, and the caller asks again with a newer place to begin from.
// Memory: the heads, the answer, and the last few entries unpacked, so that who reads page by page unpacks them once.
#pragma once

#include <deque>
#include <list>

#include "hub/store/segments.h"
#include "hub/store/unit_coding.h"

namespace vesta::hub {

class JournalTail {
 public:
  JournalTail(std::string path, sqlite3_vfs* vfs) : segments_(std::move(path), vfs, false) {}

  struct Wanted {
    JournalNumber after = 0;
    JournalNumber up_to = UINT64_MAX;
    SeriesId series = 0;  // 0: all
    UtcUs from_us = INT64_MIN;
    UtcUs to_us = INT64_MAX;        // inclusive
    JournalNumber from_number = 0;  // of the readings at from_us, only those with a greater number
    size_t limit = SIZE_MAX;
    bool by_time = false;  // the earliest by time and number, in that order
  };
  // Adds what is wanted, in journal order or by time, from `start` on. SQLITE_DONE; SQLITE_BUSY: the writer has used a
  // slot again meanwhile.
  int Read(const JournalPlace& start, const Wanted& wanted, RecordBatch* batch);
  // Adds the newest reading of wanted.series with a time up to wanted.to_us, if there is one; of several at one time
  // the one with the greatest number.
  int ReadNewest(const JournalPlace& start, const Wanted& wanted, RecordBatch* batch);
  // No reading at or behind from_us has an earlier time than this; INT64_MAX when there is none. Unpacks nothing.
  int Earliest(const JournalPlace& start, UtcUs from_us, UtcUs* earliest_us);

  int system_errno() const { return segments_.system_errno(); }

 private:
  struct Unpacked {
    uint64_t unit = 0;
    std::string bytes;  // the texts of the records are views into it
    std::vector<Record> records;
  };
  int Follow(const JournalPlace& start);
  int StillThere();
  // The readings of an entry, of one series or all: the caller looks what it wants of them. nullptr: it is gone or
  // under way.
  int Unpack(size_t head, SeriesId series, const std::vector<Record>** records);

  SegmentSet segments_;
  Packer packer_;
  std::deque<EntryHead> heads_;
  JournalPlace next_;
  ReadingsReader reader_;
  Entry entry_;
  Unpacked last_;               // what is not kept
  std::list<Unpacked> recent_;  // newest first
  size_t recent_records_ = 0;
};

}  // namespace vesta::hub
