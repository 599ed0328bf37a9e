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

// Everything at once: frames that are lost, late or there twice, clocks that drift, nodes that lose their power, hubs
// that crash, set-points all the while. Each seed replays exactly.
TEST(AirNode, AFleetThroughEverythingKeepsItsPromises) {
  for (const uint64_t seed : {uint64_t{501}, uint64_t{502}, uint64_t{503}}) {
    House house(seed, 5, {.max_nodes = 64, .channel = 6});
    house.air.rules().late_percent = 10;
    house.air.rules().twice_percent = 5;
    constexpr size_t kNodes = 24;
    constexpr size_t kCut = 6;  // the first of them lose their power now and then
    for (size_t i = 0; i < kNodes; ++i) {
      AirNodeOptions options{
          Config(kThermometer + R"(,{"type":"relay","name":"Burner","pin":5})"
                                R"(,{"type":"thermostat","name":"Tank","sensor":"2811223344556656","relay":"Burner"})",
                 i % 2 == 0 ? "" : R"(,"sleep_s":20)")};
      options.drift_ppm = static_cast<int>(house.air.random().Below(200)) - 100;
      house.Add(options);
    }
    ASSERT_TRUE(house.RunUntil([&] { return house.hub.numbers.size() == kNodes; }, 120)) << seed;
    // The thermostat's set-point: thermometer 1, relay 2, set-point 3.
    constexpr uint8_t kSetPoint = 3;
    std::map<std::pair<uint16_t, uint32_t>, int64_t> versions;
    for (int step = 0; step < 60; ++step) {
      house.Run(10);
      if (step == 20) house.hub.Crash();
      if (step == 23) house.hub.Start();
      if (step == 35) house.hub.Tune(11);
      if (step % 7 == 3) {
        AirNode& node = *house.nodes[house.air.random().Below(kCut)];
        node.CutPower();
        node.PowerUp();
      }
      if (!house.hub.is_running()) continue;
      // Seldom enough for the budget of the flash: beyond it a set-point is refused.
      for (size_t i = static_cast<size_t>(step) % 6; i < kNodes; i += 6) {
        const uint16_t number = house.NumberOf(*house.nodes[i]);
        const int64_t value = 5000 + 100 * step;  // each other than the one before
        const uint32_t version = house.hub.SetItem(number, link::IntegerItem(kSetPoint, value));
        if (version != 0) versions[{number, version}] = value;
      }
    }
    house.Run(120);
    EXPECT_EQ(house.hub.wrong, "") << seed;
    for (size_t i = 0; i < kNodes; ++i) {
      AirNode& node = *house.nodes[i];
      const uint16_t number = house.NumberOf(node);
      // Applied as the hub asked, once each, never an older one behind a newer.
      uint32_t last = 0;
      for (const AirNode::Applied& applied : node.applied()) {
        EXPECT_GT(applied.version, last) << seed << " node " << i;
        last = applied.version;
        const auto found = versions.find({number, applied.version});
        // A hub that crashed may have counted on above what it had stored: then the number is of after it.
        if (found == versions.end()) continue;
        EXPECT_EQ(applied.value, found->second) << seed << " node " << i;
      }
      EXPECT_GT(node.applied().size(), 3u) << seed << " node " << i;
      ASSERT_FALSE(node.applied().empty());
      const auto& results = house.hub.results;
      const auto result = std::find_if(results.rbegin(), results.rend(), [&](const auto& one) {
        return one.first == number && one.second.item.index == kSetPoint;
      });
      ASSERT_NE(result, results.rend());
      // The newest wins. A node that lost its power again and again has no writes left, and says so.
      const bool is_spent = i < kCut && result->second.outcome == link::Outcome::kRefused;
      if (!is_spent) {
        EXPECT_GE(node.applied().back().value, 5000 + 100 * 54)
            << seed << " node " << i << " outcome " << static_cast<int>(result->second.outcome);
      }
      // What a node took and could still send is at the hub.
      if (i < kCut || node.app() == nullptr) continue;
      const link::Outbox& outbox = node.app()->link_node().outbox();
      const uint64_t known = house.hub.durable_count[number] + outbox.lost();
      EXPECT_LE(known, outbox.next_number() - 1) << seed << " node " << i;
      EXPECT_GE(known + outbox.size(), outbox.next_number() - 1) << seed << " node " << i;
      EXPECT_EQ(outbox.lost(), 0u) << seed << " node " << i;
    }
    EXPECT_GT(house.air.counters().late, 100u);
    EXPECT_GT(house.air.counters().twice, 100u);
    EXPECT_EQ(house.hub.hub().dropped(link::Drop::kTag), 0u) << "nobody forges here, so no tag is wrong";
  }
}

TEST(AirNode, TheFlashIsSpared) {
  House house(10);
  AirNode& node = house.Add(Awake());
  house.Run(3 * 3600);
  EXPECT_LE(node.writes(), 4u) << "power-up, pairing, and little more";
}

}  // namespace
}  // namespace vesta::simulators
