// What to ask a VE.Direct device over HEX, and when: gets only, never a set.
//
// One question at a time. A round asks for every register of the plan that is due; rounds are `interval_us` apart. A
// register that the device does not know is not asked again until the link is opened anew. Old firmware stops its text
// while HEX is spoken and goes on some seconds after the last question: when text that used to come stays away, the
// plan keeps quiet until it has had time to come back, and asks in short bursts from then on. A device that does not
// answer at all is asked ever more seldom. Facts: reference of Victron, section 11.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "model/time.h"

namespace vesta::vedirect {

struct PollRow {
  uint16_t reg;
  bool slow;  // settings and the like: asked every kSlowRounds-th round
};

struct PollOptions {
  bool enabled = false;
  int64_t interval_us = 30 * kUsPerSecond;
};
// More often is no news, and old firmware would never send its text; less often and the device stops its unasked
// frames, which it sends for two minutes after the last question.
inline constexpr int64_t kMinPollInterval_us = kUsPerSecond;
inline constexpr int64_t kMaxPollInterval_us = 100 * kUsPerSecond;

inline constexpr size_t kMaxPollRows = 64;
inline constexpr uint32_t kSlowRounds = 20;
// New firmware answers when its text block has ended, which may be two seconds away.
inline constexpr int64_t kAnswerTimeout_us = 2500 * kUsPerMs;
inline constexpr int64_t kQuestionGap_us = 50 * kUsPerMs;
// Text comes every one or two seconds.
inline constexpr int64_t kTextMissing_us = 4500 * kUsPerMs;
inline constexpr int64_t kQuietForText_us = 10 * kUsPerSecond;
inline constexpr uint32_t kBurst = 4;
inline constexpr uint32_t kMaxUnanswered = 3;                  // in a row, then the round ends
inline constexpr int64_t kMaxBackOff_us = 600 * kUsPerSecond;  // of a device that never answers

struct PollCounters {
  uint64_t asked = 0;
  uint64_t answered = 0;
  uint64_t unanswered = 0;
  uint64_t unknown_registers = 0;  // taken out of the plan
  uint64_t pauses_for_text = 0;
};

class PollPlan {
 public:
  // rows: at most kMaxPollRows count; they must outlive the plan.
  PollPlan(const PollOptions& options, std::span<const PollRow> rows);

  // The link is open: the first round begins at once.
  void Open(int64_t now_us);
  void TextSeen(int64_t now_us);
  // An answer to a get; flags as the device sent them. Answers that nobody waits for do no harm.
  void Answered(uint16_t reg, uint8_t flags, int64_t now_us);

  // True when `reg` is to be asked for now. What was asked for must go out soon: the time to answer runs.
  bool Next(int64_t now_us, uint16_t* reg);
  // What was just handed out by Next() need not be asked.
  void Skip(int64_t now_us);
  // The line is back after an absence on which nothing could be asked or answered.
  void Resume(int64_t now_us);
  int64_t next_deadline_us() const;

  bool round_done() const { return !options_.enabled || rounds_ > 0; }  // all has been asked at least once
  const PollCounters& counters() const { return counters_; }

 private:
  bool IsDue(size_t row) const;
  void EndRound(int64_t now_us);

  PollOptions options_;
  std::span<const PollRow> rows_;
  std::array<bool, kMaxPollRows> unknown_{};
  size_t at_ = 0;  // next row of the round
  uint32_t rounds_ = 0;
  uint32_t asked_in_burst_ = 0;
  uint32_t unanswered_in_row_ = 0;
  int64_t back_off_us_ = 0;
  int64_t next_us_ = 0;
  int64_t text_us_ = INT64_MIN;  // of the last block
  uint16_t waiting_for_ = 0;
  bool waiting_ = false;
  bool open_ = false;
  bool gentle_ = false;  // the text was seen to stop for HEX
  PollCounters counters_;
};

}  // namespace vesta::vedirect
