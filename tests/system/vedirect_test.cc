// A simulated charger on a terminal, the real program on the other end: text and HEX answers become readings.
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <set>
#include <string>

#include "simulators/paced_feed.h"
#include "simulators/pty_port.h"
#include "simulators/vedirect_feed.h"
#include "tests/system/hub_process.h"

namespace vesta::test {
namespace {

using nlohmann::json;

TEST(VedirectSystem, AChargerOnATerminalIsReadAndAsked) {
  TempDirectory directory;
  boost::asio::io_context io;
  std::string error;
  const auto port = simulators::PtyPort::Open(io, directory.path() + "/charger", &error);
  ASSERT_NE(port, nullptr) << error;
  const UtcUs now_us =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  simulators::VedirectFeedOptions options;
  options.device = {simulators::VedirectKind::kSolarLarge, 7, now_us};
  simulators::VedirectFeed feed(options);
  port->OnReceived([&](std::string_view bytes) { port->Send(feed.Receive(bytes)); });
  simulators::PacedFeed pace(io, feed, *port, 1);
  pace.Start(now_us);

  const std::string config = directory.Write("vesta.json", R"({"storage": {"directory": ")" + directory.path() +
                                                               R"(/data"}, "sources": [{"name": "roof",
      "type": "serial", "protocol": "vedirect", "port": ")" + directory.path() +
                                                               R"(/charger", "vedirect": {"hex": true}}]})");
  HubProcess hub({"run", "--config", config, "--http", "127.0.0.1:" + std::to_string(FreePort())});
  ASSERT_NE(hub.WaitForPort(), 0) << hub.Output();
  std::set<std::string> fields;
  const auto has = [&](const char* field) { return fields.count(field) == 1; };
  const bool all_there = WaitFor([&] {
    io.run_for(std::chrono::milliseconds(200));
    const json all = hub.Api("series");
    if (!all.is_object()) return false;
    for (const json& series : all["series"]) fields.insert(series["field"].get<std::string>());
    return has("battery_voltage") && has("yield_today") && has("charger_temperature") && has("absorption_voltage");
  });
  EXPECT_TRUE(all_there) << hub.Api("sources").dump();
  const json devices = hub.Api("devices");
  ASSERT_EQ(devices["devices"].size(), 1u) << devices.dump();
  EXPECT_EQ(devices["devices"][0]["identity"], feed.device().serial());
  EXPECT_EQ(devices["devices"][0]["kind"], "solar_charger");
}

}  // namespace
}  // namespace vesta::test
