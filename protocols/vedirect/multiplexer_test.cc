#include "protocols/vedirect/multiplexer.h"

#include <gtest/gtest.h>

#include "protocols/vedirect/vedirect_for_test.h"

namespace vesta::vedirect {
namespace {

// Chargers behind a multiplexer: each sends its block a second on its own phase; only the chosen one is on the wire.
class Box {
 public:
  struct Plug {
    uint32_t channel;
    std::string serial;
    bool plugged = true;
  };
  explicit Box(std::vector<Plug> plugs) : plugs_(std::move(plugs)) {}

  void Choose(uint32_t channel) { chosen_ = channel; }
  Plug& plug(size_t i) { return plugs_[i]; }

  // The bytes on the wire in this tenth of a second.
  std::string Wire(int64_t tenth) const {
    std::string wire;
    for (size_t i = 0; i < plugs_.size(); ++i) {
      if (!plugs_[i].plugged || plugs_[i].channel != chosen_) continue;
      const std::string block = Block({{"PID", "0xA053"}, {"SER#", plugs_[i].serial}, {"V", "12530"}, {"I", "640"}});
      const int64_t phase = (tenth + static_cast<int64_t>(i) * 3) % 10;
      // A block takes two tenths, so that a switch may fall into its middle.
      if (phase == 0) wire += block.substr(0, block.size() / 2);
      if (phase == 1) wire += block.substr(block.size() / 2);
    }
    return wire;
  }

 private:
  std::vector<Plug> plugs_;
  uint32_t chosen_ = 5;
};

class Lines final : public Selector {
 public:
  explicit Lines(Box& box) : box_(box) {}
  bool Select(uint32_t channel) override {
    box_.Choose(channel);
    return true;
  }

 private:
  Box& box_;
};

struct Rig {
  explicit Rig(std::vector<Box::Plug> plugs) : box(std::move(plugs)) {
    std::vector<uint32_t> channels;
    for (size_t i = 0; i < 4; ++i) channels.push_back(box.plug(i).channel);
    multiplexer = std::make_unique<Multiplexer>(Options(), channels, std::make_unique<Lines>(box));
    multiplexer->LinkReset(now, log);
  }
  void Run(int64_t seconds) {
    const int64_t end_us = now.monotonic_us + seconds * kUsPerSecond;
    while (now.monotonic_us < end_us) {
      const std::string wire = box.Wire(now.monotonic_us / 100000);
      if (!wire.empty()) multiplexer->Receive(AsBytes(wire), now, log);
      const int64_t next_us = (now.monotonic_us / 100000 + 1) * 100000;
      const int64_t due_us = multiplexer->next_deadline_us();
      if (due_us > now.monotonic_us && due_us < next_us) {
        now.monotonic_us = due_us;
        multiplexer->Tick(now, log);
      }
      now.monotonic_us = next_us;
      multiplexer->Tick(now, log);
    }
  }
  size_t ReadingsOf(const std::string& serial) const {
    size_t count = 0;
    for (const SeenFrame& frame : log.frames) {
      for (const SeenReading& reading : frame.readings) {
        count += reading.key == "battery_voltage" && log.devices[reading.device].identity == serial;
      }
    }
    return count;
  }

  Box box;
  Log log;
  Now now;
  std::unique_ptr<Multiplexer> multiplexer;
};

std::vector<Box::Plug> Four() { return {{7, "BLUE"}, {6, "ORANGE"}, {1, "BROWN"}, {0, "GREEN"}}; }

TEST(Multiplexer, EachChargerGetsItsTurnAndItsOwnReadings) {
  Rig rig(Four());
  rig.Run(120);
  ASSERT_EQ(rig.log.devices.size(), 4u);
  for (const char* serial : {"BLUE", "ORANGE", "BROWN", "GREEN"}) EXPECT_GE(rig.ReadingsOf(serial), 15u) << serial;
  for (const SeenFrame& frame : rig.log.frames) EXPECT_EQ(frame.verdict, FrameVerdict::kAccepted) << frame.reason;
}

TEST(Multiplexer, AnEmptyPlugHoldsUpNobodyAndIsFoundAgain) {
  Rig all(Four());
  all.Run(120);
  Rig rig(Four());
  rig.box.plug(1).plugged = false;
  rig.box.plug(2).plugged = false;
  rig.Run(120);
  EXPECT_GE(rig.ReadingsOf("BLUE"), all.ReadingsOf("BLUE"));
  EXPECT_EQ(rig.ReadingsOf("ORANGE"), 0u);
  EXPECT_FALSE(rig.multiplexer->channel(1).present);
  EXPECT_TRUE(rig.multiplexer->channel(0).present);
  rig.box.plug(1).plugged = true;
  rig.Run(120);
  EXPECT_TRUE(rig.multiplexer->channel(1).present);
  EXPECT_GE(rig.ReadingsOf("ORANGE"), 5u);
}

TEST(Multiplexer, AnEmptyBoxIsLookedThroughForEver) {
  Rig rig(Four());
  for (size_t i = 0; i < 4; ++i) rig.box.plug(i).plugged = false;
  rig.Run(300);
  for (size_t i = 0; i < 4; ++i) EXPECT_GT(rig.multiplexer->channel(i).visits, 5u);
  rig.box.plug(3).plugged = true;
  rig.Run(60);
  EXPECT_GE(rig.ReadingsOf("GREEN"), 2u);
}

TEST(Multiplexer, WhatArrivesWhileTheLinesSettleBelongsToNobody) {
  Rig rig(Four());
  const std::string stray = Block({{"PID", "0xA053"}, {"SER#", "STRAY"}, {"V", "1"}});
  rig.multiplexer->Receive(AsBytes(stray), rig.now, rig.log);
  EXPECT_TRUE(rig.log.frames.empty());
  EXPECT_TRUE(rig.multiplexer->Transmit().empty());
}

TEST(Multiplexer, AnotherChargerInThePlugIsAnotherDevice) {
  Rig rig(Four());
  rig.Run(60);
  rig.box.plug(0).serial = "NEW";
  rig.Run(60);
  EXPECT_EQ(rig.log.devices.size(), 5u);
  EXPECT_GE(rig.ReadingsOf("NEW"), 5u);
}

}  // namespace
}  // namespace vesta::vedirect
