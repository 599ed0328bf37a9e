#include "app/decode.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "app/decode_printer.h"
#include "app/diagnose.h"
#include "app/exit_code.h"
#include "app/input_bytes.h"
#include "app/p1_settings.h"
#include "app/reason_text.h"
#include "hub/clock/clock.h"
#include "hub/intake/make_session.h"
#include "hub/sources/capture_file.h"

namespace vesta::app {
namespace {

constexpr size_t kChunkBytes = 16 * 1024;
// Of input that did not decode, so much is looked at to say why.
constexpr size_t kDiagnosedBytesMax = 64 * 1024;
// The longest pause that any session waits for before it gives up a frame that was begun. What comes later (a line that
// counts as silent) says nothing about the bytes.
constexpr int64_t kLastPause_us = 6 * kUsPerSecond;
// Sources that one capture may hold; the frames of further ones are told and left out.
constexpr size_t kCapturedSourcesMax = 64;

class Decoding {
 public:
  Decoding(const DecodeOptions& options, hub::SourceConfig settings)
      : options_(options), settings_(std::move(settings)), printer_(options.json) {}

  int Run(int fd);

 private:
  bool Read(int fd, std::string* chunk);
  int RunBytes(int fd, std::string chunk, InputForm form);
  int RunCapture(int fd, std::string chunk);
  void TakeLine(std::string_view line, uint64_t number);
  void TakeFrame(const hub::CaptureFrame& frame, uint64_t number);
  void Finish(Session& session, Now now);
  int Conclude();

  const DecodeOptions& options_;
  hub::SourceConfig settings_;
  DecodePrinter printer_;
  std::map<std::string, std::unique_ptr<Session>> sessions_;  // by source of the capture
  std::map<std::string, Now> last_;
  std::vector<uint8_t> beginning_;
  uint64_t bytes_ = 0;
  uint64_t bad_lines_ = 0;
  bool read_failed_ = false;
};

bool Decoding::Read(int fd, std::string* chunk) {
  chunk->resize(kChunkBytes);
  ssize_t count;
  do {
    count = read(fd, chunk->data(), chunk->size());
  } while (count < 0 && errno == EINTR);
  if (count < 0) {
    fmt::print(stderr, "vesta decode: cannot read {}: {}\n", options_.file, std::strerror(errno));
    read_failed_ = true;
  }
  chunk->resize(count > 0 ? static_cast<size_t>(count) : 0);
  return count > 0;
}

int Decoding::Run(int fd) {
  std::string chunk;
  Read(fd, &chunk);
  InputForm form = GuessForm(chunk);
  if (options_.input == "raw") form = InputForm::kRaw;
  if (options_.input == "hex") form = InputForm::kHex;
  if (options_.input == "capture") form = InputForm::kCapture;
  if (form == InputForm::kCapture) return RunCapture(fd, std::move(chunk));
  return RunBytes(fd, std::move(chunk), form);
}

// Lets every pause pass that the session waits for, then tells it that nothing more will come.
void Decoding::Finish(Session& session, Now now) {
  printer_.Use(session);
  const int64_t end_us = now.monotonic_us + kLastPause_us;
  while (session.next_deadline_us() <= end_us) {
    const int64_t due_us = session.next_deadline_us();
    now.monotonic_us = std::max(now.monotonic_us, due_us);
    session.Tick(now, printer_);
    if (session.next_deadline_us() == due_us) break;
  }
  session.LinkReset(now, printer_);
}

int Decoding::RunBytes(int fd, std::string chunk, InputForm form) {
  const std::unique_ptr<Session> session = hub::MakeSession(settings_);
  printer_.Use(*session);
  HexReader hex;
  std::string error;
  // Nobody knows when these bytes came: the meter's own clock is believed, whatever it says. Pauses mean nothing.
  Now now = hub::SystemClock().Read();
  now.clock = ClockQuality::kNotSynchronised;
  do {
    std::vector<uint8_t> bytes(chunk.begin(), chunk.end());
    if (form == InputForm::kHex) {
      bytes.clear();
      hex.Read(chunk, &bytes, &error);
    }
    bytes_ += bytes.size();
    const size_t room = kDiagnosedBytesMax - beginning_.size();
    beginning_.insert(beginning_.end(), bytes.begin(),
                      bytes.begin() + static_cast<ptrdiff_t>(std::min(room, bytes.size())));
    session->Receive(bytes, now, printer_);
  } while (error.empty() && Read(fd, &chunk));
  Finish(*session, now);
  if (error.empty() && hex.odd()) error = "the last hex digit stands alone";
  if (!error.empty()) {
    fmt::print(stderr, "vesta decode: {}\n", error);
    ++bad_lines_;
  }
  return Conclude();
}

int Decoding::RunCapture(int fd, std::string chunk) {
  hub::CaptureLineSplitter lines;
  bool more = !chunk.empty();
  while (true) {
    std::string_view line;
    const hub::CaptureLineSplitter::Result result = lines.Next(&line);
    if (result == hub::CaptureLineSplitter::Result::kEnd) break;
    if (result == hub::CaptureLineSplitter::Result::kNeedMore) {
      if (more) {
        lines.Feed(chunk);
        more = Read(fd, &chunk);
      } else {
        lines.Finish();
      }
    } else if (result == hub::CaptureLineSplitter::Result::kTooLong) {
      fmt::print(stderr, "vesta decode: line {} is too long and was left out\n", lines.line_number());
      ++bad_lines_;
    } else {
      TakeLine(line, lines.line_number());
    }
  }
  for (auto& [source, session] : sessions_) Finish(*session, last_[source]);
  return Conclude();
}

void Decoding::TakeLine(std::string_view line, uint64_t number) {
  hub::CaptureFrame frame;
  const auto kind = hub::ParseCaptureLine(line, &frame);
  if (!kind) {
    fmt::print(stderr, "vesta decode: line {}: {}\n", number, kind.error());
    ++bad_lines_;
  } else if (*kind == hub::CaptureLine::kFrame) {
    TakeFrame(frame, number);
  }
}

void Decoding::TakeFrame(const hub::CaptureFrame& frame, uint64_t number) {
  std::unique_ptr<Session>& session = sessions_[frame.source];
  if (session == nullptr) {
    if (sessions_.size() > kCapturedSourcesMax) {
      fmt::print(stderr, "vesta decode: line {}: more than {} sources; left out\n", number, kCapturedSourcesMax);
      sessions_.erase(frame.source);
      ++bad_lines_;
      return;
    }
    session = hub::MakeSession(settings_);
  }
  printer_.Use(*session);
  const Now now = {frame.time_us, frame.time_us, ClockQuality::kSynchronised};
  last_[frame.source] = now;
  if (session->next_deadline_us() <= now.monotonic_us) session->Tick(now, printer_);
  bytes_ += frame.bytes.size();
  const size_t room = std::min(kDiagnosedBytesMax - beginning_.size(), frame.bytes.size());
  beginning_.insert(beginning_.end(), frame.bytes.begin(), frame.bytes.begin() + static_cast<ptrdiff_t>(room));
  session->Receive(frame.bytes, now, printer_);
}

int Decoding::Conclude() {
  std::fflush(stdout);
  std::string summary = fmt::format("{} bytes: {} frames accepted", bytes_, printer_.accepted());
  for (const auto& [reason, count] : printer_.problems()) summary += fmt::format(", {} {}", count, reason);
  if (bad_lines_ > 0) summary += fmt::format(", {} places that are no input", bad_lines_);
  fmt::print(stderr, "{}\n", summary);
  if (printer_.accepted() > 0 && !read_failed_) return kExitOk;
  if (printer_.accepted() == 0 && bytes_ > 0) {
    const Diagnosis diagnosis = Diagnose(beginning_, settings_);
    fmt::print(stderr, "{}{}{}\n", diagnosis.says, diagnosis.advice.empty() ? "" : "; ", diagnosis.advice);
  }
  return kExitProblems;
}

}  // namespace

int RunDecode(const DecodeOptions& options) {
  std::string error;
  const auto p1 = MakeP1Config(options.p1, &error);
  if (!p1) {
    fmt::print(stderr, "vesta decode: {}\n", error);
    return kExitWrongUsage;
  }
  hub::SourceConfig settings;
  settings.protocol = options.protocol;
  settings.p1 = *p1;
  settings.medibus.passive = true;  // nobody is asked anything
  const int fd = options.file == "-" ? STDIN_FILENO : open(options.file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    fmt::print(stderr, "vesta decode: cannot open {}: {}\n", options.file, std::strerror(errno));
    return kExitCannotStart;
  }
  const int code = Decoding(options, std::move(settings)).Run(fd);
  if (fd != STDIN_FILENO) close(fd);
  return code;
}

}  // namespace vesta::app
