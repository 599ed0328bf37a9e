#include "app/simulate_masterbus.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <cstdio>

#include "app/exit_code.h"
#include "app/feed_run.h"
#include "hub/clock/clock.h"
#include "model/calendar.h"
#include "simulators/masterbus_feed.h"
#include "simulators/pty_port.h"
#include "simulators/udp_port.h"

namespace vesta::app {
namespace {

// A log without an end is of no use to a pipe: about as much as a minute of the bus.
constexpr uint64_t kDefaultLogFrames = 4000;

int PrintLog(const simulators::MasterBusOptions& options, uint64_t count) {
  simulators::MasterBusFeed feed(options, simulators::BusForm::kCandump, count == 0 ? kDefaultLogFrames : count);
  while (feed.next_us()) {
    const std::string line = feed.Next();
    if (std::fwrite(line.data(), 1, line.size(), stdout) != line.size()) break;
  }
  return std::fflush(stdout) == 0 ? kExitOk : kExitProblems;
}

}  // namespace

void PrintBusFaults() {
  fmt::print("\nFaults of a MasterBus:\n");
  for (const simulators::BusFaultInfo& fault : simulators::AllBusFaults()) {
    fmt::print("  {:<20}{} [{}]\n", fault.name, fault.description, fault.default_amount);
  }
}

int RunSimulateMasterBus(const SimulateOptions& options) {
  simulators::MasterBusOptions bus;
  bus.seed = options.seed;
  bus.start_us = hub::SystemClock().Read().utc_us;
  if (!options.start.empty() && (!ParseIso8601(options.start, &bus.start_us) || bus.start_us <= 0)) {
    fmt::print(stderr, "vesta simulate: --start: \"{}\" is not a time such as 2025-03-30T00:59:40Z\n", options.start);
    return kExitWrongUsage;
  }
  std::string error;
  for (const std::string& text : options.faults) {
    simulators::BusFaultSetting fault;
    if (!simulators::ParseBusFault(text, &fault, &error)) {
      fmt::print(stderr, "vesta simulate: {}\n", error);
      return kExitWrongUsage;
    }
    bus.faults.push_back(fault);
  }
  if (options.to_stdout) return PrintLog(bus, options.count);
  if (options.pty.empty() == options.udp.empty()) {
    fmt::print(stderr, "vesta simulate: a MasterBus wants --pty PATH, --udp ADDRESS:PORT or --stdout\n");
    return kExitWrongUsage;
  }
  boost::asio::io_context io;
  const simulators::BusForm form = options.pty.empty() ? simulators::BusForm::kUdp : simulators::BusForm::kSlcan;
  simulators::MasterBusFeed feed(bus, form, options.count);
  std::unique_ptr<simulators::Port> port;
  if (form == simulators::BusForm::kUdp) {
    port = simulators::UdpPort::Open(io, options.udp, &error);
  } else {
    port = simulators::PtyPort::Open(io, options.pty, &error);
  }
  if (port == nullptr) {
    fmt::print(stderr, "vesta simulate: {}\n", error);
    return kExitCannotStart;
  }
  fmt::print(stderr, "MasterBus with shunt, Mass Combi, charger and display: ");
  const auto answer = [&feed](std::string_view bytes, UtcUs now_us) { return feed.Command(bytes, now_us); };
  return RunFeed(io, feed, *port, options.speed, bus.start_us, FeedStart::kAtOnce, answer);
}

}  // namespace vesta::app
