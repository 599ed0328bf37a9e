// Datagrams to the gateway over a UDP socket that is connected to it, so that the kernel passes nothing from anybody
// else. The gateway's name is looked up when the socket is opened; after an error it is opened anew, at most every five
// seconds.
#pragma once

#include <array>
#include <string>

#include "node/ports/ip_link.h"
#include "protocols/espnow/udp_air.h"

namespace vesta::node_linux {

class UdpLink final : public node::IpLink {
 public:
  UdpLink(std::string host, uint16_t port, bool exposed) : host_(std::move(host)), port_(port), exposed_(exposed) {}
  ~UdpLink() override { Close(); }
  UdpLink(const UdpLink&) = delete;
  UdpLink& operator=(const UdpLink&) = delete;

  bool Send(std::span<const uint8_t> datagram) override;
  std::span<const uint8_t> Next() override;
  int fd() const { return fd_; }
  // Why it does not work; "" when it does.
  const std::string& problem() const { return problem_; }

 private:
  bool Open();
  void Close();
  bool Fail(const std::string& what);

  const std::string host_;
  const uint16_t port_;
  const bool exposed_;
  int fd_ = -1;
  int64_t next_open_ms_ = 0;
  std::string problem_;
  // One byte more than any datagram of the format, to know a longer one.
  std::array<uint8_t, espnow::kMaxUdpAirSize + 1> buffer_ = {};
};

}  // namespace vesta::node_linux
