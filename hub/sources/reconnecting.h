// The life of a source that opens something, loses it and opens it again, for ever.
//
// A subclass opens in Open() and answers by Established() or Lost(); everything else (states, back-off, start and stop)
// stands here. It lives in a shared_ptr, since pending handlers hold it; MakeHeldSource wraps it for the outside.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <utility>

#include "hub/sources/back_off.h"
#include "hub/sources/source.h"
#include "hub/sources/timing.h"

namespace vesta::hub {

class Reconnecting : public std::enable_shared_from_this<Reconnecting> {
 public:
  virtual ~Reconnecting() = default;

  void Start();
  void Stop();

 protected:
  Reconnecting(boost::asio::io_context& io, SourceConfig config, Line& line, const StreamTiming& timing);

  // Tries once; anything but the answer below must wait for a handler.
  virtual void Open() = 0;
  // Closes what is open or being opened; may be called when nothing is.
  virtual void Release() = 0;

  // Bytes can flow now.
  void Established();
  // It could not be opened or is gone; `data_flowed` since it was opened. Tries again after the back-off.
  void Lost(const std::string& why, const std::string& hint, bool data_flowed);
  // The same, for something that is cheap to look for.
  void Missing(const std::string& why, const std::string& hint);
  // It can't work until the configuration changes.
  void Failed(const std::string& why);

  // Bytes or not: how long this source may be silent now.
  std::chrono::microseconds SilenceLimit() const;
  // "after 60 s of silence"
  std::string SilenceWords() const;

  boost::asio::io_context& io() { return io_; }
  const SourceConfig& config() const { return config_; }
  const StreamTiming& timing() const { return timing_; }
  Line& line() { return line_; }
  bool stopped() const { return stopped_; }

 private:
  void Try();
  void TryAfter(std::chrono::microseconds wait);

  boost::asio::io_context& io_;
  SourceConfig config_;
  Line& line_;
  StreamTiming timing_;
  BackOff back_off_;
  boost::asio::steady_timer retry_;
  bool started_ = false;
  bool stopped_ = false;
};

// The Source that stops its core when it is destroyed.
std::unique_ptr<Source> MakeHeldSource(std::shared_ptr<Reconnecting> core);

}  // namespace vesta::hub
