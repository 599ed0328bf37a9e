// A node and a hub in the simulated air: the real application over simulated ports, the real hub's end of the link over
// a store that can crash.
//
// The node's thermometer shows the time: its temperature is kTimeStep_us units since the start, so that whoever gets a
// reading can check that it bears the time at which it was measured. Power can be cut at any moment; flash and sleep
// memory then hold what they held.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "node/app.h"
#include "protocols/link/hub.h"
#include "simulators/air.h"

namespace vesta::simulators {

inline constexpr int64_t kTimeStep_us = 10000000;
// A temperature fits into 11 bits of sixteenths: the time modulo so many steps.
inline constexpr int64_t kTimeModulo = 1600;
inline constexpr UtcUs kStart_us = 1800000000 * kUsPerSecond;

struct AirNodeOptions {
  std::string configuration;  // JSON, "" = none in flash
  bool has_secret = true;
  size_t sleep_memory = node::kUsualSleepMemory;
  int drift_ppm = 0;
};

class AirNode final : public AirListener,
                      private node::Radio,
                      private node::Clock,
                      private node::Sleep,
                      private node::Store,
                      private node::UpdateSlot,
                      private node::OneWire,
                      private node::Gpio {
 public:
  AirNode(Air& air, uint32_t number, const AirNodeOptions& options);

  void PowerUp();  // also after a cut
  void CutPower();
  node::App* app() { return app_.get(); }
  const link::Address& own_address() const { return address_; }
  bool is_linked() const { return app_ != nullptr && app_->node_status().is_linked; }
  uint32_t writes() const { return writes_; }
  uint64_t wakes() const { return wakes_; }
  int64_t awake_us() const { return awake_us_; }
  int64_t first_request_us() const { return first_request_us_; }
  // Number of frames sent, for looking at how loud a node is.
  uint64_t sent() const { return sent_; }
  uint8_t channel() const { return channel_; }
  // The flash fails from now on.
  void BreakStore(bool is_broken) { is_store_broken_ = is_broken; }
  // Cuts the power in place of the n-th write of the flash from now on, or behind it.
  void CutAtWrite(int n, bool behind) {
    cut_at_write_ = n;
    cut_behind_ = behind;
  }
  const std::map<node::StoreRecord, std::vector<uint8_t>>& records() const { return records_; }
  // Commands as they were applied, each once: item, version, value.
  struct Applied {
    uint8_t item;
    uint32_t version;
    int64_t value;
  };
  const std::vector<Applied>& applied() const { return applied_; }

 private:
  void OnFrame(const link::Address& from, const link::Address& to, uint8_t sent_on, link::Bytes body) override;
  void OnTimer(uint64_t what) override;
  void Begin();
  void Run();

  link::Address address() const override { return address_; }
  void Tune(uint8_t channel) override;
  bool Send(const link::Address& to, link::Bytes body) override;
  bool Next(node::RadioFrame* out) override;
  uint32_t dropped() const override { return 0; }
  int64_t now_us() const override;
  std::span<uint8_t> memory() override { return sleep_memory_; }
  bool is_kept() const override { return is_kept_; }
  bool can_sleep() const override { return true; }
  void SleepUntil(int64_t at_us) override;
  void Restart() override;
  int64_t RealTime(int64_t clock_us) const;
  size_t Read(node::StoreRecord record, std::span<uint8_t> out) override;
  bool Write(node::StoreRecord record, std::span<const uint8_t> bytes) override;
  bool Begin(uint32_t size) override;
  bool Write(uint32_t offset, std::span<const uint8_t> bytes) override;
  bool Read(uint32_t offset, std::span<uint8_t> out) override;
  bool Activate() override;
  void Confirm() override {}
  size_t ReadActive(uint32_t offset, std::span<uint8_t> out) override;
  bool Reset(int pin) override;
  void WriteBit(int pin, bool bit) override;
  bool Configure(int, Mode) override { return true; }
  void Write(int, bool level) override { level_ = level; }
  bool Read(int) override { return level_; }
  bool Watch(int) override { return false; }
  bool NextEdge(int, node::Edge*) override { return false; }
  uint32_t LostEdges(int) override { return 0; }
  uint32_t EdgesDuringSleep(int) override { return 0; }
  void NoteApplied();
  bool ReadBit(int pin) override;

  Air& air_;
  Air::Station station_;
  SeededRandom random_;
  link::Address address_;
  node::AppOptions options_;
  int drift_ppm_;
  int64_t clock_zero_us_ = 0;
  std::vector<uint8_t> sleep_memory_;
  bool is_kept_ = false;
  std::map<node::StoreRecord, std::vector<uint8_t>> records_;
  std::vector<uint8_t> active_;
  std::vector<uint8_t> staged_;
  std::unique_ptr<node::App> app_;
  uint64_t life_ = 0;
  int64_t timer_us_ = 0;
  int64_t wake_at_us_ = 0;
  int64_t awake_since_us_ = 0;
  int64_t awake_us_ = 0;
  uint64_t wakes_ = 0;
  uint8_t channel_ = 1;
  uint64_t sent_ = 0;
  int64_t first_request_us_ = 0;
  bool is_store_broken_ = false;
  bool is_cut_ = false;
  int cut_at_write_ = 0;
  bool cut_behind_ = false;
  uint32_t writes_ = 0;

  struct Heard {
    link::Address from;
    link::Address to;
    std::vector<uint8_t> body;
  };
  std::vector<Heard> heard_;
  size_t next_heard_ = 0;
  std::vector<uint8_t> current_;

  // The thermometer's side of the 1-Wire bus.
  bool level_ = false;
  std::vector<Applied> applied_;
  std::array<uint32_t, link::kNodeItems> seen_versions_ = {};
  unsigned wire_bits_ = 0;
  unsigned wire_count_ = 0;
  std::array<uint8_t, 9> scratchpad_ = {};
};

// Hub with its store: what was not committed is gone after a crash.
class AirHub final : public AirListener, private link::HubEvents {
 public:
  struct Options {
    uint16_t max_nodes = 64;
    uint8_t channel = 6;
    int64_t commit_us = 10 * kUsPerSecond;
    bool acknowledges = true;  // its radio; a plain monitor interface does not
  };
  AirHub(Air& air, const Options& options);

  void Start();
  void Crash();
  void Tune(uint8_t channel);
  link::Hub& hub() { return *hub_; }
  bool is_running() const { return hub_ != nullptr; }
  Now now() const { return {air_.now_us(), kStart_us + air_.now_us(), ClockQuality::kSynchronised}; }
  uint32_t SetItem(uint16_t node, const link::Item& item) { return hub_->SetItem(node, item, now(), *this); }
  void Offer(uint16_t node, uint32_t version, const std::string& configuration);
  bool AskDescription(uint16_t node) { return hub_->AskDescription(node); }

  // When a node with this address was first answered; 0 = never.
  std::map<link::Address, int64_t> first_answers;
  std::map<link::Address, uint16_t> numbers;
  std::map<uint16_t, link::NodeInfo> infos;
  std::vector<std::pair<uint16_t, link::Result>> results;
  std::vector<link::BlobStatus> blob_statuses;
  std::vector<uint8_t> description;
  struct Received {
    uint32_t epoch;
    uint32_t sequence;
    UtcUs time_us;
    std::vector<uint8_t> items;
  };
  // By node, in the order of the commits. With keeps_items off only counted.
  std::map<uint16_t, std::vector<Received>> durable;
  std::unordered_map<uint16_t, uint64_t> durable_count;
  uint64_t temperatures = 0;  // of all nodes, durable
  bool keeps_items = true;
  bool knows_time = true;
  // Something that must not be: a report twice, a time that is wrong. "" = all is well.
  std::string wrong;
  int64_t worst_time_error_us = 0;
  int64_t time_tolerance_us = 2 * kTimeStep_us;

 private:
  void OnFrame(const link::Address& from, const link::Address& to, uint8_t sent_on, link::Bytes body) override;
  void OnTimer(uint64_t what) override;
  void Commit();
  void Check(uint16_t node, const Received& report);

  void Send(uint8_t gateway, const link::Address& from, const link::Address& to, link::Bytes frame) override;
  link::JoinPolicy OnJoinRequest(const link::JoinRequest& request) override;
  void OnRefused(const link::Address&, link::Refusal, const link::NodeInfo&) override {}
  void OnCode(const link::Address&, uint32_t, const link::NodeInfo&) override {}
  void OnJoined(const link::PeerRecord& record, const link::NodeInfo& info) override;
  void OnSession(uint16_t node, const link::NodeInfo& info) override { infos[node] = info; }
  bool OnReport(uint16_t node, const link::Report& report) override;
  void OnResult(uint16_t node, const link::Result& result) override { results.push_back({node, result}); }
  void OnDescription(uint16_t, const link::Description& d) override {
    description.insert(description.end(), d.bytes.begin(), d.bytes.end());
  }
  size_t ReadBlob(size_t blob, uint32_t offset, std::span<uint8_t> out) override;
  void OnBlobStatus(uint16_t, const link::BlobStatus& status) override { blob_statuses.push_back(status); }

  Air& air_;
  Options options_;
  link::Address address_ = {0x02, 0xAA, 0, 0, 0, 1};
  Air::Station station_;
  SeededRandom random_;
  std::unique_ptr<link::Hub> hub_;
  std::map<uint16_t, link::PeerRecord> records_;
  struct Waiting {
    uint16_t node;
    Received report;
  };
  std::vector<Waiting> waiting_;
  std::unordered_map<uint64_t, uint32_t> last_;  // durable number by node and epoch
  std::string blob_;
  uint64_t life_ = 0;
  int64_t tick_us_ = 0;
};

}  // namespace vesta::simulators
