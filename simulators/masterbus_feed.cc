#include "simulators/masterbus_feed.h"

#include <array>

#include "protocols/can_text.h"
#include "protocols/slcan/slcan.h"

namespace vesta::simulators {
namespace {

constexpr size_t kMaxCommand = 64;

struct OneFrame : slcan::EventSink {
  void OnEvent(const slcan::Event& event) override {
    if (event.kind == slcan::EventKind::kFrame) frame = event.frame;
  }
  std::optional<can::Frame> frame;
};

}  // namespace

MasterBusFeed::MasterBusFeed(const MasterBusOptions& options, BusForm form, uint64_t count)
    : bus_(options), form_(form), count_(count) {}

std::optional<UtcUs> MasterBusFeed::next_us() const {
  if (count_ != 0 && frames_ >= count_) return std::nullopt;
  return bus_.next_us();
}

std::string MasterBusFeed::Next() {
  const MasterBusBus::Sent sent = bus_.Next();
  ++frames_;
  if (form_ == BusForm::kSlcan) return open_ ? SlcanText(sent.frame) : "";
  if (form_ == BusForm::kCandump) {
    std::array<char, can::kCandumpLineSize> line;
    return {line.data(), can::FormatCandumpLine(sent.time_us, "can0", sent.frame, line.data())};
  }
  can::UdpWriter writer;
  writer.Begin(sequence_++);
  writer.Add(sent.frame);
  return {writer.datagram().begin(), writer.datagram().end()};
}

std::string MasterBusFeed::SlcanText(const can::Frame& frame) {
  if (frame.is_error) return "sp130000\r";
  std::array<char, slcan::kMaxFrameText> text;
  std::string line(text.data(), slcan::FormatFrame(frame, text.data()));
  const int64_t every = bus_.Amount(BusFault::kGarbledText);
  if (every > 0 && frames_ % static_cast<uint64_t>(every) == 0) line[line.size() / 2] = '?';
  return line;
}

std::string MasterBusFeed::Command(std::string_view bytes, UtcUs now_us) {
  std::string answers;
  for (const char c : bytes) {
    if (c != '\r') {
      if (command_.size() < kMaxCommand) command_ += c;
      continue;
    }
    answers += Obey(command_, now_us);
    command_.clear();
  }
  return answers;
}

std::string MasterBusFeed::Obey(std::string_view line, UtcUs now_us) {
  constexpr char kYes[] = "\r";
  constexpr char kNo[] = "\a";
  if (line.empty()) return kYes;
  switch (line[0]) {
    case 'C':
      open_ = false;
      return kYes;
    case 'S':
      return open_ ? kNo : kYes;
    case 'O':
    case 'L':
      if (open_) return kNo;
      open_ = true;
      may_send_ = line[0] == 'O';
      return kYes;
    case 'V':
      return "V1013\r";
    case 'F':
      return open_ ? "F00\r" : kNo;
    default:
      break;
  }
  if (!open_ || !may_send_) return kNo;
  slcan::Receiver receiver;
  OneFrame one;
  const std::string text = std::string(line) + '\r';
  receiver.Receive({reinterpret_cast<const uint8_t*>(text.data()), text.size()}, one);
  if (!one.frame) return kNo;
  bus_.Put(*one.frame, now_us);
  return "Z\r";
}

}  // namespace vesta::simulators
