// What the kernel says of Wi-Fi radios, and the channel of a monitor interface, over generic netlink (nl80211).
//
// The socket stays open as long as the object: a node that searches sets a channel every 20 ms. Facts:
// linux/nl80211.h.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace vesta::linux_radio {

class WifiControl {
 public:
  WifiControl();
  ~WifiControl();
  WifiControl(const WifiControl&) = delete;
  WifiControl& operator=(const WifiControl&) = delete;

  // "" when it was done, else why not.
  std::string SetChannel(unsigned interface_index, uint8_t channel);
  // 0: not known, or none of 2.4 GHz.
  uint8_t ReadChannel(unsigned interface_index);

 private:
  static constexpr size_t kAnswerBytes = 32 * 1024;

  class Request;
  using Take = std::function<void(const uint8_t* data, size_t size)>;
  friend std::vector<struct WifiRadio> ListWifiRadios(std::string* problem);

  uint16_t Family();
  // 0, or an errno. wants_end: an answer in parts, or an acknowledgement, follows.
  int Ask(Request request, bool wants_end, const Take& take);

  const int fd_;
  uint16_t family_ = 0;
  uint32_t sequence_ = 0;
  alignas(4) std::array<uint8_t, kAnswerBytes> answer_{};
};

struct WifiRadio {
  std::string name;  // "phy0"
  bool can_monitor = false;
  bool can_acknowledge = false;  // active monitor: answers to its own address
};

// Empty and *problem when the kernel has no Wi-Fi, or does not answer.
std::vector<WifiRadio> ListWifiRadios(std::string* problem);

}  // namespace vesta::linux_radio
