#include <gtest/gtest.h>

#include "node/functions/ble_relay.h"
#include "node/functions/counter.h"
#include "node/functions/display_function.h"
#include "node/functions/masterbus_bridge.h"
#include "node/functions/medibus_bridge.h"
#include "node/functions/p1_reader.h"
#include "node/functions/thermometer.h"
#include "node/functions/thermostat.h"
#include "node/functions/vedirect_reader.h"
#include "node/ports_for_test.h"
#include "protocols/p1/crc16.h"

namespace vesta::node {
namespace {

using test::TestBoard;
using test::TestPorts;

constexpr int64_t kSecond = 1000000;

SensorId IdOf(uint8_t number) {
  SensorId id = {0x28, number, static_cast<uint8_t>(number * 37), 3, 4, 5, 6, 0};
  id[7] = OneWireChecksum(std::span(id).first(7));
  return id;
}

Scratchpad Showing(int sixteenths, uint8_t byte6 = 0x08) {
  Scratchpad s = {
      static_cast<uint8_t>(sixteenths), static_cast<uint8_t>(sixteenths >> 8), 0x4B, 0x46, 0x7F, 0xFF, byte6, 0x10, 0};
  s[8] = OneWireChecksum(std::span(s).first(8));
  return s;
}

struct Bench {
  TestPorts ports;
  TestBoard board{ports};
  FunctionConfig config;
  Problem problem;

  void Start(Function& f) {
    f.Place(1, 1);
    EXPECT_TRUE(f.Start(board, &problem)) << problem.view();
  }
};

TEST(Thermometer, FindsAllSensorsAndKeepsTheirPlaces) {
  Bench b;
  b.config.pin = 4;
  b.config.period_s = 10;
  b.config.max_sensors = 8;
  for (uint8_t i = 1; i <= 6; ++i) {
    b.ports.sensors.push_back(IdOf(i));
    b.ports.scratchpads[IdOf(i)] = Showing(16 * i);
  }
  ThermometerFunction f(b.config, {}, 0);
  b.Start(f);
  b.board.Run(f, 2 * kSecond);
  ASSERT_EQ(b.board.items.size(), 6u);
  std::array<uint8_t, kMaxSaved> saved;
  const size_t size = f.Save(saved);
  ASSERT_EQ(size, 48u);
  // After a restart with one more sensor, which answers first, the others keep their items.
  const auto before = b.board.items;
  b.ports.sensors.insert(b.ports.sensors.begin(), IdOf(0));
  b.ports.scratchpads[IdOf(0)] = Showing(-8);
  ThermometerFunction again(b.config, {}, 0);
  again.Restore(Bytes(saved).first(size));
  b.Start(again);
  b.board.Run(again, 4 * kSecond);
  for (const auto& [index, item] : before) EXPECT_EQ(b.board.items[index].integer, item.integer);
  EXPECT_EQ(b.board.items[7].integer, -5000) << "-0.5 degrees, exact";
}

TEST(Thermometer, ABadReadingIsAFaultAndNeverANumber) {
  Bench b;
  b.config.pin = 4;
  b.config.period_s = 10;
  const SensorConfig sensor{0, IdOf(1), {}};
  b.ports.sensors = {IdOf(1)};
  Scratchpad damaged = Showing(320);
  damaged[0] ^= 1;
  ThermometerFunction f(b.config, {&sensor, 1}, 0);
  b.Start(f);
  for (const Scratchpad& bad : {damaged, Showing(85 * 16, 0x0C), Scratchpad{}}) {
    b.ports.scratchpads[IdOf(1)] = bad;
    b.board.items.clear();
    b.board.Run(f, b.board.now_us + 12 * kSecond);
    EXPECT_EQ(b.board.items[1].type, link::ValueType::kNone);
    EXPECT_EQ(b.board.items[1].status, link::Status::kFault);
    EXPECT_FALSE(b.board.FindTemperature(IdOf(1))->is_good);
  }
  b.ports.scratchpads[IdOf(1)] = Showing(85 * 16, 0x10);
  b.board.Run(f, b.board.now_us + 12 * kSecond);
  EXPECT_EQ(b.board.items[1].integer, 850000) << "85 degrees that were measured";
  b.ports.scratchpads.clear();
  b.board.Run(f, b.board.now_us + 12 * kSecond);
  EXPECT_EQ(b.board.items[1].status, link::Status::kFault) << "unplugged";
}

TEST(Thermostat, SwitchesWithHysteresisAndGoesOffWhenBlind) {
  Bench b;
  FunctionConfig relay_config;
  relay_config.type = FunctionType::kRelay;
  relay_config.pin = 5;
  RelayFunction relay(relay_config);
  relay.Place(9, 2);
  relay.Start(b.board, &b.problem);
  b.board.relay = &relay;
  b.config.type = FunctionType::kThermostat;
  b.config.sensor = IdOf(1);
  b.config.period_s = 60;
  ThermostatFunction f(b.config);
  b.Start(f);
  const auto at = [&](int32_t milli) {
    Temperature* t = b.board.PlaceOf(IdOf(1));
    t->milli = milli;
    t->at_us = b.board.now_us;
    b.board.Run(f, b.board.now_us + 2 * kSecond);
    return b.ports.levels[5];
  };
  EXPECT_FALSE(at(19600)) << "within the hysteresis, from off";
  EXPECT_TRUE(at(19400));
  EXPECT_TRUE(at(20400)) << "within, from on";
  EXPECT_FALSE(at(20600));
  EXPECT_TRUE(at(18000));
  b.board.Run(f, b.board.now_us + 200 * kSecond);
  EXPECT_FALSE(b.ports.levels[5]) << "three minutes without a temperature";
  EXPECT_EQ(b.board.items[2].status, link::Status::kFault);

  link::Item wanted = link::IntegerItem(1, 99000);
  EXPECT_EQ(f.OnCommand(0, &wanted, b.board), link::Outcome::kClamped);
  EXPECT_EQ(wanted.integer, 30000);
  wanted = link::IntegerItem(2, 1);
  EXPECT_EQ(f.OnCommand(1, &wanted, b.board), link::Outcome::kRefused);
  wanted = link::IntegerItem(9, 1);
  EXPECT_EQ(relay.OnCommand(0, &wanted, b.board), link::Outcome::kRefused) << "a thermostat drives it";
  std::array<uint8_t, kMaxSaved> saved;
  const size_t size = f.Save(saved);
  ThermostatFunction again(b.config);
  again.Restore(Bytes(saved).first(size));
  EXPECT_EQ(again.set_point(), 30000);
}

TEST(Relay, TellsWhatItReadBack) {
  Bench b;
  b.config.type = FunctionType::kRelay;
  b.config.i2c = 56;
  b.config.bit = 2;
  b.config.is_active_low = true;
  RelayFunction f(b.config);
  b.Start(f);
  link::Item on{1, link::ValueType::kState, link::Status::kOk, 1, 0, {}};
  EXPECT_EQ(f.OnCommand(0, &on, b.board), link::Outcome::kApplied);
  EXPECT_EQ(b.ports.expander, 0xFB) << "active low, the other bits stay";
  b.board.Run(f, kSecond);
  EXPECT_EQ(b.board.items[1].integer, 1);
  b.ports.is_stuck = true;
  on.integer = 0;
  EXPECT_EQ(f.OnCommand(0, &on, b.board), link::Outcome::kRefused);
  b.board.Run(f, 2 * kSecond);
  EXPECT_EQ(b.board.items[1].status, link::Status::kFault);
  on.integer = 2;
  EXPECT_EQ(f.OnCommand(0, &on, b.board), link::Outcome::kRefused);
}

TEST(Counter, CountsWhatLastsAndNotWhatBounces) {
  Bench b;
  b.config.type = FunctionType::kCounter;
  b.config.pin = 3;
  b.config.period_s = 10;
  b.config.debounce_ms = 20;
  b.ports.levels[3] = true;
  CounterFunction f(b.config);
  b.Start(f);
  const auto pulse = [&](int64_t at_us, int64_t length_us) {
    b.ports.edges.push_back({at_us, false});
    b.ports.edges.push_back({at_us + length_us, true});
  };
  pulse(100000, 3000);   // a spike
  pulse(200000, 30000);  // a pulse, and its bouncing end
  pulse(231000, 1000);
  pulse(400000, 50000);
  pulse(460000, 50000);  // opened for 10 ms only: the same contact
  b.board.Run(f, 2 * kSecond);
  EXPECT_EQ(f.total(), 2);
  std::array<uint8_t, kMaxSaved> saved;
  const size_t size = f.Save(saved);
  CounterFunction again(b.config);
  again.Restore(Bytes(saved).first(size));
  EXPECT_EQ(again.total(), 2);
}

std::string Telegram(const std::string& values) {
  std::string text = "/ISK5\\2M550T-1012\r\n\r\n" + values + "!";
  char crc[8];
  const Bytes bytes(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  std::snprintf(crc, sizeof(crc), "%04X\r\n", p1::Crc16Arc(bytes));
  return text + crc;
}

TEST(P1Reader, ForwardsWholeTelegramsAndShowsTheirValues) {
  Bench b;
  b.config.type = FunctionType::kP1;
  b.config.period_s = 10;
  b.config.max_bytes = 512;
  std::vector<uint8_t> memory(512);
  P1Reader f(b.config, memory);
  b.Start(f);
  const std::string good = Telegram(
      "1-0:1.7.0(00.500*kW)\r\n1-0:2.7.0(01.250*kW)\r\n1-0:1.8.1(000100.500*kWh)\r\n1-0:1.8.2(000200.250*kWh)\r\n"
      "0-1:24.2.1(200426223325S)(00246.138*m3)\r\n");
  std::string bad = good;
  bad[40] ^= 1;
  b.ports.line = "rest of one\r\n" + bad + good + good.substr(0, 30) + good;
  b.board.Run(f, kSecond);
  ASSERT_EQ(b.board.frames.size(), 1u) << "one a period";
  EXPECT_EQ(b.board.frames[0], good);
  EXPECT_EQ(b.board.shown[static_cast<size_t>(Shown::kGridPower)].milli, -750000);
  EXPECT_EQ(b.board.shown[static_cast<size_t>(Shown::kEnergyIn)].milli, 300750);
  EXPECT_EQ(b.board.shown[static_cast<size_t>(Shown::kGas)].milli, 246138);
  EXPECT_EQ(b.board.items[2].integer, 2) << "the damaged one, and the cut one with what it swallowed";
  b.ports.line = Telegram(std::string(600, 'x'));
  b.board.is_full = true;
  b.board.Run(f, 12 * kSecond);
  b.ports.line += good;
  b.board.Run(f, 13 * kSecond);
  b.board.is_full = false;
  b.board.now_us += 20 * kSecond;
  b.ports.line += good;
  b.board.Run(f, b.board.now_us + kSecond);
  ASSERT_EQ(b.board.frames.size(), 2u);
  EXPECT_EQ(b.board.flags[1], link::kRelayDropped) << "the one before found no room";
}

TEST(VedirectReader, ForwardsBlocksWithARightSum) {
  Bench b;
  b.config.type = FunctionType::kVedirect;
  b.config.period_s = 10;
  VedirectReader f(b.config);
  b.Start(f);
  std::string block = "\r\nPID\t0x203\r\nV\t12800\r\nI\t-1500\r\nP\t-19\r\nSOC\t876\r\nChecksum\t";
  uint8_t sum = 0;
  for (const char c : block) sum = static_cast<uint8_t>(sum + static_cast<uint8_t>(c));
  block += static_cast<char>(static_cast<uint8_t>(0 - sum));
  b.ports.line = "half\r\nV\t1\r\nChecksum\tx" + block + block + block;
  b.board.Run(f, kSecond);
  ASSERT_EQ(b.board.frames.size(), 2u) << "two blocks make a picture";
  EXPECT_EQ(b.board.frames[0], block);
  EXPECT_EQ(b.board.shown[static_cast<size_t>(Shown::kBatteryVoltage)].milli, 12800);
  EXPECT_EQ(b.board.shown[static_cast<size_t>(Shown::kBatteryCharge)].milli, 87600);
}

TEST(MedibusBridge, KeepsTheLineAliveAndForwardsBothSides) {
  Bench b;
  b.config.type = FunctionType::kMedibus;
  b.config.period_s = 5;
  MedibusBridge f(b.config);
  b.Start(f);
  b.board.Run(f, 5 * kSecond);
  EXPECT_NE(b.ports.written.find("\x1BQ"), std::string::npos) << "it initialises the line";
  // The device answers that, and asks itself.
  b.ports.line = "\x01QD2\r\x1BQ6C\r";
  b.board.Run(f, 8 * kSecond);
  ASSERT_GE(b.board.frames.size(), 3u);
  bool has_heard = false;
  bool has_sent = false;
  for (const uint8_t flags : b.board.flags) ((flags & link::kRelaySent) != 0 ? has_sent : has_heard) = true;
  EXPECT_TRUE(has_heard && has_sent);
}

TEST(MasterbusBridge, ForwardsWhatIsNews) {
  Bench b;
  b.config.type = FunctionType::kMasterbus;
  b.config.period_s = 10;
  MasterbusBridge f(b.config);
  b.Start(f);
  can::Frame frame{0x0CE12345, true, false, false, 8, {6, 1, 0, 0, 1, 2, 3, 4}};
  b.ports.frames = {frame, frame};
  frame.data[7] = 5;
  b.ports.frames.push_back(frame);
  frame.data[0] = 7;
  b.ports.frames.push_back(frame);
  b.board.Run(f, kSecond);
  EXPECT_EQ(b.board.frames.size(), 3u) << "a value, its change, another value";
  b.board.Run(f, 12 * kSecond);
  b.ports.frames.push_back(frame);
  b.board.Run(f, 13 * kSecond);
  EXPECT_EQ(b.board.frames.size(), 4u) << "a sign of life each period";
}

TEST(BleRelay, ForwardsOneMakersAdvertsOncePerPeriod) {
  Bench b;
  b.config.type = FunctionType::kBle;
  b.config.period_s = 5;
  BleRelayFunction f(b.config);
  b.Start(f);
  constexpr uint8_t kVictron[] = {5, 0xFF, 0xE1, 0x02, 0x10, 0x02};
  constexpr uint8_t kOther[] = {5, 0xFF, 0x4C, 0x00, 0x10, 0x02};
  ble::Advert advert{0x112233445566, true, -70, 0, kVictron};
  b.ports.adverts = {advert, advert};
  advert.data = kOther;
  b.ports.adverts.push_back(advert);
  advert.data = kVictron;
  advert.address = 1;
  b.ports.adverts.push_back(advert);
  b.board.Run(f, kSecond);
  EXPECT_EQ(b.board.frames.size(), 2u);
  EXPECT_EQ(b.board.frames[0].size(), ble::kAdvertHeaderSize + sizeof(kVictron));
}

TEST(DisplayFunction, ShowsWhatTheHubWrites) {
  Bench b;
  b.config.type = FunctionType::kDisplay;
  b.config.screens = 1;
  b.config.from_hub = true;
  DisplayFunction f(b.config);
  b.Start(f);
  b.board.Run(f, kSecond);
  const DisplayDots before = b.ports.shown;
  link::Item item = link::IntegerItem(1, 12650);
  EXPECT_EQ(f.OnCommand(0, &item, b.board), link::Outcome::kApplied);
  b.board.Run(f, 3 * kSecond);
  EXPECT_NE(b.ports.shown, before);
  item.type = link::ValueType::kState;
  EXPECT_EQ(f.OnCommand(0, &item, b.board), link::Outcome::kRefused);
}

}  // namespace
}  // namespace vesta::node
