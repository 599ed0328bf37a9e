// The numbered order of everything accepted, with a durable mark: the only way to the store and to the outputs.
//
// A reading gets its number in memory at once. Numbers come from blocks that are reserved durably ahead of use, so no
// number is ever used twice, crash or not (numbers may be skipped). Readings gather in memory and are committed as a
// group on a writer thread: when the commit interval is over, when enough have gathered, or when someone asks for a
// flush. The durable mark then moves and the listeners hear it on the main thread. An output that promises every
// reading never goes past it. All public calls are made on the main thread (the one that runs the io_context).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "hub/clock/clock.h"
#include "hub/clock/duration_histogram.h"
#include "hub/devices/directory.h"
#include "hub/journal/record.h"
#include "hub/store/store.h"

namespace boost::asio {
class io_context;
}

namespace vesta::hub {

struct JournalOptions {
  int64_t commit_interval_us = 10 * kUsPerSecond;
  size_t commit_records = 4096;
  bool commit_each_frame = false;  // clinical: a frame counts as received once it is durable
  Retention retention;             // history that is older is trimmed in small steps
};

// Readings that may wait in memory while the disk refuses to take them (full, read-only). Beyond this the newest are
// refused and counted: what is already accepted is never given up.
inline constexpr size_t kMaxWaitingRecords = 262144;
inline constexpr size_t kMaxWaitingFrameBytes = 16u << 20;  // of raw frames, each with kWaitingFrameOverhead
inline constexpr size_t kWaitingFrameOverhead = 128;        // so that empty ones are bounded too
inline constexpr size_t kMaxWaitingTextBytes = 8u << 20;    // of readings that are texts
// Readings in one commit. While the writer is at work a group grows beyond commit_records, so that a slow disk gets
// fewer and larger commits; beyond this the next group begins, so that no commit takes long.
inline constexpr size_t kMaxUnitRecords = 32768;
// Numbers reserved at a time: many times what can wait in memory, so a block never runs out between two commits.
inline constexpr uint64_t kNumberBlock = 1u << 24;
// Reads and queries that may wait, each; what comes beyond is answered with an error at once.
inline constexpr size_t kMaxReadRequests = 256;
// Old history is looked for this often, and only when something was committed: an idle hub does not touch the disk.
inline constexpr int64_t kTrimEvery_us = 600 * kUsPerSecond;
// Wait before a failed commit is tried again.
inline constexpr int64_t kCommitRetry_us = 2 * kUsPerSecond;

struct JournalHealth {
  JournalNumber last_number = 0;   // newest given out
  JournalNumber durable_mark = 0;  // everything up to here is on disk
  uint64_t waiting_records = 0;
  uint64_t commits = 0;
  uint64_t failed_commits = 0;
  uint64_t refused_records = 0;  // disk refused for too long
  uint64_t refused_frames = 0;   // archive only
  uint64_t refused_reads = 0;    // too many waited
  uint64_t trimmed_records = 0;
  uint64_t stored_records = 0;     // made durable by this run
  DurationHistogram commit_times;  // failed ones included
  int64_t last_commit_duration_us = 0;
  UtcUs last_commit_us = 0;
  std::string error;       // of the last commit, "" when it went well
  std::string fold_error;  // of the last fold step, "" when it went well
  uint64_t store_bytes = 0;
  UtcUs oldest_us = kNoTime;  // time of the oldest reading kept
};

class Journal {
 public:
  Journal(boost::asio::io_context& io, const Clock& clock, Store& store, Directory& directory, JournalOptions options);
  ~Journal();  // Close()s

  // After Store::Restore and Directory::Restore. Reserves the first block of numbers durably before it returns.
  tl::expected<void, StoreError> Open(const RestoredState& state);

  // Numbers the records (in place) and takes them, together with what became of the archived frames that they come
  // from, and how far the archive is decoded again with them: all is committed in one piece. False: refused, nothing was
  // taken (see kMaxWaitingRecords).
  bool Append(std::vector<Record>& records, std::vector<FrameMark> marks = {}, const Redecode* progress = nullptr);
  // Whether a frame with these readings and so many bytes would be taken whole now.
  bool HasRoom(std::span<const Reading> readings, size_t frame_bytes) const;
  // 0 when refused (see kMaxWaitingFrameBytes).
  FrameId AppendFrame(ArchivedFrame frame);

  // Commit what is waiting now; done runs on the main thread when it is durable. Calls in one turn of the main thread
  // share a commit.
  void Flush(std::function<void()> done = {});
  // The same without a commit of its own: done runs when the next one, for whatever reason, has taken what waits now.
  void WhenDurable(std::function<void()> done);

  JournalNumber last_number() const;
  FrameId next_frame() const;  // the next one to be archived; all older ones are below
  JournalNumber durable_mark() const;

  // Runs on the main thread each time the mark moved. Keep the returned token as long as the listener lives.
  using Token = std::shared_ptr<void>;
  Token OnDurable(std::function<void(JournalNumber mark)> listener);

  // Positions of outputs, made durable with the next commit. Unknown name: 0. A position beyond the durable mark is
  // taken as the mark: what an output acknowledged early must be sent again after a crash.
  JournalNumber Position(const std::string& output) const;
  void SetPosition(const std::string& output, JournalNumber number);
  // Made durable with the next commit, no later than any reading appended afterwards.
  void Keep(BedStay stay);
  void Keep(DecoderEpoch epoch);
  // From now on history that this output has not acknowledged is not trimmed, however old it is.
  void Hold(const std::string& output);

  // Reads on a reader thread, answers on the main thread. Never returns anything beyond the durable mark.
  using ReadCallback = std::function<void(tl::expected<RecordBatch, StoreError>)>;
  void Read(JournalNumber after, size_t limit, ReadCallback done);

  // Runs any query on a second reader thread, so that a long one never delays the outputs; `work` gets the reader
  // there, `done` runs on the main thread afterwards. Both always run, once: when there is no reader to be had, or too
  // many queries wait, each call of the reader that `work` gets answers with the error.
  void Query(std::function<void(StoreReader&)> work, std::function<void()> done);

  // Taken, and made durable, by this run, by series id (0 unused).
  const std::vector<uint64_t>& taken_by_series() const;
  const std::vector<uint64_t>& stored_by_series() const;

  const JournalHealth& health() const;

  // Commits everything that waits and stops the threads; nothing is taken afterwards. What the disk refuses now is lost
  // and said so in the log. Idempotent.
  void Close();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vesta::hub
