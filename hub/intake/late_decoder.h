// Late decode: what was heard before its key, or before the decoder or code table that understands it, is tried again.
//
// A fresh session (never the live one) runs over the archived frames, in the order in which they came, with the times
// at which they came. Their readings are flagged late: the live view, alerts and outputs that send the newest value
// only pass over them. A rejected frame that is understood now gets its new verdict in the same commit as its readings,
// and the next slice is read when that commit is durable: no frame gives its readings twice, whenever the hub stops,
// however often a key is given.
//
// When the decoder is another one than before, accepted frames are tried too. They give only what no decoder before
// gave: readings of series that did not exist. Readings that were stored are history and are never made again or
// changed. How far such a run came is in the commit of what it gave; one that a stop cuts goes on from there.
//
// Off the hot path: frames are read on the query thread, kLateSlice at a time with a pause in between, and one run goes
// at a time. Main thread only.
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
// Between slices, so that a large archive takes a part of the processor and not all of it.
inline constexpr int64_t kLatePause_us = 5 * kUsPerMs;

class LateDecoder {
 public:
  LateDecoder(boost::asio::io_context& io, Journal& journal, Directory& directory, LiveView& live);

  // A source whose rejected frames are worth another try. make gives a session with today's keys.
  void AddSource(std::string source, std::string protocol, LateDecodeRules rules,
                 std::function<std::unique_ptr<Session>()> make);

  // A source whose decoder is another one than before, or whose run was cut by a stop: tries all of its frames as
  // `progress` says. Nothing for a source that was not added.
  void RunAgain(const Redecode& progress);
  // Tries what was rejected of this source ("" = of every source) again. False: there is no such source.
  bool RunAsked(const std::string& source);

  // Tries the frames of one sender (0: of all) in every source again; done runs when that is over, not when Stop came
  // before.
  void Run(uint64_t sender, std::function<void()> done = {});
  void Stop();

  LateHealth health() const {
    LateHealth health = health_;
    health.waiting = jobs_.size() - (health.running ? 1 : 0);
    return health;
  }

 private:
  struct SourceEntry {
    std::string source;
    std::string protocol;
    LateDecodeRules rules;
    std::function<std::unique_ptr<Session>()> make;
  };
  enum class Why : uint8_t { kKey, kDecoder, kAsked };
  struct Job {
    size_t source = 0;
    uint64_t sender = 0;
    std::vector<std::function<void()>> done;
    Why why = Why::kKey;
    Redecode progress = {};  // kDecoder
  };
  class Slice;

  void Next();
  FrameSelection Selection() const;
  void ReadSlice();
  void DecodeSlice(const std::vector<ArchivedFrame>& frames);
  void HandOver(std::shared_ptr<Slice> slice);
  void Later(int64_t wait_us, std::function<void()> work);
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
