// An air of virtual time for tests and benchmarks: hubs and nodes with their applications, channels, loss, repetition
// and overtaking, all drawn from one seed. One step is a millisecond.
#pragma once

#include <algorithm>
#include <cstdio>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "protocols/link/hub.h"
#include "protocols/link/node.h"
#include "protocols/little_endian.h"

namespace vesta::link::test {

class SeededRandom : public RandomSource {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15 + 1) {}
  uint64_t Next() {  // splitmix64
    uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
  }
  uint64_t Below(uint64_t n) { return Next() % n; }
  bool Chance(unsigned percent) { return Below(100) < percent; }
  void Fill(std::span<uint8_t> out) override {
    for (uint8_t& b : out) b = static_cast<uint8_t>(Next());
  }

 private:
  uint64_t state_;
};

struct AirFrame {
  int64_t at_us = 0;
  uint64_t order = 0;
  uint8_t channel = 0;
  Address from = {};
  Address to = {};
  std::vector<uint8_t> bytes;
};

struct AirRules {
  unsigned loss_percent = 0;
  unsigned repeat_percent = 0;
  int64_t max_delay_us = 2000;
  bool is_recorded = false;
};

class World;

// A hub with its store: readings are safe only after Commit; Crash forgets the rest.
class TestHub : public HubEvents {
 public:
  TestHub(World& world, const HubOptions& hub_options, const Address& hub_address, uint8_t hub_channel);
  void Start();  // also after a crash
  void Commit();
  void Crash();
  void Step();

  void Send(uint8_t gateway, const Address& from, const Address& to, Bytes frame) override;
  JoinPolicy OnJoinRequest(const JoinRequest& request) override;
  void OnRefused(const Address&, Refusal reason, const NodeInfo&) override { refusals.push_back(reason); }
  void OnCode(const Address& from, uint32_t code, const NodeInfo&) override { codes[from] = code; }
  void OnJoined(const PeerRecord& record, const NodeInfo&) override {
    records[record.node] = record;
    ++joins;
  }
  void OnSession(uint16_t, const NodeInfo&) override { ++sessions; }
  bool OnReport(uint16_t node, const Report& report) override;
  void OnResult(uint16_t node, const Result& result) override { results.push_back({node, result}); }
  void OnDescription(uint16_t, const Description& d) override {
    description.insert(description.end(), d.bytes.begin(), d.bytes.end());
  }
  size_t ReadBlob(size_t, uint32_t offset, std::span<uint8_t> out) override {
    std::copy_n(blob.begin() + offset, out.size(), out.begin());
    return out.size();
  }
  void OnBlobStatus(uint16_t, const BlobStatus& status) override { blob_statuses.push_back(status); }

  World& world;
  HubOptions options;
  Address address;
  uint8_t channel;
  std::unique_ptr<Hub> hub;
  bool is_running = true;
  bool is_busy = false;
  std::map<uint32_t, Secret> secrets;  // by id
  bool knows_only_secrets = false;
  std::map<uint16_t, PeerRecord> records;
  std::map<int64_t, int> durable;  // reading -> how often
  struct Taken {
    uint16_t node;
    uint32_t epoch;
    uint32_t sequence;
    int64_t value;
  };
  std::vector<Taken> taken;  // not yet committed
  std::map<int64_t, UtcUs> times;
  std::vector<Refusal> refusals;
  std::map<Address, uint32_t> codes;
  std::vector<std::pair<uint16_t, Result>> results;
  std::vector<uint8_t> description;
  std::vector<uint8_t> blob;
  std::vector<BlobStatus> blob_statuses;
  int joins = 0;
  int sessions = 0;
};

// A node with its application: searches channels, measures, sleeps. The Node object lives only while it is awake.
class TestNode : public NodeEvents {
 public:
  TestNode(World& world, const NodeOptions& node_options, size_t outbox_size = 4096);
  void Boot();  // power-up: RTC memory is gone
  void Wake();  // from sleep
  void Sleep();
  void Step();
  void Measure();

  void Send(const Address& to, Bytes frame) override;
  void OnChannel(uint8_t to) override { channel = to; }
  void OnSave(const NodeRecord& record) override { flash = record.ForFlash(); }
  void OnLinked() override { ++links; }
  void OnLinkLost() override {}
  void OnRefused(Refusal reason) override { refusals.push_back(reason); }
  void OnCode(uint32_t shown) override { code = shown; }
  void OnTime(UtcUs utc_us, bool, int64_t) override { clock_us = utc_us; }
  Outcome OnCommand(Item* item) override {
    applied.push_back({item->index, item->integer});
    return Outcome::kApplied;
  }
  size_t ReadDescription(size_t offset, std::span<uint8_t> out) override {
    for (size_t i = 0; i < out.size() && offset + i < description.size(); ++i) out[i] = description[offset + i];
    return description.size();
  }
  bool Begin(const BlobManifest& manifest) override {
    image.assign(manifest.size, 0);
    return true;
  }
  bool Write(const BlobManifest&, uint32_t offset, Bytes bytes) override {
    std::copy(bytes.begin(), bytes.end(), image.begin() + offset);
    ++blocks_written;
    return true;
  }
  bool ReadBack(const BlobManifest&, uint32_t offset, std::span<uint8_t> out) override {
    std::copy_n(image.begin() + offset, out.size(), out.begin());
    return true;
  }
  BlobResult Complete(const BlobManifest&) override {
    ++images_complete;
    return BlobResult::kComplete;
  }

  World& world;
  NodeOptions options;
  std::vector<uint8_t> outbox_memory;
  NodeRecord flash;
  NodeRecord rtc;
  bool is_awake = true;
  std::unique_ptr<Node> node;
  uint8_t channel = 1;
  int64_t period_us = 0;  // between measurements; 0 = none
  int64_t next_measure_us = 0;
  int64_t next_probe_us = 0;
  int64_t awake_since_us = 0;
  size_t next_channel = 0;
  int64_t next_value = 0;
  std::map<int64_t, int64_t> accepted;  // reading -> when it was measured
  std::vector<Refusal> refusals;
  std::vector<std::pair<uint8_t, int64_t>> applied;
  std::vector<uint8_t> description;
  std::vector<uint8_t> image;
  uint32_t code = 0;
  UtcUs clock_us = 0;
  int links = 0;
  int blocks_written = 0;
  int images_complete = 0;
  uint32_t lost = 0;  // by earlier lives of the outbox
};

class World {
 public:
  explicit World(uint64_t seed) : random(seed) {}

  TestHub& AddHub(uint16_t network = 1, uint8_t channel = 6, uint16_t max_nodes = 64) {
    HubOptions options;
    options.network = network;
    options.max_nodes = max_nodes;
    const auto number = static_cast<uint8_t>(hubs.size() + 1);
    hubs.push_back(std::make_unique<TestHub>(*this, options, Address{0x02, 0xAA, 0, 0, 0, number}, channel));
    return *hubs.back();
  }
  TestNode& AddNode(bool has_secret = true, bool is_sleepy = false, size_t outbox_size = 4096) {
    NodeOptions options;
    const auto number = static_cast<uint8_t>(nodes.size() + 1);
    options.address = {0x02, 0xBB, 0, 0, 0, number};
    options.has_secret = has_secret;
    options.joins_by_window = !has_secret;
    options.secret.fill(number);
    options.is_sleepy = is_sleepy;
    if (has_secret) {
      for (auto& hub : hubs) hub->secrets[SecretIdOf(options.secret)] = options.secret;
    }
    nodes.push_back(std::make_unique<TestNode>(*this, options, outbox_size));
    return *nodes.back();
  }

  Now now() const { return {now_us, kStart_us + now_us, ClockQuality::kSynchronised}; }

  void Transmit(uint8_t channel, const Address& from, const Address& to, Bytes frame) {
    if (rules.is_recorded) record.push_back({now_us, 0, channel, from, to, {frame.begin(), frame.end()}});
    if (random.Chance(rules.loss_percent)) return;
    const int copies = random.Chance(rules.repeat_percent) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      const int64_t delay_us = 500 + static_cast<int64_t>(random.Below(static_cast<uint64_t>(rules.max_delay_us)));
      flying.push_back({now_us + delay_us, next_order++, channel, from, to, {frame.begin(), frame.end()}});
    }
  }

  void Step() {
    now_us += 1000;
    std::vector<AirFrame> due;
    for (size_t i = 0; i < flying.size();) {
      if (flying[i].at_us > now_us) {
        ++i;
        continue;
      }
      due.push_back(std::move(flying[i]));
      flying[i] = std::move(flying.back());
      flying.pop_back();
    }
    std::sort(due.begin(), due.end(), [](const AirFrame& a, const AirFrame& b) {
      return a.at_us != b.at_us ? a.at_us < b.at_us : a.order < b.order;
    });
    for (const AirFrame& frame : due) Deliver(frame);
    for (auto& hub : hubs) hub->Step();
    for (auto& node : nodes) node->Step();
  }
  void Deliver(const AirFrame& frame) {
    const bool is_broadcast = (frame.to[0] & 1) != 0;
    for (auto& hub : hubs) {
      if (!hub->is_running || hub->channel != frame.channel || hub->address == frame.from) continue;
      if (!is_broadcast && frame.to != hub->address) continue;
      hub->hub->Receive({0, frame.from, frame.to, frame.channel, -50, frame.bytes}, now(), *hub);
    }
    for (auto& node : nodes) {
      if (!node->is_awake || node->channel != frame.channel || node->options.address == frame.from) continue;
      if (!is_broadcast && frame.to != node->options.address) continue;
      node->node->Receive(frame.from, frame.to, frame.bytes, now_us, *node);
    }
  }
  void Run(int64_t ms) {
    for (int64_t i = 0; i < ms; ++i) Step();
  }
  bool RunUntil(const std::function<bool()>& is_done, int64_t max_ms) {
    for (int64_t i = 0; i < max_ms; ++i) {
      if (is_done()) return true;
      Step();
    }
    return is_done();
  }

  static constexpr UtcUs kStart_us = 1800000000 * kUsPerSecond;
  SeededRandom random;
  AirRules rules;
  int64_t now_us = kUsPerSecond;
  uint64_t next_order = 0;
  std::vector<AirFrame> flying;
  std::vector<AirFrame> record;
  std::vector<std::unique_ptr<TestHub>> hubs;
  std::vector<std::unique_ptr<TestNode>> nodes;
};

inline TestHub::TestHub(World& in, const HubOptions& hub_options, const Address& hub_address, uint8_t hub_channel)
    : world(in), options(hub_options), address(hub_address), channel(hub_channel) {
  Start();
}

inline void TestHub::Start() {
  hub = std::make_unique<Hub>(options, world.random);
  hub->SetGateway(0, address, channel);
  for (const auto& [number, record] : records) hub->Restore(record);
  is_running = true;
}

inline void TestHub::Commit() {
  for (const Taken& t : taken) {
    ++durable[t.value];
    PeerRecord& record = records[t.node];
    if (record.epoch != t.epoch) record.kept = 0;
    record.epoch = t.epoch;
    record.kept = std::max(record.kept, t.sequence);
    hub->SetKept(t.node, t.epoch, t.sequence);
  }
  taken.clear();
}

inline void TestHub::Crash() {
  taken.clear();
  hub.reset();
  is_running = false;
}

inline void TestHub::Step() {
  if (is_running && hub->next_deadline_us() <= world.now_us) hub->Tick(world.now(), *this);
}

inline void TestHub::Send(uint8_t, const Address& from, const Address& to, Bytes frame) {
  world.Transmit(channel, from, to, frame);
}

inline JoinPolicy TestHub::OnJoinRequest(const JoinRequest& request) {
  const auto found = secrets.find(request.secret_id);
  if (found != secrets.end()) return {JoinPolicy::Rule::kBySecret, found->second, 0};
  return {knows_only_secrets ? JoinPolicy::Rule::kDeny : JoinPolicy::Rule::kByWindow, {}, 0};
}

inline bool TestHub::OnReport(uint16_t from, const Report& report) {
  if (is_busy) return false;
  ItemReader reader(report.items);
  Item item;
  while (reader.Next(&item)) {
    taken.push_back({from, report.epoch, report.sequence, item.integer});
    times[item.integer] = report.time_us;
  }
  return true;
}

inline TestNode::TestNode(World& in, const NodeOptions& node_options, size_t outbox_size)
    : world(in), options(node_options), outbox_memory(outbox_size), next_value(int64_t{node_options.address[5]} << 32) {
  Boot();
}

inline void TestNode::Boot() {
  if (node != nullptr) lost += node->outbox().lost();
  for (uint8_t& b : outbox_memory) b = static_cast<uint8_t>(world.random.Next());
  is_awake = true;
  awake_since_us = world.now_us;
  node = std::make_unique<Node>(options, outbox_memory, world.random);
  node->Restore(flash);
}

inline void TestNode::Wake() {
  is_awake = true;
  awake_since_us = world.now_us;
  node = std::make_unique<Node>(options, outbox_memory, world.random);
  node->Restore(rtc);
}

inline void TestNode::Sleep() {
  rtc = node->record();
  node.reset();
  is_awake = false;
}

inline void TestNode::Measure() {
  const int64_t value = ++next_value;
  std::array<uint8_t, 16> items;
  size_t at = 0;
  Item item;
  item.index = 1;
  item.type = ValueType::kInt64;
  item.integer = value;
  WriteItem(item, items, &at);
  if (node->Report(Bytes(items).first(at), world.now_us)) accepted[value] = world.now_us;
}

inline void TestNode::Step() {
  if (!is_awake) {
    if (world.now_us < next_measure_us) return;
    Wake();
  }
  if (period_us > 0 && world.now_us >= next_measure_us) {
    next_measure_us = world.now_us + period_us;
    Measure();
  }
  const Node::State state = node->state();
  if ((state == Node::State::kAlone || state == Node::State::kUnlinked) && world.now_us >= next_probe_us) {
    static constexpr uint8_t kOrder[] = {1, 6, 11, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13};
    if (next_channel % std::size(kOrder) == 0 && flash.is_joined)
      channel = flash.channel;
    else
      channel = kOrder[next_channel % std::size(kOrder)];
    ++next_channel;
    // Long enough for an answer through this air.
    next_probe_us =
        world.now_us + 20000 + 2 * world.rules.max_delay_us + static_cast<int64_t>(world.random.Below(10000));
    node->Probe(channel, world.now_us, *this);
  }
  if (node->next_deadline_us() <= world.now_us) node->Tick(world.now_us, *this);
  constexpr int64_t kLongestAwake_us = 3 * kUsPerSecond;
  if (!options.is_sleepy || !flash.is_joined) return;
  const bool is_tired = world.now_us - awake_since_us > kLongestAwake_us;
  if ((node->state() == Node::State::kLinked && node->MaySleep(world.now_us)) || is_tired) Sleep();
}

inline void TestNode::Send(const Address& to, Bytes frame) { world.Transmit(channel, options.address, to, frame); }

// Every reading that the nodes accepted and did not have to give up is on the hub's disk once.
inline std::string WhatIsWrong(World& world) {
  std::map<int64_t, int> found;
  for (const auto& hub : world.hubs) {
    for (const auto& [value, count] : hub->durable) found[value] += count;
  }
  size_t missing = 0;
  uint32_t lost = 0;
  for (const auto& node : world.nodes) {
    for (const auto& [value, at] : node->accepted) {
      const auto it = found.find(value);
      if (it == found.end())
        ++missing;
      else if (it->second != 1)
        return "reading " + std::to_string(value) + " came " + std::to_string(it->second);
    }
    lost += node->lost + (node->node != nullptr ? node->node->outbox().lost() : 0);
  }
  for (const auto& [value, count] : found) {
    const auto number = static_cast<size_t>(value >> 32);
    if (number == 0 || number > world.nodes.size() || world.nodes[number - 1]->accepted.count(value) == 0) {
      return "a reading that nobody sent: " + std::to_string(value);
    }
  }
  if (missing != lost) return std::to_string(missing) + " missing, " + std::to_string(lost) + " given up";
  return "";
}

}  // namespace vesta::link::test
