// An ESP32 on a serial port as the radio of a node network: docs/formats/radio-serial.md.
#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <deque>
#include <map>
#include <vector>

#include "hub/sources/nodes.h"
#include "hub/sources/reconnecting.h"
#include "hub/sources/serial_port.h"
#include "protocols/espnow/udp_air.h"
#include "protocols/radio_serial/frame.h"

namespace vesta::hub {
namespace {

namespace radio = radio_serial;
using std::chrono::microseconds;

// The radio says something at least every two seconds; a hello is repeated until it answers.
constexpr int64_t kHello_us = 1 * kUsPerSecond;
constexpr int64_t kSilence_us = 10 * kUsPerSecond;
// A radio that never says what became of a frame must not stop the rest.
constexpr int64_t kAnswer_us = 2 * kUsPerSecond;
constexpr size_t kPortReadBytes = 4096;
constexpr size_t kMaxWaitingBytes = 64 * 1024;

class SerialRadio final : public Reconnecting {
 public:
  SerialRadio(boost::asio::io_context& io, const SourceConfig& config, Line& line, SetAir set_air,
              const StreamTiming& timing)
      : Reconnecting(io, config, line, timing), port_(io), timer_(io), set_air_(std::move(set_air)) {}

 private:
  std::shared_ptr<SerialRadio> Self() { return std::static_pointer_cast<SerialRadio>(shared_from_this()); }

  static int64_t NowUs() {
    return std::chrono::duration_cast<microseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }

  void Open() override {
    const auto opened = OpenSerialPort(config().radio_port, config().radio_baud, "8N1");
    if (!opened) {
      const SerialError& error = opened.error();
      return error.missing ? Missing(error.what, error.hint) : Lost(error.what, error.hint, false);
    }
    port_.assign(opened->fd);
    path_ = opened->path;
    line().health().where = path_;
    reader_.Reset();
    waiting_.clear();
    waiting_bytes_ = 0;
    on_way_.clear();
    is_welcome_ = false;
    is_writing_ = false;
    heard_us_ = NowUs();
    ++generation_;
    line().WhenToSend([weak = std::weak_ptr(Self())] {
      if (const auto self = weak.lock()) self->SendFrames();
    });
    Hello();
    ReadSome();
    Watch();
  }

  void Release() override {
    ++generation_;
    timer_.cancel();
    boost::system::error_code ignored;
    if (port_.is_open()) port_.close(ignored);
  }

  void ReadSome() {
    port_.async_read_some(boost::asio::buffer(chunk_), [self = Self(), generation = generation_](
                                                           const boost::system::error_code& error, size_t size) {
      if (generation != self->generation_) return;
      if (error) return self->Gone(fmt::format("{} went away ({})", self->path_, error.message()));
      for (size_t i = 0; i < size && generation == self->generation_; ++i) {
        radio::Message message;
        if (self->reader_.Take(self->chunk_[i], &message)) self->Take(message);
      }
      if (generation != self->generation_) return;
      auto& counters = self->line().health().counters;
      counters["radio_bad_messages"] = self->reader_.bad();
      counters["radio_lost_messages"] = self->reader_.lost();
      self->SendFrames();
      self->ReadSome();
    });
  }

  void Gone(const std::string& why) { Lost(why, "", is_welcome_); }

  void Hello() { Queue(radio::WriteHello(sequence_++, buffer_)); }

  void Take(const radio::Message& message) {
    heard_us_ = NowUs();
    radio::Welcome welcome;
    radio::Sent sent;
    radio::Status status;
    radio::Received received;
    if (radio::Read(message, &welcome)) return TakeWelcome(welcome);
    if (!is_welcome_) return;
    if (radio::Read(message, &sent)) {
      on_way_.erase(sent.id);
      if (sent.result != radio::SendResult::kAcknowledged) {
        constexpr const char* kNames[] = {"", "radio_not_acknowledged", "radio_full", "radio_refused"};
        ++line().health().counters[kNames[static_cast<size_t>(sent.result)]];
      }
    } else if (radio::Read(message, &status)) {
      line().health().counters["radio_dropped"] = status.dropped;
      if (status.channel != channel_) SetChannel(status.channel);
    } else if (radio::Read(message, &received)) {
      espnow::SendOptions options;
      options.receiver = received.to;
      options.sender = received.from;
      options.version = received.body.size() > espnow::kMaxBody1 ? 2 : 1;
      const size_t size = espnow::WriteUdpAir(options, received.channel, received.rssi_dbm, received.body, air_);
      if (size != 0) line().Received({air_.data(), size});
    } else {
      ++line().health().counters["radio_unknown_messages"];
    }
  }

  void TakeWelcome(const radio::Welcome& welcome) {
    if (welcome.version != radio::kVersion) {
      return Failed(fmt::format("the radio on {} speaks version {} of its protocol, the hub version {}: update one",
                                path_, welcome.version, radio::kVersion));
    }
    window_ = welcome.window;
    address_ = welcome.address;
    max_body_ = welcome.max_body;
    if (config().channel != 0 && welcome.channel != config().channel) {
      Queue(radio::WriteSetChannel(sequence_++, config().channel, buffer_));
    }
    SetChannel(welcome.channel);
    if (std::exchange(is_welcome_, true)) {
      on_way_.clear();  // it was restarted
      return;
    }
    Established();
  }

  // Nodes are told the channel that the radio is on, never the one that was asked for.
  void SetChannel(uint8_t channel) {
    channel_ = channel;
    if (set_air_) set_air_(address_, channel);
  }

  void SendFrames() {
    if (!is_welcome_) return;
    for (Bytes datagram = line().ToSend(); !datagram.empty() && on_way_.size() < window_; datagram = line().ToSend()) {
      espnow::Packet packet;
      if (espnow::ReadUdpAir(datagram, &packet)) {
        std::array<uint8_t, espnow::kMaxBody2> body;
        const Bytes content = espnow::JoinBody(packet, body);
        const uint16_t id = next_id_++;
        if (content.size() > max_body_) {
          ++line().health().counters["radio_too_long"];
        } else {
          on_way_[id] = NowUs();
          Queue(radio::Write(sequence_++, radio::Send{id, packet.receiver, content}, buffer_));
        }
      }
      line().Sent(datagram.size());
    }
  }

  void Queue(size_t size) {
    if (size == 0 || waiting_bytes_ + size > kMaxWaitingBytes) {
      if (size != 0) ++line().health().counters["radio_line_full"];
      return;
    }
    waiting_.emplace_back(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(size));
    waiting_bytes_ += size;
    WriteSome();
  }

  void WriteSome() {
    if (is_writing_ || waiting_.empty()) return;
    is_writing_ = true;
    boost::asio::async_write(port_, boost::asio::buffer(waiting_.front()),
                             [self = Self(), generation = generation_](const boost::system::error_code& error, size_t) {
                               if (generation != self->generation_) return;
                               self->is_writing_ = false;
                               if (error) return self->Gone(fmt::format("{}: {}", self->path_, error.message()));
                               self->waiting_bytes_ -= self->waiting_.front().size();
                               self->waiting_.pop_front();
                               self->WriteSome();
                             });
  }

  void Watch() {
    timer_.expires_after(microseconds(kHello_us));
    timer_.async_wait([self = Self(), generation = generation_](const boost::system::error_code& error) {
      if (error || generation != self->generation_) return;
      const int64_t now_us = NowUs();
      if (now_us - self->heard_us_ > kSilence_us) {
        return self->Lost(fmt::format("nothing that is a radio answers on {}", self->path_),
                          "is the radio firmware on it, and is radio_baud right?", self->is_welcome_);
      }
      if (!self->is_welcome_) self->Hello();
      std::erase_if(self->on_way_, [&](const auto& one) {
        if (now_us - one.second < kAnswer_us) return false;
        ++self->line().health().counters["radio_no_answer"];
        return true;
      });
      self->SendFrames();
      self->Watch();
    });
  }

  boost::asio::posix::stream_descriptor port_;
  boost::asio::steady_timer timer_;
  const SetAir set_air_;
  std::string path_;
  uint64_t generation_ = 0;
  radio::Reader reader_;
  std::array<uint8_t, kPortReadBytes> chunk_{};
  std::array<uint8_t, radio::kMaxOnWire> buffer_{};
  std::array<uint8_t, espnow::kMaxUdpAirSize> air_{};
  std::deque<std::vector<uint8_t>> waiting_;
  size_t waiting_bytes_ = 0;
  bool is_writing_ = false;
  bool is_welcome_ = false;
  AirAddress address_{};
  uint8_t channel_ = 0;
  uint8_t window_ = 1;
  uint16_t max_body_ = 250;
  uint8_t sequence_ = 0;
  uint16_t next_id_ = 0;
  std::map<uint16_t, int64_t> on_way_;  // Send messages that the radio has not answered
  int64_t heard_us_ = 0;
};

}  // namespace

std::unique_ptr<Source> MakeSerialRadio(boost::asio::io_context& io, const SourceConfig& config, Line& line,
                                        SetAir set_air, const StreamTiming& timing) {
  return MakeHeldSource(std::make_shared<SerialRadio>(io, config, line, std::move(set_air), timing));
}

}  // namespace vesta::hub
