// The node application: what runs on an ESP32, an ESP8266 or as the Linux program `vesta-node`, above the ports of the
// board.
//
// It reads its configuration, makes the functions in its arena, finds the hub and keeps the link, sends what the
// functions emit through the outbox, takes commands, configurations and firmware, sleeps when it may. All memory is in
// the object and in Sleep::memory(); nothing is taken from the heap but by the cipher library while the node joins.
//
// The main loop calls Run() when a driver has something or the time that Run() returned has come, until is_over(): the
// board then sleeps or restarts, and the next life begins with a new App over the same sleep memory.
#pragma once

#include <optional>

#include "node/arena.h"
#include "node/config.h"
#include "node/function.h"
#include "node/kept_outbox.h"
#include "node/portal.h"
#include "node/retained.h"
#include "node/search.h"
#include "node/wear.h"
#include "protocols/link/node.h"

namespace vesta::node {

inline constexpr size_t kArenaSize = 6208;
inline constexpr size_t kMinSleepMemory = sizeof(Retained) + KeptOutbox::kHeadSize + link::Outbox::kMinMemory;

// Numbers of `hardware` and items of the node itself: docs/formats/node-items.md.
inline constexpr uint32_t kHardwareLinux = 1;
inline constexpr uint8_t kItemProblem = 224;
inline constexpr uint8_t kItemLost = 225;
inline constexpr uint8_t kItemRestarts = 226;
inline constexpr uint8_t kItemStoreWrites = 227;
inline constexpr uint8_t kItemAwake = 228;
inline constexpr uint8_t kItemBacklog = 229;

struct AppOptions {
  uint32_t firmware = 0;
  uint32_t hardware = kHardwareLinux;
  uint16_t network = 0;  // 0 = whichever hub takes it
  bool has_secret = false;
  link::Secret secret = {};
  bool joins_by_window = true;
  crypto::P256Key signer = {};  // whose firmware is taken
  Name name;                    // until a configuration gives one
};

class App final : public PortalHost, private link::NodeEvents, private Board {
 public:
  App(const Ports& board, const AppOptions& options);
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  // Once, before Run.
  void Start();
  // Returns when to come again at the latest.
  int64_t Run();
  bool is_over() const { return is_over_; }
  // The board is about to lose its power by choice: keeps what waits, whatever the budget of writes.
  void Stop();

  // A configuration from the node's own portal or its flash: as if the hub had sent it. kOld: its version is not above
  // the one that runs; kRefused: problem says why.
  enum class Taken : uint8_t { kTaken, kOld, kRefused };
  Taken Configure(TextSource& text, size_t size, Problem* problem);
  const NodeStatus& node_status() const { return status; }
  const ShownValues& shown_values() const { return shown; }

  // PortalHost
  const NodeStatus& portal_status() override { return status; }
  size_t ReadConfigurationText(uint32_t offset, std::span<uint8_t> out) override {
    return ports_.configuration.ReadActive(offset, out);
  }
  Settings ReadBoardSettings() override { return ReadSettings(ports_.store); }
  bool WriteBoardSettings(const Settings& settings) override;
  bool BeginConfigurationText() override;
  bool WriteConfigurationText(uint32_t offset, std::span<const uint8_t> bytes) override;
  bool EndConfigurationText(uint32_t size, Problem* problem) override;
  const link::Node& link_node() const { return *link_; }
  uint32_t store_writes() const { return wear_.writes(); }
  size_t arena_used() const { return arena_.used(); }
  const NodeConfig& config() const { return config_; }
  size_t DescriptionSize() { return ReadDescription(0, {}); }

 private:
  // link::NodeEvents
  void Send(const Address& to, Bytes frame) override { ports_.radio.Send(to, frame); }
  void OnChannel(uint8_t channel) override;
  void OnSave(const link::NodeRecord& record) override;
  void OnLinked() override;
  void OnLinkLost() override;
  void OnRefused(link::Refusal reason) override { status.refusal = static_cast<uint8_t>(reason); }
  void OnCode(uint32_t code) override;
  void OnTime(UtcUs utc_us, bool is_synchronised, int64_t round_trip_us) override;
  link::Outcome OnCommand(link::Item* item) override;
  size_t ReadDescription(size_t offset, std::span<uint8_t> out) override;
  bool Begin(const link::BlobManifest& manifest) override;
  bool Write(const link::BlobManifest& manifest, uint32_t offset, Bytes bytes) override;
  bool ReadBack(const link::BlobManifest& manifest, uint32_t offset, std::span<uint8_t> out) override;
  link::BlobResult Complete(const link::BlobManifest& manifest) override;

  // Board
  void Emit(const link::Item& item) override;
  bool EmitFrame(uint8_t index, Bytes frame, int64_t at_us, uint8_t flags) override;
  void Changed() override { is_changed_ = true; }
  bool MayKeep() const override { return is_store_good_ && wear_.MayWrite(now_us); }
  RelayFunction* FindRelay(std::string_view name) override;

  UpdateSlot& SlotOf(const link::BlobManifest& manifest) const;
  bool CheckConfiguration(TextSource& text, uint32_t version, NodeConfig* out, Problem* problem) const;
  void LoadConfiguration();
  void MakeFunctions();
  void MakeLink(link::NodeRecord record);
  void Activate();
  Function* FunctionOf(uint8_t index, uint8_t* place) const;
  std::span<Function* const> functions() const { return {functions_.data(), function_count_}; }
  uint32_t DescriptionHash();

  void RestoreAfterPowerLoss();
  bool ReadState(link::NodeRecord* record, SavedState* saved);
  size_t WriteState(std::span<uint8_t> out) const;
  bool SaveState(bool must);
  void GatherSaved(SavedState* out) const;
  void ApplySaved(const SavedState& saved);
  void CareForOutboxCopy();

  void RunFunctions();
  void Flush();
  void Receive();
  void SearchHub();
  void KeepLink();
  void TellOwn();
  void UpdateStatus();
  void DoPending();
  void MaySleepNow();
  void GoToSleep();
  int64_t NextTime() const;
  bool sleeps() const { return config_.sleep_s > 0 && ports_.sleep.can_sleep(); }

  const Ports ports_;
  const AppOptions options_;
  alignas(kArenaAlignment) std::array<uint8_t, kArenaSize> arena_memory_ = {};
  Arena arena_;
  NodeConfig config_;
  Problem problem_;
  std::array<Function*, kMaxFunctions> functions_ = {};
  uint8_t function_count_ = 0;
  std::optional<link::Node> link_;
  uint32_t description_hash_ = 0;
  std::array<uint8_t, link::kMaxReport> report_ = {};
  size_t report_size_ = 0;

  Search search_;
  SearchMemory search_memory_;
  bool is_searching_ = false;
  bool may_search_ = true;

  KeptOutbox kept_outbox_;
  KeptOutbox::Copy copy_;
  bool is_held_ = false;  // restored reports wait for the hub's time
  int64_t held_since_us_ = 0;
  WearBudget wear_;
  bool is_store_good_ = true;
  bool is_changed_ = false;
  uint64_t written_hash_ = 0;
  uint64_t joined_hash_ = 0;
  int64_t unlinked_since_us_ = 0;
  int64_t copied_us_ = INT64_MIN / 2;
  uint32_t lost_before_ = 0;  // by earlier lives of the outbox

  // Waits until what came before has been answered.
  enum class Pending : uint8_t { kNothing, kRestart, kLeave };
  Pending pending_ = Pending::kNothing;
  bool activates_ = false;
  bool is_portal_writing_ = false;  // what lies in the configuration's slot is not the hub's
  int64_t pending_since_us_ = 0;

  bool is_over_ = false;
  bool was_awake_ = false;  // this life began with a wake-up
  bool is_confirmed_ = false;
  uint32_t restarts_ = 0;
  int64_t start_us_ = 0;
  int64_t wake_us_ = 0;
  int64_t last_awake_us_ = 0;
  int64_t asked_us_ = 0;
  ToldOfItself told_;
};

// What a board should keep over sleep; one that has more gives more: it all goes to the outbox.
inline constexpr size_t kUsualSleepMemory = 3072;
static_assert(sizeof(App) + sizeof(Portal) + kUsualSleepMemory <= 16 * 1024,
              "all that a node takes, but for its drivers");

}  // namespace vesta::node
