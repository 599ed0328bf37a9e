// The radiotap header that Linux puts in front of a captured 802.11 frame, and the one that it wants before a frame to
// be sent.
//
// Fields come in the order of the bits of the first presence word, each aligned to its size from the start of the
// header. Only the first word is read: later words repeat values for single antennas. Frequencies are in MHz, rates in
// kb/s, signals in dBm. Facts: radiotap.org; Linux Documentation/networking/mac80211-injection.rst.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vesta::espnow {

using Bytes = std::span<const uint8_t>;

inline constexpr uint8_t kFlagFcsAtEnd = 0x10;
inline constexpr uint8_t kFlagBadFcs = 0x40;

struct Radiotap {
  size_t size = 0;  // bytes of the header, where the frame begins
  bool has_flags = false;
  bool has_rate = false;
  bool has_channel = false;
  bool has_signal = false;
  bool has_tx_flags = false;
  bool has_mcs = false;
  uint8_t flags = 0;
  uint32_t rate_kbps = 0;
  uint16_t frequency_mhz = 0;
  uint8_t channel = 0;  // of the receiver's tuning, not the sender's; 0 = not a 2.4 GHz channel
  int8_t signal_dbm = 0;
  uint16_t tx_flags = 0;
  uint8_t mcs_index = 0;

  bool fcs_present() const { return (flags & kFlagFcsAtEnd) != 0; }
  bool bad_fcs_flag() const { return (flags & kFlagBadFcs) != 0; }
};

// nullptr when it was read, else the reason: "radiotap-length" or "radiotap-present-overrun".
const char* ReadRadiotap(Bytes packet, Radiotap* out);

// 2412 MHz -> 1 ... 2472 -> 13, 2484 -> 14, others 0.
uint8_t ChannelOf(uint16_t frequency_mhz);

inline constexpr size_t kTransmitRadiotapSize = 12;

// A header for sending: the rate (a multiple of 500 kb/s) and whether an acknowledgement is expected.
void WriteTransmitRadiotap(uint32_t rate_kbps, bool expects_ack, std::span<uint8_t, kTransmitRadiotapSize> out);

}  // namespace vesta::espnow
