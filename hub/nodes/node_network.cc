// The network's files, its frames at hand, and what they become. The link's side is in node_network_link.cc, the
// original networks' in node_network_legacy.cc, what people do in node_network_desk.cc.
#include "hub/nodes/node_network.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>

#include "hub/keys/private_file.h"
#include "hub/nodes/schedule.h"
#include "protocols/espnow/foreign.h"
#include "protocols/espnow/udp_air.h"
#include "protocols/link/fields.h"

namespace vesta::hub {

namespace {

constexpr int64_t kLook_us = kUsPerSecond;
constexpr uint8_t kLocalAddress = 0x02;  // made up, not a maker's

link::Address MadeUpAddress(const std::string& text) {
  const crypto::Digest digest = crypto::Sha256({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  link::Address address;
  std::copy_n(digest.begin(), address.size(), address.begin());
  address[0] = static_cast<uint8_t>((address[0] & 0xFC) | kLocalAddress);
  return address;
}

}  // namespace

// The session of a node network: passes everything on.
class NodeSession final : public Session {
 public:
  explicit NodeSession(NodeNetwork& network) : network_(network) {}
  std::span<const Field> fields() const override { return network_.fields_.fields(); }
  void Receive(Bytes bytes, const Now& now, SessionEvents& events) override { network_.Receive(bytes, now, events); }
  void Tick(const Now& now, SessionEvents& events) override { network_.Tick(now, events); }
  int64_t next_deadline_us() const override { return network_.NextDeadline(); }
  Bytes Transmit() override { return network_.Outgoing(); }
  void Transmitted(size_t /*count*/) override { network_.OutgoingSent(); }
  uint64_t unknown_objects() const override { return network_.unknown_items(); }
  void ReportCounters(CounterSink& sink) const override { network_.ReportCounters(sink); }
  void ReportUnknown(UnknownSink& sink) const override { network_.ReportUnknown(sink); }
  void LinkReset(const Now& /*now*/, SessionEvents& /*events*/) override { network_.outgoing_.clear(); }

 private:
  NodeNetwork& network_;
};

NodeNetwork::NodeNetwork(NodeNetworkOptions options, NodeHost host, link::RandomSource& random)
    : options_(std::move(options)),
      host_(std::move(host)),
      random_(random),
      address_(MadeUpAddress(options_.hub_id + "/" + options_.name)),
      channel_(options_.channel) {
  for (const Field& field : link::NodeFields()) fields_.Register(field);
}

NodeNetwork::~NodeNetwork() = default;

std::unique_ptr<Session> NodeNetwork::MakeSession() { return std::make_unique<NodeSession>(*this); }

void NodeNetwork::Load() {
  if (access(options_.network_file.c_str(), F_OK) == 0) {
    const auto text = ReadPrivateFile(options_.network_file, kMaxNetworkBytes);
    auto read = text ? ReadNetwork(*text, &problems_) : tl::expected<Network, std::string>(tl::unexpect, text.error());
    if (read) {
      network_ = std::move(*read);
    } else {
      problems_.push_back(fmt::format("{}: {}", options_.network_file, read.error()));
    }
  }
  auto keys = ReadNodeKeys(options_.keys_file, &file_problems_);
  if (keys) {
    keys_ = std::move(*keys);
  } else {
    file_problems_.push_back(keys.error());
  }
  for (const std::string& problem : problems_) spdlog::warn("source {}: network: {}", options_.name, problem);
  for (const std::string& problem : file_problems_) spdlog::warn("source {}: {}", options_.name, problem);
  for (size_t i = 0; i < network_.nodes.size(); ++i) {
    if (network_.nodes[i].has_address) listed_.emplace(AddressNumber(network_.nodes[i].address), i);
  }
  for (const NodeSecret& one : keys_.secrets) secrets_[link::SecretIdOf(one.secret)] = one.secret;

  link_ = std::make_unique<link::Hub>(link::HubOptions{network_.number, network_.max_nodes, false}, random_);
  link_->SetGateway(0, address_, channel_);
  for (link::PeerRecord record : keys_.peers) {
    const std::string id = AddressText(record.address);
    const auto epoch = static_cast<uint32_t>(LastValueOf(id, "outbox", record.epoch));
    // The number beside the readings is what is on the disk; the file may be older.
    const auto kept = static_cast<uint32_t>(LastValueOf(id, "report_number", 0));
    record.kept = epoch == record.epoch ? std::max(kept, record.kept) : kept;
    record.epoch = epoch;
    if (!link_->Restore(record)) {
      file_problems_.push_back(fmt::format("node {} has number {}, above max_nodes", id, record.node));
      continue;
    }
    NodeState& node = StateOf(NodeKind::kLink, record.node, record.address);
    node.told_epoch = epoch;
  }
  for (const KeptDescription& kept : keys_.descriptions) {
    NodeState* node = FindState(kept.node);
    auto read = node == nullptr ? std::nullopt : ReadDescription(kept.cbor);
    if (!read) continue;
    node->description = std::make_shared<NodeDescription>(std::move(*read));
    node->label = node->description->name;
    descriptions_[node->description->hash] = node->description;
  }
  MakeLegacyGateway();
  schedules_run_us_ = keys_.schedules_run_us;
  restoring_ = keys_.wishes;
  now_ = host_.clock.Read();
  RestoreWishes();
}

int64_t NodeNetwork::LastValueOf(std::string_view identity, std::string_view field, int64_t missing) const {
  const Device* device = DeviceOf(identity);
  const Series* series = device == nullptr ? nullptr : host_.directory.FindSeriesByKey(device->key, field);
  const LiveValue* value = series == nullptr ? nullptr : host_.live.Find(series->id);
  if (value == nullptr || value->record.value.kind() != ValueKind::kDecimal) return missing;
  return value->record.value.decimal().mantissa;
}

const Device* NodeNetwork::DeviceOf(std::string_view identity) const {
  // The usual key first; else whoever bears the identity.
  const Device* device = host_.directory.FindDeviceByKey(fmt::format("nodes_{}", CleanKey(identity)));
  if (device != nullptr && device->identity == identity) return device;
  for (const Device& one : host_.directory.devices()) {
    if (one.protocol == "nodes" && one.identity == identity) return &one;
  }
  return nullptr;
}

void NodeNetwork::SetAir(const link::Address& address, uint8_t channel) {
  address_ = address;
  channel_ = channel;
  link_->SetGateway(0, address, channel);
  MakeLegacyGateway();
}

bool NodeNetwork::SaveKeys() {
  keys_.peers.clear();
  for (const auto& [number, node] : by_number_) {
    if (link_->Find(number) != nullptr) keys_.peers.push_back(link_->RecordOf(number));
  }
  keys_.wishes = restoring_;
  for (const auto& [id, node] : nodes_) {
    for (const auto& [item, command] : node->commands) {
      const bool is_open = command.view.state == WishState::kRequested || command.view.state == WishState::kSent;
      if (!is_open || item >= link::kFirstSystemItem || keys_.wishes.size() >= kMaxNodeWishes) continue;
      keys_.wishes.push_back({id, item, command.view.value.mantissa, command.view.value.exponent,
                              command.view.requested_us, command.view.who});
    }
  }
  keys_.schedules_run_us = schedules_run_us_;
  const auto written = WriteNodeKeys(options_.keys_file, keys_);
  if (written) return true;
  spdlog::error("source {}: {}", options_.name, written.error());
  file_problems_ = {written.error()};
  return false;
}

void NodeNetwork::Save() { SaveKeys(); }

void NodeNetwork::Changed() {
  next_look_us_ = 0;
  if (host_.poke) host_.poke();
}

// Frames.

void NodeNetwork::Receive(Bytes bytes, const Now& now, SessionEvents& events) {
  events_ = &events;
  now_ = now;
  frame_ = bytes;
  is_told_ = false;
  readings_.clear();
  texts_.clear();
  report_.reset();
  packet_ = {};
  if (!bytes.empty() && bytes[0] == 'V') {
    if (!espnow::ReadUdpAir(bytes, &packet_)) return Reject("udp_air");
  } else {
    packet_ = espnow::ReadPacket(bytes);
  }
  if (packet_.verdict == espnow::Verdict::kNotEspNow) return Reject("foreign");
  if (packet_.verdict != espnow::Verdict::kEspNow) return Reject(packet_.reason);
  if (packet_.sender == address_) return Reject("own", FrameVerdict::kDiscarded);
  if (!espnow::IsHeardOn(channel_, packet_.radiotap.channel)) return Reject("other_channel", FrameVerdict::kDiscarded);
  if (packet_.receiver != address_ && (packet_.receiver[0] & 1) == 0) return Reject("foreign");
  const bool is_repeat = repeats_.IsRepeat(packet_, now.monotonic_us);
  const Bytes body = espnow::JoinBody(packet_, std::span<uint8_t, espnow::kMaxBody2>(body_));
  if (is_repeat) return Reject("repeat", FrameVerdict::kDiscarded);
  if (body.size() >= 2 && body[0] == 'V' && body[1] == 'L') {
    ReceiveLink(packet_, body);
  } else {
    ReceiveLegacy(packet_, body);
  }
  if (!is_told_) Accept();
  if (!report_) return;
  // Everything of the report has its journal number now.
  report_->number = host_.last_number();
  kept_.push_back(*report_);
  OnDurable(durable_mark_);
}

void NodeNetwork::ReceiveLink(const espnow::Packet& packet, Bytes body) {
  std::array<uint64_t, static_cast<size_t>(link::Drop::kCount)> before;
  for (size_t i = 0; i < before.size(); ++i) before[i] = link_->dropped(static_cast<link::Drop>(i));
  const link::Heard heard{0, packet.sender, packet.receiver, packet.radiotap.channel, packet.radiotap.signal_dbm, body};
  link_->Receive(heard, now_, *this);
  for (size_t i = 0; i < before.size(); ++i) {
    const auto reason = static_cast<link::Drop>(i);
    if (link_->dropped(reason) != before[i] && !report_) return Reject(link::NameOf(reason));
  }
}

void NodeNetwork::Accept() {
  is_told_ = true;
  FrameEvent frame;
  frame.raw = frame_;
  frame.link_encrypted = packet_.verdict == espnow::Verdict::kEspNow;
  frame.link = {AddressNumber(packet_.sender), packet_.radiotap.signal_dbm, packet_.radiotap.channel, false};
  frame.readings = readings_;
  events_->OnFrame(frame);
}

void NodeNetwork::Reject(const char* reason, FrameVerdict verdict) {
  if (is_told_) return;
  is_told_ = true;
  if (std::string_view(reason) == "foreign") ++foreign_;
  if (!told_rejects_.Take(now_.monotonic_us)) {
    ++flood_;
    return;
  }
  FrameEvent frame;
  frame.verdict = verdict;
  frame.reason = reason;
  frame.raw = frame_;
  frame.link = {AddressNumber(packet_.sender), packet_.radiotap.signal_dbm, packet_.radiotap.channel, false};
  events_->OnFrame(frame);
}

void NodeNetwork::Send(uint8_t /*gateway*/, const link::Address& from, const link::Address& to, Bytes frame) {
  if (outgoing_.size() >= kMaxOutgoing) {
    ++send_full_;
    return;
  }
  espnow::SendOptions options;
  options.receiver = to;
  options.sender = from;
  random_.Fill(options.random);
  const size_t size = espnow::WriteUdpAir(options, channel_, 0, frame, out_buffer_);
  if (size != 0) outgoing_.emplace_back(out_buffer_.begin(), out_buffer_.begin() + static_cast<std::ptrdiff_t>(size));
}

Bytes NodeNetwork::Outgoing() const { return outgoing_.empty() ? Bytes() : Bytes(outgoing_.front()); }

void NodeNetwork::OutgoingSent() {
  if (!outgoing_.empty()) outgoing_.pop_front();
}

void NodeNetwork::Tick(const Now& now, SessionEvents& events) {
  events_ = &events;
  now_ = now;
  link_->Tick(now, *this);
  if (now.monotonic_us < next_look_us_) return;
  next_look_us_ = now.monotonic_us + kLook_us;
  RunSchedules();
}

int64_t NodeNetwork::NextDeadline() const { return std::min(link_->next_deadline_us(), next_look_us_); }

void NodeNetwork::OnDurable(uint64_t mark) {
  durable_mark_ = std::max(durable_mark_, mark);
  while (!kept_.empty() && kept_.front().number <= durable_mark_) {
    link_->SetKept(kept_.front().node, kept_.front().epoch, kept_.front().sequence);
    kept_.pop_front();
  }
}

void NodeNetwork::RunSchedules() {
  const UtcUs now_us = now_.utc_us;
  if (schedules_run_us_ == 0 || now_us < schedules_run_us_) schedules_run_us_ = now_us;
  if (network_.schedules.empty()) {
    schedules_run_us_ = now_us;
    return;
  }
  const auto due = DueSchedules(network_.schedules, options_.zone, schedules_run_us_, now_us);
  schedules_run_us_ = now_us;
  for (const NodeSchedule* schedule : due) {
    ++schedules_run_;
    const NodeResult done = Set(schedule->node, schedule->item, schedule->value, "schedule");
    if (!done) {
      spdlog::warn("source {}: schedule of {} item {}: {}", options_.name, schedule->node, schedule->item,
                   done.error().text);
    }
  }
  if (!due.empty()) SaveKeys();
}

void NodeNetwork::ReportCounters(CounterSink& sink) const {
  link_->ReportCounters(sink);
  sink.Count("flood_frames", flood_);
  sink.Count("send_queue_full", send_full_);
  sink.Count("no_field", no_field_);
  sink.Count("bad_descriptions", bad_descriptions_);
  sink.Count("broken_relayed_frames", broken_relays_);
  sink.Count("held_reports", held_reports_);
  sink.Count("insecure_writes", insecure_writes_);
  sink.Count("legacy_messages", legacy_reads_);
  sink.Count("victron_packets", victron_packets_);
  sink.Count("foreign_frames", foreign_);
  sink.Count("schedules_run", schedules_run_);
  sink.Count("waiting_forgotten", waiting_.forgotten());
}

void NodeNetwork::ReportUnknown(UnknownSink& sink) const {
  for (const auto& [id, node] : nodes_) {
    if (node->unknown_items == 0) continue;
    for (const auto& [index, item] : node->items) {
      if (item.spec != nullptr) continue;
      sink.Unknown(fmt::format("{} item {}", id, index), "", node->unknown_items);
    }
  }
}

}  // namespace vesta::hub
