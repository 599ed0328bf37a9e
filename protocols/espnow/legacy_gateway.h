// The server side of the original node network: answers pairing requests, knows which radio address is which node,
// follows set-points until the node's own data confirms them.
//
// No I/O: the caller gives it what the radio heard and what the radio sent, in order, and sends what it asks for. An
// event names what became known. Nothing here is authenticated: anybody near can claim to be a node, so the caller
// writes to such a node only when its owner allowed that. A second radio address that claims the id of a node which is
// alive gets no answer. Times are monotonic microseconds.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "protocols/espnow/legacy_network.h"

namespace vesta::espnow::legacy {

struct GatewayEvent {
  enum class Kind : uint8_t {
    kPairRequest,  // `is_answered` says whether a reply is due
    kPaired,       // the reply was acknowledged
    kReading,
    kSetPointSent,
    kSetPointConfirmed,  // is a reading, too
    kResetSent,
    kUnknownSender,  // data of an address that never paired
    kBadDevice,      // data of a device that the node does not have
    kPing,
  };
  Kind kind = Kind::kReading;
  uint8_t peer = 0;
  uint8_t body_channel = 0;  // of a pairing request: what the node believes to be tuned to
  bool is_answered = false;
  const char* reason = "";  // of a request without an answer: "other_network", "not_listed", "duplicate_id"
  uint8_t value = 0;        // of a set-point
  Address address = {};
  Data data;
};

class GatewayEvents {
 public:
  virtual ~GatewayEvents() = default;
  virtual void OnEvent(const GatewayEvent& event) = 0;
};

struct GatewayOptions {
  uint8_t server_id = 0;
  Address data_address = {};  // where nodes shall send to
  uint8_t channel = 0;
};

class Gateway {
 public:
  // Keeps the first kMaxPeers nodes of the description.
  Gateway(const GatewayOptions& options, std::span<const Peer> peers);

  // The radio address that a node had in the last run: its data is taken without a new pairing.
  bool Restore(uint8_t peer_id, const Address& address);

  // A message from the radio, not a repetition and not our own.
  void Receive(const Address& sender, Bytes body, int64_t now_us, GatewayEvents& events);
  // A message that we sent, when it went out.
  void Sent(const Address& receiver, Bytes body, GatewayEvents& events);
  // The radio of the receiver acknowledged what was sent last.
  void Acknowledged(GatewayEvents& events);

  // The reply that a request asks for; false when none is due.
  bool MakeReply(const Pairing& request, std::span<uint8_t, kPairingSize> out) const;

  const Address* AddressOf(uint8_t peer_id) const;

 private:
  struct State {
    Peer peer;
    bool has_address = false;
    Address address = {};
    int64_t heard_us = 0;
    std::array<uint8_t, kSlots> pending_value = {};
    uint16_t pending = 0;  // a bit a slot
  };
  State* FindId(uint8_t id);
  const State* FindId(uint8_t id) const;
  State* FindAddress(const Address& address);
  void ReceivePairing(const Address& sender, const Pairing& request, int64_t now_us, GatewayEvents& events);
  void ReceiveData(const Address& sender, const Data& data, int64_t now_us, GatewayEvents& events);

  GatewayOptions options_;
  std::vector<State> states_;
  bool reply_is_out_ = false;
  Address reply_to_ = {};
};

}  // namespace vesta::espnow::legacy
