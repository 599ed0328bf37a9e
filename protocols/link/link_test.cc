#include <gtest/gtest.h>

#include "protocols/link/air_for_test.h"

namespace vesta::link::test {
namespace {

using State = Node::State;

bool IsLinked(const TestNode& n) { return n.node != nullptr && n.node->state() == State::kLinked && n.links > 0; }

Item Number(uint8_t index, int64_t value) { return IntegerItem(index, value); }

TEST(Link, NodeWithSecretJoinsByItself) {
  World world(1);
  TestHub& hub = world.AddHub();
  TestNode& node = world.AddNode();
  ASSERT_TRUE(world.RunUntil([&] { return hub.joins == 1; }, 2000));
  node.Measure();
  world.Run(100);
  hub.Commit();
  world.Run(100);
  EXPECT_EQ(WhatIsWrong(world), "");
  EXPECT_EQ(hub.durable.size(), 1u);
  EXPECT_EQ(node.channel, 6);
  EXPECT_TRUE(node.flash.is_joined);
  EXPECT_EQ(node.flash.session.id, 0u) << "a session never goes to flash";
  // The hub's clock, within the air's delay.
  EXPECT_LT(std::abs(node.clock_us - (World::kStart_us + world.now_us)), 300000);
}

TEST(Link, NodeWithoutSecretWaitsForTheOperatorAndBothShowOneCode) {
  World world(2);
  TestHub& hub = world.AddHub();
  TestNode& node = world.AddNode(false);
  world.Run(1000);
  EXPECT_EQ(hub.joins, 0);
  ASSERT_FALSE(node.refusals.empty());
  EXPECT_EQ(node.refusals.front(), Refusal::kWindowClosed);
  hub.hub->OpenWindow(world.now(), 60 * kUsPerSecond);
  ASSERT_TRUE(world.RunUntil([&] { return node.code != 0; }, 3000));
  EXPECT_EQ(hub.codes[node.options.address], node.code);
  EXPECT_EQ(node.node->state(), State::kWaiting);
  world.Run(5000);
  EXPECT_EQ(hub.joins, 0) << "nobody confirmed";
  ASSERT_TRUE(hub.hub->ConfirmJoin(node.options.address, world.now(), hub));
  ASSERT_TRUE(world.RunUntil([&] { return hub.joins == 1 && IsLinked(node); }, 3000));
}

TEST(Link, AHubThatDoesNotKnowTheSecretGetsNothing) {
  World world(3);
  TestHub& hub = world.AddHub();
  TestNode& node = world.AddNode();
  for (auto& [id, secret] : hub.secrets) secret[0] ^= 1;  // claims to know it
  world.Run(5000);
  EXPECT_EQ(hub.joins, 0);
  EXPECT_GT(hub.hub->dropped(Drop::kTag), 0u);
  EXPECT_FALSE(node.flash.is_joined);
}

TEST(Link, TheRightOneOfTwoHubsIsFound) {
  World world(4);
  TestHub& wrong = world.AddHub(1);
  TestHub& right = world.AddHub(1);
  TestNode& node = world.AddNode();
  for (auto& [id, secret] : wrong.secrets) secret[0] ^= 1;
  ASSERT_TRUE(world.RunUntil([&] { return right.joins == 1 && node.flash.is_joined; }, 10000));
  EXPECT_EQ(wrong.joins, 0);
  EXPECT_EQ(node.flash.hub_address, right.address);
}

TEST(Link, NodeKeepsToItsNetwork) {
  World world(5);
  TestHub& other = world.AddHub(7);
  TestHub& own = world.AddHub(9);
  TestNode& node = world.AddNode();
  node.options.network = 9;
  node.Boot();
  ASSERT_TRUE(world.RunUntil([&] { return own.joins == 1; }, 3000));
  EXPECT_EQ(other.joins, 0);
  EXPECT_GT(other.hub->dropped(Drop::kNetwork), 0u);
}

TEST(Link, HubRestartIsHealedWithoutOperatorAndWithoutLoss) {
  World world(6);
  TestHub& hub = world.AddHub();
  TestNode& node = world.AddNode();
  node.period_us = 200 * kUsPerMs;
  world.Run(2000);
  hub.Commit();
  world.Run(1000);  // some reports that only the memory of the hub has
  hub.Crash();
  world.Run(3000);
  hub.Start();
  world.Run(4000);
  node.period_us = 0;
  world.Run(1000);
  hub.Commit();
  node.node->Poll();
  world.Run(300);
  EXPECT_EQ(WhatIsWrong(world), "");
  EXPECT_EQ(hub.joins, 1);
  EXPECT_GE(hub.sessions, 2);
  EXPECT_EQ(node.node->outbox().size(), 0u);
}

TEST(Link, NodeRestartTakesUpANewSession) {
  World world(7);
  TestHub& hub = world.AddHub();
  TestNode& node = world.AddNode();
  node.period_us = 200 * kUsPerMs;
  world.Run(2000);
  hub.Commit();
  world.Run(50);
  node.accepted.clear();
  const size_t before = hub.durable.size();
  node.Boot();
  world.Run(2000);
  node.period_us = 0;
  world.Run(500);
  hub.Commit();
  EXPECT_EQ(hub.joins, 1);
  EXPECT_GE(hub.sessions, 2);
  EXPECT_GT(hub.durable.size(), before + 5);
  for (const auto& [value, at] : node.accepted) EXPECT_EQ(hub.durable[value], 1);
}

TEST(Link, SetPointReachesASleeperAtItsNextWakeUpAndTheNewestWins) {
  World world(8);
  TestHub& hub = world.AddHub();
  TestNode& node = world.AddNode(true, true);
  node.period_us = 2 * kUsPerSecond;
  ASSERT_TRUE(world.RunUntil([&] { return hub.joins == 1 && !node.is_awake; }, 5000));
  hub.hub->SetItem(1, Number(5, 19), world.now(), hub);
  const uint32_t version = hub.hub->SetItem(1, Number(5, 21), world.now(), hub);
  hub.hub->SetItem(1, Number(6, 1), world.now(), hub);
  EXPECT_TRUE(node.applied.empty());
  ASSERT_TRUE(world.RunUntil([&] { return hub.results.size() == 2; }, 4000));
  ASSERT_EQ(node.applied.size(), 2u);
  EXPECT_EQ(node.applied[0], (std::pair<uint8_t, int64_t>{5, 21}));
  EXPECT_EQ(hub.results[0].second.version, version);
  EXPECT_EQ(hub.results[0].second.item.integer, 21);
  ASSERT_TRUE(world.RunUntil([&] { return !node.is_awake; }, 1000));
}

TEST(Link, ACommandIsAppliedOnceWhateverIsLost) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    World world(seed);
    TestHub& hub = world.AddHub();
    TestNode& node = world.AddNode();
    ASSERT_TRUE(world.RunUntil([&] { return hub.joins == 1; }, 5000));
    world.rules.loss_percent = 40;
    world.rules.repeat_percent = 20;
    for (int value = 1; value <= 5; ++value) {
      hub.hub->SetItem(1, Number(5, value), world.now(), hub);
      ASSERT_TRUE(world.RunUntil([&] { return hub.results.size() == static_cast<size_t>(value); }, 60000)) << seed;
      if (node.node->state() == State::kLinked) node.node->Poll();
    }
    ASSERT_EQ(node.applied.size(), 5u) << seed;
    for (int value = 1; value <= 5; ++value) EXPECT_EQ(node.applied[static_cast<size_t>(value - 1)].second, value);
  }
}

TEST(Link, AHubThatLostCountGoesOnAboveTheNode) {
  World world(9);
  TestHub& hub = world.AddHub();
  TestNode& node = world.AddNode();
  ASSERT_TRUE(world.RunUntil([&] { return hub.joins == 1; }, 3000));
  Now later = world.now();
  later.utc_us += 1000 * kUsPerSecond;  // its clock was ahead once
  hub.hub->SetItem(1, Number(5, 1), later, hub);
  ASSERT_TRUE(world.RunUntil([&] { return hub.results.size() == 1; }, 1000));
  hub.Crash();
  hub.Start();
  world.Run(1000);
  node.node->Poll();
  world.Run(500);
  hub.hub->SetItem(1, Number(5, 2), world.now(), hub);
  ASSERT_TRUE(world.RunUntil([&] { return hub.results.size() == 2; }, 10000));
  ASSERT_EQ(node.applied.size(), 2u);
  EXPECT_EQ(node.applied[1].second, 2);
}

TEST(Link, DescriptionComesInOrderThroughLoss) {
  World world(10);
  TestHub& hub = world.AddHub();
  TestNode& node = world.AddNode();
  for (int i = 0; i < 700; ++i) node.description.push_back(static_cast<uint8_t>(i * 7));
  ASSERT_TRUE(world.RunUntil([&] { return hub.joins == 1; }, 3000));
  world.rules.loss_percent = 30;
  hub.hub->AskDescription(1);
  node.node->Poll();
  ASSERT_TRUE(world.RunUntil([&] { return hub.description.size() == 700; }, 30000));
  EXPECT_EQ(hub.description, node.description);
}

TEST(Link, ConfigurationGoesOnAfterASleep) {
  World world(11);
  TestHub& hub = world.AddHub();
  TestNode& node = world.AddNode(true, true);
  node.period_us = 2 * kUsPerSecond;
  ASSERT_TRUE(world.RunUntil([&] { return hub.joins == 1; }, 5000));
  for (int i = 0; i < 20000; ++i) hub.blob.push_back(static_cast<uint8_t>(world.random.Next()));
  BlobManifest manifest;
  manifest.kind = BlobKind::kConfiguration;
  manifest.version = 3;
  manifest.size = static_cast<uint32_t>(hub.blob.size());
  manifest.digest = crypto::Sha256(hub.blob);
  ASSERT_TRUE(hub.hub->SetBlob(0, manifest));
  ASSERT_TRUE(hub.hub->OfferBlob(1, 0));
  world.rules.loss_percent = 30;
  ASSERT_TRUE(world.RunUntil([&] { return node.blocks_written > 20; }, 60000));
  node.Boot();  // power loss in the middle: what flash holds of the progress may be old, never wrong
  ASSERT_TRUE(world.RunUntil([&] { return !hub.blob_statuses.empty(); }, 120000));
  EXPECT_EQ(hub.blob_statuses[0].result, BlobResult::kComplete);
  EXPECT_EQ(node.image, hub.blob);
  EXPECT_EQ(node.images_complete, 1);
}

TEST(Link, UnsignedFirmwareIsRefusedBeforeABlockIsAskedFor) {
  World world(12);
  TestHub& hub = world.AddHub();
  TestNode& node = world.AddNode();
  ASSERT_TRUE(world.RunUntil([&] { return hub.joins == 1; }, 3000));
  hub.blob.assign(1000, 1);
  BlobManifest manifest;
  manifest.version = 2;
  manifest.size = 1000;
  manifest.digest = crypto::Sha256(hub.blob);
  hub.hub->SetBlob(0, manifest);
  hub.hub->OfferBlob(1, 0);
  node.node->Poll();
  ASSERT_TRUE(world.RunUntil([&] { return !hub.blob_statuses.empty(); }, 3000));
  EXPECT_EQ(hub.blob_statuses[0].result, BlobResult::kBadSignature);
  EXPECT_EQ(node.blocks_written, 0);
}

TEST(Link, AUsedUpSessionIsReplacedBeforeACounterRepeats) {
  World world(13);
  TestHub& hub = world.AddHub();
  TestNode& node = world.AddNode();
  ASSERT_TRUE(world.RunUntil([&] { return hub.joins == 1; }, 3000));
  world.Run(100);
  // As if it had sent two thousand million frames.
  NodeRecord record = node.node->record();
  const uint32_t old_session = record.session.id;
  record.session.sent = kMaxCounter - 4;
  node.node->Restore(record);
  for (int i = 0; i < 10; ++i) {
    node.Measure();
    world.Run(300);
  }
  hub.Commit();
  EXPECT_EQ(WhatIsWrong(world), "");
  EXPECT_NE(node.node->record().session.id, old_session);
  EXPECT_LT(node.node->record().session.sent, 100u);
}

TEST(Link, AHubThatForgotTheNodeTakesItInAgainBySecret) {
  World world(14);
  TestHub& hub = world.AddHub();
  TestNode& node = world.AddNode();
  node.period_us = 500 * kUsPerMs;
  world.Run(2000);
  ASSERT_EQ(hub.joins, 1);
  hub.Commit();
  world.Run(100);
  hub.records.clear();  // its store is gone
  hub.Crash();
  hub.Start();
  ASSERT_TRUE(world.RunUntil([&] { return hub.joins == 2; }, 30000));
  node.period_us = 0;
  world.Run(3000);
  hub.Commit();
  EXPECT_EQ(WhatIsWrong(world), "");
}

TEST(Link, ABusyHubGetsTheReportLater) {
  World world(15);
  TestHub& hub = world.AddHub();
  TestNode& node = world.AddNode();
  ASSERT_TRUE(world.RunUntil([&] { return hub.joins == 1; }, 3000));
  hub.is_busy = true;
  node.Measure();
  world.Run(3000);
  EXPECT_TRUE(hub.taken.empty());
  EXPECT_EQ(node.node->state(), State::kLinked);
  hub.is_busy = false;
  world.Run(2000);
  hub.Commit();
  EXPECT_EQ(WhatIsWrong(world), "");
  // It bears the time at which it was measured, not that of its arrival.
  ASSERT_EQ(hub.times.size(), 1u);
  const auto& [value, time_us] = *hub.times.begin();
  EXPECT_LT(std::abs(time_us - (World::kStart_us + node.accepted[value])), 10000);
}

TEST(Link, AFullOutboxGivesUpTheOldestAndCounts) {
  World world(16);
  TestHub& hub = world.AddHub();
  TestNode& node = world.AddNode(true, false, Outbox::kMinMemory + 100);
  ASSERT_TRUE(world.RunUntil([&] { return hub.joins == 1; }, 3000));
  hub.is_running = false;
  for (int i = 0; i < 100; ++i) node.Measure();
  const uint32_t lost = node.node->outbox().lost();
  EXPECT_GT(lost, 50u);
  hub.is_running = true;
  world.Run(5000);
  hub.Commit();
  EXPECT_EQ(WhatIsWrong(world), "");
  EXPECT_EQ(hub.durable.size(), 100u - lost);
}

TEST(Link, AFloodOfHellosLeavesAKnownNodeWorking) {
  World world(17);
  TestHub& hub = world.AddHub();
  TestNode& node = world.AddNode();
  ASSERT_TRUE(world.RunUntil([&] { return hub.joins == 1; }, 3000));
  node.period_us = 100 * kUsPerMs;
  world.rules.is_recorded = true;
  for (int ms = 0; ms < 2000; ++ms) {
    for (int i = 0; i < 20; ++i) {
      Hello hello;
      world.random.Fill(hello.commit);
      hello.secret_id = hub.secrets.begin()->first;
      std::array<uint8_t, kMaxBody> body;
      FrameBuffer frame;
      const size_t size = ClearFrame({0, Type::kHello, 0, 0, 0, 0}, Bytes(body).first(Write(hello, body)), &frame);
      Address from;
      world.random.Fill(from);
      from[0] = 2;
      hub.hub->Receive({0, from, kBroadcast, 6, -40, Bytes(frame).first(size)}, world.now(), hub);
    }
    world.Step();
  }
  node.period_us = 0;
  world.Run(300);
  hub.Commit();
  EXPECT_EQ(WhatIsWrong(world), "");
  EXPECT_GE(hub.durable.size(), 19u);
  EXPECT_GT(hub.hub->dropped(Drop::kLimited), 39000u);
}

TEST(Link, ForgedHintsDisturbNobody) {
  World world(18);
  TestHub& hub = world.AddHub();
  TestNode& node = world.AddNode();
  node.period_us = 100 * kUsPerMs;
  ASSERT_TRUE(world.RunUntil([&] { return hub.joins == 1; }, 3000));
  const Address attacker = {0x02, 0xEE, 0, 0, 0, 1};
  for (int i = 0; i < 500; ++i) {
    std::array<uint8_t, kMaxBody> body;
    FrameBuffer frame;
    const Refuse refuse{Refusal::kUnknownNode, 6};
    size_t size = ClearFrame({0, Type::kRefuse, 1, 0, 0, 0}, Bytes(body).first(Write(refuse, body)), &frame);
    node.node->Receive(hub.address, node.options.address, Bytes(frame).first(size), world.now_us, node);
    // "Your session is unknown", sealed by somebody else.
    Key key;
    world.random.Fill(key);
    ResumeWanted wanted;
    size = SealFrame({0, Type::kResumeWanted, 1, 1, 5, 6}, Direction::kDown, key, {attacker, node.options.address}, {},
                     Bytes(body).first(Write(wanted, body)), &frame);
    node.node->Receive(attacker, node.options.address, Bytes(frame).first(size), world.now_us, node);
    world.Step();
  }
  EXPECT_EQ(hub.sessions, 1);
  EXPECT_EQ(node.node->state(), State::kLinked);
  EXPECT_GE(node.node->counters().bad_tags, 490u);  // all but those before its session began
}

TEST(Link, NumbersAreBoundToTheirAddress) {
  World world(19);
  TestHub& hub = world.AddHub();
  TestNode& node = world.AddNode();
  world.rules.is_recorded = true;
  ASSERT_TRUE(world.RunUntil([&] { return hub.joins == 1; }, 3000));
  const AirFrame* data = nullptr;
  for (const AirFrame& f : world.record) {
    if (f.from == node.options.address && f.bytes[3] == static_cast<uint8_t>(Type::kData)) data = &f;
  }
  ASSERT_NE(data, nullptr);
  Address other = data->from;
  other[5] = 77;
  hub.hub->Receive({0, other, data->to, 6, 0, data->bytes}, world.now(), hub);
  EXPECT_EQ(hub.hub->dropped(Drop::kAddress), 1u);
}

TEST(Link, AFullTableIsToldAndLeavesTheOthersAlone) {
  World world(20);
  TestHub& hub = world.AddHub(1, 6, 2);
  for (int i = 0; i < 3; ++i) world.AddNode();
  world.Run(6000);
  EXPECT_EQ(hub.joins, 2);
  EXPECT_TRUE(std::find(hub.refusals.begin(), hub.refusals.end(), Refusal::kTableFull) != hub.refusals.end());
}

TEST(Link, ChannelChangeOfTheHubIsFollowed) {
  World world(21);
  TestHub& hub = world.AddHub();
  TestNode& node = world.AddNode();
  node.period_us = 500 * kUsPerMs;
  world.Run(2000);
  hub.Commit();
  hub.channel = 11;
  hub.hub->SetGateway(0, hub.address, 11);
  const int64_t changed_us = world.now_us;
  ASSERT_TRUE(world.RunUntil([&] { return node.channel == 11 && hub.sessions >= 2; }, 20000));
  EXPECT_LT(world.now_us - changed_us, 10 * kUsPerSecond);
  node.period_us = 0;
  world.Run(3000);
  hub.Commit();
  EXPECT_EQ(WhatIsWrong(world), "");
}

}  // namespace
}  // namespace vesta::link::test
