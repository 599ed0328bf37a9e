// A simulated boat's adverts as a feed of datagrams (protocols/ble_advert.h), as a relay would send them.
#pragma once

#include <string>

#include "simulators/feed.h"
#include "simulators/victron_boat.h"

namespace vesta::simulators {

class VictronFeed final : public Feed {
 public:
  // count: adverts; 0 = no end.
  explicit VictronFeed(const VictronBoatOptions& options, uint64_t count = 0)
      : boat_(options), count_(count), next_(boat_.NextAdvert()) {}

  std::optional<UtcUs> next_us() const override {
    if (count_ != 0 && given_ >= count_) return std::nullopt;
    return next_.at_us;
  }
  std::string Next() override {
    std::string datagram(next_.datagram.begin(), next_.datagram.end());
    next_ = boat_.NextAdvert();
    ++given_;
    return datagram;
  }

 private:
  VictronBoat boat_;
  const uint64_t count_;
  uint64_t given_ = 0;
  SimulatedAdvert next_;
};

}  // namespace vesta::simulators
