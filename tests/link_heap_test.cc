// The ends of the node link take their memory when they are made: a session allocates and frees nothing.
#include <gtest/gtest.h>

#include "protocols/link/hub.h"
#include "protocols/link/node.h"
#include "tests/counting_heap.h"

namespace vesta::link {
namespace {

constexpr Address kNodeAddress = {2, 1, 0, 0, 0, 1};
constexpr Address kHubAddress = {2, 0, 0, 0, 0, 1};

class Counting : public RandomSource {
 public:
  void Fill(std::span<uint8_t> out) override {
    for (uint8_t& b : out) b = static_cast<uint8_t>(state_ = state_ * 6364136223846793005u + 1442695040888963407u);
  }

 private:
  uint64_t state_ = 1;
};

// One frame each way at a time is under way; nothing is lost.
struct Wire {
  FrameBuffer frames[4];
  size_t sizes[4] = {};
  size_t count = 0;
  void Put(Bytes frame) {
    if (count == 4) return;
    std::copy(frame.begin(), frame.end(), frames[count].begin());
    sizes[count++] = frame.size();
  }
};

class HubSide : public HubEvents {
 public:
  void Send(uint8_t, const Address&, const Address&, Bytes frame) override { wire.Put(frame); }
  JoinPolicy OnJoinRequest(const JoinRequest&) override { return {JoinPolicy::Rule::kBySecret, {}, 0}; }
  void OnRefused(const Address&, Refusal, const NodeInfo&) override {}
  void OnCode(const Address&, uint32_t, const NodeInfo&) override {}
  void OnJoined(const PeerRecord&, const NodeInfo&) override { ++joins; }
  void OnSession(uint16_t, const NodeInfo&) override {}
  bool OnReport(uint16_t, const Report&) override { return ++reports > 0; }
  void OnResult(uint16_t, const Result&) override { ++results; }
  void OnDescription(uint16_t, const Description&) override {}
  size_t ReadBlob(size_t, uint32_t, std::span<uint8_t>) override { return 0; }
  void OnBlobStatus(uint16_t, const BlobStatus&) override {}
  Wire wire;
  int joins = 0;
  int reports = 0;
  int results = 0;
};

class NodeSide : public NodeEvents {
 public:
  void Send(const Address&, Bytes frame) override { wire.Put(frame); }
  void OnChannel(uint8_t) override {}
  void OnSave(const NodeRecord&) override {}
  void OnLinked() override {}
  void OnLinkLost() override {}
  void OnRefused(Refusal) override {}
  void OnCode(uint32_t) override {}
  void OnTime(UtcUs, bool, int64_t) override {}
  Outcome OnCommand(Item*) override { return Outcome::kApplied; }
  size_t ReadDescription(size_t, std::span<uint8_t>) override { return 0; }
  bool Begin(const BlobManifest&) override { return false; }
  bool Write(const BlobManifest&, uint32_t, Bytes) override { return false; }
  bool ReadBack(const BlobManifest&, uint32_t, std::span<uint8_t>) override { return false; }
  BlobResult Complete(const BlobManifest&) override { return BlobResult::kComplete; }
  Wire wire;
};

TEST(LinkHeap, ASessionAllocatesNothing) {
  Counting random;
  HubOptions hub_options;
  hub_options.keeps_at_once = true;
  Hub hub(hub_options, random);
  hub.SetGateway(0, kHubAddress, 1);
  NodeOptions node_options;
  node_options.address = kNodeAddress;
  node_options.has_secret = true;
  std::array<uint8_t, 2048> memory = {};
  Node node(node_options, memory, random);
  HubSide hub_side;
  NodeSide node_side;
  Now now{kUsPerSecond, 1800000000 * kUsPerSecond, ClockQuality::kSynchronised};
  const auto exchange = [&] {
    for (int round = 0; round < 6; ++round) {
      now.monotonic_us += 2000;
      Wire up = node_side.wire;
      node_side.wire.count = 0;
      for (size_t i = 0; i < up.count; ++i) {
        hub.Receive({0, kNodeAddress, kHubAddress, 1, -50, Bytes(up.frames[i]).first(up.sizes[i])}, now, hub_side);
      }
      Wire down = hub_side.wire;
      hub_side.wire.count = 0;
      for (size_t i = 0; i < down.count; ++i) {
        node.Receive(kHubAddress, kNodeAddress, Bytes(down.frames[i]).first(down.sizes[i]), now.monotonic_us,
                     node_side);
      }
      node.Tick(now.monotonic_us, node_side);
    }
  };
  const uint64_t before = g_allocations;
  node.Probe(1, now.monotonic_us, node_side);
  exchange();
  exchange();
  ASSERT_EQ(hub_side.joins, 1);
  constexpr uint8_t kItems[] = {1, 1, 21};
  for (int i = 0; i < 1000; ++i) {
    node.Report(kItems, now.monotonic_us);
    if (i % 10 == 0) hub.SetItem(1, IntegerItem(5, i), now, hub_side);
    node.Tick(now.monotonic_us, node_side);
    exchange();
  }
  EXPECT_EQ(hub_side.reports, 1000);
  EXPECT_EQ(hub_side.results, 100);
  EXPECT_EQ(g_allocations, before);
}

}  // namespace
}  // namespace vesta::link
