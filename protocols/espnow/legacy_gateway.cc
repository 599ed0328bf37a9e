#include "protocols/espnow/legacy_gateway.h"

#include <algorithm>

namespace vesta::espnow::legacy {

namespace {
// A node reports every 10 s or after each sleep; one that was silent for longer may have been replaced.
constexpr int64_t kAlive_us = 120 * int64_t{1000000};
}  // namespace

Gateway::Gateway(const GatewayOptions& options, std::span<const Peer> peers) : options_(options) {
  const size_t count = std::min(peers.size(), kMaxPeers);
  states_.reserve(count);
  for (const Peer& peer : peers.first(count)) states_.push_back({peer, false, {}, 0, {}, 0});
}

Gateway::State* Gateway::FindId(uint8_t id) {
  return const_cast<State*>(static_cast<const Gateway*>(this)->FindId(id));
}

const Gateway::State* Gateway::FindId(uint8_t id) const {
  for (const State& s : states_) {
    if (s.peer.id == id) return &s;
  }
  return nullptr;
}

bool Gateway::Restore(uint8_t peer_id, const Address& address) {
  State* state = FindId(peer_id);
  if (state == nullptr) return false;
  state->has_address = true;
  state->address = address;
  state->heard_us = -kAlive_us;
  return true;
}

Gateway::State* Gateway::FindAddress(const Address& address) {
  for (State& s : states_) {
    if (s.has_address && s.address == address) return &s;
  }
  return nullptr;
}

const Address* Gateway::AddressOf(uint8_t peer_id) const {
  const State* state = FindId(peer_id);
  return state != nullptr && state->has_address ? &state->address : nullptr;
}

void Gateway::Receive(const Address& sender, Bytes body, int64_t now_us, GatewayEvents& events) {
  const Message message = ReadMessage(body);
  if (message.kind == Kind::kPairing) {
    ReceivePairing(sender, message.pairing, now_us, events);
  } else if (message.kind == Kind::kData) {
    ReceiveData(sender, message.data, now_us, events);
  } else if (message.kind == Kind::kPing) {
    GatewayEvent event;
    const State* state = FindAddress(sender);
    event.kind = state == nullptr ? GatewayEvent::Kind::kUnknownSender : GatewayEvent::Kind::kPing;
    event.peer = state == nullptr ? 0 : state->peer.id;
    event.address = sender;
    events.OnEvent(event);
  }
}

void Gateway::ReceivePairing(const Address& sender, const Pairing& request, int64_t now_us, GatewayEvents& events) {
  GatewayEvent event;
  event.kind = GatewayEvent::Kind::kPairRequest;
  event.peer = request.id;
  event.body_channel = request.channel;
  event.address = sender;
  State* state = FindId(request.id);
  if (request.network != options_.server_id) {
    event.reason = "other_network";
  } else if (state == nullptr) {
    // The original told such a node that it has twelve thermostats.
    event.reason = "not_listed";
  } else if (state->has_address && state->address != sender && now_us - state->heard_us < kAlive_us) {
    event.reason = "duplicate_id";
  } else {
    event.is_answered = true;
    state->has_address = true;
    state->address = sender;
    state->heard_us = now_us;
  }
  events.OnEvent(event);
}

void Gateway::ReceiveData(const Address& sender, const Data& data, int64_t now_us, GatewayEvents& events) {
  GatewayEvent event;
  event.address = sender;
  event.data = data;
  State* state = FindAddress(sender);
  if (state == nullptr) {
    event.kind = GatewayEvent::Kind::kUnknownSender;
    events.OnEvent(event);
    return;
  }
  state->heard_us = now_us;
  event.peer = state->peer.id;
  const Device* device = state->peer.Find(data.device_id);
  if (device == nullptr) {
    event.kind = GatewayEvent::Kind::kBadDevice;
    events.OnEvent(event);
    return;
  }
  const auto slot = static_cast<size_t>(device - state->peer.devices.data());
  const bool is_pending = (state->pending >> slot & 1) != 0;
  const bool is_confirmed = is_pending && data.device_type == static_cast<uint8_t>(DeviceType::kThermostat) &&
                            data.f[1] == static_cast<float>(state->pending_value[slot]);
  if (is_confirmed) {
    state->pending = static_cast<uint16_t>(state->pending & ~(1u << slot));
    event.kind = GatewayEvent::Kind::kSetPointConfirmed;
    event.value = state->pending_value[slot];
  }
  events.OnEvent(event);
}

void Gateway::Sent(const Address& receiver, Bytes body, GatewayEvents& events) {
  const Message message = ReadMessage(body);
  reply_is_out_ = message.kind == Kind::kPairing;
  reply_to_ = receiver;
  GatewayEvent event;
  event.address = receiver;
  State* state = FindAddress(receiver);
  if (state == nullptr) return;
  event.peer = state->peer.id;
  if (message.kind == Kind::kSetPoints) {
    const Device* device = state->peer.Find(message.data.device_id);
    if (device == nullptr) return;
    const auto slot = static_cast<size_t>(device - state->peer.devices.data());
    state->pending = static_cast<uint16_t>(state->pending | 1u << slot);
    state->pending_value[slot] = message.data.u[0];
    event.kind = GatewayEvent::Kind::kSetPointSent;
    event.data = message.data;
    event.value = message.data.u[0];
    events.OnEvent(event);
  } else if (message.kind == Kind::kReset) {
    event.kind = GatewayEvent::Kind::kResetSent;
    events.OnEvent(event);
  }
}

void Gateway::Acknowledged(GatewayEvents& events) {
  if (!reply_is_out_) return;
  reply_is_out_ = false;
  const State* state = FindAddress(reply_to_);
  if (state == nullptr) return;
  GatewayEvent event;
  event.kind = GatewayEvent::Kind::kPaired;
  event.peer = state->peer.id;
  event.address = reply_to_;
  events.OnEvent(event);
}

bool Gateway::MakeReply(const Pairing& request, std::span<uint8_t, kPairingSize> out) const {
  const State* state = FindId(request.id);
  if (state == nullptr || request.network != options_.server_id) return false;
  Pairing reply;
  reply.network = request.network;
  reply.id = options_.server_id;
  reply.address = options_.data_address;
  reply.channel = options_.channel;
  FillTables(state->peer, &reply);
  WritePairing(reply, out);
  return true;
}

}  // namespace vesta::espnow::legacy
