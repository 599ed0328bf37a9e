#include "protocols/espnow/udp_air.h"

#include <algorithm>
#include <cstring>

namespace vesta::espnow {

namespace {

constexpr uint8_t kMark[3] = {'V', 'A', 1};
constexpr size_t kChannelAt = 3;
constexpr size_t kSignalAt = 4;
constexpr size_t kReservedAt = 5;

}  // namespace

bool ReadUdpAir(Bytes datagram, Packet* out) {
  if (datagram.size() < kUdpAirHeadSize || std::memcmp(datagram.data(), kMark, sizeof(kMark)) != 0 ||
      datagram[kChannelAt] > kMaxChannel) {
    return false;
  }
  const Bytes reserved = datagram.subspan(kReservedAt, kUdpAirHeadSize - kReservedAt);
  if (std::any_of(reserved.begin(), reserved.end(), [](uint8_t b) { return b != 0; })) return false;
  *out = ReadFrame(datagram.subspan(kUdpAirHeadSize));
  out->radiotap.has_channel = datagram[kChannelAt] != 0;
  out->radiotap.channel = datagram[kChannelAt];
  out->radiotap.has_signal = datagram[kSignalAt] != 0;
  out->radiotap.signal_dbm = static_cast<int8_t>(datagram[kSignalAt]);
  return true;
}

size_t WriteUdpAir(const SendOptions& options, uint8_t channel, int8_t signal_dbm, Bytes body, std::span<uint8_t> out) {
  const size_t written = WritePacket(options, body, out);
  if (written == 0) return 0;
  // The head is shorter than the radiotap header of a frame for the radio.
  const size_t frame_size = written - kTransmitRadiotapSize;
  std::memmove(out.data() + kUdpAirHeadSize, out.data() + kTransmitRadiotapSize, frame_size);
  std::fill_n(out.begin(), kUdpAirHeadSize, uint8_t{0});
  std::copy(std::begin(kMark), std::end(kMark), out.begin());
  out[kChannelAt] = channel;
  out[kSignalAt] = static_cast<uint8_t>(signal_dbm);
  return kUdpAirHeadSize + frame_size;
}

}  // namespace vesta::espnow
