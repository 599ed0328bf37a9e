#include "app/simulate_victron.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/exit_code.h"
#include "app/feed_run.h"
#include "hub/clock/clock.h"
#include "model/calendar.h"
#include "simulators/udp_port.h"
#include "simulators/victron_feed.h"

namespace vesta::app {
namespace {

std::string Hex(const simulators::VictronKey& key) {
  std::string hex;
  for (const uint8_t byte : key) hex += fmt::format("{:02x}", byte);
  return hex;
}

}  // namespace

std::string SimulatedVictronKeys() {
  nlohmann::ordered_json file;
  for (size_t i = 0; i < static_cast<size_t>(simulators::BoatDevice::kCount); ++i) {
    const auto device = static_cast<simulators::BoatDevice>(i);
    file["keys"].push_back({{"address", fmt::format("{:012x}", simulators::VictronBoat::AddressOf(device))},
                            {"key", Hex(simulators::VictronBoat::KeyOf(device))}});
  }
  file["networks"].push_back({{"id", fmt::format("{:04x}", simulators::VictronBoat::kNetwork)},
                              {"key", Hex(simulators::VictronBoat::NetworkKey())}});
  return file.dump(2) + "\n";
}

int RunSimulateVictron(const SimulateOptions& options) {
  if (options.udp.empty() || !options.faults.empty()) {
    fmt::print(stderr, "vesta simulate: adverts go by --udp ADDRESS:PORT, without --fault; --list prints their keys\n");
    return kExitWrongUsage;
  }
  simulators::VictronBoatOptions boat;
  boat.seed = options.seed;
  boat.start_us = hub::SystemClock().Read().utc_us;
  if (!options.start.empty() && (!ParseIso8601(options.start, &boat.start_us) || boat.start_us <= 0)) {
    fmt::print(stderr, "vesta simulate: --start: \"{}\" is not a time such as 2025-03-30T00:59:40Z\n", options.start);
    return kExitWrongUsage;
  }
  boost::asio::io_context io;
  std::string error;
  const std::unique_ptr<simulators::Port> port = simulators::UdpPort::Open(io, options.udp, &error);
  if (port == nullptr) {
    fmt::print(stderr, "vesta simulate: {}\n", error);
    return kExitCannotStart;
  }
  simulators::VictronFeed feed(boat, options.count);
  fmt::print(stderr, "adverts of six Victron devices: ");
  return RunFeed(io, feed, *port, options.speed, boat.start_us, FeedStart::kAtOnce);
}

}  // namespace vesta::app
