// What Linux knows of a CAN interface: up or down, bit rate, listen-only, state of its controller, error counters.
//
// Asked over rtnetlink; nothing is changed and no privilege is needed. Facts: linux/can/netlink.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace vesta::hub {

struct CanInterface {
  bool is_can = false;
  bool is_up = false;
  bool is_virtual = false;  // vcan: no bit rate, no controller
  uint32_t bitrate = 0;     // 0: not told
  bool listen_only = false;
  uint32_t restart_ms = 0;  // recovery from bus-off; 0: by hand
  std::string state;        // "active", "warning", "passive", "bus_off", "stopped", "sleeping"; "" not told
  bool has_counters = false;
  uint16_t tx_errors = 0;
  uint16_t rx_errors = 0;
  uint64_t rx_packets = 0;
  uint64_t rx_dropped = 0;
  uint64_t rx_errors_total = 0;
};

// Empty: there is no such interface, or the kernel does not answer.
std::optional<CanInterface> ReadCanInterface(const std::string& name);

// Of one answer of rtnetlink (RTM_NEWLINK), header included. Empty: it is none.
std::optional<CanInterface> ParseLinkMessage(std::span<const uint8_t> message);

// "can0: 250000 bit/s, listen only, active", for people.
std::string DescribeCanInterface(const std::string& name, const CanInterface& facts);

}  // namespace vesta::hub
