// Datagrams to and from one gateway over IP, for nodes on a wire (docs/formats/udp-air.md). Whom they may come from is
// the driver's to check: it hands on only what comes from the gateway it was given.
#pragma once

#include <cstdint>
#include <span>

namespace vesta::node {

class IpLink {
 public:
  virtual ~IpLink() = default;
  virtual bool Send(std::span<const uint8_t> datagram) = 0;
  // The next datagram, valid until the next call; empty when there is none.
  virtual std::span<const uint8_t> Next() = 0;
};

}  // namespace vesta::node
