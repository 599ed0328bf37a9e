#include "hub/sources/capture_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "model/calendar.h"
#include "model/hex_digit.h"
#include "protocols/can_text.h"

namespace vesta::hub {
namespace {

using Json = nlohmann::json;

constexpr size_t kBlockBytes = 64 * 1024;
// 9999-12-31T23:59:59Z: what ISO 8601 with four digits can say.
constexpr int64_t kLastTime_us = 253402300799 * kUsPerSecond;

tl::unexpected<std::string> Fault(std::string text) { return tl::unexpected<std::string>(std::move(text)); }

tl::expected<void, std::string> ParseHex(const std::string& hex, std::vector<uint8_t>* bytes) {
  if (hex.size() % 2 != 0) return Fault("\"hex\" has an odd number of digits");
  if (hex.size() / 2 > kMaxCaptureFrameBytes) {
    return Fault(fmt::format("\"hex\" holds more than {} bytes", kMaxCaptureFrameBytes));
  }
  bytes->resize(hex.size() / 2);
  for (size_t i = 0; i < bytes->size(); ++i) {
    const int high = HexDigitValue(hex[2 * i]);
    const int low = HexDigitValue(hex[2 * i + 1]);
    if (high < 0 || low < 0) {
      return Fault(fmt::format("\"hex\" holds something else than hex digits (at digit {})", 2 * i + 1));
    }
    (*bytes)[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return {};
}

tl::expected<UtcUs, std::string> ParseTime(const Json& object) {
  const auto found = object.find("t");
  if (found == object.end()) return Fault("\"t\" (the time) is missing");
  UtcUs time_us = -1;
  if (found->is_number_unsigned()) {
    time_us = found->get<uint64_t>() <= static_cast<uint64_t>(kLastTime_us) ? found->get<int64_t>() : -1;
  } else if (found->is_string() && !ParseIso8601(found->get_ref<const std::string&>(), &time_us)) {
    time_us = -1;
  }
  if (time_us < 0 || time_us > kLastTime_us) {
    return Fault("\"t\" is neither a time such as 2026-08-11T06:21:25.123456Z nor microseconds since 1970");
  }
  return time_us;
}

// An optional short text.
tl::expected<std::string, std::string> ParseText(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return std::string();
  if (!found->is_string() || found->get_ref<const std::string&>().size() > kMaxCaptureTextBytes) {
    return Fault(fmt::format("\"{}\" is not a text of at most {} bytes", key, kMaxCaptureTextBytes));
  }
  return found->get<std::string>();
}

tl::expected<CaptureLine, std::string> ParseHeader(const Json& version) {
  if (version.is_number_integer() && version.get<int64_t>() == kCaptureVersion) return CaptureLine::kHeader;
  return Fault(fmt::format("this capture has another version than {}", kCaptureVersion));
}

// A line of a candump log: the frame in its datagram form, the interface as its source.
tl::expected<CaptureLine, std::string> ParseCandump(std::string_view line, CaptureFrame* frame) {
  can::CandumpLine read;
  if (can::ParseCandumpLine(line, &read) != can::CandumpStatus::kFrame) {
    return Fault("this begins like a line of candump and holds no CAN frame");
  }
  const std::optional<can::Frame> classic = can::ClassicFrame(read.frame);
  if (!classic) return Fault("this is a CAN FD frame");
  std::array<uint8_t, can::kMaxFrameSize> bytes;
  frame->bytes.assign(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(can::WriteFrame(*classic, bytes)));
  frame->time_us = read.time_us;
  frame->source = std::string(read.interface_name.substr(0, kMaxCaptureTextBytes));
  frame->link.clear();
  return CaptureLine::kFrame;
}

// What candump and people write between the frames of a log.
bool IsCandumpNotice(std::string_view line) { return line.front() == '#' || line.substr(0, 10) == "DROPCOUNT:"; }

std::string Quoted(std::string_view text) {
  return Json(std::string(text.substr(0, kMaxCaptureTextBytes))).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

tl::expected<CaptureLine, std::string> ParseCaptureLine(std::string_view line, CaptureFrame* frame) {
  if (line.size() > kMaxCaptureLineBytes) return Fault("the line is too long");
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) return CaptureLine::kBlank;
  if (line.front() == '(') return ParseCandump(line, frame);
  if (IsCandumpNotice(line)) return CaptureLine::kBlank;
  constexpr bool kThrow = false;
  const Json object = Json::parse(line.begin(), line.end(), nullptr, kThrow);
  if (!object.is_object()) return Fault("this is not a JSON object");
  if (const auto version = object.find("vesta_capture"); version != object.end()) return ParseHeader(*version);
  const auto time_us = ParseTime(object);
  if (!time_us) return Fault(time_us.error());
  auto source = ParseText(object, "source");
  if (!source) return Fault(source.error());
  auto link = ParseText(object, "link");
  if (!link) return Fault(link.error());
  const auto hex = object.find("hex");
  if (hex == object.end() || !hex->is_string()) return Fault("\"hex\" (the bytes) is missing");
  if (auto parsed = ParseHex(hex->get_ref<const std::string&>(), &frame->bytes); !parsed) {
    return Fault(parsed.error());
  }
  frame->time_us = *time_us;
  frame->source = std::move(*source);
  frame->link = std::move(*link);
  return CaptureLine::kFrame;
}

std::string FormatCaptureHeader() { return fmt::format("{{\"vesta_capture\":{}}}\n", kCaptureVersion); }

std::string FormatCaptureFrame(UtcUs time_us, std::string_view source, Bytes bytes, std::string_view link) {
  constexpr char kDigits[] = "0123456789abcdef";
  char time[kIso8601Size];
  const size_t time_size = FormatIso8601(std::clamp<UtcUs>(time_us, 0, kLastTime_us), time);
  std::string start = fmt::format("{{\"t\":\"{}\"", std::string_view(time, time_size));
  if (!source.empty()) start += ",\"source\":" + Quoted(source);
  if (!link.empty()) start += ",\"link\":" + Quoted(link);
  start += ",\"hex\":\"";
  std::string text;
  do {
    const Bytes part = bytes.first(std::min(bytes.size(), kMaxCaptureFrameBytes));
    bytes = bytes.subspan(part.size());
    text += start;
    for (const uint8_t byte : part) {
      text += kDigits[byte >> 4];
      text += kDigits[byte & 15];
    }
    text += "\"}\n";
  } while (!bytes.empty());
  return text;
}

std::string FormatCandumpFrame(UtcUs time_us, std::string_view source, Bytes datagram) {
  const std::optional<can::Frame> frame = can::ReadFrame(datagram);
  if (!frame) return "";
  std::array<char, can::kCandumpLineSize> line;
  return {line.data(), can::FormatCandumpLine(time_us, source, *frame, line.data())};
}

void CaptureLineSplitter::Feed(std::string_view chunk) {
  buffer_.erase(0, start_);
  searched_ -= start_;
  start_ = 0;
  buffer_.append(chunk);
}

CaptureLineSplitter::Result CaptureLineSplitter::Next(std::string_view* line) {
  while (true) {
    const size_t end = buffer_.find('\n', searched_);
    const bool complete = end != std::string::npos;
    if (!complete && !finished_) {
      searched_ = buffer_.size();
      if (buffer_.size() - start_ <= kMaxCaptureLineBytes) return Result::kNeedMore;
      buffer_.clear();
      start_ = searched_ = 0;
      if (std::exchange(skipping_, true)) return Result::kNeedMore;
      ++line_number_;
      return Result::kTooLong;
    }
    if (!complete && start_ == buffer_.size()) return Result::kEnd;
    *line = std::string_view(buffer_).substr(start_, complete ? end - start_ : std::string::npos);
    start_ = searched_ = complete ? end + 1 : buffer_.size();
    if (std::exchange(skipping_, false)) continue;
    ++line_number_;
    return line->size() > kMaxCaptureLineBytes ? Result::kTooLong : Result::kLine;
  }
}

CaptureReader::~CaptureReader() { Close(); }

void CaptureReader::Close() {
  if (fd_ > STDIN_FILENO) close(fd_);
  fd_ = -1;
}

tl::expected<void, std::string> CaptureReader::Open(const std::string& path) {
  Close();
  splitter_ = CaptureLineSplitter();
  failed_ = false;
  if (path == "-") {
    fd_ = STDIN_FILENO;
    return {};
  }
  fd_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat status {};
  if (fd_ < 0 || fstat(fd_, &status) != 0) return Fault(fmt::format("{}: {}", path, std::strerror(errno)));
  if (!S_ISREG(status.st_mode)) return Fault(fmt::format("{} is not an ordinary file", path));
  return {};
}

CaptureReader::Result CaptureReader::Next(CaptureFrame* frame) {
  std::array<char, kBlockBytes> block;
  while (true) {
    std::string_view line;
    switch (splitter_.Next(&line)) {
      case CaptureLineSplitter::Result::kLine: {
        const auto parsed = ParseCaptureLine(line, frame);
        if (!parsed) {
          error_ = parsed.error();
          return Result::kBadLine;
        }
        if (*parsed == CaptureLine::kFrame) return Result::kFrame;
        break;
      }
      case CaptureLineSplitter::Result::kTooLong:
        error_ = fmt::format("the line has more than {} bytes", kMaxCaptureLineBytes);
        return Result::kBadLine;
      case CaptureLineSplitter::Result::kNeedMore: {
        const ssize_t size = fd_ < 0 || failed_ ? 0 : read(fd_, block.data(), block.size());
        if (size > 0) {
          splitter_.Feed({block.data(), static_cast<size_t>(size)});
        } else if (size == 0) {
          splitter_.Finish();
        } else if (errno != EINTR) {
          error_ = fmt::format("cannot be read: {}", std::strerror(errno));
          failed_ = true;
          return Result::kBadLine;
        }
        break;
      }
      case CaptureLineSplitter::Result::kEnd:
        return Result::kEnd;
    }
  }
}

}  // namespace vesta::hub
