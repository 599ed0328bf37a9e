// One network of nodes as the hub keeps it: the link's hub end, the server of the original networks, who is joined,
// what each node says of itself, and what was asked of it.
//
// Driven like a protocol session: what an air heard comes in (a datagram of docs/formats/udp-air.md, or radiotap and
// frame), frames with readings and frames to send come out (the same datagrams). Main thread only; what must survive a
// restart is written before the node hears of it, and that waits for the disk, which is rare (a joining, a wish).
//
// A report is acknowledged when it was taken, and named as kept when its readings are durable. Its number is stored as
// a reading beside them, so what is kept and what is stored are never at odds, whenever the hub stops. Half a forwarded
// frame holds the mark back, since it is in memory only.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "hub/clock/clock.h"
#include "hub/keys/node_keys.h"
#include "hub/live/live_view.h"
#include "hub/nodes/description.h"
#include "hub/nodes/field_registry.h"
#include "hub/nodes/firmware_store.h"
#include "hub/nodes/node_desk.h"
#include "hub/nodes/node_state.h"
#include "hub/nodes/waiting_nodes.h"
#include "model/calendar.h"
#include "model/session.h"
#include "protocols/espnow/frame.h"
#include "protocols/espnow/legacy_gateway.h"
#include "protocols/espnow/repeats.h"
#include "protocols/link/hub.h"

namespace vesta::hub {

// Frames that wait to be sent: more than a full window of answers; what comes beyond is counted.
inline constexpr size_t kMaxOutgoing = 256;
// Frames that are not taken and are told one by one, a second and at once; a flood beyond is only counted, so that it
// fills neither the log nor the archive.
inline constexpr int64_t kToldRejects_s = 20;
inline constexpr int64_t kToldRejectsBurst = 100;
// A node whose description does not come is heard without it after this long.
inline constexpr int64_t kDescriptionPatience_us = 30 * kUsPerSecond;
// Tries of a set-point for an original node, one after each of its messages.
inline constexpr int kLegacyTries = 20;

// A frame that a node forwarded for a protocol of its own.
struct RelayedFrame {
  std::string sender;  // "02bb00000001-p1-meter"
  std::string protocol;
  Bytes bytes;
  StampedTime time{0, TimeQuality::kHubNotSynchronised};
  bool is_held_back = false;
};

// What the network needs of the hub around it. All of it outlives the network.
struct NodeHost {
  const Clock& clock;
  Directory& directory;
  LiveView& live;
  std::function<bool(std::span<const Reading>, size_t frame_bytes)> has_room;  // Journal::HasRoom
  std::function<uint64_t()> last_number;                                       // Journal::last_number
  std::function<void()> poke;                                                  // Tick and Transmit should be called
  std::function<void(const RelayedFrame&)> relay;
  std::function<void(const WishTold&)> wish;
};

struct NodeNetworkOptions {
  std::string name;  // of the source
  std::string air;   // "udp", "serial", "wifi"
  std::string hub_id;
  std::string keys_file;
  std::string network_file;
  std::string firmware_folder;
  uint8_t channel = 0;  // 0 = the air has none
  Zone zone;
};

class NodeNetwork final : private link::HubEvents, private espnow::legacy::GatewayEvents {
 public:
  NodeNetwork(NodeNetworkOptions options, NodeHost host, link::RandomSource& random);
  ~NodeNetwork() override;

  // Reads the files; what is wrong with them stands in problems. After the live view was restored.
  void Load();

  // The air was opened: where nodes send to. Without a call, an address made from the hub's id.
  void SetAir(const link::Address& address, uint8_t channel);
  const link::Address& address() const { return address_; }
  uint8_t channel() const { return channel_; }

  // The session that drives this network; it must not outlive it. One only.
  std::unique_ptr<Session> MakeSession();

  // Everything up to this journal number is on the disk.
  void OnDurable(uint64_t mark);
  void Save();  // at the end of a run

  // For the desk.
  NetworkView View() const;
  void AddNodes(std::vector<NodeView>* out) const;
  void AddWaiting(std::vector<WaitingView>* out) const;
  void OpenWindow(int64_t seconds);
  NodeResult Confirm(const link::Address& address, std::string_view code);
  bool Has(std::string_view id) const;
  NodeResult Forget(std::string_view id);
  NodeResult Set(std::string_view id, uint8_t item, Decimal value, std::string_view who);
  NodeResult Order(std::string_view id, uint8_t item, std::string_view who);
  std::vector<std::string> Ids() const;
  NodeResult AddSecret(std::string_view secret, std::string_view name);
  std::string NetworkJson() const { return WriteNetwork(network_); }
  NodeResult PutNetwork(std::string_view json);
  tl::expected<FirmwareUpload, NodeProblem> UploadFirmware(uint64_t offset, Bytes bytes);
  NodeResult Update(std::string_view id, std::string_view who);
  std::optional<NodeDesk::Writable> FindWritable(const Device& device, std::string_view field) const;
  const std::string& name() const { return options_.name; }

 private:
  friend class NodeSession;

  // Session, as NodeSession passes it on.
  void Receive(Bytes bytes, const Now& now, SessionEvents& events);
  void Tick(const Now& now, SessionEvents& events);
  int64_t NextDeadline() const;
  Bytes Outgoing() const;
  void OutgoingSent();
  void ReportCounters(CounterSink& sink) const;
  void ReportUnknown(UnknownSink& sink) const;
  uint64_t unknown_items() const { return unknown_items_; }

  // link::HubEvents
  void Send(uint8_t gateway, const link::Address& from, const link::Address& to, Bytes frame) override;
  link::JoinPolicy OnJoinRequest(const link::JoinRequest& request) override;
  void OnRefused(const link::Address& address, link::Refusal reason, const link::NodeInfo& info) override;
  void OnCode(const link::Address& address, uint32_t code, const link::NodeInfo& info) override;
  void OnJoined(const link::PeerRecord& record, const link::NodeInfo& info) override;
  void OnSession(uint16_t node, const link::NodeInfo& info) override;
  bool OnReport(uint16_t node, const link::Report& report) override;
  void OnResult(uint16_t node, const link::Result& result) override;
  void OnDescription(uint16_t node, const link::Description& description) override;
  size_t ReadBlob(size_t blob, uint32_t offset, std::span<uint8_t> out) override;
  void OnBlobRequested(uint16_t node, const link::BlobManifest& manifest, uint32_t first_block) override;
  void OnBlobStatus(uint16_t node, const link::BlobStatus& status) override;

  // legacy::GatewayEvents
  void OnEvent(const espnow::legacy::GatewayEvent& event) override;

  void ReceiveLink(const espnow::Packet& packet, Bytes body);
  void ReceiveLegacy(const espnow::Packet& packet, Bytes body);
  void ReceivePairing2022(const espnow::legacy::Pairing2022& request);
  void ReceiveReading2022(const espnow::legacy::Reading2022& reading);
  void ReceiveVictron(const espnow::legacy::VictronReading& reading);
  void TakeLegacyReading(const espnow::legacy::GatewayEvent& event);
  void SendLegacy(const link::Address& to, Bytes body);
  void MakeLegacyGateway();
  void BindLegacy(NodeState& node);
  void RetryLegacy(NodeState& node, uint8_t device);
  NodeResult SetLegacy(NodeState& node, uint8_t item, Decimal value, std::string_view who);

  // Ends the frame at hand: exactly once for each.
  void Accept();
  void Reject(const char* reason, FrameVerdict verdict = FrameVerdict::kRejected);

  NodeState& StateOf(NodeKind kind, uint16_t number, const link::Address& address);
  NodeState* FindState(std::string_view id) const;
  NodeState* FindNumber(uint16_t number) const;
  uint16_t SlotOf(NodeState& node, const std::string& suffix, const std::string& label, DeviceKind kind);
  void TellDevice(NodeState& node);
  void ApplyNames(const std::string& identity, const std::string& name, const std::string& group);
  const Device* DeviceOf(std::string_view identity) const;
  ItemState& ItemOf(NodeState& node, uint8_t index);
  void TakeItem(NodeState& node, const link::Item& item, UtcUs time_us, TimeQuality quality, uint8_t flags);
  void TakeRelayed(NodeState& node, const ItemSpec& spec, Bytes content, UtcUs time_us, TimeQuality quality,
                   bool is_late);
  void AddReading(uint16_t slot, uint16_t field, Value value, UtcUs time_us, TimeQuality quality, uint8_t flags = 0,
                  ValueQuality value_quality = ValueQuality::kOk);
  void AddHubReading(uint16_t slot, uint16_t field, Value value);
  void Describe(NodeState& node);
  void OfferConfiguration(NodeState& node);
  void OfferFirmware(NodeState& node);
  void FollowUpdate(NodeState& node);
  void EndUpdate(NodeState& node, UpdateState state, std::string reason);
  void TakeFirmwareStatus(NodeState& node, const link::BlobStatus& status, std::string_view why_not);
  void RestoreUpdates();
  void GatherUpdates();
  void RunSchedules();
  NodeResult Wish(NodeState& node, uint8_t item, Decimal value, const link::Item& wire, std::string_view who);
  void RestoreWishes();
  void TellWishes(NodeState& node);
  NodeView ViewOf(const NodeState& node) const;
  NodeView ViewOf(const NodeEntry& entry) const;
  bool SaveKeys();
  void Changed();
  int64_t LastValueOf(std::string_view identity, std::string_view field, int64_t missing) const;

  const NodeNetworkOptions options_;
  NodeHost host_;
  link::RandomSource& random_;
  Network network_;
  NodeKeys keys_;
  std::vector<NodeWish> restoring_;  // of the last run, until the node says what its items are
  std::unordered_map<uint32_t, link::Secret> secrets_;
  std::unique_ptr<link::Hub> link_;
  std::unique_ptr<espnow::legacy::Gateway> legacy_;
  espnow::RepeatFilter repeats_;
  FieldRegistry fields_;
  link::Address address_ = {};
  uint8_t channel_ = 0;
  std::vector<std::string> problems_;       // of the network file
  std::vector<std::string> file_problems_;  // of the keys' file, and of writing
  int64_t window_until_us_ = INT64_MIN;

  std::map<std::string, std::unique_ptr<NodeState>, std::less<>> nodes_;
  std::unordered_map<uint16_t, NodeState*> by_number_;
  std::unordered_map<uint64_t, size_t> listed_;  // address -> place in network_.nodes
  std::unordered_map<uint32_t, std::shared_ptr<const NodeDescription>> descriptions_;
  uint16_t next_slot_ = 0;
  WaitingNodes waiting_;
  uint32_t asked_secret_ = 0;  // of the join request at hand

  struct Kept {
    uint64_t number;
    uint16_t node;
    uint32_t epoch;
    uint32_t sequence;
  };
  std::deque<Kept> kept_;  // reports whose readings are not durable yet, in order
  uint64_t durable_mark_ = 0;

  // The frame at hand.
  SessionEvents* events_ = nullptr;
  Now now_;
  Bytes frame_;
  espnow::Packet packet_;
  bool is_told_ = false;
  std::vector<Reading> readings_;
  std::deque<std::string> texts_;
  std::optional<Kept> report_;

  std::deque<std::vector<uint8_t>> outgoing_;
  std::array<uint8_t, espnow::kMaxSentSize> out_buffer_;
  std::array<uint8_t, espnow::kMaxBody2> body_;
  int64_t next_look_us_ = 0;
  UtcUs schedules_run_us_ = 0;
  link::TokenBucket told_rejects_{kToldRejects_s, kToldRejectsBurst};

  struct Blob {
    std::string node;  // whose configuration it is
    std::string content;
    bool is_firmware = false;  // for all that load it
    uint32_t target = 0;
    uint32_t version = 0;
    bool is_free() const { return node.empty() && !is_firmware; }
  };
  FirmwareStore firmware_;
  std::array<Blob, link::kMaxBlobs> blobs_;

  uint64_t unknown_items_ = 0;
  uint64_t flood_ = 0;
  uint64_t send_full_ = 0;
  uint64_t no_field_ = 0;
  uint64_t bad_descriptions_ = 0;
  uint64_t broken_relays_ = 0;
  uint64_t held_reports_ = 0;
  uint64_t insecure_writes_ = 0;
  uint64_t legacy_reads_ = 0;
  uint64_t victron_packets_ = 0;
  uint64_t foreign_ = 0;
  uint64_t schedules_run_ = 0;
};

}  // namespace vesta::hub
