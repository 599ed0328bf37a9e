#include "protocols/vedirect/poll.h"

#include <algorithm>

#include "model/session.h"
#include "protocols/vedirect/hex.h"

namespace vesta::vedirect {

PollPlan::PollPlan(const PollOptions& options, std::span<const PollRow> rows)
    : options_(options), rows_(rows.first(std::min(rows.size(), kMaxPollRows))) {
  options_.interval_us = std::clamp(options_.interval_us, kMinPollInterval_us, kMaxPollInterval_us);
}

void PollPlan::Open(int64_t now_us) {
  unknown_.fill(false);
  at_ = 0;
  rounds_ = 0;
  asked_in_burst_ = 0;
  unanswered_in_row_ = 0;
  back_off_us_ = 0;
  next_us_ = now_us;
  text_us_ = INT64_MIN;
  waiting_ = false;
  gentle_ = false;
  open_ = true;
}

void PollPlan::TextSeen(int64_t now_us) { text_us_ = now_us; }

void PollPlan::Answered(uint16_t reg, uint8_t flags, int64_t now_us) {
  if (!waiting_ || reg != waiting_for_) return;
  waiting_ = false;
  ++counters_.answered;
  unanswered_in_row_ = 0;
  back_off_us_ = 0;
  next_us_ = now_us + kQuestionGap_us;
  if ((flags & (kFlagUnknownRegister | kFlagNotSupported)) == 0) return;
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (rows_[i].reg != reg || unknown_[i]) continue;
    unknown_[i] = true;
    ++counters_.unknown_registers;
  }
}

bool PollPlan::IsDue(size_t row) const { return !unknown_[row] && (!rows_[row].slow || rounds_ % kSlowRounds == 0); }

void PollPlan::EndRound(int64_t now_us) {
  at_ = 0;
  ++rounds_;
  asked_in_burst_ = 0;
  next_us_ = now_us + options_.interval_us + back_off_us_;
}

bool PollPlan::Next(int64_t now_us, uint16_t* reg) {
  if (!options_.enabled || !open_ || now_us < next_us_) return false;
  if (waiting_) {  // until next_us_, and no answer came
    waiting_ = false;
    ++counters_.unanswered;
    if (++unanswered_in_row_ >= kMaxUnanswered) {
      unanswered_in_row_ = 0;
      back_off_us_ = std::clamp(back_off_us_ * 2, options_.interval_us, kMaxBackOff_us);
      EndRound(now_us);
      return false;
    }
  }
  if (text_us_ != INT64_MIN && asked_in_burst_ > 0 && now_us - text_us_ > kTextMissing_us) {
    gentle_ = true;
    ++counters_.pauses_for_text;
    asked_in_burst_ = 0;
    next_us_ = now_us + kQuietForText_us;
    return false;
  }
  if (gentle_ && asked_in_burst_ >= kBurst) {
    asked_in_burst_ = 0;
    next_us_ = now_us + kQuietForText_us;
    return false;
  }
  while (at_ < rows_.size() && !IsDue(at_)) ++at_;
  if (at_ >= rows_.size()) {
    EndRound(now_us);
    return false;
  }
  *reg = rows_[at_++].reg;
  waiting_ = true;
  waiting_for_ = *reg;
  ++asked_in_burst_;
  ++counters_.asked;
  next_us_ = now_us + kAnswerTimeout_us;
  return true;
}

void PollPlan::Skip(int64_t now_us) {
  if (!waiting_) return;
  waiting_ = false;
  --counters_.asked;
  --asked_in_burst_;
  next_us_ = now_us;
}

void PollPlan::Resume(int64_t now_us) {
  if (!open_) return Open(now_us);
  if (waiting_ && at_ > 0) --at_;  // its answer was lost with the line
  waiting_ = false;
  asked_in_burst_ = 0;
  text_us_ = INT64_MIN;
  next_us_ = std::min(next_us_, now_us);
}

int64_t PollPlan::next_deadline_us() const { return options_.enabled && open_ ? next_us_ : kNoDeadline; }

}  // namespace vesta::vedirect
