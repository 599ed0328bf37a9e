// What the link's hub end tells: joinings, sessions, reports, answers, descriptions.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "hub/nodes/node_network.h"
#include "protocols/link/fields.h"

namespace vesta::hub {

namespace {

// A report younger than this was measured now, as far as anybody can tell.
constexpr int64_t kFresh_us = 2 * kUsPerSecond;
constexpr int64_t kSignalEvery_us = 60 * kUsPerSecond;
constexpr size_t kHubReadings = 3;  // what the hub adds to a report

std::string NameOf(const link::NodeInfo& info) {
  std::string name;
  for (const char c : std::string_view(info.name.data(), info.name_size)) {
    name += static_cast<unsigned char>(c) >= 0x20 && c != 0x7F ? c : '?';
  }
  return name;
}

const char* ReasonOf(link::Refusal refusal) {
  switch (refusal) {
    case link::Refusal::kWindowClosed:
      return "window_closed";
    case link::Refusal::kUnknownNode:
      return "unknown_node";
    case link::Refusal::kTableFull:
      return "table_full";
    case link::Refusal::kDuplicate:
      return "number_in_use";
    case link::Refusal::kDenied:
      return "denied";
    case link::Refusal::kOtherChannel:
      return "other_channel";
    case link::Refusal::kBusy:
      break;
  }
  return "busy";
}

DeviceKind KindOf(std::string_view function) { return function == "node" ? DeviceKind::kNode : DeviceKind::kSensor; }

}  // namespace

link::JoinPolicy NodeNetwork::OnJoinRequest(const link::JoinRequest& request) {
  asked_secret_ = request.secret_id;
  link::JoinPolicy policy;
  const auto listed = listed_.find(AddressNumber(request.address));
  const NodeEntry* entry = listed == listed_.end() ? nullptr : &network_.nodes[listed->second];
  if (entry != nullptr) policy.node = entry->number;
  const auto secret = secrets_.find(request.secret_id);
  if (request.secret_id != 0 && secret != secrets_.end()) {
    policy.rule = link::JoinPolicy::Rule::kBySecret;
    policy.secret = secret->second;
    return policy;
  }
  const bool has_key = std::any_of(by_number_.begin(), by_number_.end(),
                                   [&](const auto& one) { return one.second->address == request.address; });
  if (entry != nullptr && entry->kind == NodeKind::kLink && !has_key) policy.rule = link::JoinPolicy::Rule::kListed;
  return policy;
}

void NodeNetwork::OnRefused(const link::Address& address, link::Refusal reason, const link::NodeInfo& info) {
  WaitingNode& waiting = waiting_.Touch(address, now_.utc_us);
  if (info.name_size > 0) waiting.name = NameOf(info);
  waiting.reason = ReasonOf(reason);
  if (reason == link::Refusal::kWindowClosed && asked_secret_ != 0) waiting.reason = "unknown_secret";
  waiting.has_code = false;
  waiting.rssi_dbm = packet_.radiotap.signal_dbm;
  waiting.channel = packet_.radiotap.channel;
  waiting.node_channel = info.channel;
}

void NodeNetwork::OnCode(const link::Address& address, uint32_t code, const link::NodeInfo& info) {
  WaitingNode& waiting = waiting_.Touch(address, now_.utc_us);
  waiting.name = NameOf(info);
  waiting.reason = "compare_code";
  waiting.code = code;
  waiting.has_code = true;
  waiting.rssi_dbm = packet_.radiotap.signal_dbm;
  waiting.channel = packet_.radiotap.channel;
  waiting.node_channel = info.channel;
}

void NodeNetwork::OnJoined(const link::PeerRecord& record, const link::NodeInfo& /*info*/) {
  waiting_.Remove(record.address);
  StateOf(NodeKind::kLink, record.node, record.address);
  spdlog::info("source {}: node {} joined as number {}", options_.name, AddressText(record.address), record.node);
  SaveKeys();
}

void NodeNetwork::OnSession(uint16_t number, const link::NodeInfo& info) {
  NodeState* node = FindNumber(number);
  if (node == nullptr) return;
  waiting_.Remove(node->address);
  node->info = info;
  node->label = NameOf(info);
  node->asked_us = INT64_MIN;
  node->note.clear();
  const auto known = descriptions_.find(info.description_hash);
  if (node->description == nullptr || node->description->hash != info.description_hash) {
    node->description = known == descriptions_.end() ? nullptr : known->second;
    node->items.clear();
  }
  if (node->description == nullptr && info.description_hash != 0) {
    node->gathered.clear();
    node->next_chunk = 0;
    node->asked_us = now_.monotonic_us;
    link_->AskDescription(number);
  }
  TellDevice(*node);
  OfferConfiguration(*node);
}

void NodeNetwork::OnDescription(uint16_t number, const link::Description& description) {
  NodeState* node = FindNumber(number);
  if (node == nullptr) return;
  if (description.chunk != node->next_chunk || description.chunk == 0) {
    node->gathered.clear();
    node->next_chunk = 0;
  }
  if (description.chunk != node->next_chunk) return;
  if (node->gathered.size() + description.bytes.size() > kMaxDescriptionBytes) {
    ++bad_descriptions_;
    return;
  }
  node->gathered.insert(node->gathered.end(), description.bytes.begin(), description.bytes.end());
  ++node->next_chunk;
  if (node->next_chunk == description.count) Describe(*node);
}

void NodeNetwork::Describe(NodeState& node) {
  std::vector<uint8_t> bytes = std::move(node.gathered);
  node.gathered = {};
  auto read = ReadDescription(bytes);
  if (!read || read->hash != node.info.description_hash) {
    ++bad_descriptions_;
    node.note = "its description could not be read";
    return;
  }
  if (read->left_out > 0) node.note = fmt::format("{} items of its description could not be read", read->left_out);
  if (descriptions_.size() >= network_.max_nodes) descriptions_.clear();
  node.description = std::make_shared<NodeDescription>(std::move(*read));
  descriptions_[node.description->hash] = node.description;
  node.items.clear();
  if (!node.description->name.empty()) node.label = node.description->name;
  node.asked_us = INT64_MIN;
  std::erase_if(keys_.descriptions, [&](const KeptDescription& one) { return one.node == node.id; });
  keys_.descriptions.push_back({node.id, std::move(bytes)});
  TellDevice(node);
  SaveKeys();
  RestoreWishes();
}

bool NodeNetwork::OnReport(uint16_t number, const link::Report& report) {
  NodeState* node = FindNumber(number);
  if (node == nullptr) return false;
  const link::Peer* peer = link_->Find(number);
  node->is_sleepy = peer->is_sleepy;
  node->rssi_dbm = report.rssi_dbm;
  node->channel = report.channel;
  node->heard_us = now_.utc_us;
  node->heard_monotonic_us = now_.monotonic_us;
  // What the items mean is asked for; a node that can't tell is heard nevertheless after a while.
  if (node->asked_us != INT64_MIN && now_.monotonic_us - node->asked_us < kDescriptionPatience_us) {
    ++held_reports_;
    return false;
  }
  const bool is_hub_synchronised = now_.clock == ClockQuality::kSynchronised;
  UtcUs time_us = now_.utc_us;
  TimeQuality quality = is_hub_synchronised ? TimeQuality::kHubSynchronised : TimeQuality::kHubNotSynchronised;
  if (report.time_us != kNoTime) {
    time_us = report.time_us;
    if (now_.utc_us - time_us > kFresh_us) quality = TimeQuality::kBackDated;
  }
  const uint8_t flags = report.is_late ? kReadingLate : 0;
  link::Item item;
  size_t count = kHubReadings;
  for (link::ItemReader items(report.items); items.Next(&item);) ++count;
  if (!host_.has_room(std::vector<Reading>(count), frame_.size())) {
    ++node->busy_reports;
    return false;
  }
  for (link::ItemReader items(report.items); items.Next(&item);) TakeItem(*node, item, time_us, quality, flags);
  if (node->told_epoch != report.epoch) {
    AddHubReading(node->slot, link::kFieldOutbox, Value::OfInteger(report.epoch));
  }
  AddHubReading(node->slot, link::kFieldReportNumber, Value::OfInteger(report.sequence));
  if (report.rssi_dbm != 0 && now_.monotonic_us - node->signal_told_us >= kSignalEvery_us) {
    node->signal_told_us = now_.monotonic_us;
    AddHubReading(node->slot, link::kFieldSignal, Value::OfInteger(report.rssi_dbm));
  }
  node->told_epoch = report.epoch;
  ++node->reports;
  const bool is_half =
      std::any_of(node->relays.begin(), node->relays.end(), [](const auto& relay) { return relay.second->is_half; });
  if (!is_half) report_ = Kept{0, number, report.epoch, report.sequence};
  if (node->info.channel != 0 && report.channel != 0 && node->info.channel != report.channel) {
    node->note = fmt::format("tuned to channel {}, heard on {}", node->info.channel, report.channel);
  }
  return true;
}

ItemState& NodeNetwork::ItemOf(NodeState& node, uint8_t index) {
  const auto known = node.items.find(index);
  if (known != node.items.end()) return known->second;
  ItemState& state = node.items[index];
  const NodeEntry* entry = network_.FindId(node.id);
  const NodeItem* named = entry == nullptr ? nullptr : network_.FindItem(*entry, index);
  state.is_hidden = named != nullptr && named->is_hidden;
  state.spec = node.description == nullptr ? nullptr : node.description->Find(index);
  if (state.spec == nullptr) {
    const std::string key = fmt::format("item_{}", index);
    Field field;
    field.key = key.c_str();
    state.slot = node.slot;
    state.field = fields_.Register(field);
  } else if (!state.spec->is_frames) {
    const ItemSpec& spec = *state.spec;
    state.field = fields_.Register(spec);
    const std::string part = node.description->PartOf(spec);
    std::string label = named != nullptr && !named->name.empty() ? named->name : spec.name;
    if (label.empty()) label = spec.function;
    state.slot = part.empty() ? node.slot : SlotOf(node, part, label, KindOf(spec.function));
  }
  if (state.field == kNoField) ++no_field_;
  return state;
}

void NodeNetwork::TakeItem(NodeState& node, const link::Item& item, UtcUs time_us, TimeQuality quality, uint8_t flags) {
  ItemState& state = ItemOf(node, item.index);
  if (state.spec == nullptr) {
    ++node.unknown_items;
    ++unknown_items_;
  } else if (state.spec->is_frames) {
    return TakeRelayed(node, *state.spec, item.bytes, time_us, quality, (flags & kReadingLate) != 0);
  }
  if (state.field == kNoField || state.slot == kNoDevice || state.is_hidden) return;
  const FieldKind kind = state.spec == nullptr ? FieldKind::kGauge : state.spec->kind;
  Value value;
  switch (item.type) {
    case link::ValueType::kNone:
      break;
    case link::ValueType::kFloat:
      value = Value::OfReal(static_cast<double>(item.real));
      break;
    case link::ValueType::kBytes:
      value = Value::OfText(texts_.emplace_back(item.bytes.begin(), item.bytes.end()));
      break;
    default: {
      const bool is_code = kind == FieldKind::kState || kind == FieldKind::kFlag;
      if (is_code && item.integer >= 0 && item.integer <= UINT32_MAX) {
        value = Value::OfState(static_cast<uint32_t>(item.integer));
      } else if (item.type == link::ValueType::kState && !is_code) {
        value = Value::OfInteger(item.integer);
      } else {
        value = Value::OfDecimal(item.integer, state.spec == nullptr ? int8_t{0} : state.spec->exponent);
      }
    }
  }
  ValueQuality judged = value.is_none() ? ValueQuality::kUnavailable : ValueQuality::kOk;
  if (item.status == link::Status::kStale) judged = ValueQuality::kSuspect;
  if (item.status == link::Status::kOutOfRange) judged = ValueQuality::kOutOfRange;
  if (item.status == link::Status::kFault) {
    judged = ValueQuality::kUnavailable;
    value = Value::None();
  }
  AddReading(state.slot, state.field, value, time_us, quality, flags, judged);
}

void NodeNetwork::TakeRelayed(NodeState& node, const ItemSpec& spec, Bytes content, UtcUs time_us, TimeQuality quality,
                              bool is_late) {
  std::unique_ptr<Relay>& relay = node.relays[spec.index];
  if (relay == nullptr) relay = std::make_unique<Relay>();
  link::RelayPiece piece;
  if (!link::ReadRelayPiece(content, &piece)) {
    ++broken_relays_;
    return;
  }
  const uint32_t broken = relay->joiner.broken();
  link::RelayJoiner::Frame frame;
  const bool is_whole = relay->joiner.Take(piece, time_us, &frame);
  broken_relays_ += relay->joiner.broken() - broken;
  relay->is_half = !is_whole && relay->joiner.broken() == broken;
  if (!is_whole || !host_.relay) return;
  const std::string what = CleanWord(spec.name, kMaxItemTextBytes);
  std::string sender = fmt::format("{}-{}{}{}", node.id, spec.function, what.empty() ? "" : "-", what);
  host_.relay(
      {std::move(sender), spec.protocol, frame.bytes, {frame.first_us - frame.lag_ms * kUsPerMs, quality}, is_late});
}

void NodeNetwork::OnResult(uint16_t number, const link::Result& result) {
  NodeState* node = FindNumber(number);
  if (node == nullptr) return;
  const auto found = node->commands.find(result.item.index);
  if (found == node->commands.end() || found->second.version != result.version) return;
  NodeCommand& command = found->second;
  command.view.answered_us = now_.utc_us;
  command.view.state = result.outcome == link::Outcome::kRefused ? WishState::kRefused : WishState::kConfirmed;
  command.view.is_clamped = result.outcome == link::Outcome::kClamped;
  if (result.outcome == link::Outcome::kRefused) command.view.reason = "the node does not take it";
  if (result.item.index < link::kFirstSystemItem) {
    const ItemState& state = ItemOf(*node, result.item.index);
    command.view.held = Decimal{result.item.integer, state.spec == nullptr ? int8_t{0} : state.spec->exponent};
    // What holds now is a reading like any other.
    const bool is_sure = now_.clock == ClockQuality::kSynchronised;
    if (result.item.type != link::ValueType::kNone) {
      TakeItem(*node, result.item, now_.utc_us,
               is_sure ? TimeQuality::kHubSynchronised : TimeQuality::kHubNotSynchronised, 0);
    }
    SaveKeys();
  }
}

// The configuration that the network's description holds for a node is offered when the node runs another.
void NodeNetwork::OfferConfiguration(NodeState& node) {
  const NodeEntry* entry = network_.FindId(node.id);
  if (entry == nullptr || network_.FunctionsOf(*entry).empty()) return;
  const std::string& content = network_.FunctionsOf(*entry);
  const Bytes bytes(reinterpret_cast<const uint8_t*>(content.data()), content.size());
  const crypto::Digest digest = crypto::Sha256(bytes);
  std::string hex;
  for (const uint8_t byte : digest) hex += fmt::format("{:02x}", byte);
  auto sent = std::find_if(keys_.configured.begin(), keys_.configured.end(),
                           [&](const NodeConfigured& one) { return one.node == node.id; });
  if (sent == keys_.configured.end()) sent = keys_.configured.insert(sent, {node.id, "", 0});
  if (sent->digest == hex && sent->version != 0 && sent->version == node.info.configuration) return;
  if (sent->digest != hex || sent->version <= node.info.configuration) {
    sent->digest = hex;
    sent->version = std::max(sent->version, node.info.configuration) + 1;
    SaveKeys();
  }
  auto place = std::find_if(blobs_.begin(), blobs_.end(), [&](const Blob& one) { return one.node == node.id; });
  if (place == blobs_.end())
    place = std::find_if(blobs_.begin(), blobs_.end(), [](const Blob& b) { return b.node.empty(); });
  if (place == blobs_.end()) return;  // at its next session
  place->node = node.id;
  place->content = content;
  link::BlobManifest manifest;
  manifest.kind = link::BlobKind::kConfiguration;
  manifest.version = sent->version;
  manifest.size = static_cast<uint32_t>(content.size());
  manifest.digest = digest;
  const auto slot = static_cast<size_t>(place - blobs_.begin());
  link_->SetBlob(slot, manifest);
  link_->OfferBlob(node.number, slot);
}

size_t NodeNetwork::ReadBlob(size_t blob, uint32_t offset, std::span<uint8_t> out) {
  const std::string& content = blobs_[blob].content;
  if (offset >= content.size()) return 0;
  const size_t size = std::min(out.size(), content.size() - offset);
  std::copy_n(content.begin() + offset, size, out.begin());
  return size;
}

void NodeNetwork::OnBlobStatus(uint16_t number, const link::BlobStatus& status) {
  NodeState* node = FindNumber(number);
  if (node == nullptr) return;
  for (size_t i = 0; i < blobs_.size(); ++i) {
    if (blobs_[i].node != node->id) continue;
    blobs_[i] = {};
  }
  if (status.result == link::BlobResult::kComplete) {
    node->info.configuration = status.version;
  } else {
    node->note = fmt::format("it did not take its configuration (reason {})", static_cast<int>(status.result));
  }
  // Who waited for a place.
  for (const auto& [id, other] : nodes_) {
    if (other->kind == NodeKind::kLink && other.get() != node) OfferConfiguration(*other);
  }
}

}  // namespace vesta::hub
