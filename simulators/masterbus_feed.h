// A simulated MasterBus as a feed of bytes: the text of an slcan adapter, UDP datagrams, or lines of a candump log.
#pragma once

#include <string>
#include <string_view>

#include "protocols/can_udp.h"
#include "simulators/feed.h"
#include "simulators/masterbus_bus.h"

namespace vesta::simulators {

enum class BusForm : uint8_t { kSlcan, kUdp, kCandump };

class MasterBusFeed final : public Feed {
 public:
  // count: frames; 0 = no end.
  MasterBusFeed(const MasterBusOptions& options, BusForm form, uint64_t count = 0);

  std::optional<UtcUs> next_us() const override;
  std::string Next() override;

  // What the reader of an slcan adapter sends: commands, and frames for the bus. Returns the adapter's answers. Frames
  // are handed on while the channel is open only, at this time: what devices answer to them may make next_us() earlier.
  std::string Command(std::string_view bytes, UtcUs now_us);
  uint64_t frames() const { return frames_; }

 private:
  std::string Obey(std::string_view line, UtcUs now_us);
  std::string SlcanText(const can::Frame& frame);

  MasterBusBus bus_;
  BusForm form_;
  uint64_t count_;
  uint64_t frames_ = 0;
  uint32_t sequence_ = 0;
  bool open_ = false;
  bool may_send_ = false;
  std::string command_;
};

}  // namespace vesta::simulators
