#include "hub/journal/journal.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <iterator>
#include <list>
#include <set>
#include <utility>

#include "hub/journal/reader_thread.h"
#include "hub/journal/worker.h"

namespace vesta::hub {
namespace {

// Groups are numbered in the order in which they are committed.
using UnitNumber = uint64_t;

struct Unit {
  UnitNumber unit_number = 0;
  CommitUnit commit;
  JournalNumber last_number = 0;  // 0: no readings
  size_t records = 0;
  size_t text_bytes = 0;
  size_t frame_bytes = 0;
};

// A unit on its way through the writer thread. The main thread does not touch the unit before the result is there.
struct Flight {
  Unit unit;
  tl::expected<void, StoreError> result;
  int64_t duration_us = 0;
  bool settled = false;
};

struct TrimStepResult {
  tl::expected<uint64_t, StoreError> trimmed = 0;
  UtcUs oldest_us = kNoTime;
};

int64_t SteadyUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void CountOne(std::vector<uint64_t>* counts, SeriesId series) {
  if (series >= counts->size()) counts->resize(series + 1, 0);
  ++(*counts)[series];
}

}  // namespace

class Journal::Impl {
 public:
  Impl(boost::asio::io_context& io, const Clock& clock, Store& store, Directory& directory, JournalOptions options)
      : io_(io),
        clock_(clock),
        store_(store),
        directory_(directory),
        options_(options),
        commit_timer_(io),
        retry_timer_(io),
        writer_("vesta-commit", 1),
        journal_reader_(io, store, "vesta-journal"),
        query_reader_(io, store, "vesta-query") {}

  tl::expected<void, StoreError> Open(const RestoredState& state);
  bool Append(std::vector<Record>& records, std::vector<FrameMark> marks, const Redecode* progress);
  bool HasRoom(std::span<const Reading> readings, size_t frame_bytes) const;
  FrameId AppendFrame(ArchivedFrame frame);
  void Flush(std::function<void()> done);
  void WhenDurable(std::function<void()> done);
  void SetPosition(const std::string& output, JournalNumber number);
  void Keep(BedStay stay) { Gathering().commit.beds.push_back(std::move(stay)); }
  void Keep(DecoderEpoch epoch) { Gathering().commit.decoders.push_back(std::move(epoch)); }
  void Hold(const std::string& output) { holding_.insert(output); }
  void Read(JournalNumber after, size_t limit, ReadCallback done);
  void Query(std::function<void(StoreReader&)> work, std::function<void()> done);
  Token OnDurable(std::function<void(JournalNumber)> listener);
  void Close();
  const JournalHealth& health() {
    health_.store_bytes = store_.SizeBytes();
    return health_;
  }

  JournalHealth health_;
  std::vector<uint64_t> taken_by_series_;
  std::vector<uint64_t> stored_by_series_;
  std::map<std::string, JournalNumber> positions_;
  FrameId next_frame_ = 1;

 private:
  Unit& Gathering();
  void CommitSoon();
  void StartNext();
  void HandOver();
  void FillIn(Unit& unit);
  void Settle(Flight& flight);
  void Settled(const Unit& unit);
  void Failed(const StoreError& error);
  void Fold();
  bool TrimIsDue();
  void Trim();
  void ArmCommitTimer();
  void Announce();

  boost::asio::io_context& io_;
  const Clock& clock_;
  Store& store_;
  Directory& directory_;
  const JournalOptions options_;

  std::deque<Unit> waiting_;  // the newest one is still gathering
  UnitNumber last_unit_ = 0;
  UnitNumber due_unit_ = 0;  // up to here: commit as soon as the writer is free
  std::shared_ptr<Flight> flight_;
  bool writer_busy_ = false;
  bool retry_waits_ = false;
  bool start_posted_ = false;
  size_t waiting_text_bytes_ = 0;
  size_t waiting_frame_bytes_ = 0;
  std::vector<std::pair<UnitNumber, std::function<void()>>> flushes_;

  JournalNumber next_number_ = 1;
  JournalNumber numbers_end_ = 1;  // durably reserved up to here, exclusive
  FrameId frames_end_ = 1;
  uint64_t committed_revision_ = 0;  // of the directory
  std::set<std::string> moved_positions_;

  bool folding_ = false;           // committed since the store last said that all is folded
  bool folded_last_ = false;       // so that commits and fold steps take turns
  bool trimming_ = false;          // more is left to trim
  std::set<std::string> holding_;  // outputs that history waits for
  bool trimmed_last_ = false;      // so that commits and trim steps take turns
  int64_t next_trim_us_ = INT64_MIN;

  bool open_ = false;
  std::list<std::weak_ptr<std::function<void(JournalNumber)>>> listeners_;
  boost::asio::steady_timer commit_timer_;
  boost::asio::steady_timer retry_timer_;
  // What was posted to the main thread looks here whether the journal is still there.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Worker writer_;
  ReaderThread journal_reader_;
  ReaderThread query_reader_;
};

tl::expected<void, StoreError> Journal::Impl::Open(const RestoredState& state) {
  CommitUnit reserve;
  reserve.reserved_numbers_end = state.reserved_numbers_end + kNumberBlock;
  reserve.reserved_frames_end = state.reserved_frames_end + kNumberBlock;
  if (auto done = store_.Commit(reserve); !done) return done;
  next_number_ = state.reserved_numbers_end;
  numbers_end_ = reserve.reserved_numbers_end;
  next_frame_ = state.reserved_frames_end;
  frames_end_ = reserve.reserved_frames_end;
  health_.last_number = state.last_number;
  health_.durable_mark = state.last_number;
  for (const auto& [output, number] : state.positions) positions_[output] = number;
  committed_revision_ = directory_.revision();
  const auto oldest = store_.OldestTime();
  if (!oldest) return tl::unexpected(oldest.error());
  health_.oldest_us = *oldest;
  open_ = true;
  return {};
}

Unit& Journal::Impl::Gathering() {
  if (waiting_.empty() || waiting_.back().records >= kMaxUnitRecords) {
    const bool first = waiting_.empty();
    Unit& unit = waiting_.emplace_back();
    unit.unit_number = ++last_unit_;
    unit.commit.batches.emplace_back();
    if (first) ArmCommitTimer();
  }
  return waiting_.back();
}

void Journal::Impl::ArmCommitTimer() {
  commit_timer_.expires_after(std::chrono::microseconds(options_.commit_interval_us));
  commit_timer_.async_wait([this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
    if (error || alive.expired()) return;
    due_unit_ = last_unit_;
    StartNext();
  });
}

bool Journal::Impl::Append(std::vector<Record>& records, std::vector<FrameMark> marks, const Redecode* progress) {
  size_t text_bytes = 0;
  for (const Record& record : records) {
    if (record.value.kind() == ValueKind::kText) text_bytes += record.value.text().size();
  }
  if (!open_ || health_.waiting_records + records.size() > kMaxWaitingRecords ||
      waiting_text_bytes_ + text_bytes > kMaxWaitingTextBytes || next_number_ + records.size() > numbers_end_) {
    health_.refused_records += records.size();
    return false;
  }
  if (records.empty() && marks.empty() && progress == nullptr) return true;
  Unit& unit = Gathering();
  if (progress != nullptr) unit.commit.redecodes.push_back(*progress);
  std::move(marks.begin(), marks.end(), std::back_inserter(unit.commit.marks));
  RecordBatch& batch = unit.commit.batches.back();
  for (Record& record : records) {
    record.number = next_number_++;
    if (health_.oldest_us == kNoTime || record.time_us < health_.oldest_us) health_.oldest_us = record.time_us;
    CountOne(&taken_by_series_, record.series);
    batch.Add(record);
  }
  if (!records.empty()) {
    health_.last_number = next_number_ - 1;
    unit.last_number = health_.last_number;
  }
  unit.records += records.size();
  unit.text_bytes += text_bytes;
  waiting_text_bytes_ += text_bytes;
  health_.waiting_records += records.size();
  if (unit.records >= options_.commit_records) {
    due_unit_ = last_unit_;
    StartNext();
  } else if (options_.commit_each_frame) {
    CommitSoon();
  }
  return true;
}

bool Journal::Impl::HasRoom(std::span<const Reading> readings, size_t frame_bytes) const {
  size_t text_bytes = 0;
  for (const Reading& reading : readings) {
    if (reading.value.kind() == ValueKind::kText) text_bytes += reading.value.text().size();
  }
  return open_ && health_.waiting_records + readings.size() <= kMaxWaitingRecords &&
         waiting_text_bytes_ + text_bytes <= kMaxWaitingTextBytes && next_number_ + readings.size() <= numbers_end_ &&
         waiting_frame_bytes_ + frame_bytes + kWaitingFrameOverhead <= kMaxWaitingFrameBytes &&
         next_frame_ < frames_end_;
}

FrameId Journal::Impl::AppendFrame(ArchivedFrame frame) {
  const size_t bytes = frame.bytes.size() + kWaitingFrameOverhead;
  if (!open_ || waiting_frame_bytes_ + bytes > kMaxWaitingFrameBytes || next_frame_ >= frames_end_) {
    ++health_.refused_frames;
    return 0;
  }
  Unit& unit = Gathering();
  frame.id = next_frame_++;
  unit.frame_bytes += bytes;
  waiting_frame_bytes_ += bytes;
  const FrameId id = frame.id;
  unit.commit.frames.push_back(std::move(frame));
  if (options_.commit_each_frame) CommitSoon();
  return id;
}

// At the end of the main thread's turn, so that a frame, its readings and the frames behind it share a commit.
void Journal::Impl::CommitSoon() {
  due_unit_ = last_unit_;
  if (start_posted_ || writer_busy_ || flight_ != nullptr) return;
  start_posted_ = true;
  boost::asio::post(io_, [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    start_posted_ = false;
    StartNext();
  });
}

void Journal::Impl::Flush(std::function<void()> done) {
  if (!open_) return;
  if (directory_.revision() != committed_revision_) Gathering();
  if (done != nullptr) WhenDurable(std::move(done));
  if (!waiting_.empty()) CommitSoon();
}

void Journal::Impl::WhenDurable(std::function<void()> done) {
  if (!open_) return;
  if (waiting_.empty() && flight_ == nullptr) {
    boost::asio::post(io_, std::move(done));
    return;
  }
  flushes_.emplace_back(waiting_.empty() ? flight_->unit.unit_number : last_unit_, std::move(done));
}

void Journal::Impl::SetPosition(const std::string& output, JournalNumber number) {
  number = std::min(number, health_.durable_mark);
  JournalNumber& position = positions_[output];
  if (position == number) return;
  position = number;
  moved_positions_.insert(output);
  if (open_) Gathering();
}

// Gives the idle writer its next work: what is due, and readings to fold and old history to trim, in turns.
void Journal::Impl::StartNext() {
  if (!open_ || writer_busy_ || retry_waits_) return;
  const bool commit_is_due = flight_ != nullptr || (!waiting_.empty() && waiting_.front().unit_number <= due_unit_);
  if (TrimIsDue() && (!commit_is_due || !trimmed_last_)) {
    Trim();
  } else if (folding_ && flight_ == nullptr && (!commit_is_due || !folded_last_)) {
    Fold();
  } else if (commit_is_due) {
    HandOver();
  }
}

// What goes with the oldest unit is put in as late as can be: the newest state of devices and positions.
void Journal::Impl::FillIn(Unit& unit) {
  committed_revision_ = directory_.revision();
  const Directory::Changes changes = directory_.TakeChanges();
  for (const DeviceId id : changes.devices) unit.commit.devices.push_back(*directory_.FindDevice(id));
  for (const SeriesId id : changes.series) unit.commit.series.push_back(*directory_.FindSeries(id));
  for (const std::string& output : moved_positions_) unit.commit.positions.emplace_back(output, positions_[output]);
  moved_positions_.clear();
  if (numbers_end_ - next_number_ < kNumberBlock / 2) unit.commit.reserved_numbers_end = numbers_end_ + kNumberBlock;
  if (frames_end_ - next_frame_ < kNumberBlock / 2) unit.commit.reserved_frames_end = frames_end_ + kNumberBlock;
}

void Journal::Impl::HandOver() {
  if (flight_ == nullptr) {
    flight_ = std::make_shared<Flight>();
    flight_->unit = std::move(waiting_.front());
    waiting_.pop_front();
    FillIn(flight_->unit);
    if (waiting_.empty()) commit_timer_.cancel();
  }
  flight_->settled = false;
  writer_busy_ = true;
  trimmed_last_ = folded_last_ = false;
  writer_.Post([this, flight = flight_, alive = std::weak_ptr(alive_), guard = boost::asio::make_work_guard(io_)] {
    const int64_t start_us = SteadyUs();
    flight->result = store_.Commit(flight->unit.commit);
    flight->duration_us = SteadyUs() - start_us;
    boost::asio::post(io_, [this, flight, alive] {
      if (alive.expired() || flight->settled) return;
      writer_busy_ = false;
      Settle(*flight);
      StartNext();
    });
  });
}

void Journal::Impl::Settle(Flight& flight) {
  flight.settled = true;
  health_.last_commit_duration_us = flight.duration_us;
  health_.commit_times.Add(flight.duration_us);
  if (!flight.result) {
    Failed(flight.result.error());
    return;
  }
  if (!health_.error.empty()) spdlog::info("the store takes readings again");
  health_.error.clear();
  folding_ = true;
  const std::shared_ptr<Flight> keep = std::move(flight_);
  Settled(keep->unit);
}

void Journal::Impl::Failed(const StoreError& error) {
  ++health_.failed_commits;
  if (health_.error != error.text) spdlog::error("{}; readings wait in memory", error.text);
  health_.error = error.text;
  if (!open_) return;
  retry_waits_ = true;
  retry_timer_.expires_after(std::chrono::microseconds(kCommitRetry_us));
  retry_timer_.async_wait([this, alive = std::weak_ptr(alive_)](const boost::system::error_code& code) {
    if (code || alive.expired()) return;
    retry_waits_ = false;
    StartNext();
  });
}

void Journal::Impl::Settled(const Unit& unit) {
  ++health_.commits;
  health_.stored_records += unit.records;
  for (const RecordBatch& batch : unit.commit.batches) {
    for (const Record& record : batch.records) {
      CountOne(&stored_by_series_, record.series);
    }
  }
  health_.last_commit_us = clock_.Read().utc_us;
  health_.waiting_records -= unit.records;
  waiting_text_bytes_ -= unit.text_bytes;
  waiting_frame_bytes_ -= unit.frame_bytes;
  if (unit.commit.reserved_numbers_end != 0) numbers_end_ = unit.commit.reserved_numbers_end;
  if (unit.commit.reserved_frames_end != 0) frames_end_ = unit.commit.reserved_frames_end;
  if (unit.last_number != 0) {
    health_.durable_mark = unit.last_number;
    if (open_) Announce();
  }
  const auto waits = std::stable_partition(flushes_.begin(), flushes_.end(),
                                           [&](const auto& flush) { return flush.first <= unit.unit_number; });
  for (auto flush = flushes_.begin(); flush != waits; ++flush) boost::asio::post(io_, std::move(flush->second));
  flushes_.erase(flushes_.begin(), waits);
}

void Journal::Impl::Announce() {
  const JournalNumber mark = health_.durable_mark;
  // Taken first: a listener may add or drop listeners.
  std::vector<std::shared_ptr<std::function<void(JournalNumber)>>> listeners;
  for (auto entry = listeners_.begin(); entry != listeners_.end();) {
    if (auto listener = entry->lock()) {
      listeners.push_back(std::move(listener));
      ++entry;
    } else {
      entry = listeners_.erase(entry);
    }
  }
  for (const auto& listener : listeners) (*listener)(mark);
}

void Journal::Impl::Fold() {
  writer_busy_ = true;
  folded_last_ = true;
  auto step = std::make_shared<tl::expected<bool, StoreError>>(false);
  writer_.Post([this, step, alive = std::weak_ptr(alive_), guard = boost::asio::make_work_guard(io_)] {
    *step = store_.FoldStep();
    boost::asio::post(io_, [this, step, alive] {
      if (alive.expired()) return;
      writer_busy_ = false;
      // After an error the next commit brings the next attempt; the readings are safe in the journal meanwhile.
      folding_ = *step && **step;
      const std::string error = *step ? "" : step->error().text;
      if (health_.fold_error != error && !error.empty()) spdlog::warn("{}", error);
      health_.fold_error = error;
      StartNext();
    });
  });
}

bool Journal::Impl::TrimIsDue() {
  if (!options_.retention.any() || health_.commits == 0 || flight_ != nullptr) return false;
  if (trimming_) return true;
  const Now now = clock_.Read();
  if (now.monotonic_us < next_trim_us_) return false;
  next_trim_us_ = now.monotonic_us + kTrimEvery_us;
  // A clock that was never set, or stands in the wrong century, must not empty the history.
  trimming_ = now.clock == ClockQuality::kSynchronised;
  return trimming_;
}

void Journal::Impl::Trim() {
  writer_busy_ = true;
  trimmed_last_ = true;
  const UtcUs now_us = clock_.Read().utc_us;
  JournalNumber up_to = health_.durable_mark;
  for (const std::string& output : holding_) {
    const auto position = positions_.find(output);
    up_to = std::min(up_to, position == positions_.end() ? 0 : position->second);
  }
  auto step = std::make_shared<TrimStepResult>();
  writer_.Post([this, step, now_us, up_to, alive = std::weak_ptr(alive_), guard = boost::asio::make_work_guard(io_)] {
    step->trimmed = store_.TrimStep(options_.retention, now_us, up_to);
    if (step->trimmed && *step->trimmed == 0) step->oldest_us = store_.OldestTime().value_or(kNoTime);
    boost::asio::post(io_, [this, step, alive] {
      if (alive.expired()) return;
      writer_busy_ = false;
      if (step->oldest_us != kNoTime) health_.oldest_us = step->oldest_us;
      if (step->trimmed) {
        health_.trimmed_records += *step->trimmed;
      } else {
        spdlog::warn("{}", step->trimmed.error().text);
      }
      trimming_ = step->trimmed && *step->trimmed > 0;
      StartNext();
    });
  });
}

Journal::Token Journal::Impl::OnDurable(std::function<void(JournalNumber)> listener) {
  auto token = std::make_shared<std::function<void(JournalNumber)>>(std::move(listener));
  listeners_.push_back(token);
  return token;
}

void Journal::Impl::Read(JournalNumber after, size_t limit, ReadCallback done) {
  const JournalNumber mark = health_.durable_mark;
  auto answer = std::make_shared<tl::expected<RecordBatch, StoreError>>();
  const auto finish = [answer, done = std::move(done)] { done(std::move(*answer)); };
  if (after >= mark) {
    boost::asio::post(io_, finish);
    return;
  }
  const bool taken = journal_reader_.Post(
      [answer, after, limit, mark](StoreReader& reader) {
        *answer = reader.ReadJournal(after, limit);
        if (!*answer) return;
        // A commit that finished meanwhile, and was not announced yet.
        std::vector<Record>& records = (*answer)->records;
        while (!records.empty() && records.back().number > mark) records.pop_back();
      },
      finish);
  if (!taken) ++health_.refused_reads;
}

void Journal::Impl::Query(std::function<void(StoreReader&)> work, std::function<void()> done) {
  if (!query_reader_.Post(std::move(work), std::move(done))) ++health_.refused_reads;
}

void Journal::Impl::Close() {
  journal_reader_.Close();
  query_reader_.Close();
  if (!open_) return;
  open_ = false;
  commit_timer_.cancel();
  retry_timer_.cancel();
  writer_.Stop();
  // The writer is gone: from here on this thread is the one that writes.
  if (flight_ != nullptr && writer_busy_) Settle(*flight_);
  writer_busy_ = false;
  if (directory_.revision() != committed_revision_ && waiting_.empty()) {
    waiting_.emplace_back().unit_number = ++last_unit_;
  }
  while (flight_ != nullptr || !waiting_.empty()) {
    if (flight_ == nullptr) {
      flight_ = std::make_shared<Flight>();
      flight_->unit = std::move(waiting_.front());
      waiting_.pop_front();
      FillIn(flight_->unit);
    }
    flight_->result = store_.Commit(flight_->unit.commit);
    Settle(*flight_);
    if (flight_ != nullptr) {
      spdlog::error("{} readings could not be stored before the hub stopped", health_.waiting_records);
      return;
    }
  }
}

Journal::Journal(boost::asio::io_context& io, const Clock& clock, Store& store, Directory& directory,
                 JournalOptions options)
    : impl_(std::make_unique<Impl>(io, clock, store, directory, options)) {}
Journal::~Journal() { Close(); }

tl::expected<void, StoreError> Journal::Open(const RestoredState& state) { return impl_->Open(state); }
bool Journal::Append(std::vector<Record>& records, std::vector<FrameMark> marks, const Redecode* progress) {
  return impl_->Append(records, std::move(marks), progress);
}
bool Journal::HasRoom(std::span<const Reading> readings, size_t frame_bytes) const {
  return impl_->HasRoom(readings, frame_bytes);
}
FrameId Journal::AppendFrame(ArchivedFrame frame) { return impl_->AppendFrame(std::move(frame)); }
void Journal::Flush(std::function<void()> done) { impl_->Flush(std::move(done)); }
void Journal::WhenDurable(std::function<void()> done) { impl_->WhenDurable(std::move(done)); }
FrameId Journal::next_frame() const { return impl_->next_frame_; }
JournalNumber Journal::last_number() const { return impl_->health_.last_number; }
JournalNumber Journal::durable_mark() const { return impl_->health_.durable_mark; }
Journal::Token Journal::OnDurable(std::function<void(JournalNumber)> listener) {
  return impl_->OnDurable(std::move(listener));
}
JournalNumber Journal::Position(const std::string& output) const {
  const auto found = impl_->positions_.find(output);
  return found == impl_->positions_.end() ? 0 : found->second;
}
void Journal::Keep(BedStay stay) { impl_->Keep(std::move(stay)); }
void Journal::Keep(DecoderEpoch epoch) { impl_->Keep(std::move(epoch)); }
void Journal::Hold(const std::string& output) { impl_->Hold(output); }
void Journal::SetPosition(const std::string& output, JournalNumber number) { impl_->SetPosition(output, number); }
void Journal::Read(JournalNumber after, size_t limit, ReadCallback done) { impl_->Read(after, limit, std::move(done)); }
void Journal::Query(std::function<void(StoreReader&)> work, std::function<void()> done) {
  impl_->Query(std::move(work), std::move(done));
}
const std::vector<uint64_t>& Journal::taken_by_series() const { return impl_->taken_by_series_; }
const std::vector<uint64_t>& Journal::stored_by_series() const { return impl_->stored_by_series_; }
const JournalHealth& Journal::health() const { return impl_->health(); }
void Journal::Close() { impl_->Close(); }

}  // namespace vesta::hub
