// History and everything else that must survive a restart, behind one interface.
//
// One writer commits units; a unit is durable (fsync'ed) when Commit returns and is present either whole or not at all
// after any crash. Readers run beside the writer on their own connection and see only what is committed. What is
// committed is put in order for reading (blocks and roll-ups) by FoldStep, between commits; readers see no difference.
// Writer calls come from one thread; each Reader is used by one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "hub/devices/decoders.h"
#include "hub/journal/record.h"
#include "hub/places/places.h"
#include "hub/store/rollup.h"

namespace vesta::hub {

enum class StoreErrorKind : uint8_t { kDiskFull, kReadOnly, kIo, kCorrupt, kBusy, kWrongVersion, kOther };

struct StoreError {
  StoreErrorKind kind = StoreErrorKind::kOther;
  std::string text;  // for people: what failed, where, what to do
};

// All that one group commit makes durable together.
struct CommitUnit {
  std::vector<Device> devices;  // new or changed, in full
  std::vector<Series> series;
  std::vector<RecordBatch> batches;  // in journal order
  std::vector<ArchivedFrame> frames;
  std::vector<FrameMark> marks;  // archived frames with a new verdict; those that are gone are passed over
  std::vector<std::pair<std::string, JournalNumber>>
      positions;                           // outputs: everything up to this number is acknowledged
  std::vector<BedStay> beds;               // new or ended, in full
  std::vector<DecoderEpoch> decoders;      // new
  std::vector<Redecode> redecodes;         // begun or further, in full
  JournalNumber reserved_numbers_end = 0;  // first number that no run may have used yet; 0 = unchanged
  FrameId reserved_frames_end = 0;         // likewise for frame ids
};

// What the hub needs to go on where it was.
struct RestoredState {
  std::vector<Device> devices;
  std::vector<Series> series;
  RecordBatch latest;                      // newest reading of each series by time (late and suspect ones left out)
  JournalNumber last_number = 0;           // newest committed
  JournalNumber reserved_numbers_end = 1;  // the next run starts here
  FrameId reserved_frames_end = 1;
  std::vector<std::pair<std::string, JournalNumber>> positions;
  std::vector<BedStay> beds;
  std::vector<DecoderEpoch> decoders;
  std::vector<Redecode> redecodes;
};

// Archived frames to try again.
struct FrameSelection {
  std::string source;
  uint64_t sender = 0;               // 0: of every sender
  std::vector<std::string> reasons;  // rejected for any of these; empty: for any reason
  FrameId after = 0;                 // only newer ones
  FrameId before = 0;                // only older ones; 0: all
  bool accepted = false;             // accepted ones too
};

struct ArchiveStats {
  std::string source;
  std::string reason;  // "" = accepted
  uint64_t frames = 0;
  uint64_t bytes = 0;
  UtcUs oldest_us = 0;
  UtcUs newest_us = 0;
};

// Kinds of series that may be kept for different times.
enum class SeriesClass : uint8_t { kMeasurement = 0, kCounter = 1, kState = 2, kDiagnostic = 3 };
inline constexpr int kSeriesClasses = 4;

// How long history is kept; 0 = for ever. What is deleted goes a block (some hours) at a time, when its newest reading
// is too old. Days are kept for ever unless something else is said.
struct Retention {
  std::array<int64_t, kSeriesClasses> readings_us{};  // by SeriesClass
  std::array<int64_t, kRollupLevels> rollups_us{};    // by RollupLevel
  uint64_t max_bytes = 0;  // beyond: the oldest readings go, then the oldest minutes, quarters and hours, never days

  static Retention Readings(int64_t keep_us) {
    Retention retention;
    retention.readings_us.fill(keep_us);
    return retention;
  }
  bool any() const;
};

class StoreReader {
 public:
  virtual ~StoreReader() = default;

  // Records with number > after, in order, at most `limit`.
  virtual tl::expected<RecordBatch, StoreError> ReadJournal(JournalNumber after, size_t limit) = 0;

  // Readings of one series with from_us <= time < to_us in time order, at most `limit`.
  virtual tl::expected<RecordBatch, StoreError> ReadRange(SeriesId series, UtcUs from_us, UtcUs to_us,
                                                          size_t limit) = 0;

  // As ReadRange, thinned to at most max_points: the span is cut into equal slices, each gives its first, lowest,
  // highest and last reading, so extremes stay. Exact readings, never means. *total = readings in the span.
  // A long span is answered from roll-ups: its points are exact in value, their times whole milliseconds; they have no
  // number and no frame, and readings without a good value are neither among them nor in *total.
  virtual tl::expected<RecordBatch, StoreError> ReadThinned(SeriesId series, UtcUs from_us, UtcUs to_us,
                                                            size_t max_points, uint64_t* total) = 0;

  // The newest reading at or before a time; an empty batch when there is none.
  virtual tl::expected<RecordBatch, StoreError> ReadAtOrBefore(SeriesId series, UtcUs time_us) = 0;

  // What a series came to in each minute, quarter, hour or day that begins in from_us <= start < to_us and has
  // readings, in order, at most `limit`. What is not folded yet (the newest hour or so) is left out.
  virtual tl::expected<std::vector<RollupBucket>, StoreError> ReadRollups(SeriesId series, RollupLevel level,
                                                                          UtcUs from_us, UtcUs to_us, size_t limit) = 0;

  // Archived frames of a source ("" = all), newest first, below `before` (0 = from the newest), at most `limit`.
  // rejected_only leaves accepted ones out.
  virtual tl::expected<std::vector<ArchivedFrame>, StoreError> ReadFrames(const std::string& source, bool rejected_only,
                                                                          FrameId before, size_t limit) = 0;
  // Oldest first, at most `limit`. Fewer may come although there are more; none means that it is all.
  virtual tl::expected<std::vector<ArchivedFrame>, StoreError> ReadSelected(const FrameSelection& selection,
                                                                            size_t limit) = 0;
  // How many there are; `after` and `before` are not looked at.
  virtual tl::expected<uint64_t, StoreError> CountSelected(const FrameSelection& selection) = 0;
  virtual tl::expected<RecordBatch, StoreError> ReadFrameRecords(FrameId frame) = 0;
  virtual tl::expected<std::vector<ArchiveStats>, StoreError> ReadArchiveStats() = 0;
};

class Store {
 public:
  virtual ~Store() = default;
  virtual tl::expected<RestoredState, StoreError> Restore() = 0;
  // Durable when it returns. After an error nothing of the unit is in the store and the same unit may be tried again.
  virtual tl::expected<void, StoreError> Commit(const CommitUnit& unit) = 0;
  // Folds a little of what was committed, in one short step; true: more is to be done now. Touches no disk when nothing
  // is due.
  virtual tl::expected<bool, StoreError> FoldStep() = 0;
  // Deletes a little of what is older than the retention says, readings with a number up to `up_to` only; returns how
  // many readings and buckets went (0 = nothing left to do).
  virtual tl::expected<uint64_t, StoreError> TrimStep(const Retention& retention, UtcUs now_us,
                                                      JournalNumber up_to) = 0;
  // Time of the oldest reading kept, kNoTime when there is none. A look at each series: not for the hot path.
  virtual tl::expected<UtcUs, StoreError> OldestTime() = 0;
  virtual tl::expected<std::unique_ptr<StoreReader>, StoreError> OpenReader() = 0;
  virtual uint64_t SizeBytes() const = 0;
};

inline bool Retention::any() const {
  for (const int64_t keep_us : readings_us) {
    if (keep_us > 0) return true;
  }
  for (const int64_t keep_us : rollups_us) {
    if (keep_us > 0) return true;
  }
  return max_bytes > 0;
}

}  // namespace vesta::hub
