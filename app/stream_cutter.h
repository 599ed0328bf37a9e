// Cuts a stream of bytes into pieces where a session saw frames end, so that a capture holds a frame a line and yet
// every byte that came, noise included.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "model/session.h"

namespace vesta::app {

class StreamCutter final : private SessionEvents {
 public:
  // `piece` gets each piece with the time at which its last byte came; `frame` says whether a frame ends it.
  StreamCutter(std::unique_ptr<Session> session, std::function<void(Bytes piece, UtcUs time_us, bool frame)> piece);

  void Receive(Bytes bytes, const Now& now);
  // Pauses: to be called now and then; hands on what no frame will claim any more.
  void Tick(const Now& now);
  // Hands on the rest.
  void Finish(const Now& now);

  uint64_t accepted() const { return accepted_; }

 private:
  void OnDevice(uint16_t, const DeviceInfo&) override {}
  void OnFrame(const FrameEvent& frame) override;
  void HandOn(const Now& now);
  void HandOnAll();

  std::unique_ptr<Session> session_;
  std::function<void(Bytes, UtcUs, bool)> piece_;
  std::vector<uint8_t> pending_;
  uint64_t pending_offset_ = 0;  // of pending_[0] in the stream
  std::vector<uint64_t> ends_;   // of frames inside pending_
  int64_t last_byte_us_ = 0;     // monotonic
  UtcUs last_byte_utc_us_ = 0;
  uint64_t accepted_ = 0;
};

}  // namespace vesta::app
