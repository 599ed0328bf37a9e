// A network of nodes from the outside: the real program with the UDP air, and a node of the link that a test drives.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/system/hub_process.h"
#include "tests/system/udp_node.h"
#include "tests/system/udp_sender.h"

namespace vesta::test {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

const link::Secret kSecret = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
constexpr const char* kSecretText = "01020304-05060708-090a0b0c-0d0e0f10";

class NodesTest : public testing::Test {
 protected:
  std::vector<std::string> Arguments() {
    const std::string config =
        directory_.Write("vesta.json", R"({"storage": {"directory": ")" + directory_.path() +
                                           R"(/data", "commit_s": 0.2}, "sources": [{"name": "home", "type": "nodes",
      "channel": 6, "air_port": )" + std::to_string(air_port_) +
                                           "}]}");
    return {"run", "--config", config, "--http", "127.0.0.1:" + std::to_string(http_port_)};
  }
  HttpAnswer Post(const std::string& what, const json& body) const {
    return HttpSend(http_port_, "POST", "/api/v1/nodes/" + what, body.dump());
  }
  int Set(const std::string& item, const std::string& value) const {
    const std::string path = "/api/v1/nodes/02bb00000001/items/" + item;
    return HttpSend(http_port_, "PUT", path, json{{"value", value}}.dump()).status;
  }
  static json Node(const HubProcess& hub, const std::string& id = "02bb00000001") {
    const json all = hub.Api("nodes");
    for (const json& node : all["nodes"]) {
      if (node["id"] == id) return node;
    }
    return nullptr;
  }
  static std::string WishState(const HubProcess& hub, int item) {
    const json node = Node(hub);
    if (!node.is_object()) return "";
    for (const json& wish : node["wishes"]) {
      if (wish["item"] == item) return wish["state"];
    }
    return "";
  }
  // Value -> how often.
  static std::map<int, int> Temperatures(const HubProcess& hub) {
    std::map<int, int> found;
    const json all = hub.Api("series");
    for (const json& series : all["series"]) {
      if (series["field"] != "temperature") continue;
      const json answer = hub.Api("readings?series=" + series["id"].dump() +
                                  "&from=2020-01-01T00:00:00Z&to=2099-01-01T00:00:00Z&points=10000");
      for (const json& reading : answer["readings"]) ++found[static_cast<int>(reading[1].get<double>() * 10 + 0.5)];
    }
    return found;
  }

  TempDirectory directory_;
  uint16_t air_port_ = FreePort();
  uint16_t http_port_ = FreePort();
};

TEST_F(NodesTest, ANodeJoinsBySecretAndLosesNothingWhenTheHubIsKilled) {
  const auto arguments = Arguments();
  UdpNode node(air_port_, 1, &kSecret);
  int reported = 0;
  const auto report = [&](int count) {
    for (int i = 0; i < count; ++i, ++reported) {
      // The first was measured ten minutes ago.
      ASSERT_TRUE(node.Report(200 + reported, reported == 0 ? 600'000'000 : 0));
    }
  };
  {
    HubProcess hub(arguments);
    ASSERT_NE(hub.WaitForPort(), 0) << hub.Output();
    report(5);
    // Not yet known: refused, and shown with the reason.
    ASSERT_TRUE(node.Run([&] { return !node.refusals().empty(); })) << hub.Api("sources").dump();
    EXPECT_EQ(hub.Api("nodes")["waiting"][0]["reason"], "unknown_secret");
    ASSERT_EQ(Post("secrets", {{"secret", kSecretText}, {"name", "bath"}}).status, 204);
    ASSERT_TRUE(node.Run([&] { return Temperatures(hub).size() == 5; })) << hub.Output();
    EXPECT_EQ(hub.Api("nodes")["waiting"].size(), 0u);
    const json shown = Node(hub);
    EXPECT_EQ(shown["name"], "Bath node");
    EXPECT_EQ(shown["rssi_dbm"], -55);
    EXPECT_EQ(shown["state"], "online");
    report(40);
    // Some of these are acknowledged, not all are on the disk.
    node.RunFor(milliseconds(150));
    hub.Signal(SIGKILL);
    hub.WaitForExit();
    EXPECT_EQ(hub.Output().find(kSecretText), std::string::npos);
  }
  report(3);
  HubProcess hub(arguments);
  ASSERT_NE(hub.WaitForPort(), 0) << hub.Output();
  std::map<int, int> found;
  ASSERT_TRUE(node.Run([&] {
    found = Temperatures(hub);
    return found.size() >= static_cast<size_t>(reported);
  }));
  EXPECT_EQ(found.size(), static_cast<size_t>(reported));
  for (const auto& [value, count] : found) EXPECT_EQ(count, 1) << value;
  // The first was measured ten minutes before it was sent.
  const json all = hub.Api("series");
  for (const json& series : all["series"]) {
    if (series["field"] != "temperature") continue;
    const json answer = hub.Api("readings?series=" + series["id"].dump() +
                                "&from=2020-01-01T00:00:00Z&to=2099-01-01T00:00:00Z&points=10000");
    const json& readings = answer["readings"];
    EXPECT_NEAR(readings[1][0].get<double>() - readings[0][0].get<double>(), 600e3, 60e3) << readings[0].dump();
  }
  // The pair key stays where only the owner reads it.
  const auto mode = std::filesystem::status(directory_.path() + "/data/nodes-home.json").permissions();
  EXPECT_EQ(mode & std::filesystem::perms::mask, std::filesystem::perms(0600));
}

TEST_F(NodesTest, AWishIsRequestedSentConfirmedOrRefusedAndWaitsForTheNode) {
  const auto arguments = Arguments();
  UdpNode node(air_port_, 1, nullptr);
  {
    HubProcess hub(arguments);
    ASSERT_NE(hub.WaitForPort(), 0) << hub.Output();
    ASSERT_TRUE(node.Run([&] { return !node.refusals().empty(); }));
    EXPECT_EQ(hub.Api("nodes")["waiting"][0]["reason"], "window_closed");
    ASSERT_EQ(Post("window", {{"seconds", "60"}}).status, 204);
    EXPECT_GT(hub.Api("nodes")["networks"][0]["window_s"], 50);
    ASSERT_TRUE(node.Run([&] { return node.code() != 0; }));
    char code[8];
    std::snprintf(code, sizeof code, "%06u", node.code());
    EXPECT_EQ(hub.Api("nodes")["waiting"][0]["code"], code);
    EXPECT_EQ(Post("confirm", {{"address", "02bb00000001"}, {"code", "1"}}).status, 409);
    ASSERT_EQ(Post("confirm", {{"address", "02bb00000001"}, {"code", code}}).status, 204);
    ASSERT_TRUE(node.Report(215));
    ASSERT_TRUE(node.Run([&] { return Temperatures(hub).size() == 1; })) << hub.Output();

    EXPECT_EQ(Set("2", "99"), 400);     // above its maximum
    EXPECT_EQ(Set("2", "21.55"), 400);  // finer than it is
    EXPECT_EQ(Set("1", "20"), 409);     // measured, not set
    EXPECT_EQ(Set("9", "20"), 404);
    ASSERT_EQ(Set("2", "21.5"), 204);
    ASSERT_TRUE(node.Run([&] { return WishState(hub, 2) == "confirmed"; }));
    ASSERT_EQ(node.applied().size(), 1u);
    EXPECT_EQ(node.applied()[0], std::make_pair(uint8_t{2}, int64_t{215}));
    node.refused_item = 3;
    ASSERT_EQ(Set("3", "1"), 204);
    ASSERT_TRUE(node.Run([&] { return WishState(hub, 3) == "refused"; }));
    ASSERT_EQ(Post("orders", {{"order", "ping"}}).status, 204);
    ASSERT_TRUE(node.Run([&] { return WishState(hub, 0xF0) == "confirmed"; }));

    // While it is away the newest wish wins; the hub may be killed meanwhile.
    node.is_silent = true;
    ASSERT_EQ(Set("2", "18"), 204);
    ASSERT_EQ(Set("2", "19"), 204);
    EXPECT_NE(WishState(hub, 2), "confirmed");
    hub.Signal(SIGKILL);
    hub.WaitForExit();
  }
  HubProcess hub(arguments);
  ASSERT_NE(hub.WaitForPort(), 0) << hub.Output();
  node.is_silent = false;
  ASSERT_TRUE(node.Run([&] { return WishState(hub, 2) == "confirmed"; })) << Node(hub).dump() << hub.Output();
  EXPECT_EQ(node.applied().back(), std::make_pair(uint8_t{2}, int64_t{190}));
}

TEST_F(NodesTest, AFloodLeavesAKnownNodeWorking) {
  HubProcess hub(Arguments());
  ASSERT_NE(hub.WaitForPort(), 0) << hub.Output();
  ASSERT_EQ(Post("secrets", {{"secret", kSecretText}, {"name", "bath"}}).status, 204);
  UdpNode node(air_port_, 1, &kSecret);
  ASSERT_TRUE(node.Report(200));
  ASSERT_TRUE(node.Run([&] { return Temperatures(hub).size() == 1; }));
  const UdpSender flood(air_port_);
  link::Hello hello;
  std::array<uint8_t, link::kMaxBody> body;
  std::array<uint8_t, espnow::kMaxUdpAirSize> out;
  link::FrameBuffer frame;
  const size_t size =
      link::ClearFrame({0, link::Type::kHello, 0, 0, 0, 0}, link::Bytes(body).first(link::Write(hello, body)), &frame);
  constexpr int kFrames = 2000;
  int64_t worst_us = 0;
  for (int i = 0; i < kFrames; ++i) {
    espnow::SendOptions options;
    options.sender = {0x02, 0xCC, 0, 0, static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i)};
    link::Bytes content = link::Bytes(frame).first(size);
    if (i % 2 == 1) content = content.first(i % 40 + 1);  // garbage
    ASSERT_TRUE(flood.Send({out.data(), espnow::WriteUdpAir(options, 6, -40, content, out)}));
    if (i % 250 != 249) continue;
    const int64_t begin_us = UdpNode::NowUs();
    ASSERT_TRUE(node.Report(201 + i / 250));
    const size_t wanted = 2 + static_cast<size_t>(i) / 250;
    ASSERT_TRUE(node.Run([&] { return Temperatures(hub).size() == wanted; }));
    worst_us = std::max(worst_us, UdpNode::NowUs() - begin_us);
  }
  // Taken and stored, each time.
  RecordProperty("worst_ms", static_cast<int>(worst_us / 1000));
  EXPECT_LT(worst_us, 5'000'000);
  EXPECT_EQ(Temperatures(hub).size(), 9u);
  const json counters = hub.Api("sources")["sources"][0]["counters"];
  EXPECT_GT(counters["limited"], 500) << counters.dump();
  EXPECT_GT(counters["flood_frames"], 500);
  EXPECT_LE(hub.Api("nodes")["waiting"].size(), 64u);
}

}  // namespace
}  // namespace vesta::test
