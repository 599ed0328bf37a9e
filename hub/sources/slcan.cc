#include "hub/sources/slcan.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <vector>

#include "hub/sources/reconnecting.h"
#include "hub/sources/serial_port.h"
#include "protocols/slcan/error_frame.h"
#include "protocols/slcan/slcan.h"

namespace vesta::hub {
namespace {

constexpr size_t kReadBytes = 4096;
// Commands and frames that wait for a slow adapter; what comes beyond waits in the session.
constexpr size_t kMaxOutgoing = 256;
constexpr uint32_t kDefaultSilence_s = 60;
// An adapter's texts (version, serial number) go to a log and a page.
constexpr size_t kMaxAdapterText = 32;

std::string Printable(std::string_view text) {
  std::string clean;
  for (const char c : text.substr(0, kMaxAdapterText)) clean += c >= ' ' && c < 0x7F ? c : '?';
  return clean;
}

class SlcanCore final : public Reconnecting, private slcan::EventSink {
 public:
  SlcanCore(boost::asio::io_context& io, const SourceConfig& config, Line& line, const StreamTiming& timing,
            const SlcanTiming& slcan)
      : Reconnecting(io, config, line, timing), slcan_(slcan), port_(io), answer_(io), look_(io) {}

 private:
  using Clock = std::chrono::steady_clock;
  using Error = boost::system::error_code;

  void Open() override {
    const auto sequence = slcan::OpenSequence(config().bitrate, config().listen_only);
    if (!sequence) return Failed(fmt::format("slcan has no code for {} bits a second", config().bitrate));
    const tl::expected<OpenedPort, SerialError> opened = OpenSerialPort(config().port, config().baud, "8N1");
    if (!opened) {
      const SerialError& error = opened.error();
      return error.missing ? Missing(error.what, error.hint) : Lost(error.what, error.hint, false);
    }
    path_ = opened->path;
    line().health().where = path_ == config().port ? path_ : fmt::format("{} ({})", config().port, path_);
    if (!opened->doubt.empty()) spdlog::warn("source {}: {}", config().name, opened->doubt);
    ++generation_;
    port_.assign(opened->fd);
    receiver_.Reset();
    outgoing_.clear();
    writing_ = open_ = answers_ = false;
    asks_flags_ = true;
    frames_ = 0;
    steps_.clear();
    // A lone return ends whatever half line the adapter still holds.
    steps_.push_back("\r");
    for (std::string_view rest = *sequence; !rest.empty();) {
      const size_t end = rest.find('\r') + 1;
      steps_.emplace_back(rest.substr(0, end));
      if (steps_.back() == slcan::kCloseCommand) steps_.emplace_back(slcan::kVersionCommand);
      rest.remove_prefix(end);
    }
    step_ = 0;
    Read();
    NextStep();
  }

  void Release() override {
    ++generation_;
    answer_.cancel();
    look_.cancel();
    if (!port_.is_open()) return;
    // An adapter that stays open would fill its buffer; when it is gone already, nothing is lost.
    [[maybe_unused]] const ssize_t written =
        write(port_.native_handle(), slcan::kCloseCommand.data(), slcan::kCloseCommand.size());
    Error ignored;
    port_.close(ignored);
  }

  // Handlers of an opening that is over find another number and do nothing.
  template <typename Call>
  auto Guarded(Call call) {
    return [self = std::static_pointer_cast<SlcanCore>(shared_from_this()), generation = generation_, call](
               const Error& error, auto... more) {
      if (generation == self->generation_) call(*self, error, more...);
    };
  }

  void Read() {
    port_.async_read_some(boost::asio::buffer(received_), Guarded([](SlcanCore& self, const Error& error,
                                                                     size_t count) { self.OnRead(error, count); }));
  }

  void OnRead(const Error& error, size_t count) {
    const uint64_t generation = generation_;
    if (count > 0) receiver_.Receive({received_.data(), count}, *this);
    if (generation != generation_) return;
    if (error) return Ended(error);
    Read();
  }

  void Ended(const Error& error) {
    const bool unplugged =
        error == boost::asio::error::eof || error.value() == EIO || error.value() == ENXIO || error.value() == ENODEV;
    Lost(unplugged ? fmt::format("{} went away (unplugged?)", path_) : fmt::format("{}: {}", path_, error.message()),
         "", frames_ > 0);
  }

  void Send(std::string_view text) {
    outgoing_ += text;
    Write();
  }

  void Write() {
    if (writing_ || outgoing_.empty()) return;
    writing_ = true;
    sending_.assign(outgoing_.begin(), outgoing_.end());
    port_.async_write_some(boost::asio::buffer(sending_),
                           Guarded([](SlcanCore& self, const Error& error, size_t count) {
                             self.writing_ = false;
                             self.outgoing_.erase(0, count);
                             if (error) return self.Ended(error);
                             self.SendWanted();
                             self.Write();
                           }));
  }

  void NextStep() {
    if (step_ == steps_.size()) return Opened();
    Send(steps_[step_]);
    answer_.expires_after(std::chrono::microseconds(slcan_.answer_us));
    // An answer may have come while this was on its way.
    answer_.async_wait(Guarded([step = step_](SlcanCore& self, const Error& error) {
      if (!error && !self.open_ && step == self.step_) self.StepDone();
    }));
  }

  void StepDone() {
    ++step_;
    NextStep();
  }

  void Opened() {
    open_ = true;
    if (!config().listen_only) {
      line().WhenToSend([weak = std::weak_ptr(std::static_pointer_cast<SlcanCore>(shared_from_this()))] {
        if (const auto self = weak.lock()) self->SendWanted();
      });
    }
    last_frame_ = last_flags_ = Clock::now();
    const uint64_t generation = generation_;
    Established();
    if (generation != generation_) return;
    if (!answers_) {
      line().health().hint = "the adapter answers no command; that is well as long as frames come";
    }
    Look();
    SendWanted();
  }

  void Look() {
    look_.expires_after(std::chrono::microseconds(slcan_.look_us));
    look_.async_wait(Guarded([](SlcanCore& self, const Error& error) {
      if (!error) self.OnLook();
    }));
  }

  void OnLook() {
    const uint32_t configured_s = config().silence_timeout_s == 0 ? kDefaultSilence_s : config().silence_timeout_s;
    const auto silence = slcan_.silence_us > 0 ? std::chrono::microseconds(slcan_.silence_us)
                                               : std::chrono::microseconds(configured_s * kUsPerSecond);
    if (frames_ > 0 && Clock::now() - last_frame_ >= silence) {
      return Lost(fmt::format("no frame came for {} s; the adapter is opened anew",
                              std::chrono::duration_cast<std::chrono::seconds>(silence).count()),
                  "does the adapter hang? unplug it and plug it in again; is the bus switched off?", true);
    }
    if (answers_ && asks_flags_ && Clock::now() - last_flags_ >= std::chrono::microseconds(slcan_.flags_us)) {
      last_flags_ = Clock::now();
      waits_for_flags_ = true;
      Send(slcan::kFlagsCommand);
    }
    Look();
  }

  void SendWanted() {
    if (config().listen_only || !open_ || !port_.is_open()) return;
    while (outgoing_.size() <= kMaxOutgoing) {
      const Bytes wanted = line().ToSend();
      if (wanted.empty()) return;
      std::array<char, slcan::kMaxFrameText> text;
      const std::optional<can::Frame> frame = can::ReadFrame(wanted);
      line().Sent(wanted.size());
      if (frame) Send({text.data(), slcan::FormatFrame(*frame, text.data())});
    }
  }

  void OnEvent(const slcan::Event& event) override {
    const uint64_t generation = generation_;
    switch (event.kind) {
      case slcan::EventKind::kFrame:
        Deliver(event.frame);
        break;
      case slcan::EventKind::kBusError:
      case slcan::EventKind::kBusState:
        if (open_) Deliver(*slcan::ErrorFrame(event));
        break;
      case slcan::EventKind::kAccepted:
        answers_ = true;
        if (!open_) StepDone();
        break;
      case slcan::EventKind::kRefused:
        answers_ = true;
        OnRefused();
        break;
      case slcan::EventKind::kVersion:
      case slcan::EventKind::kVersionText:
        answers_ = true;
        spdlog::info("source {}: adapter version {}", config().name, Printable(event.text));
        if (!open_) StepDone();
        break;
      case slcan::EventKind::kStatusFlags:
        OnFlags(event.flags);
        break;
      case slcan::EventKind::kSerial:
      case slcan::EventKind::kSent:
        break;
      case slcan::EventKind::kDiscard:
        // What an adapter that was open had half sent is no fault of the line.
        if (open_) ++line().health().frames_discarded[fmt::format("slcan_{}", event.reason)];
        break;
    }
    if (generation != generation_) receiver_.Reset();
  }

  void OnRefused() {
    if (open_) {
      if (waits_for_flags_) asks_flags_ = false;  // firmware without this command
      waits_for_flags_ = false;
      return;
    }
    const std::string& step = steps_[step_];
    if (step[0] == 'S') {
      return Lost(fmt::format("the adapter refused the bit rate {}", config().bitrate), "is another program using it?",
                  false);
    }
    if (step[0] == 'L') {
      return Lost("the adapter refused to listen only",
                  "its firmware may not know how; \"listen_only\": false opens it as a member of the bus that "
                  "acknowledges frames, and still sends none",
                  false);
    }
    if (step[0] == 'O') return Lost("the adapter refused to open the channel", "", false);
    StepDone();  // closed already, or no version to tell
  }

  void OnFlags(uint8_t flags) {
    waits_for_flags_ = false;
    if (flags == flags_) return;
    flags_ = flags;
    // The meaning of the bits differs by maker: they are shown as they are.
    if (flags != 0) {
      line().health().hint = fmt::format("the adapter reports status flags 0x{:02X}", flags);
      spdlog::warn("source {}: {}", config().name, line().health().hint);
    } else {
      line().health().hint.clear();
    }
  }

  void Deliver(const can::Frame& frame) {
    if (!open_) return;  // of an adapter that was left open, before it was closed
    if (!frame.is_error) {
      ++frames_;
      last_frame_ = Clock::now();
    }
    std::array<uint8_t, can::kMaxFrameSize> bytes;
    line().Received({bytes.data(), can::WriteFrame(frame, bytes)});
    SendWanted();
  }

  const SlcanTiming slcan_;
  boost::asio::posix::stream_descriptor port_;
  boost::asio::steady_timer answer_;
  boost::asio::steady_timer look_;
  slcan::Receiver receiver_;
  std::array<uint8_t, kReadBytes> received_{};
  std::string outgoing_;
  std::vector<char> sending_;
  std::vector<std::string> steps_;
  size_t step_ = 0;
  uint64_t generation_ = 0;
  bool writing_ = false;
  bool open_ = false;
  bool answers_ = false;  // any command
  bool asks_flags_ = true;
  bool waits_for_flags_ = false;
  uint8_t flags_ = 0;
  uint64_t frames_ = 0;  // since it was opened
  Clock::time_point last_frame_;
  Clock::time_point last_flags_;
  std::string path_;
};

}  // namespace

std::unique_ptr<Source> MakeSlcanSource(boost::asio::io_context& io, const SourceConfig& config, Line& line,
                                        const StreamTiming& timing, const SlcanTiming& slcan) {
  return MakeHeldSource(std::make_shared<SlcanCore>(io, config, line, timing, slcan));
}

}  // namespace vesta::hub
