#include "node/radio_over_ip.h"

namespace vesta::node {

bool RadioOverIp::Send(const Address& to, Bytes body) {
  espnow::SendOptions options;
  options.receiver = to;
  options.sender = address_;
  options.sequence = ++sequence_;
  random_.Fill(options.random);
  std::array<uint8_t, espnow::kTransmitRadiotapSize + 64 + link::kMaxFrame> datagram;
  const size_t size = espnow::WriteUdpAir(options, channel_, 0, body, datagram);
  return size > 0 && link_.Send(std::span(datagram).first(size));
}

bool RadioOverIp::Next(RadioFrame* out) {
  for (;;) {
    const Bytes datagram = link_.Next();
    if (datagram.empty()) return false;
    espnow::Packet packet;
    const bool is_good = espnow::ReadUdpAir(datagram, &packet) && packet.verdict == espnow::Verdict::kEspNow &&
                         packet.element_count == 1 && (packet.receiver == address_ || (packet.receiver[0] & 1) != 0) &&
                         espnow::IsHeardOn(channel_, packet.radiotap.channel);
    if (is_good) {
      *out = {packet.sender, packet.receiver, packet.radiotap.signal_dbm, packet.elements[0].body};
      return true;
    }
    ++dropped_;
  }
}

}  // namespace vesta::node
