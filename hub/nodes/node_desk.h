// What people and programs can see and do with the nodes of a network: the page, the API, MQTT and schedules all come
// through here, so that one rule holds for them.
//
// A wish (set-point, switch, restart, ping) is requested, then sent, then confirmed or refused by the node; a newer
// wish for the same item takes the place of an older one. A wish for a sleeping node waits for its next wake-up, and
// survives a restart of the hub, but for restarts and pings. All times UTC us, 0 = never. Main thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "hub/devices/directory.h"
#include "hub/nodes/network.h"
#include "model/time.h"

namespace vesta::hub {

enum class WishState : uint8_t { kRequested, kSent, kConfirmed, kRefused };
std::string_view WishStateName(WishState state);  // "requested", "sent", "confirmed", "refused"

struct WishView {
  uint8_t item = 0;
  Decimal value;                // asked for
  std::optional<Decimal> held;  // what the node says it holds now
  WishState state = WishState::kRequested;
  bool is_clamped = false;  // the node took its nearest
  std::string reason;       // of a refusal
  std::string who;
  UtcUs requested_us = 0;
  UtcUs answered_us = 0;
};

// waiting: the node has not asked for the first block yet. restarting: it has all of it and is about to run it.
// rolled_back: it came back with the old one.
enum class UpdateState : uint8_t { kWaiting, kLoading, kRestarting, kDone, kRefused, kRolledBack };
std::string_view UpdateStateName(UpdateState state);  // "waiting", ..., "rolled_back"

struct UpdateView {
  uint32_t version = 0;
  UpdateState state = UpdateState::kWaiting;
  int percent = 0;
  std::string reason;
  UtcUs ordered_us = 0;
};

struct FirmwareView {
  uint32_t hardware = 0;  // 0: any
  uint32_t version = 0;
  uint32_t size = 0;
};
std::string FirmwareText(uint32_t version);  // "1.2.3"

struct FirmwareUpload {
  uint64_t received = 0;
  uint64_t size = 0;  // of the package
  bool is_complete = false;
  FirmwareView firmware;
};

struct ItemView {
  uint8_t item = 0;
  std::string name;
  std::string device;  // key of the hub's device that shows it, "" = none yet
  std::string field;
  FieldKind kind = FieldKind::kGauge;
  Unit unit = Unit::kNone;
  bool is_writable = false;
  std::optional<Decimal> min;
  std::optional<Decimal> max;
  Decimal step{1, 0};
};

struct NodeView {
  std::string id;
  std::string source;
  NodeKind kind = NodeKind::kLink;
  uint16_t number = 0;
  std::string name;
  std::string group;
  std::string address;
  std::string device;  // key of the hub's device, "" = never heard
  std::string firmware;
  bool is_listed = false;
  bool is_sleepy = false;
  bool is_insecure = false;      // can't prove who it is
  bool insecure_writes = false;  // and its owner lets it be written to nevertheless
  int16_t rssi_dbm = 0;
  uint8_t channel = 0;
  UtcUs heard_us = 0;
  uint64_t reports = 0;
  uint64_t unknown_items = 0;
  std::string state;  // "online", "asleep", "silent", "never_heard"
  std::string note;   // what is odd, for people
  uint32_t hardware = 0;
  std::optional<UpdateView> update;
  std::vector<ItemView> items;
  std::vector<WishView> wishes;
};

// One that wants to join and may not.
struct WaitingView {
  std::string address;
  std::string source;
  std::string name;
  std::string reason;  // stable word: "window_closed", "table_full", "not_listed", ...
  std::string text;    // for people
  std::string code;    // six digits to compare, "" = none
  int16_t rssi_dbm = 0;
  uint8_t channel = 0;       // that this hub heard it on
  uint8_t node_channel = 0;  // that it believes to be tuned to
  uint64_t requests = 0;
  UtcUs first_us = 0;
  UtcUs last_us = 0;
};

struct NetworkView {
  std::string source;
  std::string air;      // "udp", "serial", "wifi"
  std::string address;  // of the hub on the air
  uint8_t channel = 0;
  uint8_t hub_id = 0;
  uint16_t number = 0;
  size_t nodes = 0;
  size_t max_nodes = 0;
  int64_t window_us = 0;  // how long joining is still open; 0 = closed
  size_t secrets = 0;     // known node secrets
  size_t schedules = 0;
  std::vector<FirmwareView> firmware;
  std::vector<std::string> problems;
};

struct NodeProblem {
  std::string code;  // stable word: "no_node", "no_item", "not_writable", "out_of_range", ...
  std::string text;
};
using NodeResult = tl::expected<void, NodeProblem>;

// What became of a wish, for who shows it elsewhere.
struct WishTold {
  std::string device;  // key of the hub's device
  std::string field;
  WishView wish;
};

class NodeDesk {
 public:
  virtual ~NodeDesk() = default;

  virtual std::vector<NetworkView> Networks() const = 0;
  virtual std::vector<NodeView> Nodes() const = 0;
  virtual std::vector<WaitingView> Waiting() const = 0;

  // All networks when source is "". 0 seconds closes it.
  virtual NodeResult OpenWindow(std::string_view source, int64_t seconds) = 0;
  // The operator saw the same six digits on the node.
  virtual NodeResult Confirm(std::string_view address, std::string_view code) = 0;
  virtual NodeResult Forget(std::string_view id) = 0;
  virtual NodeResult Set(std::string_view id, uint8_t item, Decimal value, std::string_view who) = 0;
  // "restart", "ping", "identify"; an empty id: all nodes.
  virtual NodeResult Order(std::string_view id, std::string_view what, std::string_view who) = 0;
  virtual NodeResult AddSecret(std::string_view source, std::string_view secret, std::string_view name) = 0;

  // The description as JSON text; the error of PutNetwork says what is wrong with it.
  virtual tl::expected<std::string, NodeProblem> GetNetwork(std::string_view source) const = 0;
  virtual NodeResult PutNetwork(std::string_view source, std::string_view json) = 0;

  // A piece of a firmware package; the pieces come in order.
  virtual tl::expected<FirmwareUpload, NodeProblem> UploadFirmware(std::string_view source, uint64_t offset,
                                                                   std::span<const uint8_t> bytes) = 0;
  // The node is to load the package for its hardware; an empty id: all that can.
  virtual NodeResult Update(std::string_view id, std::string_view who) = 0;

  // For outputs: what can be written to a series, if anything.
  struct Writable {
    std::string node;
    ItemView item;
  };
  virtual std::optional<Writable> FindWritable(const Device& device, std::string_view field) const = 0;
  // Called at each new state of a wish, as long as the token is kept.
  using Token = std::shared_ptr<void>;
  [[nodiscard]] virtual Token OnWish(std::function<void(const WishTold&)> told) = 0;
};

// Longest that joining may stay open at a time.
inline constexpr int64_t kMaxWindow_s = 600;
inline constexpr uint8_t kRestartItem = 0xF1;
inline constexpr uint8_t kPingItem = 0xF0;
inline constexpr uint8_t kIdentifyItem = 0xF2;

}  // namespace vesta::hub
