#include "hub/postgres/follower.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>

#include "hub/postgres/wire.h"

namespace vesta::hub::postgres {
namespace {

constexpr size_t kCountPage = 10000;

}  // namespace

// What the worker was asked for and what came of it.
struct Follower::Job {
  DatabaseFacts facts;
  bool more_due = false;
  uint64_t trimmed = 0;
  tl::expected<void, StoreError> result;

  // False: it failed, and says why.
  template <typename Value>
  bool Holds(const tl::expected<Value, StoreError>& done) {
    if (!done) result = tl::unexpected(done.error());
    return done.has_value();
  }
};

Follower::Follower(boost::asio::io_context& io, const Clock& clock, Journal& journal, const Directory& directory,
                   FollowerOptions options)
    : io_(io),
      clock_(clock),
      journal_(journal),
      directory_(directory),
      options_(std::move(options)),
      writer_(options_.server, options_.origin, options_.zone, &stop_),
      timer_(io),
      farewell_(io),
      back_off_us_(options_.timing.back_off_first_us),
      worker_("vesta-postgres", 4) {}

Follower::~Follower() {
  stop_ = true;
  worker_.Stop();
}

void Follower::Start() {
  position_ = journal_.Position(options_.name);
  journal_.Hold(options_.name);
  state_since_us_ = clock_.Read().utc_us;
  CountBacklog(position_);
  durable_token_ = journal_.OnDurable([this](JournalNumber) { Step(); });
  Step();
}

void Follower::Run(std::function<void(Job&)> work, std::function<void(Job&)> then) {
  busy_ = true;
  auto job = std::make_shared<Job>();
  worker_.Post([this, job, work = std::move(work), then = std::move(then), alive = std::weak_ptr(alive_),
                guard = boost::asio::make_work_guard(io_)] {
    work(*job);
    boost::asio::post(io_, [this, job, then, alive] {
      if (alive.expired()) return;
      busy_ = false;
      if (!job->result) {
        Failed(job->result.error());
      } else {
        then(*job);
      }
      EndIfDone();
    });
  });
}

bool Follower::CaughtUp() const { return position_ >= journal_.durable_mark(); }

void Follower::Step() {
  if (busy_ || held_off_ || stop_) return;
  if (!open_) {
    Open();
  } else if (!CaughtUp()) {
    Read();
  } else if (stopped_ == nullptr) {
    Idle();
  }
}

void Follower::Open() {
  Run(
      [this](Job& job) {
        const auto facts = writer_.Open();
        if (job.Holds(facts)) job.facts = *facts;
      },
      [this](Job& job) { Opened(job.facts); });
}

// The database is ahead of what the journal knows when the hub ended between the two. Then the reading that bears the
// database's position must be the journal's own: else the data folder was put back from a backup, and the same numbers
// mean other readings.
void Follower::Opened(const DatabaseFacts& facts) {
  if (facts.position <= position_) return TakeUp(facts.position);
  busy_ = true;
  journal_.Read(facts.position - 1, 1,
                [this, facts, alive = std::weak_ptr(alive_)](tl::expected<RecordBatch, StoreError> one) {
                  if (alive.expired()) return;
                  busy_ = false;
                  if (!one) return Failed(one.error());
                  const bool same = !one->records.empty() && one->records[0].number == facts.position &&
                                    one->records[0].series == facts.position_series &&
                                    KeptTime(one->records[0].time_us) == facts.position_us;
                  if (same) return TakeUp(facts.position);
                  Failed({StoreErrorKind::kOther,
                          fmt::format("PostgreSQL at {}: schema {} has readings that this data folder has not: was the"
                                      " folder put back from a backup? Move the schema away and copy the history anew",
                                      PlaceOfUrl(options_.server.url), options_.server.schema)});
                });
}

void Follower::TakeUp(JournalNumber position) {
  open_ = true;
  ++connects_;
  back_off_us_ = options_.timing.back_off_first_us;
  state_since_us_ = clock_.Read().utc_us;
  spdlog::info("PostgreSQL at {}: connected", PlaceOfUrl(options_.server.url));
  error_.clear();
  if (position < position_) {
    // It was put back from a backup: what is still here goes there again.
    spdlog::warn("PostgreSQL at {}: has readings up to number {} only, had them up to {}",
                 PlaceOfUrl(options_.server.url), position, position_);
    directory_sent_ = false;
    acknowledged_ = 0;
    position_ = position;
    CountBacklog(position);
  } else if (position > position_) {
    // Written by the run before this one, which did not live to note it.
    CountBacklog(position);
    SetPosition(position);
  }
  Step();
}

void Follower::Read() {
  busy_ = true;
  journal_.Read(position_, kSliceReadings,
                [this, mark = journal_.durable_mark(),
                 alive = std::weak_ptr(alive_)](tl::expected<RecordBatch, StoreError> batch) {
                  if (alive.expired()) return;
                  busy_ = false;
                  if (!batch) return Failed(batch.error());
                  if (batch->records.empty()) {
                    SetPosition(mark);  // numbers without readings
                    EndIfDone();
                    return Step();
                  }
                  Write(std::move(*batch));
                });
}

void Follower::Write(RecordBatch batch) {
  oldest_waiting_us_ = batch.records.front().received_us;
  std::vector<Device> devices;
  std::vector<Series> series;
  const uint64_t revision = directory_.revision();
  if (!directory_sent_ || revision != sent_revision_) {
    devices.assign(directory_.devices().begin(), directory_.devices().end());
    series.assign(directory_.series().begin(), directory_.series().end());
  }
  const JournalNumber last = batch.records.back().number;
  const uint64_t readings = batch.records.size();
  last_received_us_ = batch.records.back().received_us;
  const bool much = readings == kSliceReadings;
  Run(
      [this, much, batch = std::make_shared<RecordBatch>(std::move(batch)), devices = std::move(devices),
       series = std::move(series), until_us = last_received_us_ - kRollUpDelay_us](Job& job) {
        if (!job.Holds(writer_.Write(*batch, devices, series))) return;
        for (int i = 0; much && i < kRollUpsPerBatch; ++i) {
          const auto rolled = writer_.RollUp(until_us);
          if (!job.Holds(rolled) || !*rolled) return;
        }
      },
      [this, last, readings, revision](Job&) {
        directory_sent_ = true;
        sent_revision_ = revision;
        acknowledged_ += readings;
        SetPosition(last);
        oldest_waiting_us_ = 0;
        Step();
      });
}

// Work that can wait.
void Follower::Idle() {
  const Now now = clock_.Read();
  const int64_t day = DayOf(now.utc_us);
  const bool trim =
      options_.retention.any() && now.clock == ClockQuality::kSynchronised && now.monotonic_us >= next_trim_us_;
  Run(
      [this, now, trim, ahead = day != days_ahead_of_](Job& job) {
        if (ahead && !job.Holds(writer_.MakeDaysAhead(now.utc_us))) return;
        const auto rolled = writer_.RollUp(now.utc_us - kRollUpDelay_us);
        if (!job.Holds(rolled)) return;
        job.more_due = *rolled;
        if (!trim || job.more_due) return;
        const auto trimmed = writer_.Trim(options_.retention, now.utc_us);
        if (job.Holds(trimmed)) job.trimmed = *trimmed;
      },
      [this, now, trim, day](Job& job) {
        days_ahead_of_ = day;
        if (trim && !job.more_due) next_trim_us_ = now.monotonic_us + options_.timing.trim_every_us;
        if (job.more_due || !CaughtUp()) return Step();
        Wake(options_.timing.look_every_us);
      });
}

void Follower::Wake(int64_t after_us) {
  timer_.expires_after(std::chrono::microseconds(after_us));
  timer_.async_wait([this, alive = std::weak_ptr(alive_)](const boost::system::error_code& code) {
    if (code || alive.expired()) return;
    held_off_ = false;
    Step();
  });
}

void Follower::Failed(const StoreError& error) {
  if (stop_) {
    open_ = false;  // cut off by our own end
    return;
  }
  if (error.text != error_) spdlog::warn("{}; readings stay in the journal", error.text);
  if (open_) state_since_us_ = clock_.Read().utc_us;
  error_ = error.text;
  ++failures_;
  open_ = false;
  held_off_ = true;
  FindOldest();
  Wake(back_off_us_);
  back_off_us_ = std::min(back_off_us_ * 2, options_.timing.back_off_last_us);
}

void Follower::SetPosition(JournalNumber position) {
  position_ = position;
  journal_.SetPosition(options_.name, position);
}

// Readings in the journal after a number and up to this moment's durable mark, page by page: it may be weeks of them.
struct Follower::Backlog {
  JournalNumber from = 0;
  JournalNumber mark = 0;
  uint64_t stored = 0;  // by this run, when the count began: the journal counts these
  uint64_t done = 0;
  uint64_t count = 0;
  bool more = true;
};

void Follower::CountBacklog(JournalNumber after) {
  counting_ = std::make_shared<Backlog>();
  counting_->from = after;
  counting_->mark = journal_.durable_mark();
  counting_->stored = journal_.health().stored_records;
  counting_->done = acknowledged_;
  CountPage();
}

void Follower::CountPage() {
  journal_.Query(
      [backlog = counting_](StoreReader& reader) {
        const auto page = reader.ReadJournal(backlog->from, kCountPage);
        backlog->more = page.has_value() && page->records.size() == kCountPage;
        if (!page || page->records.empty()) return;
        for (const Record& record : page->records) backlog->count += record.number <= backlog->mark ? 1 : 0;
        backlog->from = page->records.back().number;
      },
      [this, backlog = counting_, alive = std::weak_ptr(alive_)] {
        if (alive.expired() || backlog != counting_) return;
        const uint64_t all = backlog->count + backlog->done;
        backlog_ = all - std::min(all, backlog->stored);
        if (backlog->more && backlog->from < backlog->mark) CountPage();
      });
}

void Follower::FindOldest() {
  if (CaughtUp()) return;
  journal_.Read(position_, 1, [this, alive = std::weak_ptr(alive_)](tl::expected<RecordBatch, StoreError> one) {
    if (alive.expired() || !one || one->records.empty()) return;
    oldest_waiting_us_ = one->records[0].received_us;
  });
}

void Follower::Stop(std::function<void()> done) {
  stopped_ = std::move(done);
  timer_.cancel();
  farewell_.expires_after(std::chrono::microseconds(options_.timing.farewell_us));
  farewell_.async_wait([this, alive = std::weak_ptr(alive_)](const boost::system::error_code& code) {
    if (code || alive.expired()) return;
    stop_ = true;
    if (!busy_) EndIfDone();
  });
  EndIfDone();
  if (stopped_ != nullptr) Step();
}

void Follower::EndIfDone() {
  if (stopped_ == nullptr || busy_) return;
  if (open_ && !CaughtUp() && !stop_) return;
  stop_ = true;
  farewell_.cancel();
  timer_.cancel();
  const auto done = std::move(stopped_);
  stopped_ = nullptr;
  done();
}

OutputHealth Follower::health() const {
  OutputHealth health;
  health.name = options_.name;
  health.type = "postgres";
  health.delivery_class = "every reading, exactly once, original time";
  health.where = fmt::format("{} schema {}", PlaceOfUrl(options_.server.url), options_.server.schema);
  health.connected = open_;
  health.error = error_;
  health.state_since_us = state_since_us_;
  health.connects = connects_;
  health.sent = health.acknowledged = acknowledged_;
  health.accepted = std::max(acknowledged_, backlog_ + journal_.health().stored_records);
  health.waiting = health.accepted - acknowledged_;
  if (failures_ > 0) health.failed["connection"] = failures_;
  if (health.waiting > 0 && oldest_waiting_us_ != 0) {
    health.oldest_unsent_age_us = std::max<int64_t>(0, clock_.Read().utc_us - oldest_waiting_us_);
  }
  return health;
}

}  // namespace vesta::hub::postgres
