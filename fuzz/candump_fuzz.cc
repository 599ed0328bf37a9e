// Any text as a line of candump, and any bytes as a UDP datagram of CAN frames: no crash, and what was read can be
// written and read again.
#include <array>
#include <cstdint>
#include <cstdlib>

#include "protocols/can_text.h"
#include "protocols/can_udp.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  vesta::can::CandumpLine read;
  if (vesta::can::ParseCandumpLine(line, &read) == vesta::can::CandumpStatus::kFrame) {
    if (const auto frame = vesta::can::ClassicFrame(read.frame)) {
      std::array<uint8_t, vesta::can::kMaxFrameSize> bytes;
      Require(vesta::can::ReadFrame({bytes.data(), vesta::can::WriteFrame(*frame, bytes)}).has_value());
      std::array<char, vesta::can::kCandumpLineSize> text;
      const size_t written = vesta::can::FormatCandumpLine(read.time_us, read.interface_name, *frame, text.data());
      Require(written <= text.size());
      vesta::can::CandumpLine again;
      Require(vesta::can::ParseCandumpLine({text.data(), written - 1}, &again) == vesta::can::CandumpStatus::kFrame);
      Require(again.time_us == read.time_us && again.frame.id == read.frame.id && again.frame.data == read.frame.data);
    }
  }
  vesta::can::UdpFrames frames;
  if (frames.Read({data, size})) {
    for (uint8_t i = 0; i < frames.count(); ++i) Require(vesta::can::ReadFrame(frames.Next()).has_value());
    Require(frames.Next().empty());
  }
  return 0;
}
