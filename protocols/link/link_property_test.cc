// What must hold whatever the air and the power do, over many seeds; a failing seed replays exactly.
#include <gtest/gtest.h>

#include "protocols/link/air_for_test.h"

namespace vesta::link::test {
namespace {

// Lets everything that is still under way arrive: no more loss, no more power cuts.
void Settle(World& world, int64_t ms) {
  world.rules.loss_percent = 0;
  for (auto& node : world.nodes) node->period_us = 0;
  for (auto& hub : world.hubs) {
    if (!hub->is_running) hub->Start();
  }
  for (auto& node : world.nodes) {
    if (!node->is_awake) node->Wake();
    node->options.is_sleepy = false;
  }
  world.Run(ms);
  for (auto& hub : world.hubs) hub->Commit();
}

TEST(LinkProperty, NoReadingIsLostOrDoubledThroughLossRepetitionOvertakingAndRestarts) {
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    World world(seed);
    TestHub& hub = world.AddHub();
    const size_t nodes = 1 + seed % 3;
    for (size_t i = 0; i < nodes; ++i) {
      world.AddNode(true, (seed + i) % 2 == 0).period_us = 150 * kUsPerMs + static_cast<int64_t>(seed) * kUsPerMs;
    }
    world.rules.loss_percent = static_cast<unsigned>(world.random.Below(50));
    world.rules.repeat_percent = static_cast<unsigned>(world.random.Below(40));
    world.rules.max_delay_us = 1000 + static_cast<int64_t>(world.random.Below(80000));
    for (int slice = 0; slice < 30; ++slice) {
      world.Run(200);
      switch (world.random.Below(8)) {
        case 0:
        case 1:
          if (hub.is_running) hub.Commit();
          break;
        case 2:
          if (hub.is_running) hub.Crash();
          break;
        case 3:
          if (!hub.is_running) hub.Start();
          break;
        case 4:
          // Time passes while everybody is there.
          if (hub.is_running) hub.hub->SetItem(1, IntegerItem(5, slice), world.now(), hub);
          break;
        default:
          break;
      }
    }
    Settle(world, 16000);
    ASSERT_EQ(WhatIsWrong(world), "") << "seed " << seed;
    ASSERT_FALSE(hub.durable.empty()) << "seed " << seed;
    // Set-points were applied in order and none twice.
    for (const auto& node : world.nodes) {
      for (size_t i = 1; i < node->applied.size(); ++i) {
        ASSERT_LT(node->applied[i - 1].second, node->applied[i].second) << "seed " << seed;
      }
    }
  }
}

TEST(LinkProperty, ARecordedExchangePlayedAgainChangesNothing) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    World world(seed);
    TestHub& hub = world.AddHub();
    TestNode& node = world.AddNode();
    world.rules.is_recorded = true;
    node.period_us = 50 * kUsPerMs;
    ASSERT_TRUE(world.RunUntil([&] { return hub.joins == 1; }, 3000));
    world.Run(500);
    hub.hub->SetItem(1, IntegerItem(5, 42), world.now(), hub);
    world.Run(1500);
    const std::vector<AirFrame> record = world.record;
    const auto play = [&] {
      for (const AirFrame& frame : record) {
        world.Deliver(frame);
        if (world.random.Chance(10)) world.Step();
      }
    };
    play();
    if (seed % 2 == 0) {
      // A restart forgets counters and windows, but starts a session that no old frame belongs to.
      hub.Commit();
      hub.Crash();
      hub.Start();
      play();
    }
    if (seed % 3 == 0) {
      node.lost = 0;
      play();
    }
    Settle(world, 14000);
    ASSERT_EQ(WhatIsWrong(world), "") << "seed " << seed;
    ASSERT_EQ(node.applied.size(), 1u) << "seed " << seed;
    ASSERT_EQ(hub.joins, 1) << "seed " << seed;
  }
}

// Every truncation and every single flipped bit of every frame of an exchange that has all kinds of messages: none is
// taken, nothing changes, and the genuine frame still passes afterwards.
TEST(LinkProperty, NoDamagedFrameIsTaken) {
  World world(4711);
  TestHub& hub = world.AddHub();
  TestNode& node = world.AddNode();
  node.description.assign(300, 7);
  hub.blob.assign(500, 9);
  BlobManifest manifest;
  manifest.kind = BlobKind::kConfiguration;
  manifest.version = 1;
  manifest.size = 500;
  manifest.digest = crypto::Sha256(hub.blob);
  hub.hub->SetBlob(0, manifest);
  size_t damaged = 0;
  std::set<uint8_t> kinds;
  const auto counts = [&] {
    return std::tuple(hub.joins, hub.taken.size(), hub.results.size(), hub.description.size(), hub.blob_statuses.size(),
                      node.applied.size(), node.blocks_written, node.images_complete, node.links, hub.sessions);
  };
  const auto step = [&] {
    // What flies now is first shown in every damaged form to everybody.
    const std::vector<AirFrame> flying = world.flying;
    for (const AirFrame& frame : flying) {
      if (!kinds.insert(frame.bytes[3]).second) continue;
      // A hello, an offer and a refusal are not sealed: damage shows in the join that follows.
      const bool is_clear = frame.bytes[3] <= 0x03;
      const auto before = counts();
      const auto show = [&](const AirFrame& bad) {
        world.Deliver(bad);
        ++damaged;
        if (is_clear) return;
        ASSERT_EQ(counts(), before) << "kind " << int{frame.bytes[3]};
      };
      if (is_clear && frame.bytes[3] != 0x03) continue;
      for (size_t size = 0; size < frame.bytes.size(); ++size) {
        AirFrame bad = frame;
        bad.bytes.resize(size);
        show(bad);
      }
      for (size_t bit = 0; bit < 8 * frame.bytes.size(); ++bit) {
        AirFrame bad = frame;
        bad.bytes[bit / 8] = static_cast<uint8_t>(bad.bytes[bit / 8] ^ 1 << bit % 8);
        show(bad);
      }
      AirFrame longer = frame;
      longer.bytes.push_back(0);
      show(longer);
    }
    world.Step();
  };
  const auto run = [&](const std::function<bool()>& is_done) {
    for (int i = 0; i < 5000 && !is_done(); ++i) step();
    return is_done();
  };
  ASSERT_TRUE(run([&] { return hub.joins == 1; }));
  node.Measure();
  hub.hub->SetItem(1, IntegerItem(5, 42), world.now(), hub);
  ASSERT_TRUE(run([&] { return hub.taken.size() == 1 && hub.results.size() == 1; }));
  hub.hub->AskDescription(1);
  node.node->Poll();
  ASSERT_TRUE(run([&] { return hub.description.size() == 300; }));
  hub.hub->OfferBlob(1, 0);
  node.node->Poll();
  ASSERT_TRUE(run([&] { return hub.blob_statuses.size() == 1; }));
  hub.Commit();
  const int sessions = hub.sessions;
  hub.Crash();
  hub.Start();
  node.Measure();
  ASSERT_TRUE(run([&] { return hub.sessions > sessions && hub.taken.size() == 1; }));
  hub.Commit();
  EXPECT_EQ(WhatIsWrong(world), "");
  // Join, accept, resume, resumed, resume wanted, and all of a session.
  for (const int kind : {0x04, 0x05, 0x06, 0x07, 0x08, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19}) {
    EXPECT_EQ(kinds.count(static_cast<uint8_t>(kind)), 1u) << kind;
  }
  EXPECT_GT(damaged, 10000u);
}

TEST(LinkProperty, EveryTruncationAndGarbageIsReadWithinBounds) {
  SeededRandom random(99);
  std::array<uint8_t, kMaxBody> bytes;
  for (int i = 0; i < 20000; ++i) {
    random.Fill(bytes);
    const Bytes body = Bytes(bytes).first(random.Below(bytes.size() + 1));
    const auto again = [&](auto message) {
      if (!Read(body, &message)) return;
      std::array<uint8_t, kMaxBody> out;
      const size_t size = Write(message, out);
      ASSERT_EQ(std::vector<uint8_t>(out.begin(), out.begin() + static_cast<ptrdiff_t>(size)),
                std::vector<uint8_t>(body.begin(), body.end()));
    };
    again(Hello{});
    again(Offer{});
    again(Refuse{});
    again(NodeInfo{});
    again(Accept{});
    again(Resume{});
    again(Resumed{});
    again(ResumeWanted{});
    again(Data{});
    again(Ack{});
    again(Command{});
    again(Result{});
    again(Describe{});
    again(Description{});
    again(BlobManifest{});
    again(BlobRequest{});
    again(BlobBlock{});
    again(BlobStatus{});
  }
}

TEST(LinkProperty, TheWindowTakesEachCounterOnce) {
  SeededRandom random(7);
  ReplayWindow window;
  std::set<uint32_t> taken;
  uint32_t highest = 0;
  for (int i = 0; i < 200000; ++i) {
    const auto ahead = static_cast<uint32_t>(random.Below(random.Chance(2) ? 200 : 6));
    const auto behind = static_cast<uint32_t>(random.Below(90));
    const uint32_t counter = highest + ahead > behind ? highest + ahead - behind : 0;
    const bool is_new = window.IsNew(counter);
    const bool may = counter != 0 && taken.count(counter) == 0;
    const bool is_due = may && (counter > highest || highest - counter < 64);
    ASSERT_EQ(is_new, is_due) << counter << " of " << highest;
    if (!is_new) continue;
    window.Mark(counter);
    taken.insert(counter);
    highest = std::max(highest, counter);
  }
}

TEST(LinkProperty, AnOutboxInGarbageStartsEmptyAndOneThatIsKeptGoesOn) {
  SeededRandom random(5);
  for (int i = 0; i < 500; ++i) {
    std::vector<uint8_t> memory(Outbox::kMinMemory + random.Below(600));
    random.Fill(memory);
    Outbox first(memory, 77);
    ASSERT_EQ(first.epoch(), 77u);
    ASSERT_EQ(first.size(), 0u);
    std::vector<uint8_t> items(1 + random.Below(100), 1);
    for (int n = 0; n < 5; ++n) ASSERT_TRUE(first.Add(items, n));
    const size_t size = first.size();
    Outbox again(memory, 78);
    ASSERT_EQ(again.epoch(), 77u);
    ASSERT_EQ(again.size(), size);
    ASSERT_EQ(size + first.lost(), 5u);
    memory[random.Below(Outbox::kHeadSize)] ^= 0x40;
    Outbox broken(memory, 79);
    ASSERT_EQ(broken.epoch(), 79u);
    ASSERT_EQ(broken.size(), 0u);
  }
}

// Fifty nodes, half of them asleep most of the time, thirty of a hundred frames lost.
TEST(LinkSimulation, FiftyNodesJoinReportAndGetTheirSetPoints) {
  World world(2026);
  TestHub& hub = world.AddHub(1, 6, 64);
  world.rules.loss_percent = 30;
  world.rules.repeat_percent = 5;
  world.rules.max_delay_us = 6000;
  for (int i = 0; i < 50; ++i) {
    TestNode& node = world.AddNode(true, i % 2 == 0);
    node.period_us = 5 * kUsPerSecond + i * 37 * kUsPerMs;
    node.next_measure_us = world.now_us + i * 20 * kUsPerMs;
  }
  ASSERT_TRUE(world.RunUntil([&] { return hub.records.size() == 50; }, 30000));
  for (const auto& [node, record] : hub.records) {
    for (int value = 1; value <= 3; ++value) {
      ASSERT_NE(hub.hub->SetItem(node, IntegerItem(7, 100 * node + value), world.now(), hub), 0u);
    }
  }
  for (int second = 0; second < 120; ++second) {
    world.Run(1000);
    if (second % 10 == 9) hub.Commit();
    if (second == 63) {
      hub.Crash();
      world.Run(2000);
      hub.Start();
    }
  }
  size_t confirmed = 0;
  for (const auto& node : world.nodes) {
    ASSERT_FALSE(node->applied.empty());
    const auto number = std::find_if(hub.records.begin(), hub.records.end(), [&](const auto& r) {
                          return r.second.address == node->options.address;
                        })->first;
    EXPECT_EQ(node->applied.back().second, 100 * number + 3) << "the newest";
    std::set<int64_t> once;
    for (const auto& [item, value] : node->applied) EXPECT_TRUE(once.insert(value).second) << "applied twice";
  }
  for (const auto& [node, result] : hub.results) confirmed += result.item.integer == 100 * node + 3 ? 1 : 0;
  EXPECT_EQ(confirmed, 50u);
  // A hub that took a node in, and eight acknowledgements that were lost in a row.
  EXPECT_LE(hub.joins, 53);
  Settle(world, 16000);
  EXPECT_EQ(WhatIsWrong(world), "");
  EXPECT_GT(hub.durable.size(), 1000u);
}

}  // namespace
}  // namespace vesta::link::test
