#include "hub/nodes/network.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "hub/nodes/schedule.h"

namespace vesta::hub {
namespace {

std::string Vector(const std::string& name) {
  std::ifstream in(std::string(VESTA_SOURCE_DIR "/tests/vectors/espnow/") + name);
  return {std::istreambuf_iterator<char>(in), {}};
}

constexpr const char* kNetwork = R"({"format": "vesta-network", "version": 1, "hub": {"id": 10, "network": 7},
  "limits": {"max_nodes": 32}, "groups": [{"key": "g", "name": "Garden"}],
  "templates": [{"name": "t", "items": [{"index": 2, "min": 5, "max": 25.5}], "functions": {"a": 1}}],
  "nodes": [{"protocol": "link", "address": "02:bb:00:00:00:01", "number": 3, "name": "Hen house", "group": "g", "template": "t"},
            {"protocol": "vesta-2025", "number": 2, "insecure_writes": true,
             "devices": [{"id": 1, "type": "thermostat", "name": "Greenhouse", "control": 9}]}],
  "rooms": [{"sensor": "28:7e:c6:38:0a:00:00:15", "name": "Kitchen"}],
  "schedules": [{"node": "02bb00000001", "item": 2, "days": ["mon", "sun"], "at": "06:30", "value": 20.5}]})";

TEST(Network, IsReadAndWrittenTheSame) {
  std::vector<std::string> problems;
  const auto read = ReadNetwork(kNetwork, &problems);
  ASSERT_TRUE(read) << read.error();
  EXPECT_TRUE(problems.empty()) << problems[0];
  EXPECT_EQ(read->hub_id, 10);
  EXPECT_EQ(read->number, 7);
  const NodeEntry* node = read->FindId("02bb00000001");
  ASSERT_NE(node, nullptr);
  EXPECT_EQ(read->FindItem(*node, 2)->max, (Decimal{255, -1}));
  EXPECT_EQ(read->FunctionsOf(*node), R"({"a":1})");
  EXPECT_EQ(read->GroupName(node->group), "Garden");
  EXPECT_EQ(read->schedules[0].days, 0x41);
  EXPECT_EQ(read->schedules[0].minute, 390);
  const std::string written = WriteNetwork(*read);
  const auto again = ReadNetwork(written, &problems);
  ASSERT_TRUE(again) << again.error();
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(WriteNetwork(*again), written);
}

TEST(Network, AWrongEntryIsLeftOutAndTold) {
  const char* wrong[] = {
      R"("nodes": [{"protocol": "link"}])",
      R"("nodes": [{"protocol": "link", "address": "zz"}])",
      R"("nodes": [{"protocol": "other", "number": 1}])",
      R"("nodes": [{"protocol": "vesta-2025", "number": 255}])",
      R"("nodes": [{"protocol": "vesta-2025", "number": 1, "devices": [{"id": 0, "type": "relay"}]}])",
      R"("nodes": [{"protocol": "vesta-2025", "number": 1, "name": "a\u0007b"}])",
      R"("nodes": [{"protocol": "vesta-2025", "number": 1}, {"protocol": "vesta-2025", "number": 1}])",
      R"("nodes": 3)",
      R"("hub": {"id": 256})",
      R"("schedules": [{"node": "a", "item": 1, "days": ["mo"], "at": "06:30", "value": 1}])",
      R"("schedules": [{"node": "a", "item": 1, "days": ["mon"], "at": "24:00", "value": 1}])",
      R"("rooms": [{"sensor": "28", "name": "x"}])",
  };
  for (const char* part : wrong) {
    std::vector<std::string> problems;
    const auto read = ReadNetwork(std::string(R"({"format": "vesta-network", "version": 1, )") + part + "}", &problems);
    ASSERT_TRUE(read) << part;
    EXPECT_EQ(problems.size(), 1u) << part;
  }
  std::vector<std::string> problems;
  EXPECT_FALSE(ReadNetwork("[]", &problems));
  EXPECT_FALSE(ReadNetwork(R"({"format": "vesta-network", "version": 2})", &problems));
  EXPECT_FALSE(ReadNetwork(R"({"Peers": []})", &problems));
}

TEST(Network, TakesOverTheOriginalsFiles) {
  Network network;
  std::vector<std::string> problems;
  const std::string plain = Vector("vesta-network.json");
  ASSERT_TRUE(ImportStruct(plain, &network, &problems));
  EXPECT_TRUE(problems.empty());
  ASSERT_EQ(network.nodes.size(), 3u);
  const NodeEntry* house = network.FindLegacy(NodeKind::kVesta2025, 3);
  ASSERT_NE(house, nullptr);
  ASSERT_EQ(house->devices.size(), 4u);
  EXPECT_EQ(house->devices[3].name, "Pump");
  EXPECT_EQ(house->devices[3].control, 107);
  EXPECT_EQ(network.FindLegacy(NodeKind::kVesta2025, 2)->devices[0].set_point, (Decimal{8, 0}));

  // Older files wrap the parts, and say the same.
  Network wrapped;
  const size_t types = plain.find("\"DataTypes\"");
  const std::string old =
      "{\"Struct\":[" + plain.substr(0, plain.rfind(',', types)) + "},{" + plain.substr(types) + "]}";
  ASSERT_TRUE(ImportStruct(old, &wrapped, &problems));
  EXPECT_EQ(WriteNetwork(wrapped), WriteNetwork(network));

  ASSERT_TRUE(ImportPeers(R"({"channel": 6, "Peers": [{"PeerID": "3", "mac": [132, 243, 235, 1, 2, 3]},
      {"PeerID": 4, "mac": "00:00:00:00:00:00"}, {"PeerID": 300, "mac": "84:f3:eb:01:02:03"}]})",
                          &network, &problems));
  EXPECT_EQ(problems.size(), 1u);
  EXPECT_EQ(AddressText(network.FindLegacy(NodeKind::kVesta2025, 3)->address), "84f3eb010203");
  EXPECT_FALSE(network.FindLegacy(NodeKind::kVesta2025, 4)->has_address);
  // What was taken over is a description of ours.
  std::vector<std::string> none;
  EXPECT_TRUE(ReadNetwork(WriteNetwork(network), &none));
  EXPECT_TRUE(none.empty());
  EXPECT_FALSE(ImportStruct("[1]", &network, &problems));
}

class Schedules : public testing::Test {
 protected:
  Schedules() {
    FindZone("Europe/Amsterdam", &zone_);
    every_.node = "a";
    every_.days = 0x7F;
  }
  static UtcUs At(const char* text) {
    UtcUs time_us = 0;
    EXPECT_TRUE(ParseIso8601(text, &time_us));
    return time_us;
  }
  static std::string Text(std::optional<UtcUs> time_us) {
    char text[kIso8601Size];
    return time_us ? std::string(text, FormatIso8601(*time_us, text)) : "none";
  }
  Zone zone_;
  NodeSchedule every_;
};

TEST_F(Schedules, KeepTheSitesClockThroughSummerTime) {
  every_.minute = 6 * 60 + 30;
  EXPECT_EQ(Text(NextDue(every_, zone_, At("2026-01-05T12:00:00Z"))), "2026-01-06T05:30:00Z");
  EXPECT_EQ(Text(NextDue(every_, zone_, At("2026-07-05T12:00:00Z"))), "2026-07-06T04:30:00Z");
  // 2026-03-29: 02:00 becomes 03:00. 02:30 is skipped and due when the hour is over, once.
  every_.minute = 2 * 60 + 30;
  EXPECT_EQ(Text(NextDue(every_, zone_, At("2026-03-28T12:00:00Z"))), "2026-03-29T01:30:00Z");
  EXPECT_EQ(Text(NextDue(every_, zone_, At("2026-03-29T01:30:00Z"))), "2026-03-30T00:30:00Z");
  // 2026-10-25: 03:00 becomes 02:00. 02:30 comes twice and is due the first time only.
  EXPECT_EQ(Text(NextDue(every_, zone_, At("2026-10-24T12:00:00Z"))), "2026-10-25T00:30:00Z");
  EXPECT_EQ(Text(NextDue(every_, zone_, At("2026-10-25T00:30:00Z"))), "2026-10-26T01:30:00Z");
  EXPECT_EQ(Text(LastDue(every_, zone_, At("2026-10-25T00:30:00Z"), At("2026-10-25T02:00:00Z"))), "none");
}

TEST_F(Schedules, OnlyOnTheirDays) {
  every_.minute = 60;
  every_.days = 0x01;  // Monday
  EXPECT_EQ(Text(NextDue(every_, zone_, At("2026-08-11T12:00:00Z"))), "2026-08-16T23:00:00Z");
  every_.days = 0;
  EXPECT_EQ(Text(NextDue(every_, zone_, At("2026-08-11T12:00:00Z"))), "none");
}

TEST_F(Schedules, AfterAStopTheNewestOfEachItemIsMadeUpFor) {
  std::vector<NodeSchedule> all(4, every_);
  all[0].minute = 6 * 60;
  all[1].minute = 22 * 60;
  all[2].minute = 7 * 60;
  all[2].item = 1;
  all[3].minute = 23 * 60;
  all[3].node = "b";
  // Away from Monday noon to Tuesday noon, local summer time.
  const auto due = DueSchedules(all, zone_, At("2026-08-10T10:00:00Z"), At("2026-08-11T10:00:00Z"));
  ASSERT_EQ(due.size(), 3u);
  EXPECT_EQ(due[0], &all[3]);
  EXPECT_EQ(due[1], &all[0]);
  EXPECT_EQ(due[2], &all[2]);
  EXPECT_TRUE(DueSchedules(all, zone_, At("2026-08-11T10:00:00Z"), At("2026-08-11T10:00:01Z")).empty());
}

}  // namespace
}  // namespace vesta::hub
