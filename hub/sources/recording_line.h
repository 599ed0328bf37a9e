// For the tests of the sources: a Line that writes down what happens to it, and a loop that runs until something is so.
#pragma once

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "hub/intake/line.h"

namespace vesta::hub {

class RecordingLine final : public Line {
 public:
  void Opening() override { Note("opening"); }
  void Opened() override {
    ++opened;
    Note("opened");
  }
  void Received(Bytes bytes) override {
    received.append(bytes.begin(), bytes.end());
    if (on_received) on_received();
  }
  void ReceivedAt(Bytes bytes, const Now& when) override {
    times.push_back(when);
    Received(bytes);
  }
  void ReceivedFromRelay(Bytes bytes, const StampedTime& said, bool held_back) override {
    relayed.push_back({said, held_back});
    Received(bytes);
  }
  void Closed(std::string_view why, bool failed) override {
    ++closed;
    reason = why;
    Note((failed ? "failed: " : "closed: ") + std::string(why));
  }
  void Finished(std::string_view what) override {
    ++finished;
    Note("finished: " + std::string(what));
  }
  Bytes ToSend() override { return {reinterpret_cast<const uint8_t*>(to_send.data()), to_send.size()}; }
  void Sent(size_t count) override { to_send.erase(0, count); }
  SourceHealth& health() override { return health_; }

  // As the session's timer does.
  void WakeToSend() { WakeSender(); }

  // Whether it happened, and forgets all up to there.
  bool Saw(const std::string& event) {
    const auto found = std::find(events.begin(), events.end(), event);
    if (found == events.end()) return false;
    events.erase(events.begin(), found + 1);
    return true;
  }

  std::vector<std::string> events;
  std::string received;
  std::vector<Now> times;
  std::vector<std::pair<StampedTime, bool>> relayed;  // with held_back
  std::string to_send;
  std::string reason;
  int opened = 0;
  int closed = 0;
  int finished = 0;
  std::function<void()> on_received;

 private:
  void Note(std::string event) {
    if (!events.empty() && events.back() == event) return;
    events.push_back(std::move(event));
  }

  SourceHealth health_;
};

// Runs the loop until the condition holds; false when it does not within the limit.
inline bool RunUntil(boost::asio::io_context& io, const std::function<bool()>& condition,
                     std::chrono::milliseconds limit = std::chrono::seconds(20)) {
  const auto end = std::chrono::steady_clock::now() + limit;
  io.restart();
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    io.run_one_for(std::chrono::milliseconds(10));
    if (io.stopped()) io.restart();
  }
  return true;
}

// Runs whatever is ready, and timers for a while: to see that something does not happen.
inline void RunFor(boost::asio::io_context& io, std::chrono::milliseconds time) {
  RunUntil(
      io, [] { return false; }, time);
}

}  // namespace vesta::hub
