// Nodes of the original networks: their messages become readings of a device for each of their slots; nothing of it is
// authenticated, so they are written to only where their owner allowed that.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "hub/nodes/node_network.h"
#include "protocols/espnow/foreign.h"
#include "protocols/link/fields.h"

namespace vesta::hub {

namespace legacy = espnow::legacy;

namespace {

constexpr size_t kReply2022Size = 9;
constexpr const char* kTypeLabels[] = {"Thermostat", "Thermometer", "Relay"};

Value RealOrNone(float value, bool is_good, ValueQuality* quality) {
  *quality = is_good ? ValueQuality::kOk : ValueQuality::kUnavailable;
  return is_good ? Value::OfReal(static_cast<double>(value)) : Value::None();
}

}  // namespace

void NodeNetwork::MakeLegacyGateway() {
  std::vector<legacy::Peer> peers;
  for (const NodeEntry& entry : network_.nodes) {
    if (entry.kind != NodeKind::kVesta2025) continue;
    legacy::Peer peer;
    peer.id = static_cast<uint8_t>(entry.number);
    for (const LegacyDevice& device : entry.devices) {
      peer.devices[peer.device_count++] = {device.id, device.type, device.control};
    }
    peers.push_back(peer);
  }
  legacy_ = std::make_unique<legacy::Gateway>(legacy::GatewayOptions{network_.hub_id, address_, channel_}, peers);
  for (const NodeEntry& entry : network_.nodes) {
    if (entry.kind != NodeKind::kVesta2025 && entry.kind != NodeKind::kVesta2022) continue;
    const std::string id = NodeIdOf(entry);
    link::Address address = entry.has_address ? entry.address : link::Address{};
    for (const LegacyAddress& known : keys_.legacy) {
      if (known.node == id) address = known.address;
    }
    NodeState& node = StateOf(entry.kind, entry.number, address);
    if (node.has_address && entry.kind == NodeKind::kVesta2025) {
      legacy_->Restore(static_cast<uint8_t>(entry.number), address);
    }
  }
}

void NodeNetwork::SendLegacy(const link::Address& to, Bytes body) { Send(0, address_, to, body); }

// The address by which the node is known from now on.
void NodeNetwork::BindLegacy(NodeState& node) {
  if (node.has_address && node.address == packet_.sender) return;
  node.address = packet_.sender;
  node.has_address = true;
  std::erase_if(keys_.legacy, [&](const LegacyAddress& one) { return one.node == node.id; });
  keys_.legacy.push_back({node.id, node.address});
  SaveKeys();
}

void NodeNetwork::ReceiveLegacy(const espnow::Packet& packet, Bytes body) {
  const legacy::Message message = legacy::ReadMessage(body);
  const auto refuse = [&](const char* reason) {
    WaitingNode& waiting = waiting_.Touch(packet.sender, now_.utc_us);
    waiting.reason = reason;
    waiting.rssi_dbm = packet.radiotap.signal_dbm;
    waiting.channel = packet.radiotap.channel;
    Reject(reason);
  };
  switch (message.kind) {
    case legacy::Kind::kPairing:
    case legacy::Kind::kData:
    case legacy::Kind::kPing:
      ++legacy_reads_;
      return legacy_->Receive(packet.sender, body, now_.monotonic_us, *this);
    case legacy::Kind::kPairing2022:
      return ReceivePairing2022(message.pairing_2022);
    case legacy::Kind::kReading2022:
      return ReceiveReading2022(message.reading_2022);
    case legacy::Kind::kVictron: {
      const auto listed = network_.FindAddress(packet.sender);
      if (listed == nullptr || listed->kind != NodeKind::kVictron) return refuse("not_listed");
      return ReceiveVictron(message.victron);
    }
    case legacy::Kind::kVictronPacket:
      ++victron_packets_;
      return Reject("victron_packet");
    case legacy::Kind::kSetPoints:
    case legacy::Kind::kReset:
      return Reject("other_server");  // what a server sends: another one is on this channel
    case legacy::Kind::kUnknown:
      break;
  }
  Reject(*espnow::ForeignName(body, packet.sender) != 0 ? "foreign" : "unknown_message");
}

void NodeNetwork::OnEvent(const legacy::GatewayEvent& event) {
  using Kind = legacy::GatewayEvent::Kind;
  const auto refuse = [&](const char* reason) {
    WaitingNode& waiting = waiting_.Touch(event.address, now_.utc_us);
    waiting.reason = reason;
    waiting.rssi_dbm = packet_.radiotap.signal_dbm;
    waiting.channel = packet_.radiotap.channel;
    waiting.node_channel = event.body_channel;
    if (event.peer != 0) waiting.name = fmt::format("VESTA node {}", event.peer);
    Reject(reason);
  };
  switch (event.kind) {
    case Kind::kPairRequest: {
      if (!event.is_answered) return refuse(event.reason);
      NodeState* node = FindState(fmt::format("vesta-{}", event.peer));
      if (node == nullptr) return;
      BindLegacy(*node);
      waiting_.Remove(event.address);
      node->note.clear();
      if (event.body_channel != 0 && channel_ != 0 && event.body_channel != channel_) {
        node->note = fmt::format("tuned to channel {}, heard on {}", event.body_channel, channel_);
      }
      std::array<uint8_t, legacy::kPairingSize> reply;
      const Bytes body = espnow::JoinBody(packet_, std::span<uint8_t, espnow::kMaxBody2>(body_));
      if (legacy_->MakeReply(legacy::ReadMessage(body).pairing, reply)) SendLegacy(event.address, reply);
      return;
    }
    case Kind::kReading:
    case Kind::kSetPointConfirmed:
      return TakeLegacyReading(event);
    case Kind::kUnknownSender:
      return refuse("never_paired");
    case Kind::kBadDevice:
      return Reject("unknown_device");
    case Kind::kPing: {
      NodeState* node = FindState(fmt::format("vesta-{}", event.peer));
      if (node == nullptr) return;
      const auto ping = node->commands.find(kPingItem);
      if (ping == node->commands.end()) return;
      ping->second.view.state = WishState::kConfirmed;
      ping->second.view.answered_us = now_.utc_us;
      return;
    }
    case Kind::kPaired:
    case Kind::kSetPointSent:
    case Kind::kResetSent:
      return;
  }
}

void NodeNetwork::TakeLegacyReading(const legacy::GatewayEvent& event) {
  NodeState* node = FindState(fmt::format("vesta-{}", event.peer));
  const NodeEntry* entry = network_.FindLegacy(NodeKind::kVesta2025, event.peer);
  if (node == nullptr || entry == nullptr) return;
  const auto device = std::find_if(entry->devices.begin(), entry->devices.end(),
                                   [&](const LegacyDevice& one) { return one.id == event.data.device_id; });
  if (device == entry->devices.end()) return Reject("unknown_device");
  node->heard_us = now_.utc_us;
  node->heard_monotonic_us = now_.monotonic_us;
  node->rssi_dbm = packet_.radiotap.signal_dbm;
  node->channel = packet_.radiotap.channel;
  ++node->reports;
  if (node->label.empty()) {
    node->label = entry->name.empty() ? fmt::format("VESTA {}", entry->number) : entry->name;
    TellDevice(*node);
  }
  std::string label(network_.RoomOf(event.data.sensor));
  if (label.empty()) label = device->name;
  if (label.empty()) label = kTypeLabels[std::min<size_t>(device->type, 2)];
  const uint16_t slot = SlotOf(*node, fmt::format("{}", device->id), label, DeviceKind::kSensor);
  const bool is_sure = now_.clock == ClockQuality::kSynchronised;
  const TimeQuality quality = is_sure ? TimeQuality::kHubSynchronised : TimeQuality::kHubNotSynchronised;
  const auto real = [&](uint16_t field, float value, bool is_good) {
    ValueQuality judged;
    const Value made = RealOrNone(value, is_good, &judged);
    AddReading(slot, field, made, now_.utc_us, quality, 0, judged);
  };
  const auto type = static_cast<legacy::DeviceType>(device->type);
  if (type == legacy::DeviceType::kRelay) {
    AddReading(slot, link::kFieldSwitch, Value::OfState(event.data.u[0] != 0 ? 1 : 0), now_.utc_us, quality);
  } else {
    real(link::kFieldTemperature, event.data.f[0], legacy::IsTemperature(event.data.f[0]));
  }
  if (type == legacy::DeviceType::kThermostat) {
    real(link::kFieldSetPoint, event.data.f[1], std::isfinite(event.data.f[1]));
    AddReading(slot, link::kFieldHeating, Value::OfState(event.data.u[0] == 0 ? 1 : 0), now_.utc_us, quality);
  }
  const auto wish = node->commands.find(device->id);
  if (wish == node->commands.end() || wish->second.view.state != WishState::kSent) return;
  if (event.kind == legacy::GatewayEvent::Kind::kSetPointConfirmed) {
    wish->second.view.state = WishState::kConfirmed;
    wish->second.view.held = wish->second.view.value;
    wish->second.view.answered_us = now_.utc_us;
    SaveKeys();
  } else {
    RetryLegacy(*node, device->id);
  }
  TellWishes(*node);
}

// A node that sleeps listens for a moment after its own message.
void NodeNetwork::RetryLegacy(NodeState& node, uint8_t device) {
  NodeCommand& command = node.commands[device];
  if (++command.tries > kLegacyTries) {
    command.view.state = WishState::kRefused;
    command.view.reason = "the node does not confirm it";
    command.view.answered_us = now_.utc_us;
    SaveKeys();
    return;
  }
  const NodeEntry* entry = network_.FindId(node.id);
  legacy::Peer peer;
  for (const LegacyDevice& one : entry->devices) {
    peer.devices[peer.device_count++] = {one.id, one.type, one.control};
  }
  const auto value = static_cast<uint8_t>(command.view.value.mantissa);
  std::array<uint8_t, legacy::kDataSize> body;
  legacy::WriteData(legacy::MakeSetPoint(&peer, device, value), true, body);
  ++insecure_writes_;
  SendLegacy(node.address, body);
  legacy_->Sent(node.address, body, *this);
  command.view.state = WishState::kSent;
}

NodeResult NodeNetwork::SetLegacy(NodeState& node, uint8_t item, Decimal value, std::string_view who) {
  const NodeEntry* entry = network_.FindId(node.id);
  if (entry == nullptr || !entry->insecure_writes) {
    return tl::unexpected(NodeProblem{
        "insecure",
        "anybody can forge what is said to this node: allow it in the network's description (insecure_writes)"});
  }
  if (node.kind != NodeKind::kVesta2025) return tl::unexpected(NodeProblem{"not_writable", "this node takes nothing"});
  if (!node.has_address) return tl::unexpected(NodeProblem{"never_heard", "this node has not paired yet"});
  if (item == kRestartItem || item == kPingItem) {
    NodeCommand& command = node.commands[item];
    command = {};
    command.view.item = item;
    command.view.who = who;
    command.view.requested_us = now_.utc_us;
    command.view.state = WishState::kSent;
    ++insecure_writes_;
    if (item == kRestartItem) {
      std::array<uint8_t, legacy::kResetSize> body;
      legacy::WriteReset(network_.hub_id, body);
      SendLegacy(node.address, body);
    } else {
      std::array<uint8_t, legacy::kPingSize> body;
      legacy::WritePing(entry->number, body);
      SendLegacy(node.address, body);
    }
    return {};
  }
  const auto device = std::find_if(entry->devices.begin(), entry->devices.end(),
                                   [&](const LegacyDevice& one) { return one.id == item; });
  if (device == entry->devices.end() || device->type == static_cast<uint8_t>(legacy::DeviceType::kThermometer)) {
    return tl::unexpected(NodeProblem{"not_writable", "nothing can be set there"});
  }
  const bool is_relay = device->type == static_cast<uint8_t>(legacy::DeviceType::kRelay);
  if (value.exponent != 0 || value.mantissa < 0 || value.mantissa > (is_relay ? 1 : 255)) {
    return tl::unexpected(NodeProblem{"out_of_range", "whole degrees from 0 to 255, or 0 and 1 of a switch"});
  }
  NodeCommand& command = node.commands[item];
  command = {};
  command.view.item = item;
  command.view.value = value;
  command.view.who = who;
  command.view.requested_us = now_.utc_us;
  RetryLegacy(node, item);
  return {};
}

void NodeNetwork::ReceivePairing2022(const legacy::Pairing2022& request) {
  NodeState* node = FindState(fmt::format("vesta2022-{}", request.id));
  const bool is_other = node != nullptr && node->has_address && node->address != packet_.sender &&
                        now_.monotonic_us - node->heard_monotonic_us < 120 * kUsPerSecond;
  if (node == nullptr || is_other) {
    WaitingNode& waiting = waiting_.Touch(packet_.sender, now_.utc_us);
    waiting.reason = is_other ? "duplicate_id" : "not_listed";
    waiting.name = fmt::format("VESTA 2022 node {}", request.id);
    waiting.node_channel = request.channel;
    waiting.channel = packet_.radiotap.channel;
    return Reject(waiting.reason);
  }
  ++legacy_reads_;
  BindLegacy(*node);
  waiting_.Remove(packet_.sender);
  // Its server has the id 0.
  std::array<uint8_t, kReply2022Size> reply = {};
  std::copy(address_.begin(), address_.end(), reply.begin() + 2);
  reply[8] = channel_;
  SendLegacy(packet_.sender, reply);
}

void NodeNetwork::ReceiveReading2022(const legacy::Reading2022& reading) {
  NodeState* node = FindState(fmt::format("vesta2022-{}", reading.id));
  if (node == nullptr || !node->has_address || node->address != packet_.sender) {
    WaitingNode& waiting = waiting_.Touch(packet_.sender, now_.utc_us);
    waiting.reason = node == nullptr ? "not_listed" : "never_paired";
    waiting.name = fmt::format("VESTA 2022 node {}", reading.id);
    waiting.channel = packet_.radiotap.channel;
    return Reject(waiting.reason);
  }
  ++legacy_reads_;
  const NodeEntry* entry = network_.FindId(node->id);
  if (node->label.empty()) {
    node->label = entry != nullptr && !entry->name.empty() ? entry->name : fmt::format("VESTA 2022 {}", reading.id);
    TellDevice(*node);
  }
  node->heard_us = now_.utc_us;
  node->heard_monotonic_us = now_.monotonic_us;
  node->rssi_dbm = packet_.radiotap.signal_dbm;
  node->channel = packet_.radiotap.channel;
  ++node->reports;
  const bool is_sure = now_.clock == ClockQuality::kSynchronised;
  const TimeQuality quality = is_sure ? TimeQuality::kHubSynchronised : TimeQuality::kHubNotSynchronised;
  ValueQuality judged;
  const Value temperature = RealOrNone(reading.temperature, legacy::IsTemperature(reading.temperature), &judged);
  AddReading(node->slot, link::kFieldTemperature, temperature, now_.utc_us, quality, 0, judged);
  const Value humidity = RealOrNone(reading.humidity, std::isfinite(reading.humidity), &judged);
  AddReading(node->slot, link::kFieldHumidity, humidity, now_.utc_us, quality, 0, judged);
  AddHubReading(node->slot, link::kFieldMessageCounter, Value::OfInteger(reading.counter));
}

void NodeNetwork::ReceiveVictron(const legacy::VictronReading& reading) {
  ++legacy_reads_;
  NodeState& node = StateOf(NodeKind::kVictron, 0, packet_.sender);
  if (node.label.empty()) {
    const NodeEntry* entry = network_.FindAddress(packet_.sender);
    node.label = entry != nullptr && !entry->name.empty() ? entry->name : "Victron monitor";
    TellDevice(node);
  }
  node.heard_us = now_.utc_us;
  node.heard_monotonic_us = now_.monotonic_us;
  node.rssi_dbm = packet_.radiotap.signal_dbm;
  node.channel = packet_.radiotap.channel;
  ++node.reports;
  const std::string_view text(reading.address.data(), strnlen(reading.address.data(), reading.address.size()));
  std::string what = CleanWord(text, 24);
  if (what.empty()) what = "unknown";
  constexpr const char* kLabels[] = {"Victron device", "Battery monitor", "Solar charger", "Charger"};
  constexpr DeviceKind kKinds[] = {DeviceKind::kOther, DeviceKind::kBatteryMonitor, DeviceKind::kSolarCharger,
                                   DeviceKind::kAcCharger};
  // Names come from the air: bounded, so that nobody fills the directory.
  const size_t type = reading.device_type < std::size(kLabels) ? reading.device_type : 0;
  if (node.slots.size() >= kMaxNodeItems && !node.slots.contains("victron-" + what)) return Reject("too_many_devices");
  const uint16_t slot = SlotOf(node, "victron-" + what, kLabels[type], kKinds[type]);
  const bool is_sure = now_.clock == ClockQuality::kSynchronised;
  const TimeQuality quality = is_sure ? TimeQuality::kHubSynchronised : TimeQuality::kHubNotSynchronised;
  const auto add = [&](uint16_t field, float value) {
    ValueQuality judged;
    const Value made = RealOrNone(value, std::isfinite(value), &judged);
    AddReading(slot, field, made, now_.utc_us, quality, 0, judged);
  };
  add(link::kFieldVoltage, reading.voltage);
  add(link::kFieldCurrent, reading.current);
  add(link::kFieldPower, reading.power);
  if (type == 1) add(link::kFieldStateOfCharge, reading.charge);
  // Of the advert as the sensor heard it; how the hub hears the sensor is a value of the node.
  if (reading.rssi_dbm < 0) {
    AddReading(slot, link::kFieldSignal, Value::OfInteger(reading.rssi_dbm), now_.utc_us, quality);
  }
}

}  // namespace vesta::hub
