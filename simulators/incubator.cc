#include "simulators/incubator.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>

#include "model/calendar.h"
#include "simulators/day.h"
#include "simulators/random.h"

namespace vesta::simulators {
namespace {

using medibus::kCr;
using medibus::kEsc;
using medibus::kSoh;

constexpr int64_t kCallEvery_us = 3 * kUsPerSecond;
constexpr int64_t kHostPause_us = 3 * kUsPerSecond;  // ends the session
constexpr int64_t kNopAfter_us = 2 * kUsPerSecond;
constexpr int64_t kBoot_us = 8 * kUsPerSecond;

std::string FrameOf(uint8_t start, uint8_t code, std::string_view payload = {}) {
  std::string frame{static_cast<char>(start), static_cast<char>(code)};
  frame += payload;
  const uint8_t sum = medibus::Checksum({reinterpret_cast<const uint8_t*>(frame.data()), frame.size()});
  frame += "0123456789ABCDEF"[sum >> 4];
  frame += "0123456789ABCDEF"[sum & 0xF];
  frame += static_cast<char>(kCr);
  return frame;
}

bool IsTimed(IncubatorFaultKind kind) {
  return kind == IncubatorFaultKind::kSilence || kind == IncubatorFaultKind::kRestart ||
         kind == IncubatorFaultKind::kStop || kind == IncubatorFaultKind::kClockStep;
}

}  // namespace

Incubator::Incubator(const IncubatorOptions& options)
    : options_(options),
      info_(InfoOf(options.kind)),
      parser_(this),
      now_us_(options.start_us),
      call_at_us_(options.start_us) {
  for (const IncubatorFault& fault : options_.faults) ScheduleTimed(fault.kind);
}

uint64_t Incubator::Random(uint64_t below) { return Mix(options_.seed, 1, ++draws_) % below; }

int64_t Incubator::AmountOf(IncubatorFaultKind kind) const {
  for (const IncubatorFault& fault : options_.faults) {
    if (fault.kind == kind) return fault.amount;
  }
  return 0;
}

bool Incubator::Strikes(IncubatorFaultKind kind) {
  const int64_t amount = AmountOf(kind);
  return amount > 0 && Random(static_cast<uint64_t>(amount)) == 0;
}

void Incubator::ScheduleTimed(IncubatorFaultKind kind) {
  if (!IsTimed(kind)) return;
  const auto amount = static_cast<uint64_t>(std::max<int64_t>(AmountOf(kind), 1));
  // Between half and one and a half times as long.
  const uint64_t wait_ms = amount * 500 + Random(amount * 1000 + 1);
  timed_us_[static_cast<size_t>(kind)] = now_us_ + static_cast<int64_t>(wait_ms) * kUsPerMs;
}

void Incubator::SetFaults(std::vector<IncubatorFault> faults, UtcUs now_us) {
  now_us_ = now_us;
  options_.faults = std::move(faults);
  silent_until_us_ = 0;
  std::fill(std::begin(timed_us_), std::end(timed_us_), 0);
  for (const IncubatorFault& fault : options_.faults) ScheduleTimed(fault.kind);
}

void Incubator::Restart(UtcUs now_us) {
  now_us_ = now_us;
  phase_ = Phase::kCalling;
  call_at_us_ = now_us + kBoot_us;
  silent_until_us_ = call_at_us_;
  queue_.clear();
  parser_.Reset();
}

UtcUs Incubator::next_us() const {
  UtcUs at_us = phase_ == Phase::kCalling ? call_at_us_
                : phase_ == Phase::kAsking
                    ? call_at_us_
                    : std::min(std::max(host_heard_us_, last_nop_us_) + kNopAfter_us, host_heard_us_ + kHostPause_us);
  at_us = std::max(at_us, silent_until_us_);
  if (!queue_.empty()) at_us = std::min(at_us, std::max(queue_.front().at_us, silent_until_us_));
  for (const UtcUs timed_us : timed_us_) {
    if (timed_us != 0) at_us = std::min(at_us, timed_us);
  }
  return std::max(at_us, now_us_ + 1);
}

void Incubator::Tick(UtcUs now_us) {
  now_us_ = now_us;
  for (const IncubatorFault& fault : options_.faults) {
    UtcUs& timed_us = timed_us_[static_cast<size_t>(fault.kind)];
    if (timed_us == 0 || now_us < timed_us) continue;
    StrikeTimed(fault.kind);
    ScheduleTimed(fault.kind);
  }
  if (now_us < silent_until_us_) return;
  while (!queue_.empty() && queue_.front().at_us <= now_us) {
    const std::string frame = std::move(queue_.front().frame);
    queue_.pop_front();
    Send(frame);
  }
  if (phase_ == Phase::kSession || phase_ == Phase::kAsking) {
    if (now_us - host_heard_us_ >= kHostPause_us) {
      phase_ = Phase::kCalling;
      call_at_us_ = now_us;
    } else if (phase_ == Phase::kSession && now_us - std::max(host_heard_us_, last_nop_us_) >= kNopAfter_us) {
      last_nop_us_ = now_us;
      Queue(FrameOf(kEsc, '0'), 0);
      return Tick(now_us);
    } else if (phase_ == Phase::kAsking && now_us >= call_at_us_) {
      call_at_us_ = now_us + kCallEvery_us;
      Queue(FrameOf(kEsc, 'R'), 0);
      return Tick(now_us);
    }
  }
  if (phase_ == Phase::kCalling && now_us >= call_at_us_) {
    call_at_us_ = now_us + kCallEvery_us;
    Send(FrameOf(kEsc, 'Q'));
  }
}

void Incubator::StrikeTimed(IncubatorFaultKind kind) {
  switch (kind) {
    case IncubatorFaultKind::kSilence:
      silent_until_us_ = now_us_ + static_cast<int64_t>(5 + Random(56)) * kUsPerSecond;
      return;
    case IncubatorFaultKind::kRestart:
      return Restart(now_us_);
    case IncubatorFaultKind::kStop:
      Queue(FrameOf(kEsc, 'U'), 0);
      return;
    case IncubatorFaultKind::kClockStep:
      clock_step_us_ += static_cast<int64_t>(1 + Random(7200)) * kUsPerSecond;
      Queue(FrameOf(kEsc, 'I'), 0);
      return;
    default:
      return;
  }
}

void Incubator::Receive(std::string_view bytes, UtcUs now_us) {
  now_us_ = now_us;
  if (now_us < silent_until_us_) return;
  std::string heard(bytes);
  if (!heard.empty() && Strikes(IncubatorFaultKind::kDeafness)) {
    char& byte = heard[Random(heard.size())];
    byte = static_cast<char>(byte ^ 1 << Random(7));
  }
  host_heard_us_ = now_us;
  Now now;
  now.monotonic_us = now_us;
  now.utc_us = now_us;
  parser_.Receive({reinterpret_cast<const uint8_t*>(heard.data()), heard.size()}, now);
}

void Incubator::OnParsed(const medibus::Frame& frame) {
  if (!frame.is_command) {
    if (!frame.checksum_ok) return;
    if (frame.code == 'Q' && phase_ == Phase::kCalling) {
      phase_ = Phase::kAsking;
      call_at_us_ = now_us_ + 50 * kUsPerMs;
    } else if (frame.code == 'R' && phase_ == Phase::kAsking) {
      phase_ = Phase::kSession;
    }
    return;
  }
  if (!frame.checksum_ok || Strikes(IncubatorFaultKind::kNak)) {
    return Queue(FrameOf(kSoh, medibus::kNak), options_.answer_us);
  }
  int64_t delay_us = options_.answer_us;
  if (Strikes(IncubatorFaultKind::kSlow)) delay_us += static_cast<int64_t>(1000 + Random(11000)) * kUsPerMs;
  if (frame.code == 'Q') {
    // The host begins: what was on its way to the session before is void.
    queue_.clear();
    if (phase_ == Phase::kCalling) {
      phase_ = Phase::kAsking;
      call_at_us_ = now_us_ + 50 * kUsPerMs;
    }
  }
  Queue(FrameOf(kSoh, frame.code, Payload(frame.code)), delay_us);
  if (frame.code == 'U') {
    phase_ = Phase::kCalling;
    call_at_us_ = now_us_ + kBoot_us;
  }
}

void Incubator::Queue(std::string frame, int64_t delay_us) {
  UtcUs at_us = now_us_ + delay_us;
  if (!queue_.empty()) at_us = std::max(at_us, queue_.back().at_us);  // in order
  queue_.push_back({at_us, std::move(frame)});
}

// One frame on its way out, with what happens to it there.
void Incubator::Send(const std::string& frame) {
  ++frames_;
  const auto tell = [this](std::string_view sent, bool whole) {
    if (options_.observer) options_.observer(sent, whole);
  };
  if (Strikes(IncubatorFaultKind::kNoise)) {
    for (uint64_t n = 1 + Random(8); n > 0; --n) output_ += static_cast<char>(Random(256));
  }
  std::string sent = frame;
  if (Strikes(IncubatorFaultKind::kLostBytes)) {
    const size_t at = Random(sent.size());
    sent.erase(at, 1 + Random(10));
  }
  if (Strikes(IncubatorFaultKind::kDoubledBytes) && !sent.empty()) {
    const size_t at = Random(sent.size());
    sent.insert(at, 1, sent[at]);
  }
  if (Strikes(IncubatorFaultKind::kWrongChecksum) && sent.size() >= 3) {
    char& digit = sent[sent.size() - 2];
    digit = digit == '0' ? '1' : '0';
  }
  const bool whole = sent == frame;
  if (whole && frame[0] == kSoh && frame.size() > 12) {
    if (Strikes(IncubatorFaultKind::kNopInside)) {
      const std::string nop = FrameOf(kEsc, '0');
      tell(nop, true);
      sent.insert(2 + Random(sent.size() - 5), nop);
    } else if (Strikes(IncubatorFaultKind::kCancel)) {
      sent.resize(sent.size() / 2);
      sent += static_cast<char>(medibus::kCancel);
      tell(frame, false);
      output_ += sent;
      return;
    }
  }
  tell(frame, whole);
  output_ += sent;
  if (Strikes(IncubatorFaultKind::kSuspend)) output_ += static_cast<char>(medibus::kSuspend);
}

std::string Incubator::TakeOutput() {
  std::string out;
  out.swap(output_);
  return out;
}

std::string Incubator::Payload(uint8_t code) {
  if (code == 'R') return info_.identification;
  if (std::string_view(info_.answers).find(static_cast<char>(code)) == std::string_view::npos) return "";
  switch (code) {
    case 0x24:
      return Measured();
    case 0x29:
      return Settings();
    case 0x27:
      return Alarms(1);
    case 0x2E:
      return Alarms(2);
    case 0x2A:
      return Texts();
    case 0x28:
      return ClockText();
    default:
      return "";
  }
}

double Incubator::ValueOf(int code) const {
  const int64_t second = now_us_ / kUsPerSecond;
  const auto wave = [&](double low, double high, int64_t step_s) {
    return Between(low, high, SmoothNoise(options_.seed, static_cast<uint64_t>(code), second, step_s));
  };
  switch (code) {
    case 0x65:
      return wave(34.8, 35.6, 600);
    case 0x66:
      return wave(36.4, 37.1, 900);
    case 0x6A:
      return wave(36.0, 37.0, 1200);
    case 0x6C:
      return wave(58, 64, 600);
    case 0x6D:
      return wave(32.9, 33.4, 300);
    case 0xC0:
      return wave(23, 26, 600);
    case 0xE1:
      return wave(125, 160, 60);
    case 0xE4:
      return wave(20, 220, 3600);
    case 0xEB:
      return wave(92, 98, 120);
    case 0xEC:
      return wave(42, 58, 20);
    case 0xF1:
      return wave(2, 40, 120);
    case 0xF2:
      return std::floor(wave(1480, 1540, kSecondsPerDay));
    default:
      return wave(1, 9, 300);
  }
}

std::string Incubator::Measured() {
  const int64_t second = now_us_ / kUsPerSecond;
  // An hour a day out on the parent: the probes are unplugged.
  const bool kangaroo = second % kSecondsPerDay / 3600 == 15;
  std::string payload;
  const std::string_view codes = info_.measured;
  const double skin_p = std::round(ValueOf(0x65) * 10) / 10;
  const double skin_c = std::round(ValueOf(0x66) * 10) / 10;
  for (size_t i = 0; i + 2 <= codes.size(); i += 2) {
    const int code = static_cast<int>(std::stoul(std::string(codes.substr(i, 2)), nullptr, 16));
    const bool skin = code == 0x65 || code == 0x66 || code == 0xC2;
    if (skin && kangaroo) continue;
    char text[16];
    if (code == 0x65 || code == 0x66) {
      std::snprintf(text, sizeof(text), "%4.1f", code == 0x65 ? skin_p : skin_c);
    } else if (code == 0xC2) {
      std::snprintf(text, sizeof(text), "%4.1f", skin_c - skin_p);
    } else if (code == 0x6D || code == 0x6A) {
      std::snprintf(text, sizeof(text), "%4.1f", ValueOf(code));
    } else if (code == 0x6C) {
      std::snprintf(text, sizeof(text), " %2.0f ", ValueOf(code));
    } else if (code == 0xF3) {
      std::snprintf(text, sizeof(text), " 101");
    } else if (code == 0xA2) {
      std::snprintf(text, sizeof(text), "%02d%02d", static_cast<int>(second / 3600 % 100),
                    static_cast<int>(second / 60 % 60));
    } else {
      std::snprintf(text, sizeof(text), "%4.0f", ValueOf(code));
    }
    payload += codes.substr(i, 2);
    payload.append(text, 4);
  }
  return payload;
}

std::string Incubator::Settings() {
  std::string payload;
  const std::string_view codes = info_.settings;
  for (size_t i = 0; i + 2 <= codes.size(); i += 2) {
    const std::string_view code = codes.substr(i, 2);
    payload += code;
    payload += code == "1A"   ? " 33.0"
               : code == "1B" ? " 36.8"
               : code == "1C" ? "   60"
               : code == "24" ? "   25"
                              : "   36";
  }
  return payload;
}

std::string Incubator::Alarms(int page) {
  constexpr const char* kPage1[] = {"C43O2 SENS ERR ", "O30AIR TEMP HI ", "7B1CHECK HOOD  ", "C6BAIR TEMP LOW",
                                    "5B2CHECK WEAN  "};
  constexpr const char* kPage2[] = {"H15CTEMP LOW   ", "1B8NO CONFIRM. ", "C0DHUMIDITY LOW", "C18PTEMP LOW   "};
  const char* const* list = page == 1 ? kPage1 : kPage2;
  const size_t size = page == 1 ? std::size(kPage1) : std::size(kPage2);
  std::string payload;
  if (AmountOf(IncubatorFaultKind::kAlarmStorm) > 0) {
    const uint64_t active = Random(uint64_t{1} << size);
    for (size_t i = 0; i < size; ++i) {
      if ((active >> i & 1) != 0) payload += list[i];
    }
    return payload;
  }
  // An alarm now and then, for some minutes.
  const int64_t slot = now_us_ / kUsPerSecond / 240;
  const uint64_t draw = Mix(options_.seed, static_cast<uint64_t>(page), static_cast<uint64_t>(slot));
  if (draw % 8 == 0) payload += list[draw / 8 % size];
  return payload;
}

std::string Incubator::Texts() const {
  const bool kangaroo = now_us_ / kUsPerSecond % kSecondsPerDay / 3600 == 15;
  const auto text = [](const char* code, std::string_view words) {
    return std::string(code) + static_cast<char>(0x30 + words.size()) + std::string(words) +
           static_cast<char>(medibus::kEtx);
  };
  if (options_.kind == IncubatorKind::kBiliLux) return text("3D", "Photo Therapy on");
  std::string payload;
  if (options_.kind != IncubatorKind::kBabyrooTn300) {
    payload += text("13", "Air Mode") + text("16", "Humidity Control active");
  } else {
    payload += text("14", "Skin Mode");
  }
  if (kangaroo) payload += text("51", "Kangaroo Mode");
  if (options_.kind == IncubatorKind::kBabyleoTn500) payload += text("A5", "Closed Care Therapy");
  return payload;
}

std::string Incubator::ClockText() const {
  constexpr const char* kMonths[] = {"JAN", "FEB", "MAR", "APR", "MAI", "JUN",
                                     "JUL", "AUG", "SEP", "OKT", "NOV", "DEZ"};
  const int64_t drift_us = (now_us_ - options_.start_us) / kSecondsPerDay * AmountOf(IncubatorFaultKind::kClockDrift);
  const CivilTime t =
      CivilFromUs(now_us_ + options_.clock_offset_min * int64_t{60} * kUsPerSecond + drift_us + clock_step_us_);
  char text[32];
  std::snprintf(text, sizeof(text), "%02d:%02d:%02d%02d-%s-%02d", t.hour, t.minute, t.second, t.day,
                kMonths[(t.month + 11) % 12], t.year % 100);
  return text;
}

}  // namespace vesta::simulators
