#include "protocols/medibus/link.h"

#include <algorithm>

#include "protocols/medibus/codes.h"

namespace vesta::medibus {
namespace {

enum class Pace : uint8_t { kCycle, kAlarm, kLimits, kClock };

struct PlanRow {
  Request request;
  Pace pace;
};

// In the order in which they are asked.
constexpr std::array<PlanRow, 11> kPlan = {{
    {Request::kMeasured1, Pace::kCycle},
    {Request::kMeasured2, Pace::kCycle},
    {Request::kSettings, Pace::kCycle},
    {Request::kAlarms1, Pace::kAlarm},
    {Request::kAlarms2, Pace::kAlarm},
    {Request::kTexts, Pace::kCycle},
    {Request::kDateTime, Pace::kClock},
    {Request::kLowLimits1, Pace::kLimits},
    {Request::kHighLimits1, Pace::kLimits},
    {Request::kLowLimits2, Pace::kLimits},
    {Request::kHighLimits2, Pace::kLimits},
}};

constexpr uint16_t Bit(Request request) {
  for (size_t i = 0; i < kPlan.size(); ++i) {
    if (kPlan[i].request == request) return static_cast<uint16_t>(1u << i);
  }
  return 0;
}
constexpr uint16_t kEverything = (1u << kPlan.size()) - 1;
constexpr uint16_t kIncubator = Bit(Request::kMeasured1) | Bit(Request::kSettings) | Bit(Request::kAlarms1) |
                                Bit(Request::kAlarms2) | Bit(Request::kTexts);

// An empty answer says as little as "not supported", so the device's list decides.
struct DevicePlan {
  uint16_t device;
  uint16_t plan;
  bool realtime;
};
constexpr DevicePlan kDevicePlans[] = {
    {5700, kIncubator | Bit(Request::kMeasured2) | Bit(Request::kDateTime), false},
    {5701, kIncubator, false},
    {5702, kIncubator | Bit(Request::kDateTime), true},
    {6300, Bit(Request::kMeasured1) | Bit(Request::kTexts), false},
};

const DevicePlan* FindPlan(uint16_t device) {
  for (const DevicePlan& plan : kDevicePlans) {
    if (plan.device == device) return &plan;
  }
  return nullptr;
}

}  // namespace

HostLink::HostLink(const LinkOptions& options) : options_(options) {
  static_assert(kPlan.size() == kPlanRows);
  host_name_size_ = std::min(options.host_name.size(), kMaxHostName);
  std::copy_n(options.host_name.data(), host_name_size_, host_name_);
  SetDevice(0);
}

void HostLink::SetDevice(uint16_t number) {
  const DevicePlan* plan = FindPlan(number);
  plan_ = plan == nullptr ? kEverything : plan->plan;
  const bool has_realtime = plan == nullptr || plan->realtime;
  realtime_ = has_realtime && options_.realtime_streams > 0 ? Realtime::kConfigure : Realtime::kOff;
}

void HostLink::SelectStreams(const RealtimeSelection& selection) {
  if (realtime_ != Realtime::kConfigure) return;
  selection_ = selection;
  realtime_ = selection.count > 0 ? Realtime::kSelect : Realtime::kOff;
}

void HostLink::LineReset(int64_t now_us) {
  outbox_.Clear();
  suspended_ = false;
  if (phase_ == Phase::kEnded) return;
  if (phase_ == Phase::kStopping || phase_ == Phase::kAwaitingStop) {
    return End();
  }
  if (phase_ == Phase::kPolling) ++counters_.losses;
  Listen(LinkState::kLineClosed, now_us + kFirstInitialise_us);
}

void HostLink::Listen(LinkState why, int64_t initialise_at_us) {
  phase_ = Phase::kListening;
  state_ = why;
  initialise_at_us_ = initialise_at_us;
  device_initialised_ = false;
  open_.reset();
  repeat_.reset();
  naks_ = timeouts_ = 0;
}

void HostLink::Identify(int64_t now_us) {
  if (phase_ == Phase::kPolling) ++counters_.losses;
  phase_ = Phase::kIdentifying;
  state_ = LinkState::kStarting;
  open_.reset();
  repeat_.reset();
  naks_ = timeouts_ = 0;
  identify_tries_ = 0;
  identify_since_us_ = now_us;
  identify_at_us_ = now_us + kSettle_us;
}

void HostLink::Poll(int64_t now_us) {
  phase_ = Phase::kPolling;
  state_ = LinkState::kOk;
  ++counters_.sessions;
  due_us_.fill(now_us);
  if (realtime_ != Realtime::kOff) realtime_ = Realtime::kConfigure;
}

void HostLink::Lose(LinkState why, int64_t now_us) {
  if (phase_ == Phase::kPolling) ++counters_.losses;
  const bool at_once = why != LinkState::kStopped;
  Listen(why, now_us + (at_once ? 0 : kAfterStop_us));
}

bool HostLink::Ask(Request request, int64_t now_us) {
  bool asked = false;
  if (request == Request::kRealtimeSelection) {
    asked = outbox_.AskForStreams(selection_);
  } else {
    asked = outbox_.Ask(request);
  }
  last_asked_us_ = now_us;
  if (!asked) {
    ++counters_.unsent;
    return false;
  }
  ++counters_.requests;
  open_ = request;
  open_since_us_ = now_us;
  return true;
}

void HostLink::Answer(uint8_t code) {
  bool answered = false;
  if (!DeviceCommand::IsEchoable(code)) {
    answered = outbox_.AnswerNak();
    ++counters_.naks_sent;
  } else if (code == static_cast<uint8_t>(Request::kIdentify)) {
    answered = outbox_.Identify({host_name_, host_name_size_});
  } else {
    answered = outbox_.Echo(DeviceCommand(code));
  }
  ++(answered ? counters_.answers : counters_.unsent);
}

void HostLink::OnCommand(uint8_t code, int64_t now_us) {
  last_valid_us_ = now_us;
  if (phase_ == Phase::kEnded) return;
  Answer(code);
  if (phase_ == Phase::kStopping || phase_ == Phase::kAwaitingStop) return;
  switch (code) {
    case static_cast<uint8_t>(Request::kInitialise):
      if (phase_ == Phase::kListening) {
        device_initialised_ = true;
        initialise_at_us_ = now_us + kFirstInitialise_us;  // it may ask who we are first
        state_ = LinkState::kStarting;
      } else {
        Identify(now_us);  // the device forgot the session
      }
      return;
    case static_cast<uint8_t>(Request::kIdentify):
      if (phase_ == Phase::kListening && device_initialised_) Identify(now_us);
      break;
    case static_cast<uint8_t>(Request::kStop):
      Lose(LinkState::kStopped, now_us);
      return;
    case kCommandTimeChanged:
      due_us_[6] = now_us;
      static_assert(kPlan[6].request == Request::kDateTime);
      break;
    case kCommandRealtimeChanged:
      if (realtime_ != Realtime::kOff) {
        outbox_.EnableStreams(0);
        realtime_ = Realtime::kConfigure;
      }
      break;
    default:
      break;
  }
  if (phase_ == Phase::kIdentifying && !open_) {
    identify_at_us_ = std::min(now_us + kSettle_us, std::max(identify_since_us_ + kIdentifyLatest_us, now_us));
  }
}

void HostLink::OnDamagedCommand(int64_t) {
  if (phase_ == Phase::kEnded) return;
  ++counters_.naks_sent;
  if (!outbox_.AnswerNak()) ++counters_.unsent;
}

void HostLink::OnResponse(uint8_t code, int64_t now_us) {
  last_valid_us_ = now_us;
  if (code == kNak) return OnNak(now_us);
  if (!open_ || static_cast<uint8_t>(*open_) != code) {
    ++counters_.unasked_responses;
    return;
  }
  const Request answered = *open_;
  open_.reset();
  naks_ = timeouts_ = 0;
  switch (phase_) {
    case Phase::kListening:
      if (answered == Request::kInitialise) Identify(now_us);
      break;
    case Phase::kIdentifying:
      if (answered == Request::kIdentify) Poll(now_us);
      break;
    case Phase::kPolling:
      if (answered == Request::kRealtimeConfiguration && realtime_ == Realtime::kConfigure) realtime_ = Realtime::kOff;
      if (answered == Request::kRealtimeSelection) realtime_ = Realtime::kEnable;
      break;
    case Phase::kAwaitingStop:
      if (answered == Request::kStop) End();
      break;
    case Phase::kStopping:
    case Phase::kEnded:
      break;
  }
}

void HostLink::OnNak(int64_t now_us) {
  ++counters_.naks_received;
  if (!open_) return;
  const Request refused = *open_;
  open_.reset();
  if (phase_ != Phase::kPolling && phase_ != Phase::kIdentifying) return;
  if (++naks_ >= kMaxNaks) return Lose(LinkState::kRejected, now_us);
  if (repeated_) {
    repeated_ = false;
    return;  // its turn comes again with the next cycle
  }
  repeated_ = true;
  repeat_ = refused;
  repeat_at_us_ = now_us + kNakPause_us;
}

void HostLink::OnFlow(bool suspend, int64_t now_us) {
  if (suspend && !suspended_) {
    ++counters_.suspends;
    suspended_since_us_ = now_us;
  }
  suspended_ = suspend;
}

void HostLink::BeginStop(int64_t now_us) {
  if (phase_ == Phase::kEnded) return;
  // Without a session there is nobody to say goodbye to.
  if (phase_ == Phase::kListening) return End();
  phase_ = Phase::kStopping;
  stop_at_us_ = now_us + kStopPatience_us;
}

// What comes after is a gap like any other.
void HostLink::End() {
  phase_ = Phase::kEnded;
  state_ = LinkState::kLineClosed;
  open_.reset();
  repeat_.reset();
}

// When the session counts as lost if nothing valid comes: not while a long answer is still arriving.
int64_t HostLink::LostAt(int64_t open_frame_byte_us) const {
  if (!open_ || (phase_ != Phase::kPolling && phase_ != Phase::kIdentifying)) return kNoDeadline;
  const int64_t heard_us = std::max(last_valid_us_, open_frame_byte_us);
  return std::max(heard_us + kSessionPause_us, open_since_us_ + kUsPerSecond);
}

int64_t HostLink::PeriodOf(size_t plan_row) const {
  switch (kPlan[plan_row].pace) {
    case Pace::kAlarm:
      return std::min(options_.alarm_period_us, options_.cycle_us);
    case Pace::kLimits:
      return std::max(options_.limits_period_us, options_.cycle_us);
    case Pace::kClock:
      return options_.clock_period_us;
    case Pace::kCycle:
      break;
  }
  return options_.cycle_us;
}

void HostLink::Advance(int64_t now_us, int64_t open_frame_byte_us) {
  if (suspended_ && now_us - suspended_since_us_ >= kMaxSuspend_us) {
    suspended_ = false;
    ++counters_.suspends_overrun;
  }
  if (now_us >= LostAt(open_frame_byte_us)) Lose(LinkState::kSilent, now_us);
  switch (phase_) {
    case Phase::kListening:
      return AdvanceListening(now_us);
    case Phase::kIdentifying:
      return AdvanceIdentifying(now_us);
    case Phase::kPolling:
      return AdvancePolling(now_us);
    case Phase::kStopping:
    case Phase::kAwaitingStop:
      return AdvanceStopping(now_us);
    case Phase::kEnded:
      return;
  }
}

void HostLink::AdvanceListening(int64_t now_us) {
  if (now_us < initialise_at_us_) return;
  initialise_at_us_ = now_us + kInitialiseEvery_us;
  // Nobody takes the bytes: the line is closed, and more of them would only pile up.
  if (!outbox_.pending().empty()) return;
  if (open_ == Request::kInitialise) state_ = state_ == LinkState::kRejected ? state_ : LinkState::kSilent;
  Ask(Request::kInitialise, now_us);
}

void HostLink::AdvanceIdentifying(int64_t now_us) {
  if (open_) {
    if (now_us - open_since_us_ < kIdentifyTimeout_us) return;
    ++counters_.timeouts;
    open_.reset();
    identify_at_us_ = now_us;
  }
  if (repeat_) {
    if (now_us < repeat_at_us_) return;
    repeat_.reset();
    Ask(Request::kIdentify, now_us);
    return;
  }
  if (now_us < identify_at_us_) return;
  if (identify_tries_++ >= kIdentifyTries) return Poll(now_us);
  identify_at_us_ = now_us + kIdentifyTimeout_us;
  repeated_ = false;
  Ask(Request::kIdentify, now_us);
}

bool HostLink::AdvanceRealtime(int64_t now_us) {
  switch (realtime_) {
    case Realtime::kConfigure:
      Ask(Request::kRealtimeConfiguration, now_us);
      return true;
    case Realtime::kSelect:
      Ask(Request::kRealtimeSelection, now_us);
      return true;
    case Realtime::kEnable:
      if (outbox_.EnableStreams(selection_.count)) realtime_ = Realtime::kOn;
      return false;
    case Realtime::kOff:
    case Realtime::kOn:
      break;
  }
  return false;
}

void HostLink::AdvancePolling(int64_t now_us) {
  if (open_) {
    if (now_us - open_since_us_ < options_.response_timeout_us) return;
    ++counters_.timeouts;
    open_.reset();
    if (++timeouts_ >= kMaxTimeouts) {
      Lose(LinkState::kSilent, now_us);
      return AdvanceListening(now_us);
    }
  }
  if (repeat_) {
    if (now_us < repeat_at_us_) return;
    const Request again = *repeat_;
    repeat_.reset();
    Ask(again, now_us);
    return;
  }
  repeated_ = false;
  for (size_t i = 0; i < kPlan.size(); ++i) {
    if ((plan_ & (1u << i)) == 0 || now_us < due_us_[i]) continue;
    due_us_[i] = now_us + PeriodOf(i);
    Ask(kPlan[i].request, now_us);
    return;
  }
  if (AdvanceRealtime(now_us)) return;
  if (now_us - last_asked_us_ >= kNopAfter_us) Ask(Request::kNop, now_us);
}

void HostLink::AdvanceStopping(int64_t now_us) {
  if (phase_ == Phase::kAwaitingStop) {
    if (now_us >= stop_at_us_) End();
    return;
  }
  if (open_ && now_us < stop_at_us_) return;
  phase_ = Phase::kAwaitingStop;
  stop_at_us_ = now_us + kStopPatience_us;
  Ask(Request::kStop, now_us);
}

int64_t HostLink::next_deadline_us(int64_t open_frame_byte_us) const {
  int64_t at_us = LostAt(open_frame_byte_us);
  if (suspended_) at_us = std::min(at_us, suspended_since_us_ + kMaxSuspend_us);
  switch (phase_) {
    case Phase::kListening:
      return std::min(at_us, initialise_at_us_);
    case Phase::kIdentifying:
      if (open_) return std::min(at_us, open_since_us_ + kIdentifyTimeout_us);
      return std::min(at_us, repeat_ ? repeat_at_us_ : identify_at_us_);
    case Phase::kPolling: {
      if (open_) return std::min(at_us, open_since_us_ + options_.response_timeout_us);
      if (repeat_) return std::min(at_us, repeat_at_us_);
      at_us = std::min(at_us, last_asked_us_ + kNopAfter_us);
      for (size_t i = 0; i < kPlan.size(); ++i) {
        if ((plan_ & (1u << i)) != 0) at_us = std::min(at_us, due_us_[i]);
      }
      return at_us;
    }
    case Phase::kStopping:
    case Phase::kAwaitingStop:
      return std::min(at_us, open_ || phase_ == Phase::kAwaitingStop ? stop_at_us_ : INT64_MIN);
    case Phase::kEnded:
      break;
  }
  return kNoDeadline;
}

}  // namespace vesta::medibus
