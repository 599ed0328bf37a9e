// Prints how nodes find their hub, in virtual time with the times of real frames: "bar NAME VALUE LIMIT ok|short".
//
// node_join_ms, node_join_lossy_ms: median from a node's first request to the hub's answer, hub channels 1 to 13 in
// turn,
//   without and with 10 % loss.
// node_return_s: median from a hub's change of channel to the next frame that it took of an always-on node.
// node_sleeper_return_s: the worst sleeper's first report after such a change, counted from its wake-up.
// node_absent_calls: requests an hour of a node whose hub is away.
// node_flood_percent: reports that known nodes got through while strangers flood the hub with hellos and garbage.
// node_fleet_wrong: reports lost or doubled by a fleet.
// node_fleet_day_s: processor time that a simulated day of 10,000 nodes would take at the pace of this fleet.
//   VESTA_FLEET_NODES, VESTA_FLEET_HOURS and VESTA_SEED choose another size and seed:
//   10000, 24 is the whole thing.
// node_memory_bytes: all static memory of a node without its drivers.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "simulators/air_node.h"

namespace vesta::simulators {
namespace {

constexpr int64_t kSecond = 1000000;
constexpr char kThermometer[] =
    R"("functions":[{"type":"thermometer","pin":4,"period_s":60,"sensors":[{"id":"2811223344556656"}]}]})";

std::string Awake() { return R"({"version":1,"name":"node",)" + std::string(kThermometer); }
std::string Sleepy(int period_s) {
  return R"({"version":1,"name":"node","sleep_s":)" + std::to_string(period_s) + "," + kThermometer;
}

bool Bar(const char* name, double value, double limit, bool at_most = true) {
  const bool ok = at_most ? value <= limit : value >= limit;
  std::printf("bar %s %.4g %.4g %s\n", name, value, limit, ok ? "ok" : "short");
  return ok;
}

double Median(std::vector<double> values, double part = 0.5) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(part * static_cast<double>(values.size() - 1))];
}

uint64_t NumberOf(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::vector<double> JoinTimes(unsigned loss_percent, uint64_t seed) {
  std::vector<double> times_ms;
  for (int run = 0; run < 130; ++run) {
    Air air({loss_percent, 35, 10, seed + static_cast<uint64_t>(run)});
    AirHub hub(air, {.channel = static_cast<uint8_t>(1 + run % 13)});
    AirNode node(air, 1, {Awake()});
    node.PowerUp();
    air.RunUntil([&] { return hub.first_answers.count(node.own_address()) != 0; }, 60 * kSecond);
    const int64_t answer_us = hub.first_answers[node.own_address()];
    times_ms.push_back(static_cast<double>(answer_us - node.first_request_us()) / 1000);
  }
  return times_ms;
}

bool JoinBars() {
  const std::vector<double> clean = JoinTimes(0, 1000);
  const std::vector<double> lossy = JoinTimes(10, 2000);
  std::printf("first answer: 90 %% within %.0f ms, with 10 %% loss %.0f ms\n", Median(clean, 0.9), Median(lossy, 0.9));
  const bool ok = Bar("node_join_ms", Median(clean), 200);
  return Bar("node_join_lossy_ms", Median(lossy), 200) && ok;
}

bool ReturnBars() {
  std::vector<double> awake_s;
  std::vector<double> sleepy_s;
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    Air air({5, 35, 10, 3000 + seed});
    AirHub hub(air, {.channel = static_cast<uint8_t>(1 + seed % 13)});
    std::vector<std::unique_ptr<AirNode>> nodes;
    constexpr int kNodes = 12;
    constexpr int kPeriod_s = 60;
    for (uint32_t i = 0; i < kNodes; ++i) {
      nodes.push_back(std::make_unique<AirNode>(air, i + 1, AirNodeOptions{i < 8 ? Awake() : Sleepy(kPeriod_s)}));
      nodes.back()->PowerUp();
    }
    air.RunUntil(air.now_us() + 120 * kSecond + static_cast<int64_t>(air.random().Below(60)) * kSecond);
    const auto counts = hub.durable_count;
    hub.Tune(static_cast<uint8_t>(1 + (seed + 5) % 13));
    const int64_t changed_us = air.now_us();
    std::vector<bool> is_back(kNodes);
    std::vector<uint64_t> wakes;
    std::vector<int64_t> woke_us(kNodes, 0);
    for (auto& node : nodes) wakes.push_back(node->wakes());
    for (int step = 0; step < 1200; ++step) {
      air.RunUntil(air.now_us() + kSecond / 10);
      for (size_t i = 0; i < kNodes; ++i) {
        if (woke_us[i] == 0 && nodes[i]->wakes() > wakes[i]) woke_us[i] = air.now_us();
        const link::Peer* peer = hub.hub().Find(hub.numbers[nodes[i]->own_address()]);
        if (is_back[i] || peer == nullptr || peer->heard_us <= changed_us) continue;
        is_back[i] = true;
        const int64_t from_us = i < 8 || woke_us[i] == 0 ? changed_us : woke_us[i];
        (i < 8 ? awake_s : sleepy_s).push_back(static_cast<double>(air.now_us() - from_us) / 1e6);
      }
    }
    for (size_t i = 0; i < kNodes; ++i) {
      if (!is_back[i]) (i < 8 ? awake_s : sleepy_s).push_back(1e3);
    }
  }
  std::printf("return: 90 %% of the always-on within %.1f s, worst %.1f s; sleepers' median %.1f s behind a wake-up\n",
              Median(awake_s, 0.9), Median(awake_s, 1), Median(sleepy_s));
  const bool ok = Bar("node_return_s", Median(awake_s), 10);
  return Bar("node_sleeper_return_s", Median(sleepy_s, 1), 10) && ok;
}

bool AbsentBar() {
  Air air({0, 35, 10, 4});
  AirNode node(air, 1, {Awake()});
  node.PowerUp();
  air.RunUntil(air.now_us() + 300 * kSecond);
  const uint64_t before = node.sent();
  air.RunUntil(air.now_us() + 3600 * kSecond);
  return Bar("node_absent_calls", static_cast<double>(node.sent() - before), 13 * 3600 / 30 * 1.1);
}

// Sends hellos of ever other addresses, and bytes that are nothing.
class Flooder final : public AirListener {
 public:
  explicit Flooder(Air& air) : air_(air) {
    for (uint8_t i = 0; i < 16; ++i) {
      stations_.push_back(air.Add({0x02, 0xCC, 0, 0, 0, i}, *this, false, true));
      air.Tune(stations_.back(), 6);
    }
  }
  void Step() {
    for (const Air::Station station : stations_) {
      std::array<uint8_t, 120> bytes;
      air_.random().Fill(bytes);
      if (air_.random().Chance(70)) {
        constexpr uint8_t kHello[] = {0x56, 0x4C, 0x01, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
        std::copy(std::begin(kHello), std::end(kHello), bytes.begin());
        bytes[16 + 20 + 23] = 0;
      }
      const bool is_hello = bytes[0] == 0x56;
      air_.Send(station, link::kBroadcast, link::Bytes(bytes).first(is_hello ? 60 : 120));
    }
  }

 private:
  void OnFrame(const link::Address&, const link::Address&, uint8_t, link::Bytes) override {}
  void OnTimer(uint64_t) override {}
  Air& air_;
  std::vector<Air::Station> stations_;
};

bool FloodBar() {
  Air air({0, 35, 10, 5});
  AirHub hub(air, {.channel = 6});
  std::vector<std::unique_ptr<AirNode>> nodes;
  for (uint32_t i = 0; i < 20; ++i) {
    nodes.push_back(std::make_unique<AirNode>(air, i + 1, AirNodeOptions{Awake()}));
    nodes.back()->PowerUp();
  }
  air.RunUntil(air.now_us() + 90 * kSecond);
  Flooder flooder(air);
  // 16 stations, 20 frames a second each: some 30 % of the air.
  for (int step = 0; step < 20 * 300; ++step) {
    flooder.Step();
    air.RunUntil(air.now_us() + kSecond / 20);
  }
  uint64_t made = 0;
  uint64_t arrived = 0;
  for (auto& node : nodes) {
    const link::Outbox& outbox = node->app()->link_node().outbox();
    made += outbox.next_number() - 1;
    arrived += outbox.next_number() - 1 - outbox.lost() - outbox.waiting();
  }
  std::printf("flood: %llu of %llu reports taken, %llu frames limited\n", static_cast<unsigned long long>(arrived),
              static_cast<unsigned long long>(made),
              static_cast<unsigned long long>(hub.hub().dropped(link::Drop::kLimited)));
  return Bar("node_flood_percent", 100.0 * static_cast<double>(arrived) / static_cast<double>(made), 95, false);
}

bool FleetBar() {
  const uint64_t count = NumberOf("VESTA_FLEET_NODES", 200);
  const uint64_t hours = NumberOf("VESTA_FLEET_HOURS", 1);
  const uint64_t seed = NumberOf("VESTA_SEED", 7);
  const std::clock_t began = std::clock();
  Air air({2, 35, 10, seed});
  AirHub hub(air, {.max_nodes = static_cast<uint16_t>(count), .channel = 11});
  hub.keeps_items = false;
  std::vector<std::unique_ptr<AirNode>> nodes;
  for (uint32_t i = 0; i < count; ++i) {
    AirNodeOptions options{Sleepy(60)};
    options.drift_ppm = static_cast<int>(air.random().Below(100)) - 50;
    nodes.push_back(std::make_unique<AirNode>(air, i + 1, options));
    nodes.back()->PowerUp();
    air.RunUntil(air.now_us() + 60 * kSecond / static_cast<int64_t>(count));
  }
  // Joining costs key agreements, once a node, not each hour.
  air.RunUntil(air.now_us() + 60 * kSecond);
  const std::clock_t joined = std::clock();
  air.RunUntil(air.now_us() + static_cast<int64_t>(hours) * 3600 * kSecond / 2);
  hub.Crash();
  air.RunUntil(air.now_us() + 120 * kSecond);
  hub.Start();
  air.RunUntil(air.now_us() + static_cast<int64_t>(hours) * 3600 * kSecond / 2);
  uint64_t reports = 0;
  double wrong = hub.wrong.empty() ? 0 : 1;
  for (const auto& [number, n] : hub.durable_count) reports += n;
  if (hub.numbers.size() != count) wrong += static_cast<double>(count - hub.numbers.size());
  const double took_s = static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
  const double joining_s = static_cast<double>(joined - began) / CLOCKS_PER_SEC;
  const double day_s =
      (joining_s + (took_s - joining_s) * (24.0 / static_cast<double>(hours))) * (10000.0 / static_cast<double>(count));
  std::printf("fleet: %llu nodes, %llu h, %llu reports, %s; %.1f s, a day of 10,000 nodes at this pace %.0f s\n",
              static_cast<unsigned long long>(count), static_cast<unsigned long long>(hours),
              static_cast<unsigned long long>(reports), hub.wrong.empty() ? "nothing wrong" : hub.wrong.c_str(), took_s,
              day_s);
  const double expected = static_cast<double>(count * hours) * 60;
  const bool ok = Bar("node_fleet_wrong", wrong, 0) & Bar("node_fleet_day_s", day_s, 600);
  return Bar("node_fleet_percent", 100 * static_cast<double>(hub.temperatures) / expected, 97, false) && ok;
}

}  // namespace

int Main() {
  bool ok = JoinBars();
  ok &= ReturnBars();
  ok &= AbsentBar();
  ok &= FloodBar();
  ok &= FleetBar();
  ok &= Bar("node_memory_bytes",
            static_cast<double>(sizeof(node::App) + sizeof(node::Portal) + node::kUsualSleepMemory), 16 * 1024);
  return ok ? 0 : 1;
}

}  // namespace vesta::simulators

int main() { return vesta::simulators::Main(); }
