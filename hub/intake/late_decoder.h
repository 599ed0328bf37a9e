// Late decode: when a key arrives, what was heard before it is tried again.
//
// A fresh session (never the live one) runs over the archived rejected frames of one sender, in the order in which they
// came, with the times at which they came. Their readings are flagged late: the live view, alerts and outputs that send
// the newest value only pass over them. A frame that is understood now gets its new verdict in the same commit as its
// readings, and the next slice is read when that commit is durable: no frame gives its readings twice, whenever the hub
// stops, however often a key is given. Off the hot path: frames are read on the query thread, kLateSlice at a time, and
// one run goes at a time. Main thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hub/intake/late_health.h"
#include "hub/intake/make_session.h"
#include "hub/intake/slot_table.h"
#include "hub/journal/journal.h"
#include "hub/live/live_view.h"
#include "model/session.h"

namespace vesta::hub {

// Frames of one slice: some milliseconds of the main thread at most.
inline constexpr size_t kLateSlice = 128;
// Runs that may wait. Beyond this all of them become one run over every sender.
inline constexpr size_t kMaxLateRuns = 256;
// Wait when the journal has no room or the store does not answer.
inline constexpr int64_t kLateRetry_us = 1 * kUsPerSecond;

class LateDecoder {
 public:
  LateDecoder(boost::asio::io_context& io, Journal& journal, Directory& directory, LiveView& live);

  // A source whose rejected frames are worth another try. make gives a session with today's keys.
  void AddSource(std::string source, std::string protocol, LateDecodeRules rules,
                 std::function<std::unique_ptr<Session>()> make);

  // Tries the frames of one sender (0: of all) in every source again; done runs when that is over, not when Stop came
  // before.
  void Run(uint64_t sender, std::function<void()> done = {});
  void Stop();

  const LateHealth& health() const { return health_; }

 private:
  struct SourceEntry {
    std::string source;
    std::string protocol;
    LateDecodeRules rules;
    std::function<std::unique_ptr<Session>()> make;
  };
  struct Job {
    size_t source = 0;
    uint64_t sender = 0;
    std::vector<std::function<void()>> done;
  };
  class Slice;

  void Next();
  void ReadSlice();
  void DecodeSlice(const std::vector<ArchivedFrame>& frames);
  void HandOver(std::shared_ptr<Slice> slice);
  void Later(std::function<void()> work);
  void Finish();

  Journal& journal_;
  Directory& directory_;
  LiveView& live_;
  boost::asio::steady_timer timer_;
  std::vector<SourceEntry> sources_;
  std::deque<Job> jobs_;  // the first is the one that runs
  std::unique_ptr<Session> session_;
  std::unique_ptr<SlotTable> slots_;
  FrameId after_ = 0;
  int64_t monotonic_us_ = 0;  // of the frame before
  LateHealth health_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vesta::hub
