// Keys from the outside: adverts by UDP into the real program before their key is known, the key by its API, readings
// with their own times out of it; again, and over restarts.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "protocols/victron/advert_for_test.h"
#include "tests/system/hub_process.h"
#include "tests/system/udp_sender.h"

namespace vesta::test {
namespace {

using nlohmann::json;

constexpr uint64_t kCharger = 0xC0FFEE112233;
const std::string kKey(victron::kKeyTextForTest);

class KeysSystemTest : public testing::Test {
 protected:
  std::vector<std::string> Arguments() {
    const std::string config =
        directory_.Write("vesta.json", R"({"storage": {"directory": ")" + directory_.path() +
                                           R"(/data", "commit_s": 1}, "sources": [{"name": "relay", "type": "udp",
      "protocol": "victron", "port": )" + std::to_string(udp_port_) +
                                           "}]}");
    return {"run", "--config", config, "--http", "127.0.0.1:" + std::to_string(FreePort())};
  }
  void Hear(int count) {
    const UdpSender sender(udp_port_);
    for (int i = 0; i < count; ++i) {
      ++nonce_;
      usleep(2000);  // so that each has a millisecond of its own
      ASSERT_TRUE(sender.Send(
          victron::SolarAdvertForTest(kCharger, victron::kKeyForTest, nonce_, static_cast<uint16_t>(1200 + nonce_))));
    }
  }
  static uint64_t Rejected(const HubProcess& hub, const std::string& reason) {
    const json sources = hub.Api("sources");
    return sources.is_object() ? sources["sources"][0]["frames_rejected"].value(reason, uint64_t{0}) : 0;
  }
  static json Voltages(const HubProcess& hub) {
    int id = 0;
    const json all = hub.Api("series");
    for (const json& series : all["series"]) {
      if (series["field"] == "battery_voltage") id = series["id"];
    }
    if (id == 0) return json::array();
    return hub.Api("readings?series=" + std::to_string(id) +
                   "&from=2020-01-01T00:00:00Z&to=2099-01-01T00:00:00Z&points=10000")["readings"];
  }
  static bool LateIsDone(const HubProcess& hub, uint64_t runs) {
    const json keys = hub.Api("keys");
    return keys.is_object() && keys["late_decode"]["runs"] >= runs && keys["late_decode"]["running"] == false;
  }

  TempDirectory directory_;
  uint16_t udp_port_ = FreePort();
  uint16_t nonce_ = 0;
};

TEST_F(KeysSystemTest, AdvertsHeardBeforeTheirKeyBecomeReadingsOnce) {
  const auto arguments = Arguments();
  {
    HubProcess hub(arguments);
    ASSERT_NE(hub.WaitForPort(), 0) << hub.Output();
    Hear(60);
    ASSERT_TRUE(WaitFor([&] { return Rejected(hub, "no_key") == 60; })) << hub.Api("sources").dump();
    hub.Signal(SIGTERM);
    ASSERT_EQ(hub.WaitForExit(), 0);
  }
  json first;
  {
    HubProcess hub(arguments);
    const uint16_t port = hub.WaitForPort();
    ASSERT_NE(port, 0) << hub.Output();
    Hear(40);
    ASSERT_TRUE(WaitFor([&] { return Rejected(hub, "no_key") == 40; }));
    const json unknown = hub.Api("unknown?limit=500")["frames"];
    ASSERT_EQ(unknown.size(), 60u);  // what was committed before
    EXPECT_EQ(unknown[0]["sender"], "c0ffee112233");

    // The doctor says at once what the key is good for, and what is wrong with others.
    const auto check = [&](const std::string& key) {
      return json::parse(HttpSend(port, "POST", "/api/v1/keys/check", json({{"key", key}}).dump()).body);
    };
    EXPECT_EQ(check(kKey)["code"], "opens");
    EXPECT_EQ(check(kKey.substr(1))["code"], "too_short");
    EXPECT_EQ(check("00" + kKey.substr(2))["code"], "opens_nothing");

    const int64_t given_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
            .count();
    const std::string body = json({{"key", kKey}, {"name", "Roof"}}).dump();
    const HttpAnswer put = HttpSend(port, "PUT", "/api/v1/keys/c0:ff:ee:11:22:33", body);
    ASSERT_EQ(put.status, 200) << put.body;
    EXPECT_EQ(json::parse(put.body)["code"], "opens");
    ASSERT_TRUE(WaitFor([&] { return Voltages(hub).size() == 100; })) << hub.Api("keys").dump();
    first = Voltages(hub);
    std::set<std::string> times;
    for (const json& reading : first) {
      times.insert(reading[0].dump());
      EXPECT_LE(reading[0].get<int64_t>(), given_ms);  // their own, not that of the decoding
    }
    EXPECT_GT(times.size(), 20u);  // a busy hub takes several in one millisecond
    EXPECT_TRUE(WaitFor([&] { return LateIsDone(hub, 1); }));
    ASSERT_EQ(HttpSend(port, "PUT", "/api/v1/keys/c0ffee112233", body).status, 200);
    ASSERT_TRUE(WaitFor([&] { return LateIsDone(hub, 2); }));
    EXPECT_EQ(Voltages(hub), first);
    EXPECT_EQ(hub.Api("unknown?limit=500")["frames"].size(), 0u);
    // A late reading is not the present state.
    EXPECT_EQ(hub.Api("latest")["values"].size(), 0u);
    // The key is nowhere to be read.
    for (const char* path : {"keys", "heard", "sources", "health", "devices", "unknown"}) {
      EXPECT_EQ(hub.Api(path).dump().find(kKey.substr(0, 8)), std::string::npos) << path;
    }
    EXPECT_EQ(hub.Output().find(kKey.substr(0, 8)), std::string::npos);
    hub.Signal(SIGKILL);
    hub.WaitForExit();
  }
  const auto mode = std::filesystem::status(directory_.path() + "/data/keys.json").permissions();
  EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  HubProcess hub(arguments);
  const uint16_t port = hub.WaitForPort();
  ASSERT_NE(port, 0) << hub.Output();
  Hear(1);  // and now it is understood at once
  ASSERT_TRUE(WaitFor([&] { return Voltages(hub).size() == 101; })) << hub.Api("sources").dump();
  ASSERT_TRUE(WaitFor([&] { return LateIsDone(hub, 1); }));
  EXPECT_EQ(Voltages(hub).size(), 101u);
  // All of it has been understood: asking again finds nothing, and gives nothing twice.
  ASSERT_EQ(HttpSend(port, "POST", "/api/v1/redecode", R"({"source":"relay"})").status, 200);
  ASSERT_TRUE(WaitFor([&] { return hub.Api("redecode")["why"] == "asked" && LateIsDone(hub, 2); }));
  EXPECT_EQ(hub.Api("redecode")["run_frames"], 0);
  EXPECT_EQ(HttpSend(port, "POST", "/api/v1/redecode", R"({"source":"nobody"})").status, 404);
  EXPECT_EQ(Voltages(hub).size(), 101u);
  const json heard = hub.Api("heard")["heard"];
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0]["rssi_dbm"], -70);
  EXPECT_EQ(heard[0]["has_key"], true);
}

}  // namespace
}  // namespace vesta::test
