#include "app/bus_desk.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "app/original_texts.h"
#include "hub/store/temporary_store.h"
#include "protocols/can_text.h"
#include "protocols/masterbus/session.h"
#include "simulators/masterbus_bus.h"

namespace vesta::app {
namespace {

constexpr UtcUs kStart_us = 1786429285000000;

struct Keys : SessionEvents {
  void OnDevice(uint16_t, const DeviceInfo&) override {}
  void OnFrame(const FrameEvent& frame) override {
    for (const Reading& reading : frame.readings) last = session->fields()[reading.field].key;
  }
  const Session* session = nullptr;
  std::string last;
};

// A hub's MasterBus source in virtual time.
struct Listening {
  explicit Listening(const std::string& directory) : desk(clock, directory) {
    heard.session = &session;
    desk.Add("boat", &session);
  }
  void Listen(int seconds, std::vector<simulators::BusFaultSetting> faults = {}) {
    simulators::MasterBusOptions options;
    options.start_us = clock.Read().utc_us;
    options.faults = std::move(faults);
    simulators::MasterBusBus bus(options);
    const UtcUs end_us = options.start_us + seconds * kUsPerSecond;
    while (bus.next_us() < end_us) {
      const simulators::MasterBusBus::Sent sent = bus.Next();
      clock.Advance(sent.time_us - clock.Read().utc_us);
      Send(sent.frame);
    }
  }
  void Send(const can::Frame& frame) {
    std::array<uint8_t, can::kMaxFrameSize> bytes;
    session.Receive({bytes.data(), can::WriteFrame(frame, bytes)}, clock.Read(), heard);
  }
  void Send(const char* text) { Send(*can::ClassicFrame(*can::ParseFrameText(text))); }
  const hub::BusNode* Node(uint32_t address) {
    seen = *desk.Look("boat");
    const auto found =
        std::find_if(seen.nodes.begin(), seen.nodes.end(), [&](const auto& node) { return node.address == address; });
    return found == seen.nodes.end() ? nullptr : &*found;
  }

  hub::ManualClock clock{kStart_us};
  masterbus::MasterBusSession session{masterbus::Options()};
  Keys heard;
  BusDesk desk;
  hub::BusState seen;
};

class BusDeskTest : public testing::Test {
 protected:
  std::string File() const { return folder_.File("bus-boat.model"); }
  ino_t Inode() const {
    struct stat facts {};
    return stat(File().c_str(), &facts) == 0 ? facts.st_ino : 0;
  }
  hub::TemporaryFolder folder_;
};

TEST_F(BusDeskTest, NamesAndUnitsAreKnownAtOnceAfterARestart) {
  {
    Listening first(folder_.File(""));
    first.Listen(60);
    first.desk.Keep();
  }
  Listening second(folder_.File(""));
  const hub::BusNode* shunt = second.Node(simulators::kSimulatedShunt);
  ASSERT_NE(shunt, nullptr);
  EXPECT_EQ(shunt->name, "MSH House shunt");
  EXPECT_FALSE(shunt->online) << "known is not heard";
  EXPECT_FALSE(shunt->age_us.has_value());
  const auto charge =
      std::find_if(shunt->items.begin(), shunt->items.end(), [](auto& item) { return item.number == 0; });
  ASSERT_NE(charge, shunt->items.end());
  EXPECT_EQ(charge->label, "State of Charge");
  EXPECT_EQ(charge->unit, "%");
  EXPECT_FALSE(charge->value.has_value());
  second.Send("086F1297#000000009642");  // the first frame of all: 75 %
  EXPECT_EQ(second.heard.last, "state_of_charge");
  EXPECT_TRUE(second.Node(simulators::kSimulatedShunt)->online);
}

TEST_F(BusDeskTest, ADamagedFileIsLearnedAnewAndReplaced) {
  {
    Listening first(folder_.File(""));
    first.Listen(60);
    first.desk.Keep();
  }
  {
    std::fstream file(File(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(200);
    file.put('\x5A');
  }
  {
    Listening second(folder_.File(""));
    EXPECT_EQ(second.Node(simulators::kSimulatedShunt), nullptr);
    second.desk.Keep();  // it heard nothing: what may still be mended by hand stays
    second.Listen(60);
    second.desk.Keep();
  }
  Listening third(folder_.File(""));
  EXPECT_NE(third.Node(simulators::kSimulatedShunt), nullptr);
}

TEST_F(BusDeskTest, IsWrittenWhenItChangedAndNotTooOften) {
  Listening run(folder_.File(""));
  run.Listen(30);
  run.desk.Tick();
  EXPECT_EQ(Inode(), 0u);
  run.Listen(31);
  run.desk.Tick();
  const ino_t written = Inode();
  EXPECT_NE(written, 0u);
  // Nothing new in an hour of values.
  for (int minute = 0; minute < 60; ++minute) {
    run.Listen(60);
    run.desk.Tick();
  }
  EXPECT_EQ(Inode(), written);
  EXPECT_LT(std::filesystem::file_size(File()), 16'000u);
}

TEST_F(BusDeskTest, WhatABabblerInventedIsNotKept) {
  {
    Listening first(folder_.File(""));
    first.Listen(60, {{simulators::BusFault::kBabble, 500}});
    EXPECT_GT(first.desk.Look("boat")->nodes.size(), 60u);
    first.desk.Keep();
  }
  {
    // Some were made up twice by chance.
    Listening second(folder_.File(""));
    EXPECT_LE(second.desk.Look("boat")->nodes.size(), 32u);
    second.Listen(60);
    second.desk.Keep();
  }
  Listening third(folder_.File(""));
  EXPECT_EQ(third.desk.Look("boat")->nodes.size(), 4u) << "shunt, combi, charger and display";
}

TEST_F(BusDeskTest, TellsWhoMayHaveAsked) {
  Listening run(folder_.File(""));
  run.Listen(60);
  const hub::BusNode* shunt = run.Node(simulators::kSimulatedShunt);
  ASSERT_NE(shunt, nullptr);
  EXPECT_GT(shunt->asked_values, 100u);
  EXPECT_GT(shunt->asked_properties, 10u);
  EXPECT_GT(shunt->asked_items, 10u);
  EXPECT_GT(shunt->frames_per_second, 1.0);
  EXPECT_EQ(shunt->possible_askers.size(), 2u) << "the display and the combi poll";
  EXPECT_GT(shunt->items[0].asked, 20u);
  const hub::BusNode* combi = run.Node(simulators::kSimulatedCombi);
  ASSERT_NE(combi, nullptr);
  EXPECT_EQ(combi->possible_askers, std::vector<uint32_t>{simulators::kSimulatedDisplay}) << "none asks itself";
}

TEST_F(BusDeskTest, UnknownFramesShowWhichBytesMove) {
  Listening run(folder_.File(""));
  run.Listen(60, {{simulators::BusFault::kUnknownKind, 1}});
  const hub::BusState bus = *run.desk.Look("boat");
  ASSERT_EQ(bus.unknown.size(), 1u);
  EXPECT_FALSE(bus.unknown[0].moved.empty());
  EXPECT_LT(bus.unknown[0].moved.size(), bus.unknown[0].data.size());
}

TEST_F(BusDeskTest, SaysItemsAsTheEarlierLoggerDid) {
  Listening run(folder_.File(""));
  run.Listen(60);
  hub::Device shunt;
  shunt.protocol = "masterbus";
  shunt.identity = "6F1297";
  const auto text = [&](const char* field, const Value& value) {
    hub::Series series;
    series.field.key = field;
    const hub::OriginalText said = OriginalTextOf(shunt, series, value, run.desk);
    return said.topic + " " + said.payload;
  };
  EXPECT_EQ(text("state_of_charge", Value::OfReal(75.5)), "masterbus/0x31297/0x00 75.500000");
  EXPECT_EQ(text("battery_current", Value::OfReal(-3.25)), "masterbus/0x31297/0x02 -3.250000");
  EXPECT_EQ(text("clock_date", Value::OfText("2022-01-15")), "masterbus/0x31297/0x0A 15/01/2022");
  EXPECT_EQ(text("clock_time", Value::OfText("07:08:09")), "masterbus/0x31297/0x09 07:08:09");
  EXPECT_EQ(text("state_of_charge", Value::None()), " ");
  EXPECT_EQ(text("no_such_field", Value::OfReal(1)), " ");
  shunt.identity = "6F1298";
  EXPECT_EQ(text("state_of_charge", Value::OfReal(75.5)), " ");
  shunt.identity = "what?";
  EXPECT_EQ(text("state_of_charge", Value::OfReal(75.5)), " ");
}

}  // namespace
}  // namespace vesta::app
