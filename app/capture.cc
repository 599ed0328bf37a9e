#include "app/capture.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

#include "app/exit_code.h"
#include "app/line_setting.h"
#include "app/listening_line.h"
#include "app/source_address.h"
#include "app/stream_cutter.h"
#include "hub/clock/clock.h"
#include "hub/intake/make_session.h"
#include "hub/sources/capture_file.h"
#include "hub/sources/source.h"

namespace vesta::app {
namespace {

constexpr auto kTickEvery = std::chrono::milliseconds(200);

class Capturing {
 public:
  Capturing(const CaptureOptions& options, const hub::SourceConfig& config, int fd)
      : options_(options),
        fd_(fd),
        can_(config.protocol == "masterbus"),
        cutter_(hub::MakeSession(config),
                [this](Bytes piece, UtcUs time_us, bool frame) { Write(piece, time_us, frame); }),
        line_([this](Bytes bytes) { Hear(bytes); }),
        source_(hub::MakeSource(io_, config, line_)),
        tick_(io_),
        limit_(io_) {}

  int Run();

 private:
  // A CAN frame comes whole; a stream has to be cut.
  void Hear(Bytes bytes) {
    if (can_) {
      Write(bytes, clock_.Read().utc_us, true);
    } else {
      cutter_.Receive(bytes, clock_.Read());
    }
  }
  bool AsCandump() const { return can_ && options_.out.ends_with(".log"); }
  std::string Text(Bytes piece, UtcUs time_us) const {
    const std::string name = options_.source.substr(0, hub::kMaxCaptureTextBytes);
    if (!AsCandump()) return hub::FormatCaptureFrame(time_us, name, piece);
    const size_t colon = name.find_last_of(":/");
    return hub::FormatCandumpFrame(time_us, name.substr(colon == std::string::npos ? 0 : colon + 1), piece);
  }
  void Write(Bytes piece, UtcUs time_us, bool frame);
  void Put(const std::string& text);
  void Tick();

  const CaptureOptions& options_;
  int fd_;
  hub::SystemClock clock_;
  boost::asio::io_context io_;
  const bool can_;
  StreamCutter cutter_;
  ListeningLine line_;
  std::unique_ptr<hub::Source> source_;
  boost::asio::steady_timer tick_;
  boost::asio::steady_timer limit_;
  uint64_t written_ = 0;
  uint64_t frames_ = 0;
  uint64_t heard_ = 0;
  bool write_failed_ = false;
};

void Capturing::Put(const std::string& text) {
  size_t done = 0;
  while (done < text.size() && !write_failed_) {
    const ssize_t count = write(fd_, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      fmt::print(stderr, "vesta capture: cannot write {}: {}\n", options_.out, std::strerror(errno));
      write_failed_ = true;
      io_.stop();
      return;
    }
    done += static_cast<size_t>(count);
  }
  written_ += done;
}

void Capturing::Write(Bytes piece, UtcUs time_us, bool frame) {
  constexpr uint64_t kMegabyte = 1000000;
  const bool full = written_ >= options_.megabytes_max * kMegabyte;
  const bool enough = options_.frames != 0 && frames_ >= options_.frames;
  if (full || enough || write_failed_) return;
  heard_ += piece.size();
  if (frame) ++frames_;
  Put(Text(piece, time_us));
  if (written_ >= options_.megabytes_max * kMegabyte) {
    fmt::print(stderr, "vesta capture: {} MB are full\n", options_.megabytes_max);
    io_.stop();
  }
  if (options_.frames != 0 && frames_ >= options_.frames) io_.stop();
}

void Capturing::Tick() {
  cutter_.Tick(clock_.Read());
  tick_.expires_after(kTickEvery);
  tick_.async_wait([this](const boost::system::error_code& failed) {
    if (!failed) Tick();
  });
}

int Capturing::Run() {
  line_.changed = [this](std::string_view why, bool failed) {
    if (!why.empty()) fmt::print(stderr, "{}: {}{}\n", options_.source, why, failed ? "" : "; trying again");
    if (failed) io_.stop();
  };
  boost::asio::signal_set signals(io_, SIGINT, SIGTERM);
  signals.async_wait([this](const boost::system::error_code& failed, int) {
    if (!failed) io_.stop();
  });
  if (options_.seconds > 0) {
    limit_.expires_after(std::chrono::microseconds(static_cast<int64_t>(options_.seconds * 1e6)));
    limit_.async_wait([this](const boost::system::error_code& failed) {
      if (!failed) io_.stop();
    });
  }
  if (!AsCandump()) Put(hub::FormatCaptureHeader());
  Tick();
  source_->Start();
  io_.run();
  source_->Stop();
  cutter_.Finish(clock_.Read());
  const std::string understood = can_ ? "" : fmt::format(" ({} understood)", cutter_.accepted());
  fmt::print(stderr, "{} bytes heard, {} frames{}, {} bytes written\n", heard_, frames_, understood, written_);
  if (write_failed_) return kExitProblems;
  if (!line_.ever_opened()) return kExitCannotStart;
  return heard_ > 0 ? kExitOk : kExitProblems;
}

}  // namespace

int RunCapture(const CaptureOptions& options) {
  std::string error;
  std::optional<hub::SourceConfig> config = ParseSource(options.source, &error);
  if (!config) {
    fmt::print(stderr, "vesta capture: {}\n", error);
    return kExitWrongUsage;
  }
  if (config->protocol == "p1") config->protocol = options.protocol;
  const LineSetting& usual = LineSettingsOf(options.protocol).front();
  config->baud = options.baud != 0 ? options.baud : usual.baud;
  config->framing = !options.framing.empty() ? options.framing : usual.framing;
  config->medibus.passive = true;  // a capture only listens
  std::signal(SIGPIPE, SIG_IGN);
  // Only for the user: the file says when somebody is at home. An earlier capture is not written over.
  const int fd =
      options.out == "-" ? STDOUT_FILENO : open(options.out.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) {
    fmt::print(stderr, "vesta capture: cannot make {}: {}\n", options.out, std::strerror(errno));
    return kExitCannotStart;
  }
  int code = Capturing(options, *config, fd).Run();
  if (fd != STDOUT_FILENO && (fsync(fd) != 0 || close(fd) != 0)) code = kExitProblems;
  return code;
}

}  // namespace vesta::app
