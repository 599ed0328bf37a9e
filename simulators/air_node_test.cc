// The node application and the hub's end of the link in the simulated air. Each test names its seed: a failing one
// replays exactly.
#include "simulators/air_node.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace vesta::simulators {
namespace {

constexpr int64_t kSecond = 1000000;
const std::string kThermometer =
    R"({"type":"thermometer","pin":4,"period_s":10,"sensors":[{"id":"2811223344556656","name":"Tank"}]})";
std::string Config(const std::string& functions, const std::string& more = "", int version = 1) {
  return R"({"version":)" + std::to_string(version) + R"(,"name":"Boiler room")" + more + R"(,"functions":[)" +
         functions + "]}";
}

struct House {
  explicit House(uint64_t seed, unsigned loss_percent = 0, AirHub::Options options = {})
      : air({loss_percent, 35, 10, seed}), hub(air, options) {}
  AirNode& Add(const AirNodeOptions& options) {
    nodes.push_back(std::make_unique<AirNode>(air, static_cast<uint32_t>(nodes.size() + 1), options));
    nodes.back()->PowerUp();
    return *nodes.back();
  }
  void Run(int64_t seconds) { air.RunUntil(air.now_us() + seconds * kSecond); }
  bool RunUntil(const std::function<bool()>& is_done, int64_t seconds) {
    return air.RunUntil(is_done, air.now_us() + seconds * kSecond);
  }
  // Both sides: the hub takes it in with its first report.
  bool Knows(const AirNode& node) const { return node.is_linked() && hub.numbers.count(node.own_address()) != 0; }
  uint16_t NumberOf(const AirNode& node) { return hub.numbers[node.own_address()]; }

  Air air;
  AirHub hub;
  std::vector<std::unique_ptr<AirNode>> nodes;
};

AirNodeOptions Awake() { return {Config(kThermometer)}; }
AirNodeOptions Sleepy(int period_s = 60) { return {Config(kThermometer, R"(,"sleep_s":)" + std::to_string(period_s))}; }

TEST(AirNode, JoinsByItselfAndItsReadingsBearTheirTimes) {
  House house(1);
  AirNode& node = house.Add(Awake());
  ASSERT_TRUE(house.RunUntil([&] { return node.is_linked(); }, 3));
  house.Run(120);
  const auto& taken = house.hub.durable[house.NumberOf(node)];
  EXPECT_GE(taken.size(), 10u);
  EXPECT_EQ(house.hub.wrong, "");
  EXPECT_LE(house.hub.worst_time_error_us, kTimeStep_us);
  EXPECT_EQ(node.app()->node_status().lost, 0u);
}

TEST(AirNode, FollowsAHubThatChangesItsChannelOrRestarts) {
  House house(2, 5);
  AirNode& node = house.Add(Awake());
  ASSERT_TRUE(house.RunUntil([&] { return house.Knows(node); }, 5));
  const uint64_t before = house.hub.durable_count[house.NumberOf(node)];
  house.hub.Tune(11);
  ASSERT_TRUE(house.RunUntil([&] { return node.is_linked() && node.channel() == 11; }, 30));
  house.hub.Crash();
  house.Run(20);
  house.hub.Start();
  house.Run(60);
  EXPECT_TRUE(node.is_linked());
  EXPECT_GT(house.hub.durable_count[house.NumberOf(node)], before + 8);
  EXPECT_EQ(house.hub.wrong, "");
}

TEST(AirNode, WithoutAHubItCallsLessAndLessOften) {
  House house(3);
  house.hub.Crash();
  AirNode& node = house.Add(Awake());
  house.Run(60);
  const uint64_t early = node.sent();
  house.Run(600);
  const uint64_t late = node.sent() - early;
  // 13 calls a sweep, a sweep each 30 s and a quarter more or less.
  EXPECT_GE(late, 13u * 600 / 38);
  EXPECT_LE(late, 13u * (600 / 22 + 1));
  house.hub.Start();
  EXPECT_TRUE(house.RunUntil([&] { return node.is_linked(); }, 45));
}

TEST(AirNode, ASleeperSendsAtEachWakeUpAndFindsTheHubAgain) {
  House house(4, 3);
  AirNode& node = house.Add(Sleepy());
  house.Run(600);
  const uint16_t number = house.NumberOf(node);
  EXPECT_GE(house.hub.durable_count[number], 8u);
  EXPECT_LT(node.awake_us(), 15 * 2 * kSecond) << "some 0.85 s a wake-up: the conversion takes most of it";
  // Another channel: within one wake-up and 10 s.
  house.hub.Tune(13);
  const uint64_t before = house.hub.durable_count[number];
  house.Run(60 + 10 + 10);
  EXPECT_GT(house.hub.durable_count[number], before);
  EXPECT_EQ(house.hub.wrong, "");
}

TEST(AirNode, ASleeperWithoutAHubKeepsItsReadingsWithTheirTimes) {
  House house(5);
  AirNode& node = house.Add(Sleepy());
  house.Run(130);
  house.hub.Crash();
  house.Run(1800);
  const uint64_t wakes = node.wakes();
  house.hub.Start();
  house.Run(1900);
  EXPECT_GT(node.wakes(), wakes);
  const auto& taken = house.hub.durable[house.NumberOf(node)];
  EXPECT_EQ(house.hub.wrong, "");
  EXPECT_GE(taken.size(), 60u) << "one a minute, none lost in the half hour without a hub";
}

TEST(AirNode, AnOutboxThatIsFullCountsWhatItGivesUp) {
  House house(6);
  AirNode& node = house.Add(Awake());
  ASSERT_TRUE(house.RunUntil([&] { return house.Knows(node); }, 5));
  house.hub.Crash();
  house.Run(3600);
  const uint32_t lost = node.app()->node_status().lost;
  EXPECT_GT(lost, 200u);
  house.hub.Start();
  house.Run(120);
  const link::Outbox& outbox = node.app()->link_node().outbox();
  const uint64_t durable = house.hub.durable_count[house.NumberOf(node)];
  // One was perhaps received by the hub that crashed before it could say so.
  EXPECT_LE(durable + node.app()->node_status().lost, outbox.next_number() - 1 + 1);
  EXPECT_GE(durable + node.app()->node_status().lost + outbox.size(), outbox.next_number() - 1);
  EXPECT_EQ(house.hub.wrong, "");
}

TEST(AirNode, ReportsThatWaitedLongSurviveALossOfPowerWithTheirTimes) {
  House house(7);
  AirNode& node = house.Add(Awake());
  ASSERT_TRUE(house.RunUntil([&] { return house.Knows(node); }, 5));
  house.Run(30);
  const uint16_t number = house.NumberOf(node);
  const uint64_t before = house.hub.durable_count[number];
  house.hub.Crash();
  house.Run(900);  // a copy is written after ten minutes
  node.CutPower();
  house.Run(7200);
  node.PowerUp();
  house.Run(20);
  house.hub.Start();
  house.Run(90);
  EXPECT_GT(house.hub.durable_count[number], before + 40);
  EXPECT_EQ(house.hub.wrong, "");
  EXPECT_LE(house.hub.worst_time_error_us, kTimeStep_us);
}

// The power goes at each write of the flash, before it and behind it, while reports wait: afterwards nothing comes
// twice, and no time is wrong.
TEST(AirNode, PowerMayGoAtEveryWrite) {
  for (int write = 1; write <= 6; ++write) {
    for (const bool behind : {false, true}) {
      House house(100 + static_cast<uint64_t>(write), 2);
      AirNode& node = house.Add(Awake());
      house.Run(40);
      house.hub.Crash();
      node.CutAtWrite(write, behind);
      for (int cycle = 0; cycle < 3; ++cycle) {
        house.Run(1500);
        node.PowerUp();
      }
      house.hub.Start();
      house.Run(120);
      if (node.app() == nullptr) node.PowerUp();  // the last writes come with the hub
      house.Run(20);
      EXPECT_EQ(house.hub.wrong, "") << write << behind;
      EXPECT_TRUE(node.is_linked()) << write << behind;
    }
  }
}

const std::string kHeating = kThermometer +
                             R"(,{"type":"relay","name":"Burner","i2c":56})"
                             R"(,{"type":"thermostat","name":"Tank","sensor":"2811223344556656","relay":"Burner"})";

TEST(AirNode, AConfigurationFromTheHubIsAppliedOrRefusedWithTheReason) {
  House house(8, 2);
  AirNode& node = house.Add(Awake());
  ASSERT_TRUE(house.RunUntil([&] { return house.Knows(node); }, 5));
  const uint16_t number = house.NumberOf(node);
  const std::string other = Config(
      R"({"type":"thermometer","name":"Cellar","pin":4,"period_s":5,"sensors":[{"id":"2811223344556656"}]})", "", 2);
  house.hub.Offer(number, 2, other);
  ASSERT_TRUE(house.RunUntil([&] { return house.hub.infos[number].configuration == 2; }, 30));
  EXPECT_EQ(node.app()->config().functions[0].name.view(), "Cellar");
  ASSERT_EQ(house.hub.blob_statuses.back().result, link::BlobResult::kComplete);

  house.hub.AskDescription(number);
  ASSERT_TRUE(house.RunUntil([&] { return house.hub.description.size() == node.app()->DescriptionSize(); }, 10));
  const std::string text(house.hub.description.begin(), house.hub.description.end());
  EXPECT_NE(text.find("Cellar"), std::string::npos);

  // This node has no I2C: the old one goes on.
  house.hub.Offer(number, 3, Config(kHeating, "", 3));
  ASSERT_TRUE(house.RunUntil([&] { return house.hub.blob_statuses.size() == 2; }, 30));
  EXPECT_EQ(house.hub.blob_statuses.back().result, link::BlobResult::kTooBig);
  EXPECT_NE(node.app()->node_status().problem.find("no I2C"), std::string::npos);
  EXPECT_EQ(node.app()->config().version, 2u);
  EXPECT_EQ(house.hub.wrong, "");
}

TEST(AirNode, ManyNodesTogetherLoseNothing) {
  House house(9, 5, {.max_nodes = 128, .channel = 3});
  for (int i = 0; i < 60; ++i) house.Add(i % 3 == 0 ? Sleepy(30) : Awake());
  house.Run(120);
  house.hub.Tune(9);
  house.Run(60);
  house.hub.Crash();
  house.Run(30);
  house.hub.Start();
  house.Run(150);
  EXPECT_EQ(house.hub.wrong, "");
  int linked = 0;
  for (auto& node : house.nodes) {
    if (node->app() == nullptr) continue;
    linked += node->is_linked() ? 1 : 0;
    const link::Outbox& outbox = node->app()->link_node().outbox();
    const uint64_t known = house.hub.durable_count[house.NumberOf(*node)] + outbox.lost();
    EXPECT_LE(known, outbox.next_number() - 1);
    EXPECT_GE(known + outbox.size(), outbox.next_number() - 1);
    EXPECT_EQ(outbox.lost(), 0u);
  }
  EXPECT_GE(linked, 38);
}

TEST(AirNode, TheFlashIsSpared) {
  House house(10);
  AirNode& node = house.Add(Awake());
  house.Run(3 * 3600);
  EXPECT_LE(node.writes(), 4u) << "power-up, pairing, and little more";
}

}  // namespace
}  // namespace vesta::simulators
