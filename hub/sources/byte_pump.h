// Moves bytes between an open stream and a Line until the stream ends, falls silent or is closed.
//
// One pump is one connection. It is kept alive by its own pending handlers; after Close() neither the Line nor the
// callback is called any more. The bytes that a session wants to send are looked for when the stream opens, after each
// bytes received and when the Line says that there are some.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hub/intake/line.h"

namespace vesta::hub {

// One read. A telegram comes in a few of these; more would only sit in memory.
inline constexpr size_t kPumpReadBytes = 4096;
// One write; the session keeps the rest.
inline constexpr size_t kPumpWriteBytes = 1024;

template <typename Stream>
class BytePump : public std::enable_shared_from_this<BytePump<Stream>> {
 public:
  using Clock = std::chrono::steady_clock;
  // Silence allowed at this moment; 0 = any. Asked again whenever it might have run out.
  using SilenceLimit = std::function<std::chrono::microseconds()>;
  // Why it ended: end() when the other side closed, timed_out after silence, else what the system said.
  using Ended = std::function<void(const boost::system::error_code&)>;

  BytePump(Stream stream, Line& line, SilenceLimit silence_limit, Ended ended)
      : stream_(std::move(stream)),
        silence_(stream_.get_executor()),
        line_(line),
        silence_limit_(std::move(silence_limit)),
        ended_(std::move(ended)) {}

  void Start() {
    last_byte_ = Clock::now();
    line_.WhenToSend([weak = this->weak_from_this()] {
      if (const auto self = weak.lock()) self->Write();
    });
    Read();
    Write();
    WatchSilence();
  }

  void Close() {
    if (std::exchange(closed_, true)) return;
    boost::system::error_code ignored;
    stream_.close(ignored);
    silence_.cancel();
  }

  bool data_flowed() const { return data_flowed_; }
  Clock::time_point last_byte() const { return last_byte_; }

 private:
  void Read() {
    stream_.async_read_some(
        boost::asio::buffer(received_),
        [self = this->shared_from_this()](const auto& error, size_t count) { self->OnRead(error, count); });
  }

  void OnRead(const boost::system::error_code& error, size_t count) {
    if (closed_) return;
    if (count > 0) {
      last_byte_ = Clock::now();
      data_flowed_ = true;
      line_.Received({received_.data(), count});
    }
    if (closed_) return;  // the Line's owner may have stopped us
    if (error) return End(error);
    Write();
    Read();
  }

  void Write() {
    if (writing_ || closed_) return;
    const Bytes wanted = line_.ToSend();
    if (wanted.empty()) return;
    const Bytes part = wanted.first(std::min(wanted.size(), kPumpWriteBytes));
    sending_.assign(part.begin(), part.end());
    writing_ = true;
    stream_.async_write_some(
        boost::asio::buffer(sending_),
        [self = this->shared_from_this()](const auto& error, size_t count) { self->OnWritten(error, count); });
  }

  void OnWritten(const boost::system::error_code& error, size_t count) {
    writing_ = false;
    if (closed_) return;
    if (count > 0) line_.Sent(count);
    if (closed_) return;
    if (error) return End(error);
    Write();
  }

  void WatchSilence() {
    const std::chrono::microseconds limit = silence_limit_();
    if (limit.count() == 0) return;
    silence_.expires_at(last_byte_ + limit);
    silence_.async_wait([self = this->shared_from_this()](const boost::system::error_code& error) {
      if (error || self->closed_) return;
      if (Clock::now() - self->last_byte_ >= self->silence_limit_()) return self->End(boost::asio::error::timed_out);
      self->WatchSilence();
    });
  }

  void End(const boost::system::error_code& error) {
    Close();
    ended_(error);
  }

  Stream stream_;
  boost::asio::steady_timer silence_;
  Line& line_;
  SilenceLimit silence_limit_;
  Ended ended_;
  std::array<uint8_t, kPumpReadBytes> received_{};
  std::vector<uint8_t> sending_;
  Clock::time_point last_byte_;
  bool writing_ = false;
  bool data_flowed_ = false;
  bool closed_ = false;
};

}  // namespace vesta::hub
