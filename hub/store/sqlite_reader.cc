#include "hub/store/sqlite_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "hub/store/record_row.h"
#include "hub/store/sqlite_schema.h"
#include "hub/store/thinning.h"

namespace vesta::hub {
namespace {

constexpr char kInTail[] = "number > (SELECT value FROM meta WHERE name = 'timeline_end')";

// A text is told by its kind alone; its bytes would not outlive the row.
Value OrderValue(const Statement& row, int64_t marks, int exponent_column, int value_column) {
  if (KindOfMarks(marks) == ValueKind::kText) return Value::OfText({});
  return ValueOfRow(row, marks, exponent_column, value_column);
}

}  // namespace

// One read transaction: everything inside sees the same commit.
class SqliteReader::Snapshot {
 public:
  explicit Snapshot(SqliteReader& reader) : reader_(reader) { reader_.begin_.Run(); }
  ~Snapshot() { reader_.end_.Run(); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

 private:
  SqliteReader& reader_;
};

tl::expected<std::unique_ptr<SqliteReader>, StoreError> SqliteReader::Open(const std::string& path,
                                                                           const std::string& vfs) {
  auto db = SqliteDb::Open(path, SQLITE_OPEN_READONLY, vfs);
  if (!db) return tl::unexpected(db.error());
  std::unique_ptr<SqliteReader> reader(new SqliteReader(std::move(*db)));
  if (auto done = PrepareReader(reader->db_); !done) return tl::unexpected(done.error());
  if (auto done = reader->PrepareStatements(); !done) return tl::unexpected(done.error());
  return reader;
}

tl::expected<void, StoreError> SqliteReader::PrepareStatements() {
  const std::pair<Statement*, std::string> statements[] = {
      {&begin_, "BEGIN"},
      {&end_, "COMMIT"},
      {&journal_, fmt::format("SELECT {} FROM reading WHERE number > ? ORDER BY number LIMIT ?", kRecordColumnNames)},
      {&one_, fmt::format("SELECT {} FROM reading WHERE number = ?", kRecordColumnNames)},
      {&tail_, fmt::format("SELECT time_us, number, marks, exponent, value FROM reading"
                           " WHERE {} AND series = ? AND time_us >= ? AND time_us < ?",
                           kInTail)},
      {&timeline_,
       "SELECT time_us, number, marks, exponent, value FROM timeline"
       " WHERE series = ? AND time_us >= ? AND time_us < ? ORDER BY time_us, number"},
      {&tail_before_, fmt::format("SELECT time_us, number FROM reading WHERE {} AND series = ? AND time_us <= ?"
                                  " ORDER BY time_us DESC, number DESC LIMIT 1",
                                  kInTail)},
      {&timeline_before_,
       "SELECT time_us, number FROM timeline WHERE series = ? AND time_us <= ?"
       " ORDER BY time_us DESC, number DESC LIMIT 1"},
      {&frames_,
       "SELECT f.id, c.source, f.received_us, c.verdict, c.reason, f.bytes, f.sender, f.clock"
       " FROM frame f"
       " CROSS JOIN frame_class c ON c.id = f.class"
       " WHERE f.id < ?1 AND (?2 = '' OR c.source = ?2) AND (NOT ?3 OR c.verdict <> 0) ORDER BY f.id DESC LIMIT ?4"},
      {&rejected_classes_,
       "SELECT id, reason FROM frame_class WHERE source = ?1 AND verdict = 1 AND frames > 0"
       " AND (?2 = 0 OR sender = ?2 OR sender = 0)"},
      {&class_frames_,
       "SELECT id, received_us, bytes, sender, clock FROM frame"
       " WHERE class = ?1 AND id > ?2 AND (?3 = 0 OR sender = ?3) ORDER BY id LIMIT ?4"},
      {&frame_links_, "SELECT first_number, count FROM frame_reading WHERE frame = ? ORDER BY first_number"},
      {&frame_records_,
       fmt::format("SELECT {} FROM reading WHERE number >= ? AND number < ? ORDER BY number", kRecordColumnNames)},
      {&stats_,
       "SELECT source, reason, sum(frames), sum(bytes),"
       " min((SELECT received_us FROM frame WHERE class = c.id ORDER BY id LIMIT 1)),"
       " max((SELECT received_us FROM frame WHERE class = c.id ORDER BY id DESC LIMIT 1))"
       " FROM frame_class c WHERE frames > 0 GROUP BY source, reason"},
  };
  for (const auto& [statement, sql] : statements) {
    *statement = db_.Prepare(sql.c_str());
    if (!statement->valid()) return tl::unexpected(db_.Error("preparing queries"));
  }
  return {};
}

tl::expected<RecordBatch, StoreError> SqliteReader::ReadJournal(JournalNumber after, size_t limit) {
  const StatementReset reset(journal_);
  journal_.BindInteger(1, static_cast<int64_t>(after));
  journal_.BindInteger(2, static_cast<int64_t>(limit));
  RecordBatch batch;
  int code = journal_.Step();
  for (; code == SQLITE_ROW; code = journal_.Step()) batch.Add(RecordOfRow(journal_));
  if (code != SQLITE_DONE) return tl::unexpected(db_.Error("reading the journal"));
  return batch;
}

int SqliteReader::ReadTail(SeriesId series, UtcUs from_us, UtcUs to_us, std::vector<Point>* tail) {
  const StatementReset reset(tail_);
  tail_.BindInteger(1, series);
  tail_.BindInteger(2, from_us);
  tail_.BindInteger(3, to_us);
  int code = tail_.Step();
  for (; code == SQLITE_ROW; code = tail_.Step()) {
    tail->push_back(
        {tail_.Integer(0), static_cast<JournalNumber>(tail_.Integer(1)), OrderValue(tail_, tail_.Integer(2), 3, 4)});
  }
  // In journal order, which is the order of time but for late ones.
  std::stable_sort(tail->begin(), tail->end(), [](const Point& a, const Point& b) { return a.time_us < b.time_us; });
  return code;
}

template <typename Take>
int SqliteReader::Walk(SeriesId series, UtcUs from_us, UtcUs to_us, Take take) {
  std::vector<Point> tail;
  int code = ReadTail(series, from_us, to_us, &tail);
  if (code != SQLITE_DONE) return code;
  const StatementReset reset(timeline_);
  timeline_.BindInteger(1, series);
  timeline_.BindInteger(2, from_us);
  timeline_.BindInteger(3, to_us);
  auto next = tail.begin();
  while ((code = timeline_.Step()) == SQLITE_ROW) {
    const UtcUs time_us = timeline_.Integer(0);
    // At the same time the tail comes after: its numbers are higher.
    for (; next != tail.end() && next->time_us < time_us; ++next) {
      if (!take(*next)) return SQLITE_DONE;
    }
    if (!take(Point{time_us, static_cast<JournalNumber>(timeline_.Integer(1)),
                    OrderValue(timeline_, timeline_.Integer(2), 3, 4)})) {
      return SQLITE_DONE;
    }
  }
  if (code != SQLITE_DONE) return code;
  for (; next != tail.end(); ++next) {
    if (!take(*next)) break;
  }
  return SQLITE_DONE;
}

int SqliteReader::Fetch(const std::vector<JournalNumber>& numbers, RecordBatch* batch) {
  batch->records.reserve(numbers.size());
  for (const JournalNumber number : numbers) {
    const StatementReset reset(one_);
    one_.BindInteger(1, static_cast<int64_t>(number));
    const int code = one_.Step();
    // Both tables change together; one that lacks the other's row is damaged.
    if (code != SQLITE_ROW) return code == SQLITE_DONE ? SQLITE_CORRUPT : code;
    batch->Add(RecordOfRow(one_));
  }
  return SQLITE_DONE;
}

tl::expected<RecordBatch, StoreError> SqliteReader::ReadRange(SeriesId series, UtcUs from_us, UtcUs to_us,
                                                              size_t limit) {
  RecordBatch batch;
  if (limit == 0 || from_us >= to_us) return batch;
  const Snapshot snapshot(*this);
  std::vector<JournalNumber> numbers;
  int code = Walk(series, from_us, to_us, [&](const Point& point) {
    numbers.push_back(point.number);
    return numbers.size() < limit;
  });
  if (code == SQLITE_DONE) code = Fetch(numbers, &batch);
  if (code != SQLITE_DONE) return tl::unexpected(db_.Error("reading a series", code));
  return batch;
}

tl::expected<RecordBatch, StoreError> SqliteReader::ReadThinned(SeriesId series, UtcUs from_us, UtcUs to_us,
                                                                size_t max_points, uint64_t* total) {
  RecordBatch batch;
  *total = 0;
  if (from_us >= to_us) return batch;
  const Snapshot snapshot(*this);
  Thinner thinner(from_us, to_us, max_points);
  int code = Walk(series, from_us, to_us, [&](const Point& point) {
    thinner.Add(point.time_us, point.number, point.value);
    return true;
  });
  *total = thinner.total();
  if (code == SQLITE_DONE) code = Fetch(thinner.Finish(), &batch);
  if (code != SQLITE_DONE) return tl::unexpected(db_.Error("reading a series", code));
  return batch;
}

tl::expected<RecordBatch, StoreError> SqliteReader::ReadAtOrBefore(SeriesId series, UtcUs time_us) {
  const Snapshot snapshot(*this);
  std::vector<JournalNumber> numbers;
  UtcUs newest_us = 0;
  for (Statement* statement : {&timeline_before_, &tail_before_}) {
    const StatementReset reset(*statement);
    statement->BindInteger(1, series);
    statement->BindInteger(2, time_us);
    const int code = statement->Step();
    if (code == SQLITE_DONE) continue;
    if (code != SQLITE_ROW) return tl::unexpected(db_.Error("reading a series"));
    if (numbers.empty() || statement->Integer(0) >= newest_us) {
      newest_us = statement->Integer(0);
      numbers.assign(1, static_cast<JournalNumber>(statement->Integer(1)));
    }
  }
  RecordBatch batch;
  const int code = Fetch(numbers, &batch);
  if (code != SQLITE_DONE) return tl::unexpected(db_.Error("reading a series", code));
  return batch;
}

tl::expected<std::vector<ArchivedFrame>, StoreError> SqliteReader::ReadFrames(const std::string& source,
                                                                              bool rejected_only, FrameId before,
                                                                              size_t limit) {
  const StatementReset reset(frames_);
  frames_.BindInteger(1, before == 0 ? INT64_MAX : static_cast<int64_t>(before));
  frames_.BindText(2, source);
  frames_.BindInteger(3, rejected_only ? 1 : 0);
  frames_.BindInteger(4, static_cast<int64_t>(limit));
  std::vector<ArchivedFrame> frames;
  size_t bytes = 0;
  int code = frames_.Step();
  for (; code == SQLITE_ROW; code = frames_.Step()) {
    const std::span<const uint8_t> raw = frames_.Bytes(5);
    bytes += raw.size();
    if (bytes > kMaxFrameAnswerBytes && !frames.empty()) return frames;
    ArchivedFrame frame;
    frame.id = static_cast<FrameId>(frames_.Integer(0));
    frame.source = frames_.Text(1);
    frame.received_us = frames_.Integer(2);
    frame.verdict = static_cast<FrameVerdict>(frames_.Integer(3));
    frame.reason = frames_.Text(4);
    frame.bytes.assign(raw.begin(), raw.end());
    frame.sender = static_cast<uint64_t>(frames_.Integer(6));
    frame.clock = static_cast<ClockQuality>(frames_.Integer(7));
    frames.push_back(std::move(frame));
  }
  if (code != SQLITE_DONE) return tl::unexpected(db_.Error("reading the archive"));
  return frames;
}

int SqliteReader::ReadClass(int64_t frame_class, const ArchivedFrame& model, const FrameSelection& selection,
                            size_t limit, std::vector<ArchivedFrame>* frames, FrameId* complete_to) {
  const StatementReset reset(class_frames_);
  class_frames_.BindInteger(1, frame_class);
  class_frames_.BindInteger(2, static_cast<int64_t>(selection.after));
  class_frames_.BindInteger(3, static_cast<int64_t>(selection.sender));
  class_frames_.BindInteger(4, static_cast<int64_t>(limit));
  size_t bytes = 0;
  int code = class_frames_.Step();
  for (; code == SQLITE_ROW && bytes <= kMaxFrameAnswerBytes; code = class_frames_.Step()) {
    ArchivedFrame frame = model;
    frame.id = static_cast<FrameId>(class_frames_.Integer(0));
    frame.received_us = class_frames_.Integer(1);
    const std::span<const uint8_t> raw = class_frames_.Bytes(2);
    frame.bytes.assign(raw.begin(), raw.end());
    frame.sender = static_cast<uint64_t>(class_frames_.Integer(3));
    frame.clock = static_cast<ClockQuality>(class_frames_.Integer(4));
    bytes += raw.size();
    frames->push_back(std::move(frame));
  }
  if (code != SQLITE_ROW) return code;
  *complete_to = std::min(*complete_to, frames->back().id);
  return SQLITE_DONE;
}

// Class by class, each by its index, and merged: the cost is that of what is wanted, however large the archive is.
tl::expected<std::vector<ArchivedFrame>, StoreError> SqliteReader::ReadRejected(const FrameSelection& selection,
                                                                                size_t limit) {
  const Snapshot snapshot(*this);
  std::vector<ArchivedFrame> frames;
  const StatementReset reset(rejected_classes_);
  rejected_classes_.BindText(1, selection.source);
  rejected_classes_.BindInteger(2, static_cast<int64_t>(selection.sender));
  // A class that is cut for its size may have frames below those of the others: nothing above the cut is answered.
  FrameId complete_to = UINT64_MAX;
  int code = rejected_classes_.Step();
  for (; code == SQLITE_ROW; code = rejected_classes_.Step()) {
    ArchivedFrame model;
    model.source = selection.source;
    model.verdict = FrameVerdict::kRejected;
    model.reason = rejected_classes_.Text(1);
    const auto& reasons = selection.reasons;
    if (std::find(reasons.begin(), reasons.end(), model.reason) == reasons.end()) continue;
    const int read = ReadClass(rejected_classes_.Integer(0), model, selection, limit, &frames, &complete_to);
    if (read != SQLITE_DONE) return tl::unexpected(db_.Error("reading the archive", read));
    std::sort(frames.begin(), frames.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    if (frames.size() > limit) frames.resize(limit);
  }
  if (code != SQLITE_DONE) return tl::unexpected(db_.Error("reading the archive"));
  while (!frames.empty() && frames.back().id > complete_to) frames.pop_back();
  return frames;
}

tl::expected<RecordBatch, StoreError> SqliteReader::ReadFrameRecords(FrameId frame) {
  const Snapshot snapshot(*this);
  const StatementReset reset_links(frame_links_);
  frame_links_.BindInteger(1, static_cast<int64_t>(frame));
  RecordBatch batch;
  int code = frame_links_.Step();
  for (; code == SQLITE_ROW; code = frame_links_.Step()) {
    const StatementReset reset_records(frame_records_);
    frame_records_.BindInteger(1, frame_links_.Integer(0));
    frame_records_.BindInteger(2, frame_links_.Integer(0) + frame_links_.Integer(1));
    int record_code = frame_records_.Step();
    for (; record_code == SQLITE_ROW; record_code = frame_records_.Step()) batch.Add(RecordOfRow(frame_records_));
    if (record_code != SQLITE_DONE) return tl::unexpected(db_.Error("reading a frame's readings"));
  }
  if (code != SQLITE_DONE) return tl::unexpected(db_.Error("reading a frame's readings"));
  return batch;
}

tl::expected<std::vector<ArchiveStats>, StoreError> SqliteReader::ReadArchiveStats() {
  const StatementReset reset(stats_);
  std::vector<ArchiveStats> all;
  int code = stats_.Step();
  for (; code == SQLITE_ROW; code = stats_.Step()) {
    ArchiveStats stats;
    stats.source = stats_.Text(0);
    stats.reason = stats_.Text(1);
    stats.frames = static_cast<uint64_t>(stats_.Integer(2));
    stats.bytes = static_cast<uint64_t>(stats_.Integer(3));
    stats.oldest_us = stats_.Integer(4);
    stats.newest_us = stats_.Integer(5);
    all.push_back(std::move(stats));
  }
  if (code != SQLITE_DONE) return tl::unexpected(db_.Error("reading the archive"));
  return all;
}

}  // namespace vesta::hub
