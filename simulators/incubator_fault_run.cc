#include "simulators/incubator_fault_run.h"

#include <algorithm>
#include <cstdio>
#include <deque>
#include <vector>

#include "protocols/medibus/read_only_check_for_test.h"
#include "protocols/medibus/session.h"
#include "simulators/incubator.h"
#include "simulators/random.h"

namespace vesta::simulators {
namespace {

using medibus::LinkState;
using medibus::MedibusSession;

constexpr UtcUs kStart_us = 1767225600 * kUsPerSecond;  // 2026-01-01
constexpr int64_t kBout_us = 15 * 60 * kUsPerSecond;
constexpr int64_t kCalm_us = 60 * kUsPerSecond;
// Bytes left over from a damaged frame can be completed by noise until an open frame is given up.
constexpr int64_t kDamageLasts_us = medibus::kOpenFramePause_us + kUsPerSecond;

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) {
    char two[4];
    std::snprintf(two, sizeof(two), "%02X ", static_cast<unsigned>(static_cast<uint8_t>(c)));
    hex += two;
  }
  return hex;
}

class Run : private SessionEvents {
 public:
  explicit Run(uint64_t seed)
      : seed_(seed), options_(MakeOptions(seed)), session_(options_), device_(MakeDevice(seed)) {
    now_.utc_us = kStart_us;
    now_.monotonic_us = 1;
    now_.clock = ClockQuality::kSynchronised;
    session_.LinkReset(now_, *this);
  }

  FaultRunResult Go(double hours) {
    const UtcUs end_us = kStart_us + static_cast<UtcUs>(hours * 3600) * kUsPerSecond;
    while (now_.utc_us < end_us && result_.failure.empty()) {
      device_.SetFaults(RandomFaults(), now_.utc_us);
      RunUntil(now_.utc_us + kBout_us);
      device_.SetFaults({}, now_.utc_us);
      const UtcUs calm_us = now_.utc_us;
      answered_us_ = 0;
      RunUntil(calm_us + medibus::kRecovery_us);
      if (answered_us_ == 0) Fail("not back in time: link state " + std::to_string(int(session_.link_state())));
      const double recovery_s = static_cast<double>(answered_us_ - calm_us) / kUsPerSecond;
      result_.longest_recovery_s = std::max(result_.longest_recovery_s, recovery_s);
      RunUntil(calm_us + kCalm_us);
      ++result_.bouts;
      // Now and then the port is opened anew.
      if (Random(4) == 0) session_.LinkReset(now_, *this);
    }
    if (!check_.ok()) Fail("sent what is not on the list: " + check_.wrong());
    result_.hours = static_cast<double>(now_.utc_us - kStart_us) / 3600e6;
    result_.messages_sent = check_.messages();
    result_.sessions = session_.link_counters().sessions;
    return result_;
  }

 private:
  static medibus::Options MakeOptions(uint64_t seed) {
    medibus::Options options;
    // A quarter polls as the default; the others slower, which leaves more to keep-alive and makes hours cheaper.
    const auto factor = static_cast<int64_t>(Mix(seed, 2, 0) % 4);
    options.link.cycle_us = (5 + 15 * factor) * kUsPerSecond;
    options.link.alarm_period_us = (2 + 5 * factor) * kUsPerSecond;
    options.link.response_timeout_us = (Mix(seed, 2, 1) % 2 == 0 ? 10 : 5) * kUsPerSecond;
    if (Mix(seed, 2, 2) % 2 == 0) options.link.host_name = "Vesta";
    return options;
  }

  IncubatorOptions MakeDevice(uint64_t seed) {
    IncubatorOptions options;
    options.kind = static_cast<IncubatorKind>(Mix(seed, 3, 0) % static_cast<uint64_t>(IncubatorKind::kCountOfKinds));
    options.seed = seed;
    options.start_us = kStart_us;
    options.observer = [this](std::string_view frame, bool whole) {
      ++result_.frames;
      if (whole) {
        ++result_.frames_whole;
        expected_.emplace_back(frame);
      } else {
        damaged_us_ = now_.utc_us;
      }
    };
    return options;
  }

  uint64_t Random(uint64_t below) { return Mix(seed_, 4, ++draws_) % below; }

  std::vector<IncubatorFault> RandomFaults() {
    std::vector<IncubatorFault> faults;
    for (const IncubatorFaultInfo& info : AllIncubatorFaults()) {
      if (Random(3) != 0) continue;
      // Between a fifth of the usual distance and twice of it.
      const int64_t amount = std::max<int64_t>(1, info.default_amount * static_cast<int64_t>(1 + Random(10)) / 5);
      faults.push_back({info.kind, amount});
    }
    return faults;
  }

  void Fail(const std::string& what) {
    if (!result_.failure.empty()) return;
    char hours[32];
    std::snprintf(hours, sizeof(hours), "%.4f", static_cast<double>(now_.utc_us - kStart_us) / 3600e6);
    result_.failure = "seed " + std::to_string(seed_) + " at hour " + hours + ": " + what;
  }

  void RunUntil(UtcUs end_us) {
    while (now_.utc_us < end_us && result_.failure.empty()) {
      const int64_t session_in_us = std::max<int64_t>(session_.next_deadline_us() - now_.monotonic_us, 0);
      const int64_t device_in_us = std::max<int64_t>(device_.next_us() - now_.utc_us, 0);
      const int64_t step_us = std::min({session_in_us, device_in_us, end_us - now_.utc_us});
      idle_ = step_us == 0 ? idle_ + 1 : 0;
      if (idle_ > 1000) return Fail("time stands still");
      now_.utc_us += step_us;
      now_.monotonic_us += step_us;
      if (session_.next_deadline_us() <= now_.monotonic_us) session_.Tick(now_, *this);
      Exchange();
      if (device_.next_us() <= now_.utc_us) device_.Tick(now_.utc_us);
      FromDevice();
      Exchange();
    }
  }

  // What the host wants to say, to the device, in one or two pieces.
  void Exchange() {
    const Bytes bytes = session_.Transmit();
    if (bytes.empty()) return;
    check_.Take(bytes);
    const std::string sent(bytes.begin(), bytes.end());
    session_.Transmitted(sent.size());
    const size_t cut = Random(sent.size() + 1);
    if (cut > 0) device_.Receive(std::string_view(sent).substr(0, cut), now_.utc_us);
    if (cut < sent.size()) device_.Receive(std::string_view(sent).substr(cut), now_.utc_us);
  }

  void FromDevice() {
    const std::string bytes = device_.TakeOutput();
    if (bytes.empty()) return;
    for (size_t at = 0; at < bytes.size();) {
      const size_t n = std::min<size_t>(bytes.size() - at, 1 + Random(64));
      session_.Receive({reinterpret_cast<const uint8_t*>(bytes.data()) + at, n}, now_, *this);
      at += n;
    }
    if (!expected_.empty()) Fail("a whole frame was not told");
  }

  void OnDevice(uint16_t, const DeviceInfo&) override {}
  void OnFrame(const FrameEvent& frame) override {
    if (frame.verdict != FrameVerdict::kAccepted || frame.raw.empty()) return;
    const std::string_view raw = medibus::TextOf(frame.raw);
    if (raw[0] == medibus::kSoh && session_.link_state() == LinkState::kOk && answered_us_ == 0) {
      answered_us_ = now_.utc_us;
    }
    if (!expected_.empty() && expected_.front() == raw) {
      expected_.pop_front();
    } else if (now_.utc_us - damaged_us_ <= kDamageLasts_us) {
      ++result_.damage_undetected;
    } else {
      Fail("a frame was told that did not arrive, or twice: " + Hex(raw));
    }
  }

  const uint64_t seed_;
  FaultRunResult result_;
  std::deque<std::string> expected_;  // whole frames that have not been told
  UtcUs damaged_us_ = 0;
  UtcUs answered_us_ = 0;
  uint64_t draws_ = 0;
  int idle_ = 0;
  Now now_;
  medibus::ReadOnlyCheck check_;
  medibus::Options options_;
  MedibusSession session_;
  Incubator device_;
};

}  // namespace

FaultRunResult RunIncubatorFaults(uint64_t seed, double hours) { return Run(seed).Go(hours); }

}  // namespace vesta::simulators
