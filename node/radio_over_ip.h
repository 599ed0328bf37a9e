// A radio that is no radio: ESP-NOW frames in datagrams to one gateway (docs/formats/udp-air.md), for nodes on a wire.
#pragma once

#include "node/ports/ip_link.h"
#include "node/ports/radio.h"
#include "protocols/espnow/udp_air.h"
#include "protocols/link/random_source.h"

namespace vesta::node {

class RadioOverIp final : public Radio {
 public:
  RadioOverIp(IpLink& link, const Address& address, link::RandomSource& random)
      : link_(link), address_(address), random_(random) {}

  Address address() const override { return address_; }
  void Tune(uint8_t channel) override { channel_ = channel == 0 ? channel_ : channel; }
  bool Send(const Address& to, Bytes body) override;
  bool Next(RadioFrame* out) override;
  uint32_t dropped() const override { return dropped_; }

 private:
  IpLink& link_;
  const Address address_;
  link::RandomSource& random_;
  uint8_t channel_ = 1;
  uint16_t sequence_ = 0;
  uint32_t dropped_ = 0;  // not of the format, not for this node, on another channel
};

}  // namespace vesta::node
