// A Line that only listens: what the commands hang behind an ordinary source, without journal and devices.
#pragma once

#include <functional>
#include <string>

#include "hub/intake/line.h"

namespace vesta::app {

class ListeningLine final : public hub::Line {
 public:
  explicit ListeningLine(std::function<void(Bytes)> heard) : heard_(std::move(heard)) {}

  void Opening() override {}
  void Opened() override;
  void Received(Bytes bytes) override { heard_(bytes); }
  void ReceivedAt(Bytes bytes, const Now&) override { heard_(bytes); }
  void Closed(std::string_view why, bool failed) override;
  void Finished(std::string_view what) override { Closed(what, false); }
  Bytes ToSend() override { return {}; }
  void Sent(size_t) override {}
  hub::SourceHealth& health() override { return health_; }

  // Called when the transport opens, and when it is gone; why is "" when it opens.
  std::function<void(std::string_view why, bool failed)> changed;
  bool ever_opened() const { return ever_opened_; }
  const std::string& last_error() const { return last_error_; }

 private:
  std::function<void(Bytes)> heard_;
  hub::SourceHealth health_;
  bool ever_opened_ = false;
  std::string last_error_;
};

}  // namespace vesta::app
