// The node's radio on a Wi-Fi interface in monitor mode: ESP-NOW frames to and from the hub's radio, over the air.
//
// The node's address is that of the interface, and is known once it was open. An interface that is not there, goes down
// or goes away is looked for again, at most every second. Needs CAP_NET_RAW, and CAP_NET_ADMIN to set the channel. A
// plain monitor interface acknowledges nothing to the sender's radio: that costs air time and no reading.
#pragma once

#include <array>
#include <string>

#include "linux_radio/monitor_socket.h"
#include "linux_radio/wifi_control.h"
#include "node/ports/radio.h"
#include "protocols/link/random_source.h"

namespace vesta::node_linux {

// An adapter on USB takes some tens of milliseconds to change its channel, and frames pass through two kernels.
inline constexpr int64_t kWifiDwell_us = 150000;

class WifiRadio final : public node::Radio {
 public:
  WifiRadio(std::string interface_name, link::RandomSource& random)
      : interface_name_(std::move(interface_name)), random_(random) {}
  ~WifiRadio() override { Close(); }
  WifiRadio(const WifiRadio&) = delete;
  WifiRadio& operator=(const WifiRadio&) = delete;

  // True: it is open.
  bool Open();
  link::Address address() const override { return address_; }
  void Tune(uint8_t channel) override;
  bool Send(const link::Address& to, link::Bytes body) override;
  bool Next(node::RadioFrame* out) override;
  uint32_t dropped() const override { return dropped_; }
  int64_t dwell_us() const override { return kWifiDwell_us; }

  int fd() const { return socket_.fd; }
  // Why it does not work; "" when it does.
  const std::string& problem() const { return problem_; }

 private:
  static constexpr size_t kMaxCaptured = 4096;  // radiotap and the longest frame

  void Close();
  void Fail(const std::string& what);

  const std::string interface_name_;
  link::RandomSource& random_;
  linux_radio::MonitorSocket socket_;
  linux_radio::WifiControl control_;
  link::Address address_ = {};
  uint8_t channel_ = 0;    // that the node wants; 0 = none yet
  bool is_tuned_ = false;  // to it
  uint16_t sequence_ = 0;
  uint32_t dropped_ = 0;  // not for this node, or not to be read
  int64_t next_open_ms_ = 0;
  std::string problem_;
  std::array<uint8_t, kMaxCaptured> captured_ = {};
};

}  // namespace vesta::node_linux
