// Active reading: what to ask next, and when.
//
// Off by default, since the bus belongs to its devices. Asks only for what nobody's replies have shown yet, then for
// the values, one question in flight per device and a gap between any two. A question without an answer is repeated
// twice; then that fact is left open for a while (the road may have stalled), longer each time, and a device that
// answers nothing at all is left alone until it speaks again. What a device denies is absent for good. Facts: the
// reference of MasterBus, section 7.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "protocols/masterbus/model.h"
#include "protocols/masterbus/request.h"

namespace vesta::masterbus {

struct ReadingPace {
  int64_t gap_us = 10000;            // between two questions on the bus; clamped to kLeastGap_us
  int64_t value_every_us = 5000000;  // each item; clamped to kLeastValueEvery_us
};
inline constexpr int64_t kLeastGap_us = 3000;
inline constexpr int64_t kLeastValueEvery_us = 500000;
inline constexpr int64_t kAnswerTimeout_us = 250000;
inline constexpr uint8_t kRepeats = 2;
// Facts that nobody answered are asked for again after this long: soon when the road only stalled, rarely enough not to
// burden a bus for what is absent. The last for ever.
inline constexpr int64_t kAskAgainAfter_us[] = {5 * kUsPerSecond, 30 * kUsPerSecond, 120 * kUsPerSecond,
                                                600 * kUsPerSecond};
// A text whose pieces mixed with those that a display asked for is asked for again this soon, so often; then as above.
inline constexpr int64_t kAskBrokenAfter_us = 1 * kUsPerSecond;
inline constexpr uint8_t kBrokenRounds = 30;
// Facts of one device that were asked in vain; with more, the device is taken as fully known.
inline constexpr size_t kMaxAbsentFacts = 64;
// Questions in a row without an answer after which a device is left alone.
inline constexpr uint8_t kDeafAfter = 3;
inline constexpr uint16_t kMaxGroupsAsked = 32;

struct ReaderCounters {
  uint64_t asked = 0;
  uint64_t answered = 0;
  uint64_t repeated = 0;
  uint64_t absent = 0;  // given up
  uint64_t deaf = 0;    // devices that stopped answering
};

class Reader {
 public:
  Reader(const Limits& limits, const ReadingPace& pace);

  // A frame from a device, after the model took it.
  void Heard(const Model& model, uint16_t device, const Frame& frame);
  // The question to send now, if any.
  std::optional<Request> Next(const Model& model, int64_t now_us);
  // When Next() may have a question; kNoDeadline: not before something is heard.
  int64_t next_deadline_us() const { return deadline_us_; }
  void LinkReset();
  const ReaderCounters& counters() const { return counters_; }

 private:
  struct Progress {
    uint32_t address = 0;
    bool busy = false;
    bool discovered = false;
    bool deaf = false;
    uint8_t repeats = 0;
    uint8_t unanswered = 0;
    uint8_t segment = 0;  // of the text under way
    uint16_t text_id = 0;
    uint16_t items_seen = 0;  // when it was found to be discovered
    uint16_t next_item = kNone;
    int64_t due_us = 0;    // busy: the answer; else the next round of values
    int64_t round_us = 0;  // start of the round of values
    Request request;
    bool broke = false;         // a text, since the last question
    uint8_t broken_rounds = 0;  // in which some text broke
    int64_t ask_again_us = 0;   // some of absent were not denied, only not answered; 0 = none
    uint8_t rounds_in_vain = 0;
    std::vector<uint32_t> absent;
  };

  static uint32_t KeyOf(const Request& request);
  bool IsAbsent(const Progress& progress, const Request& request) const;
  void GiveUp(Progress* progress, bool denied);
  static void AskAgain(Progress* progress);
  static void AskAgainAt(Progress* progress, int64_t at_us);
  static int64_t AskAgainAfter(Progress* progress);
  static int64_t DueOf(const Progress& progress);
  std::optional<Request> NextFact(const Model& model, uint16_t device, Progress* progress) const;
  std::optional<Request> NextOfItem(const Model& model, uint16_t device, uint16_t number, Progress* progress) const;
  std::optional<Request> NextText(const Model& model, uint16_t device, uint16_t id, Progress* progress) const;
  std::optional<Request> NextValue(const Model& model, uint16_t device, Progress* progress, int64_t now_us) const;
  std::optional<Request> NextFor(const Model& model, uint16_t device, Progress* progress, int64_t now_us);

  ReadingPace pace_;
  ReaderCounters counters_;
  std::vector<Progress> devices_;
  uint16_t turn_ = 0;
  int64_t next_send_us_ = INT64_MIN;
  int64_t looked_us_ = 0;
  int64_t deadline_us_ = 0;
};

}  // namespace vesta::masterbus
