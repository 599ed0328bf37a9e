// Capture files: frames as they came, one JSON object a line, to be decoded and replayed later.
//
// The format is docs/formats/capture.md; lines of a candump log ("(time) can0 086F1297#...") are read as well. Text
// that is not a capture gives an error for the line it stands in, never for the rest. No exceptions leave here. Reading
// a file waits for the disk, for one block at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "model/session.h"
#include "model/time.h"

namespace vesta::hub {

inline constexpr int kCaptureVersion = 1;

// Longest frame of one line: as long as the longest telegram that a configuration may allow.
inline constexpr size_t kMaxCaptureFrameBytes = 65536;
// Two digits a byte, and room for the other keys.
inline constexpr size_t kMaxCaptureLineBytes = 2 * kMaxCaptureFrameBytes + 1024;
inline constexpr size_t kMaxCaptureTextBytes = 256;  // source and link

struct CaptureFrame {
  UtcUs time_us = 0;
  std::string source;  // name in the configuration, or ""
  std::string link;    // what the link knew (address, signal strength), free text, or ""
  std::vector<uint8_t> bytes;
};

enum class CaptureLine : uint8_t { kFrame, kHeader, kBlank };

// What one line (without its line end) holds; `frame` is set for kFrame only. The error says what is wrong.
tl::expected<CaptureLine, std::string> ParseCaptureLine(std::string_view line, CaptureFrame* frame);

// The first line of a file, with its line end.
std::string FormatCaptureHeader();
// One line. Bytes beyond kMaxCaptureFrameBytes go on in further lines with the same time.
std::string FormatCaptureFrame(UtcUs time_us, std::string_view source, Bytes bytes, std::string_view link = {});

// The same as a line of a candump log, for CAN frames in their datagram form; "" for anything else.
std::string FormatCandumpFrame(UtcUs time_us, std::string_view source, Bytes datagram);

// Cuts a stream of bytes into lines of bounded length, whatever the chunks.
class CaptureLineSplitter {
 public:
  void Feed(std::string_view chunk);
  // No more chunks will come: what is left is the last line.
  void Finish() { finished_ = true; }

  enum class Result : uint8_t { kLine, kTooLong, kNeedMore, kEnd };
  // The next line is valid until the next call of anything here. A line that is too long is named once and skipped.
  Result Next(std::string_view* line);
  uint64_t line_number() const { return line_number_; }  // of the line that Next gave, from 1

 private:
  std::string buffer_;
  size_t start_ = 0;       // of the next line in the buffer
  size_t searched_ = 0;    // no line end stands between start_ and here
  bool skipping_ = false;  // the rest of a line that was too long
  bool finished_ = false;
  uint64_t line_number_ = 0;
};

// Frame by frame through a capture file.
class CaptureReader {
 public:
  CaptureReader() = default;
  ~CaptureReader();
  CaptureReader(const CaptureReader&) = delete;
  CaptureReader& operator=(const CaptureReader&) = delete;

  // "-" is standard input. The error is for people.
  tl::expected<void, std::string> Open(const std::string& path);

  enum class Result : uint8_t { kFrame, kBadLine, kEnd };
  // After a bad line reading goes on behind it.
  Result Next(CaptureFrame* frame);
  const std::string& error() const { return error_; }  // of the last kBadLine
  uint64_t line_number() const { return splitter_.line_number(); }

 private:
  void Close();

  int fd_ = -1;
  CaptureLineSplitter splitter_;
  std::string error_;
  bool failed_ = false;
};

}  // namespace vesta::hub
