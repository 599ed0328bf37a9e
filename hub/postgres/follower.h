// Keeps a PostgreSQL database at the heels of the journal: every reading, exactly once, with its original time.
//
// Reads the journal in slices, never beyond the durable mark, and hands them to the Writer on a thread of its own. The
// database's own position counts; the journal's is set after it, and what it has not passed is not trimmed. While the
// server is away the readings stay in the journal, and the log-in is tried again, ever more seldom, up to once a
// minute. Roll-ups, tables for the days to come and deletion of old history are done when there is nothing to write.
// Main thread only.
#pragma once

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hub/clock/clock.h"
#include "hub/devices/directory.h"
#include "hub/journal/journal.h"
#include "hub/journal/output_health.h"
#include "hub/journal/worker.h"
#include "hub/postgres/writer.h"

namespace vesta::hub::postgres {

// Readings in one transaction: 1.5 MB on the wire.
inline constexpr size_t kSliceReadings = 16384;

struct FollowerTiming {
  int64_t back_off_first_us = kUsPerSecond;
  int64_t back_off_last_us = 60 * kUsPerSecond;
  int64_t look_every_us = 30 * kUsPerSecond;  // for due work, and whether the link is still there
  int64_t trim_every_us = 6 * 3600 * kUsPerSecond;
  int64_t farewell_us = 3 * kUsPerSecond;
};

struct FollowerOptions {
  std::string name = "postgres";  // of the position in the journal, and in health
  ServerSettings server;
  std::string origin;
  Zone zone;
  Retention retention;
  FollowerTiming timing;
};

class Follower {
 public:
  Follower(boost::asio::io_context& io, const Clock& clock, Journal& journal, const Directory& directory,
           FollowerOptions options);
  ~Follower();

  void Start();
  // Hands over what is durable, as far as the server takes it in a few seconds, then calls done.
  void Stop(std::function<void()> done);
  OutputHealth health() const;

 private:
  struct Job;
  struct Backlog;

  void Step();
  void Run(std::function<void(Job&)> work, std::function<void(Job&)> then);
  void Open();
  void Opened(const DatabaseFacts& facts);
  void Compare(const DatabaseFacts& facts);
  void TakeUp(JournalNumber position);
  void Read();
  void Write(RecordBatch batch);
  void Idle();
  void Failed(const StoreError& error);
  void SetPosition(JournalNumber position);
  void CountBacklog(JournalNumber after);
  void CountPage();
  void FindOldest();
  void Wake(int64_t after_us);
  void EndIfDone();
  bool CaughtUp() const;

  boost::asio::io_context& io_;
  const Clock& clock_;
  Journal& journal_;
  const Directory& directory_;
  FollowerOptions options_;
  std::atomic<bool> stop_{false};
  Writer writer_;  // on the worker's thread
  Journal::Token durable_token_;
  boost::asio::steady_timer timer_;
  boost::asio::steady_timer farewell_;

  bool busy_ = false;  // a job or a read is under way
  bool open_ = false;
  bool held_off_ = false;
  bool more_due_ = false;  // roll-ups
  JournalNumber position_ = 0;
  bool directory_sent_ = false;
  uint64_t sent_revision_ = 0;
  int64_t back_off_us_;
  int64_t next_trim_us_ = INT64_MIN;
  int64_t days_ahead_of_ = INT64_MIN;
  UtcUs last_received_us_ = 0;
  std::function<void()> stopped_;

  std::string error_;
  UtcUs state_since_us_ = 0;
  uint64_t connects_ = 0;
  uint64_t failures_ = 0;
  std::shared_ptr<Backlog> counting_;
  uint64_t backlog_ = 0;  // durable before this run and not acknowledged then
  uint64_t acknowledged_ = 0;
  UtcUs oldest_waiting_us_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Worker worker_;
};

}  // namespace vesta::hub::postgres
