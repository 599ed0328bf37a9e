// A source on which several senders are heard (messages of a broker): a Line for each, told as one source.
//
// A sender is what tells them apart: a topic, or the id that stands in a message. Each has a protocol session of its
// own, made when it is first heard, so half a frame of one never meets another's. The text comes from outside: the
// number of senders is bounded, those beyond are counted. Main thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hub/clock/clock.h"
#include "hub/intake/session_line.h"

namespace vesta::hub {

// A ward, or a house, has fewer; each costs a session with its buffers (some 20 kB for the largest protocol).
inline constexpr size_t kMaxSenders = 256;
// Longest name of a sender that is kept apart from others.
inline constexpr size_t kMaxSenderSize = 256;

class SenderLines {
 public:
  using Make = std::function<std::unique_ptr<SessionLine>(const std::string& sender)>;
  // base: name, type, protocol and where of the source.
  SenderLines(const Clock& clock, SourceHealth base, Make make);

  // The sender's line, made and opened when it is new. nullptr: there are too many, or its name is too long (counted).
  Line* For(std::string_view sender);

  void Opening();
  void Opened();
  void Closed(std::string_view why, bool failed);
  void Hint(std::string_view hint) { base_.hint = hint; }
  // A message that did not get as far as a sender's line.
  void Reject(const std::string& reason) { ++base_.frames_rejected[reason]; }
  // What happened to messages, beside frames: "redelivered", ...
  void Count(const std::string& what) { ++base_.counters[what]; }

  SourceState state() const { return base_.state; }
  const std::string& name() const { return base_.name; }
  // All senders together.
  SourceHealth ReportedHealth();
  std::vector<UnknownObject> UnknownObjects() const;

 private:
  void SetState(SourceState state);

  const Clock& clock_;
  SourceHealth base_;
  Make make_;
  std::map<std::string, std::unique_ptr<SessionLine>, std::less<>> lines_;
};

}  // namespace vesta::hub
