#include "app/doctor_can.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <set>
#include <utility>

#include "app/printable.h"
#include "hub/sources/can_socket.h"
#include "hub/sources/serial_port.h"
#include "protocols/can_error.h"
#include "protocols/can_text.h"
#include "protocols/masterbus/frame.h"
#include "protocols/slcan/error_frame.h"
#include "protocols/slcan/slcan.h"

namespace vesta::app {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr uint32_t kMasterBusBitrate = 250000;
constexpr std::array<uint32_t, 6> kOtherBitrates = {250000, 125000, 500000, 1000000, 100000, 50000};
constexpr auto kAnswerWait = std::chrono::milliseconds(400);
// A bus in use says something within this; longer is listened at the bit rate that was asked for.
constexpr double kOtherRate_s = 1.5;
constexpr size_t kMaxVersion = 32;

// What came at one bit rate.
struct HeardFrames {
  uint64_t frames = 0;
  uint64_t error_frames = 0;
  uint64_t not_masterbus = 0;
  std::set<uint32_t> devices;  // that spoke on a MasterBus
  can::BusHealth health;
  std::map<std::string, uint64_t> discarded;
  std::optional<uint8_t> flags;

  void Add(const can::Frame& frame) {
    if (frame.is_error) {
      ++error_frames;
      health.Add(can::ReadErrorFrame(frame));
      return;
    }
    ++frames;
    const masterbus::Frame read = masterbus::ReadMasterBusFrame(frame);
    if (masterbus::IsFromDevice(read.role)) {
      constexpr size_t kMostDevices = 128;
      if (devices.size() < kMostDevices) devices.insert(read.address);
    } else if (!masterbus::IsRequest(read.role) && read.role != masterbus::Role::kPoll &&
               read.role != masterbus::Role::kValueWrite) {
      ++not_masterbus;
    }
  }
  // Not one error and not one frame is silence; frames that do not fit say that the bus is another one.
  bool IsMasterBus() const { return frames > 0 && not_masterbus * 2 < frames; }
};

std::string Tell(const HeardFrames& heard) {
  std::string text = fmt::format("{} frames", heard.frames);
  if (!heard.devices.empty()) text += fmt::format(" of {} MasterBus devices", heard.devices.size());
  if (heard.not_masterbus > 0) text += fmt::format(", {} of them no MasterBus", heard.not_masterbus);
  if (heard.error_frames > 0) text += fmt::format(", {} error reports", heard.error_frames);
  if (heard.health.bus_offs > 0) text += ", bus-off";
  if (heard.health.passives > 0) text += ", error passive";
  for (const auto& [reason, count] : heard.discarded) text += fmt::format(", {} lines {}", count, reason);
  return text;
}

class Adapter final : private slcan::EventSink {
 public:
  explicit Adapter(int fd) : fd_(fd) {}
  ~Adapter() override {
    Send(slcan::kCloseCommand);
    close(fd_);
  }
  Adapter(const Adapter&) = delete;
  Adapter& operator=(const Adapter&) = delete;

  enum class Answer : uint8_t { kNone, kYes, kNo };

  // Sends a command and waits for its answer.
  Answer Ask(std::string_view command) {
    answer_ = Answer::kNone;
    if (!Send(command)) return answer_;
    Listen(kAnswerWait, [this] { return answer_ != Answer::kNone; });
    answered_ |= answer_ != Answer::kNone;
    return answer_;
  }
  // False: it can't be opened like this; refused_ says which command.
  bool Open(uint32_t bitrate, bool listen_only) {
    refused_ = 0;
    const auto sequence = slcan::OpenSequence(bitrate, listen_only);
    if (!sequence) return false;
    for (std::string_view rest = *sequence; !rest.empty();) {
      const std::string_view step = rest.substr(0, rest.find('\r') + 1);
      rest.remove_prefix(step.size());
      heard_ = HeardFrames();  // what comes behind the last step counts, and it may come at once
      if (Ask(step) == Answer::kNo && step[0] != 'C') {
        refused_ = step[0];
        return false;
      }
    }
    return true;
  }
  // Behind Open.
  HeardFrames Hear(double seconds, bool stop_early) {
    Listen(std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000)),
           [&] { return stop_early && heard_.frames >= 20; });
    return std::exchange(heard_, HeardFrames());
  }
  void Drain() {
    Listen(std::chrono::milliseconds(100), [] { return false; });
  }

  bool lost() const { return lost_; }
  bool answered() const { return answered_; }
  char refused() const { return refused_; }
  const std::string& version() const { return version_; }
  std::optional<uint8_t> flags() const { return flags_; }

 private:
  bool Send(std::string_view text) {
    while (!text.empty() && !lost_) {
      const ssize_t count = write(fd_, text.data(), text.size());
      if (count > 0) {
        text.remove_prefix(static_cast<size_t>(count));
      } else if (errno == EAGAIN) {
        pollfd wait{fd_, POLLOUT, 0};
        if (poll(&wait, 1, static_cast<int>(kAnswerWait.count())) <= 0) return false;  // it takes nothing
      } else if (errno != EINTR) {
        lost_ = true;
      }
    }
    return !lost_;
  }

  template <typename Done>
  void Listen(std::chrono::milliseconds time, const Done& done) {
    const auto until = SteadyClock::now() + time;
    while (!lost_ && !done()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - SteadyClock::now()).count();
      if (left <= 0) return;
      pollfd wait{fd_, POLLIN, 0};
      if (poll(&wait, 1, static_cast<int>(left)) <= 0) continue;
      std::array<uint8_t, 4096> bytes;
      const ssize_t count = read(fd_, bytes.data(), bytes.size());
      if (count > 0) {
        receiver_.Receive({bytes.data(), static_cast<size_t>(count)}, *this);
      } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
        lost_ = true;
      }
    }
  }

  void OnEvent(const slcan::Event& event) override {
    switch (event.kind) {
      case slcan::EventKind::kFrame:
        heard_.Add(event.frame);
        break;
      case slcan::EventKind::kBusError:
      case slcan::EventKind::kBusState:
        if (const auto frame = slcan::ErrorFrame(event)) heard_.Add(*frame);
        break;
      case slcan::EventKind::kAccepted:
        answer_ = Answer::kYes;
        break;
      case slcan::EventKind::kRefused:
        answer_ = Answer::kNo;
        break;
      case slcan::EventKind::kVersion:
      case slcan::EventKind::kVersionText:
        version_ = Printable(event.text.substr(0, kMaxVersion));
        answer_ = Answer::kYes;
        break;
      case slcan::EventKind::kStatusFlags:
        flags_ = event.flags;
        answer_ = Answer::kYes;
        break;
      case slcan::EventKind::kSerial:
      case slcan::EventKind::kSent:
        break;
      case slcan::EventKind::kDiscard:
        ++heard_.discarded[event.reason];
        break;
    }
  }

  const int fd_;
  slcan::Receiver receiver_;
  Answer answer_ = Answer::kNone;
  HeardFrames heard_;
  bool lost_ = false;
  bool answered_ = false;
  char refused_ = 0;
  std::string version_;
  std::optional<uint8_t> flags_;
};

// LAWICEL's meaning; other makers use other bits, so the number stands beside the words.
std::string FlagWords(uint8_t flags) {
  static constexpr const char* kWords[] = {"receive queue full", "send queue full",  "error warning", "data overrun",
                                           "error passive",      "arbitration lost", "bus error",     ""};
  std::string words;
  for (size_t bit = 0; bit < std::size(kWords); ++bit) {
    if ((flags >> bit & 1) == 0 || *kWords[bit] == '\0') continue;
    words += (words.empty() ? "" : ", ") + std::string(kWords[bit]);
  }
  return words.empty() ? "" : " (where the maker follows LAWICEL: " + words + ")";
}

void TellRefusal(const Adapter& adapter, const hub::SourceConfig& config, PatientReport* patient) {
  if (adapter.refused() == 'L') {
    patient->error = "the adapter refused to listen only";
    patient->hint =
        "its firmware may not know how; \"listen_only\": false opens it as a member of the bus that acknowledges "
        "frames";
  } else if (adapter.refused() == 'S') {
    patient->error = fmt::format("the adapter refused the bit rate {}", config.bitrate);
    patient->hint = "is another program using it? else unplug it and plug it in again";
  } else {
    patient->error = "the adapter refused to open its channel";
    patient->hint = "unplug it and plug it in again";
  }
}

// No frame came as it is configured: is the bus at another rate, or is it silent?
void TryOtherRates(Adapter* adapter, const hub::SourceConfig& config, double seconds, PatientReport* patient) {
  for (const uint32_t bitrate : kOtherBitrates) {
    if (bitrate == config.bitrate || adapter->lost() || !adapter->Open(bitrate, true)) continue;
    const HeardFrames heard = adapter->Hear(std::min(seconds, kOtherRate_s), true);
    if (heard.frames == 0) continue;
    patient->findings.push_back(fmt::format("at {} bit/s: {}", bitrate, Tell(heard)));
    patient->hint = fmt::format("the bus runs at {} bit/s: set \"bitrate\": {}", bitrate, bitrate);
    return;
  }
  patient->findings.emplace_back("at other bit rates: no frame");
}

void ExamineFrames(const HeardFrames& heard, const hub::SourceConfig& config, Adapter* adapter, double seconds,
                   PatientReport* patient) {
  patient->findings.push_back(fmt::format("at {} bit/s: {}", config.bitrate, Tell(heard)));
  if (heard.frames > 0) {
    patient->well = heard.IsMasterBus() || config.protocol != "masterbus";
    if (!patient->well) patient->hint = "frames come, but they are of another kind of bus: is it the right cable?";
    return;
  }
  TryOtherRates(adapter, config, seconds, patient);
  if (!patient->hint.empty()) return;
  if (heard.error_frames > 0) {
    patient->hint = "only errors are heard: CAN-H and CAN-L may be exchanged, or the end of the bus lacks its 120 ohm";
  } else if (config.listen_only) {
    patient->hint =
        "nothing at all: is the bus powered, are CAN-H and CAN-L connected? With a single other node nobody "
        "acknowledges "
        "while the adapter only listens";
  } else {
    patient->hint = "nothing at all: is the bus powered, are CAN-H and CAN-L connected?";
  }
}

void ExamineSocket(const hub::SourceConfig& config, double seconds, PatientReport* patient) {
  const auto opened = hub::OpenCanSocket(config);
  if (!opened) {
    patient->well = false;
    patient->findings.push_back(opened.error().what);
    patient->hint = opened.error().hint;
    return;
  }
  HeardFrames heard;
  const auto until = SteadyClock::now() + std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000));
  std::array<uint8_t, 80> bytes;
  for (int64_t left = 1; left > 0;) {
    left = std::chrono::ceil<std::chrono::milliseconds>(until - SteadyClock::now()).count();
    pollfd wait{*opened, POLLIN, 0};
    if (left <= 0 || poll(&wait, 1, static_cast<int>(left)) <= 0) continue;
    const ssize_t count = read(*opened, bytes.data(), bytes.size());
    if (count < 0 && errno != EAGAIN && errno != EINTR) break;
    if (count != static_cast<ssize_t>(can::kKernelFrameSize)) continue;
    if (const auto frame = can::ReadKernelFrame(
            std::span<const uint8_t, can::kKernelFrameSize>(bytes.data(), can::kKernelFrameSize))) {
      heard.Add(*frame);
    }
  }
  close(*opened);
  patient->findings.push_back(fmt::format("in {} s: {}", seconds, Tell(heard)));
  patient->well = heard.frames > 0 && (heard.IsMasterBus() || config.protocol != "masterbus");
  if (heard.frames == 0) {
    patient->hint = heard.error_frames > 0 ? "only errors are heard: wrong bit rate, or CAN-H and CAN-L exchanged?"
                                           : "nothing was heard: is the bus powered and connected?";
  } else if (!patient->well) {
    patient->hint = "frames come, but they are of another kind of bus: is it the right cable?";
  }
}

}  // namespace

PatientReport ExamineSlcan(const hub::SourceConfig& config, double seconds) {
  PatientReport patient;
  patient.name = config.name;
  patient.where = config.port;
  const auto opened = hub::OpenSerialPort(config.port, config.baud, "8N1");
  if (!opened) {
    patient.error = opened.error().what;
    patient.hint = opened.error().hint.empty() ? "is the adapter plugged in?" : opened.error().hint;
    return patient;
  }
  if (!opened->doubt.empty()) patient.findings.push_back(opened->doubt);
  Adapter adapter(opened->fd);
  // Half a line that the adapter holds ends here, and what it sends from before goes by.
  adapter.Ask("\r");
  adapter.Ask(slcan::kCloseCommand);
  adapter.Drain();
  adapter.Ask(slcan::kVersionCommand);
  if (!adapter.version().empty()) patient.findings.push_back(fmt::format("adapter version {}", adapter.version()));
  if (!adapter.Open(config.bitrate, config.listen_only)) {
    if (adapter.lost()) {
      patient.error = "the adapter went away while it was asked";
      patient.hint = "is it plugged in firmly?";
    } else if (adapter.refused() == 0) {
      patient.error = fmt::format("slcan has no code for {} bits a second", config.bitrate);
    } else {
      TellRefusal(adapter, config, &patient);
    }
    return patient;
  }
  const HeardFrames heard = adapter.Hear(seconds, true);
  if (adapter.Ask(slcan::kFlagsCommand) == Adapter::Answer::kYes && adapter.flags()) {
    patient.findings.push_back(fmt::format("status flags 0x{:02X}{}", *adapter.flags(), FlagWords(*adapter.flags())));
  }
  if (adapter.lost()) {
    patient.error = "the adapter went away while it was listened to";
    patient.hint = "is it plugged in firmly?";
    return patient;
  }
  if (!adapter.answered() && heard.frames == 0) {
    patient.findings.emplace_back("the adapter answers no command");
    patient.hint =
        "it may hang: unplug it and plug it in again. Is it an slcan adapter at all? One with candleLight firmware is "
        "a "
        "CAN interface of Linux: type \"can\"";
    return patient;
  }
  ExamineFrames(heard, config, &adapter, seconds, &patient);
  return patient;
}

PatientReport ExamineCan(const hub::SourceConfig& config, double seconds, const CanLook& look) {
  PatientReport patient;
  patient.name = config.name;
  patient.where = config.can_interface;
  const std::optional<hub::CanInterface> facts = look(config.can_interface);
  if (!facts) {
    patient.error = fmt::format("there is no interface {}", config.can_interface);
    patient.hint = "is the adapter plugged in? `ip link` lists them";
    return patient;
  }
  patient.findings.push_back(hub::DescribeCanInterface(config.can_interface, *facts));
  if (!facts->is_can) return patient;
  if (!facts->is_up) {
    patient.hint = fmt::format("ip link set {} up type can bitrate {} restart-ms 100{}", config.can_interface,
                               kMasterBusBitrate, config.listen_only ? " listen-only on" : "");
    return patient;
  }
  patient.findings.push_back(fmt::format("received {} frames, {} dropped, {} errors", facts->rx_packets,
                                         facts->rx_dropped, facts->rx_errors_total));
  if (facts->bitrate != 0 && facts->bitrate != kMasterBusBitrate && config.protocol == "masterbus") {
    patient.hint =
        fmt::format("a MasterBus runs at {} bit/s, {} at {}", kMasterBusBitrate, config.can_interface, facts->bitrate);
    return patient;
  }
  if (facts->state == "bus_off") {
    patient.hint = facts->restart_ms == 0
                       ? fmt::format(
                             "the controller gave up (bus-off) and stays so: ip link set {} type can restart, or "
                             "bring it up with restart-ms 100",
                             config.can_interface)
                       : "the controller gave up (bus-off) and tries again: wrong bit rate, or a short on the cable?";
    return patient;
  }
  ExamineSocket(config, seconds, &patient);
  return patient;
}

}  // namespace vesta::app
