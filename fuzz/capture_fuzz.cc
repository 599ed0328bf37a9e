// Any bytes as a capture file, in chunks of any size: no crash, bounded memory, and what was understood can be written
// and read back.
#include <cstdint>
#include <cstdlib>

#include "hub/sources/capture_file.h"

namespace {

using vesta::hub::CaptureFrame;
using vesta::hub::CaptureLine;
using vesta::hub::CaptureLineSplitter;

void CheckRoundTrip(const CaptureFrame& frame) {
  const std::string text = vesta::hub::FormatCaptureFrame(frame.time_us, frame.source, frame.bytes, frame.link);
  CaptureFrame again;
  const auto parsed = vesta::hub::ParseCaptureLine(std::string_view(text).substr(0, text.size() - 1), &again);
  if (!parsed || *parsed != CaptureLine::kFrame) std::abort();
  if (again.bytes != frame.bytes || again.time_us != frame.time_us) std::abort();
  if (again.source != frame.source || again.link != frame.link) std::abort();
}

void TakeLines(CaptureLineSplitter& splitter) {
  std::string_view line;
  while (true) {
    const CaptureLineSplitter::Result result = splitter.Next(&line);
    if (result == CaptureLineSplitter::Result::kNeedMore || result == CaptureLineSplitter::Result::kEnd) return;
    if (result == CaptureLineSplitter::Result::kTooLong) continue;
    CaptureFrame frame;
    const auto parsed = vesta::hub::ParseCaptureLine(line, &frame);
    if (parsed && *parsed == CaptureLine::kFrame) CheckRoundTrip(frame);
    if (!parsed && parsed.error().empty()) std::abort();
  }
}

}  // namespace

// The first byte chooses the size of the chunks.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t chunk = data[0] == 0 ? size : data[0];
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  CaptureLineSplitter splitter;
  for (size_t at = 0; at < text.size(); at += chunk) {
    splitter.Feed(text.substr(at, chunk));
    TakeLines(splitter);
  }
  splitter.Finish();
  TakeLines(splitter);
  return 0;
}
