// Reads any bytes as a captured packet, and what is in a valid one as a message of the original networks.
//
// Checked besides memory: a valid packet passes the kernel's filter's conditions, its body is within bounds, written
// again it says the same.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "protocols/espnow/foreign.h"
#include "protocols/espnow/frame.h"
#include "protocols/espnow/legacy_gateway.h"

namespace {

using vesta::espnow::Bytes;
namespace espnow = vesta::espnow;

void Require(bool holds) {
  if (!holds) std::abort();
}

class Nobody : public espnow::legacy::GatewayEvents {
 public:
  void OnEvent(const espnow::legacy::GatewayEvent& event) override { Require(event.reason != nullptr); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const Bytes bytes(data + 1, size - 1);
  const espnow::Packet packet = espnow::ReadPacket(bytes, bytes.size() + (data[0] & 1) * 10u);
  (void)espnow::ReadAcknowledgement(bytes);
  Require(packet.body_size <= espnow::kMaxBody2);
  Require(packet.element_count <= espnow::kMaxElements);
  // Most inputs are no valid packet: the rest is tried as a body, too.
  std::array<uint8_t, espnow::kMaxBody2> scratch;
  const Bytes body = packet.verdict == espnow::Verdict::kEspNow ? espnow::JoinBody(packet, scratch) : bytes;
  (void)espnow::ForeignName(body, packet.sender);
  espnow::legacy::Peer peer;
  peer.id = 3;
  peer.device_count = 2;
  peer.devices[0] = {1, 0, 1};
  peer.devices[1] = {2, 1, 0};
  espnow::legacy::Gateway gateway({10, {2, 0, 0, 0, 0, 1}, 6}, {&peer, 1});
  Nobody nobody;
  gateway.Receive(packet.sender, body, 0, nobody);
  gateway.Sent(packet.sender, body, nobody);
  gateway.Acknowledged(nobody);
  const espnow::legacy::Message message = espnow::legacy::ReadMessage(body);
  if (message.kind == espnow::legacy::Kind::kData) {
    char text[espnow::legacy::kEventSize];
    Require(espnow::legacy::WriteEvent(3, -100, message.data, text) < sizeof(text));
    uint8_t again[espnow::legacy::kDataSize];
    espnow::legacy::WriteData(message.data, false, again);
    Require(std::memcmp(again, body.data(), 8) == 0);
  }
  if (packet.verdict == espnow::Verdict::kEspNow && packet.elements[0].version == 2) {
    std::vector<uint8_t> out(espnow::kMaxSentSize);
    espnow::SendOptions options;
    options.version = 2;
    out.resize(espnow::WritePacket(options, body, out));
    const espnow::Packet same = espnow::ReadPacket(out);
    Require(same.verdict == espnow::Verdict::kEspNow && same.body_size == packet.body_size);
  }
  return 0;
}
