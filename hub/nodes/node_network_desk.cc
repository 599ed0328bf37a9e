// What people and programs do with a network: views, joining, wishes, the description.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "hub/keys/private_file.h"
#include "hub/nodes/node_network.h"

namespace vesta::hub {

namespace {

constexpr int64_t kOnline_us = 120 * kUsPerSecond;  // unless its description says that it reports less often
constexpr int64_t kSlackPeriods = 3;

constexpr std::string_view kWishStates[] = {"requested", "sent", "confirmed", "refused"};

struct ReasonText {
  std::string_view reason;
  std::string_view text;
};
constexpr ReasonText kReasons[] = {
    {"window_closed", "It has no secret and joining is closed: open it, then compare the digits."},
    {"unknown_secret", "It has a secret that this hub does not know: give it, it stands on the node's label."},
    {"compare_code", "It waits for you: let it in when it shows the same six digits."},
    {"unknown_node", "It believes to have joined, but this hub does not know it: it asks anew by itself."},
    {"table_full", "The table of nodes is full: forget one, or raise max_nodes in the description."},
    {"number_in_use", "Its number belongs to a node that is alive: give one of them another."},
    {"duplicate_id", "Another node with this number is alive: give one of them another."},
    {"denied", "It may not join."},
    {"other_channel", "It is tuned to another channel: it will come again on the right one."},
    {"busy", "Too many join at once: it comes again by itself."},
    {"other_network", "It looks for a server with another id."},
    {"not_listed", "It is not listed in the network's description."},
    {"never_paired", "It sends data, but has not paired with this hub."},
};

std::optional<int64_t> WholeSteps(Decimal value, int8_t exponent) {
  // Only exact: 20.55 for an item of tenths is refused rather than rounded in silence.
  while (value.exponent > exponent) {
    if (value.mantissa > INT64_MAX / 10 || value.mantissa < INT64_MIN / 10) return std::nullopt;
    value.mantissa *= 10;
    --value.exponent;
  }
  while (value.exponent < exponent) {
    if (value.mantissa % 10 != 0) return std::nullopt;
    value.mantissa /= 10;
    ++value.exponent;
  }
  return value.mantissa;
}

NodeResult Problem(std::string code, std::string text) {
  return tl::unexpected(NodeProblem{std::move(code), std::move(text)});
}

// What an original node switches: 1 to 6 are outputs of its relay board, 101 to 111 pins of its own board.
std::string OutputText(uint8_t control) {
  if (control >= 1 && control <= 6) return fmt::format(" (relay {})", control);
  if (control >= 101 && control <= 111) return fmt::format(" (pin D{})", control - 101);
  return "";
}

std::optional<Decimal> Tighter(const std::optional<Decimal>& a, const std::optional<Decimal>& b, int wanted) {
  if (!a) return b;
  if (!b) return a;
  return Compare(*a, *b) == wanted ? a : b;
}

}  // namespace

std::string_view WishStateName(WishState state) { return kWishStates[static_cast<size_t>(state)]; }

NetworkView NodeNetwork::View() const {
  NetworkView view;
  view.source = options_.name;
  view.air = options_.air;
  view.address = AddressText(address_);
  view.channel = channel_;
  view.hub_id = network_.hub_id;
  view.number = network_.number;
  view.nodes = by_number_.size();
  view.max_nodes = network_.max_nodes;
  view.window_us = std::max<int64_t>(0, window_until_us_ - host_.clock.Read().monotonic_us);
  if (window_until_us_ == INT64_MIN) view.window_us = 0;
  view.secrets = secrets_.size();
  view.schedules = network_.schedules.size();
  for (const link::BlobManifest& one : firmware_.all()) view.firmware.push_back({one.target, one.version, one.size});
  view.problems = problems_;
  view.problems.insert(view.problems.end(), file_problems_.begin(), file_problems_.end());
  return view;
}

NodeView NodeNetwork::ViewOf(const NodeState& node) const {
  NodeView view;
  const NodeEntry* entry = network_.FindId(node.id);
  view.id = node.id;
  view.source = options_.name;
  view.kind = node.kind;
  view.number = node.number;
  view.name = entry != nullptr && !entry->name.empty() ? entry->name : node.label;
  if (entry != nullptr) view.group = network_.GroupName(entry->group);
  if (node.has_address) view.address = AddressText(node.address);
  const Device* device = DeviceOf(node.id);
  if (device != nullptr) {
    view.device = device->key;
    view.firmware = device->firmware;
    if (!device->name.empty()) view.name = device->name;
  }
  view.is_listed = entry != nullptr;
  view.is_sleepy = node.is_sleepy;
  view.is_insecure = node.kind != NodeKind::kLink;
  view.insecure_writes = entry != nullptr && entry->insecure_writes;
  view.rssi_dbm = node.rssi_dbm;
  view.channel = node.channel;
  view.heard_us = node.heard_us;
  view.hardware = node.info.hardware;
  if (const NodeUpdate* update = node.update.get()) {
    const uint64_t percent = update->size == 0 ? 0 : uint64_t{100} * update->loaded / update->size;
    view.update = {update->version, update->state, static_cast<int>(percent), update->reason, update->since_us};
  }
  view.reports = node.reports;
  view.unknown_items = node.unknown_items;
  view.note = node.note;
  if (!node.problem.empty()) view.note += (view.note.empty() ? "it says: " : "; it says: ") + node.problem;
  uint32_t period_s = 0;
  if (node.description != nullptr) {
    for (const ItemSpec& spec : node.description->items) period_s = std::max(period_s, spec.period_s);
  }
  const int64_t limit_us = std::max(kOnline_us, kSlackPeriods * period_s * kUsPerSecond);
  if (node.heard_monotonic_us == INT64_MIN) {
    view.state = "never_heard";
  } else if (host_.clock.Read().monotonic_us - node.heard_monotonic_us > limit_us) {
    view.state = "silent";
  } else {
    view.state = node.is_sleepy ? "asleep" : "online";
  }
  const auto add_item = [&](uint8_t index, const std::string& suffix, ItemView item) {
    item.item = index;
    const Device* shown = suffix.empty() ? device : DeviceOf(fmt::format("{}-{}", node.id, suffix));
    if (shown != nullptr) item.device = shown->key;
    view.items.push_back(std::move(item));
  };
  if (node.description != nullptr) {
    for (const ItemSpec& spec : node.description->items) {
      if (spec.is_frames) continue;
      ItemView item;
      const NodeItem* named = entry == nullptr ? nullptr : network_.FindItem(*entry, spec.index);
      item.name = named != nullptr && !named->name.empty() ? named->name
                  : spec.name.empty()                      ? spec.function
                                                           : spec.name;
      item.field = spec.key;
      item.kind = spec.kind;
      item.unit = spec.unit;
      item.is_writable = spec.is_writable;
      if (spec.min) item.min = Decimal{*spec.min, spec.exponent};
      if (spec.max) item.max = Decimal{*spec.max, spec.exponent};
      if (named != nullptr) {
        item.min = Tighter(item.min, named->min, 1);
        item.max = Tighter(item.max, named->max, -1);
      }
      item.step = {spec.step.value_or(1), spec.exponent};
      add_item(spec.index, node.description->PartOf(spec), std::move(item));
    }
  } else if (entry != nullptr && node.kind == NodeKind::kVesta2025) {
    for (const LegacyDevice& one : entry->devices) {
      if (one.type == 1) continue;
      ItemView item;
      item.name = one.name + OutputText(one.control);
      item.field = one.type == 0 ? "set_point" : "switch";
      item.kind = one.type == 0 ? FieldKind::kGauge : FieldKind::kFlag;
      item.unit = one.type == 0 ? Unit::kCelsius : Unit::kNone;
      item.is_writable = entry->insecure_writes;
      item.min = Decimal{0, 0};
      item.max = Decimal{one.type == 0 ? 255 : 1, 0};
      add_item(one.id, fmt::format("{}", one.id), std::move(item));
    }
  }
  const link::Peer* peer = node.kind == NodeKind::kLink ? link_->Find(node.number) : nullptr;
  for (const auto& [index, command] : node.commands) {
    WishView wish = command.view;
    if (peer != nullptr && wish.state == WishState::kRequested) {
      for (const link::MailboxSlot& slot : peer->mailbox) {
        if (slot.version == command.version && slot.version != 0 && slot.sent_us != 0) wish.state = WishState::kSent;
      }
    }
    view.wishes.push_back(std::move(wish));
  }
  return view;
}

NodeView NodeNetwork::ViewOf(const NodeEntry& entry) const {
  NodeView view;
  view.id = NodeIdOf(entry);
  view.source = options_.name;
  view.kind = entry.kind;
  view.number = entry.number;
  view.name = entry.name;
  view.group = network_.GroupName(entry.group);
  if (entry.has_address) view.address = AddressText(entry.address);
  view.is_listed = true;
  view.is_insecure = entry.kind != NodeKind::kLink;
  view.insecure_writes = entry.insecure_writes;
  view.state = "never_heard";
  return view;
}

void NodeNetwork::AddNodes(std::vector<NodeView>* out) const {
  for (const auto& [id, node] : nodes_) out->push_back(ViewOf(*node));
  for (const NodeEntry& entry : network_.nodes) {
    if (FindState(NodeIdOf(entry)) == nullptr) out->push_back(ViewOf(entry));
  }
}

void NodeNetwork::AddWaiting(std::vector<WaitingView>* out) const {
  for (const WaitingNode& node : waiting_.all()) {
    WaitingView view;
    view.address = AddressText(node.address);
    view.source = options_.name;
    view.name = node.name;
    view.reason = node.reason;
    for (const ReasonText& one : kReasons) {
      if (one.reason == view.reason) view.text = one.text;
    }
    if (node.has_code) view.code = fmt::format("{:06}", node.code);
    view.rssi_dbm = node.rssi_dbm;
    view.channel = node.channel;
    view.node_channel = node.node_channel;
    view.requests = node.requests;
    view.first_us = node.first_us;
    view.last_us = node.last_us;
    out->push_back(std::move(view));
  }
}

void NodeNetwork::OpenWindow(int64_t seconds) {
  const Now now = host_.clock.Read();
  if (seconds <= 0) {
    link_->CloseWindow();
    window_until_us_ = INT64_MIN;
    return;
  }
  link_->OpenWindow(now, seconds * kUsPerSecond);
  window_until_us_ = now.monotonic_us + seconds * kUsPerSecond;
  Changed();
}

NodeResult NodeNetwork::Confirm(const link::Address& address, std::string_view code) {
  WaitingNode* waiting = waiting_.Find(address);
  if (waiting == nullptr || !waiting->has_code) return Problem("not_waiting", "no node with this address waits");
  if (fmt::format("{:06}", waiting->code) != code) {
    return Problem("other_code", "these are not the digits that the hub has: do not let this node in");
  }
  now_ = host_.clock.Read();
  if (!link_->ConfirmJoin(address, now_, *this)) return Problem("not_waiting", "it does not wait any more");
  Changed();
  return {};
}

bool NodeNetwork::Has(std::string_view id) const { return FindState(id) != nullptr || network_.FindId(id) != nullptr; }

std::vector<std::string> NodeNetwork::Ids() const {
  std::vector<std::string> ids;
  for (const auto& [id, node] : nodes_) ids.push_back(id);
  return ids;
}

NodeResult NodeNetwork::Forget(std::string_view id) {
  NodeState* node = FindState(id);
  if (node == nullptr) return Problem("no_node", "there is no such node");
  if (node->kind == NodeKind::kLink) {
    link_->Forget(node->number);
    by_number_.erase(node->number);
  }
  std::erase_if(keys_.legacy, [&](const LegacyAddress& one) { return one.node == id; });
  std::erase_if(restoring_, [&](const NodeWish& one) { return one.node == id; });
  std::erase_if(keys_.descriptions, [&](const KeptDescription& one) { return one.node == id; });
  const bool is_legacy = node->kind == NodeKind::kVesta2025 || node->kind == NodeKind::kVesta2022;
  nodes_.erase(nodes_.find(id));
  if (is_legacy) MakeLegacyGateway();
  return SaveKeys() ? NodeResult() : Problem("not_stored", "it could not be written to the disk");
}

NodeResult NodeNetwork::Set(std::string_view id, uint8_t item, Decimal value, std::string_view who) {
  now_ = host_.clock.Read();
  NodeState* node = FindState(id);
  if (node == nullptr) return Problem("no_node", "there is no such node");
  if (node->kind != NodeKind::kLink) {
    const NodeResult done = SetLegacy(*node, item, value, who);
    if (!done) return done;
    TellWishes(*node);
    SaveKeys();
    Changed();
    return done;
  }
  if (node->description == nullptr) return Problem("not_described", "the node has not said yet what can be set");
  const ItemSpec* spec = node->description->Find(item);
  if (spec == nullptr) return Problem("no_item", "the node has no such item");
  if (!spec->is_writable) return Problem("not_writable", "this item can't be set");
  const NodeView view = ViewOf(*node);
  const auto shown =
      std::find_if(view.items.begin(), view.items.end(), [&](const ItemView& one) { return one.item == item; });
  if ((shown->min && Compare(value, *shown->min) < 0) || (shown->max && Compare(value, *shown->max) > 0)) {
    return Problem("out_of_range", "this is outside of what the item takes");
  }
  const auto steps = WholeSteps(value, spec->exponent);
  if (!steps) return Problem("too_fine", "the item has fewer decimals");
  link::Item wire = link::IntegerItem(item, *steps);
  if (spec->kind == FieldKind::kFlag || spec->kind == FieldKind::kState) {
    if (*steps < 0 || *steps > 255) return Problem("out_of_range", "a state is a number from 0 on");
    wire.type = link::ValueType::kState;
  }
  const NodeResult done = Wish(*node, item, value, wire, who);
  if (!done) return done;
  TellWishes(*node);
  Changed();
  return SaveKeys() ? NodeResult() : Problem("not_stored", "it could not be written to the disk");
}

NodeResult NodeNetwork::Order(std::string_view id, uint8_t item, std::string_view who) {
  now_ = host_.clock.Read();
  NodeState* node = FindState(id);
  if (node == nullptr) return Problem("no_node", "there is no such node");
  const NodeResult done = node->kind == NodeKind::kLink ? Wish(*node, item, {0, 0}, link::IntegerItem(item, 1), who)
                                                        : SetLegacy(*node, item, {0, 0}, who);
  Changed();
  return done;
}

NodeResult NodeNetwork::Wish(NodeState& node, uint8_t item, Decimal value, const link::Item& wire,
                             std::string_view who) {
  const uint32_t version = link_->SetItem(node.number, wire, now_, *this);
  if (version == 0) return Problem("full", "too many wishes wait for this node");
  NodeCommand& command = node.commands[item];
  command = {};
  command.version = version;
  command.view.item = item;
  command.view.value = value;
  command.view.who = who;
  command.view.requested_us = now_.utc_us;
  std::erase_if(restoring_, [&](const NodeWish& one) { return one.node == node.id && one.item == item; });
  return {};
}

// Each state once: a wish for a node that is awake is sent at once, one for a sleeper later.
void NodeNetwork::TellWishes(NodeState& node) {
  if (node.commands.empty() || !host_.wish) return;
  const bool has_news = std::any_of(node.commands.begin(), node.commands.end(), [](const auto& one) {
    return one.second.told != one.second.view.state || one.second.view.state == WishState::kRequested;
  });
  if (!has_news) return;
  const NodeView view = ViewOf(node);
  for (const WishView& wish : view.wishes) {
    NodeCommand& command = node.commands[wish.item];
    if (command.told == wish.state) continue;
    command.told = wish.state;
    const auto item =
        std::find_if(view.items.begin(), view.items.end(), [&](const ItemView& one) { return one.item == wish.item; });
    if (item != view.items.end() && !item->device.empty()) host_.wish({item->device, item->field, wish});
  }
}

// What was asked for before the hub stopped and not answered; the newest wish wins, so one of this run does.
void NodeNetwork::RestoreWishes() {
  const std::vector<NodeWish> wishes = restoring_;
  for (const NodeWish& wish : wishes) {
    NodeState* node = FindState(wish.node);
    if (node == nullptr || (node->kind == NodeKind::kLink && node->description == nullptr)) continue;
    std::erase_if(restoring_, [&](const NodeWish& one) { return one.node == wish.node && one.item == wish.item; });
    if (node->commands.contains(wish.item)) continue;
    const Decimal value{wish.mantissa, wish.exponent};
    const NodeResult done = Set(wish.node, wish.item, value, wish.who);
    if (!done) {
      spdlog::warn("source {}: wish for {} item {} of the last run: {}", options_.name, wish.node, wish.item,
                   done.error().text);
    }
  }
}

NodeResult NodeNetwork::AddSecret(std::string_view text, std::string_view name) {
  NodeSecret secret;
  if (!ParseNodeSecret(text, &secret.secret)) return Problem("bad_secret", "a node's secret has 32 hex digits");
  if (keys_.secrets.size() >= kMaxNodeSecrets) return Problem("full", "no more secrets are taken");
  const uint32_t id = link::SecretIdOf(secret.secret);
  if (!secrets_.emplace(id, secret.secret).second) return {};
  secret.name = name;
  keys_.secrets.push_back(secret);
  return SaveKeys() ? NodeResult() : Problem("not_stored", "it could not be written to the disk");
}

NodeResult NodeNetwork::PutNetwork(std::string_view json) {
  std::vector<std::string> problems;
  auto read = ReadNetwork(json, &problems);
  if (!read) return Problem("bad_network", read.error());
  if (!problems.empty()) return Problem("bad_network", problems.front());
  if (read->number != network_.number || read->max_nodes != network_.max_nodes) {
    return Problem("needs_restart",
                   "the network's number and max_nodes are changed in the file while the hub is stopped");
  }
  const auto written = WritePrivateFile(options_.network_file, WriteNetwork(*read));
  if (!written) return Problem("not_stored", written.error());
  network_ = std::move(*read);
  problems_.clear();
  listed_.clear();
  for (size_t i = 0; i < network_.nodes.size(); ++i) {
    uint64_t number = 0;
    for (const uint8_t byte : network_.nodes[i].address) number = number << 8 | byte;
    if (network_.nodes[i].has_address) listed_.emplace(number, i);
  }
  for (const auto& [id, node] : nodes_) {
    node->items.clear();
    if (node->kind == NodeKind::kLink) OfferConfiguration(*node);
  }
  std::erase_if(nodes_, [&](const auto& one) {
    const NodeKind kind = one.second->kind;
    return (kind == NodeKind::kVesta2025 || kind == NodeKind::kVesta2022) && network_.FindId(one.first) == nullptr;
  });
  MakeLegacyGateway();
  schedules_run_us_ = host_.clock.Read().utc_us;
  Changed();
  return {};
}

std::optional<NodeDesk::Writable> NodeNetwork::FindWritable(const Device& device, std::string_view field) const {
  if (device.protocol != "nodes") return std::nullopt;
  for (const auto& [id, node] : nodes_) {
    if (!device.identity.starts_with(id)) continue;
    for (ItemView& item : ViewOf(*node).items) {
      if (item.is_writable && item.device == device.key && item.field == field) return NodeDesk::Writable{id, item};
    }
  }
  return std::nullopt;
}

}  // namespace vesta::hub
