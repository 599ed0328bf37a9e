#include "app/simulate.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>

#include "app/exit_code.h"
#include "app/feed_run.h"
#include "hub/clock/clock.h"
#include "model/calendar.h"
#include "simulators/incubator_line.h"
#include "simulators/p1_feed.h"
#include "simulators/pty_port.h"
#include "simulators/tcp_port.h"

namespace vesta::app {
namespace {

using simulators::P1Kind;

void PrintList() {
  fmt::print("Kinds of P1 meters (--kind):\n");
  for (size_t i = 0; i < static_cast<size_t>(P1Kind::kCountOfKinds); ++i) {
    const simulators::P1KindInfo& info = simulators::InfoOf(static_cast<P1Kind>(i));
    fmt::print("  {:<20}{}\n", info.name, info.description);
  }
  std::string key, authentication_key;
  for (const uint8_t byte : simulators::kSimulatedKey) key += fmt::format("{:02X}", byte);
  for (const uint8_t byte : simulators::kLuxembourgAuthenticationKey) authentication_key += fmt::format("{:02X}", byte);
  fmt::print("\nThe encrypted ones use the key {}\nand the authentication key {}.\n", key, authentication_key);
  fmt::print("\nFaults (--fault NAME or NAME:N):\n");
  for (const simulators::FaultInfo& fault : simulators::AllFaults()) {
    fmt::print("  {:<20}{}", fault.name, fault.description);
    if (fault.has_amount) fmt::print(" [{}]", fault.default_amount);
    fmt::print("\n");
  }
}

void PrintIncubators() {
  fmt::print("Kinds of MEDIBUS devices (--kind):\n");
  for (size_t i = 0; i < static_cast<size_t>(simulators::IncubatorKind::kCountOfKinds); ++i) {
    const simulators::IncubatorInfo& info = simulators::InfoOf(static_cast<simulators::IncubatorKind>(i));
    fmt::print("  {:<20}{}\n", info.name, info.description);
  }
  fmt::print("\nFaults (--fault NAME or NAME:N):\n");
  for (const simulators::IncubatorFaultInfo& fault : simulators::AllIncubatorFaults()) {
    fmt::print("  {:<20}{} [{}]\n", fault.name, fault.description, fault.default_amount);
  }
}

std::unique_ptr<simulators::Port> OpenPort(boost::asio::io_context& io, const SimulateOptions& options) {
  std::string error;
  std::unique_ptr<simulators::Port> port;
  if (!options.pty.empty()) {
    port = simulators::PtyPort::Open(io, options.pty, &error);
  } else {
    port = simulators::TcpPort::Open(io, options.tcp, &error);
  }
  if (port == nullptr) fmt::print(stderr, "vesta simulate: {}\n", error);
  return port;
}

// A device that answers: it lives in real time, and on a port only.
int SimulateIncubator(const SimulateOptions& options) {
  simulators::IncubatorOptions device;
  const simulators::IncubatorInfo* info = simulators::FindIncubator(options.kind.empty() ? "tn500" : options.kind);
  if (info == nullptr) {
    fmt::print(stderr, "vesta simulate: there is no incubator \"{}\"; --list tells them\n", options.kind);
    return kExitWrongUsage;
  }
  if (options.to_stdout || options.speed != 1 || options.count != 0 || !options.start.empty()) {
    fmt::print(stderr, "vesta simulate: an incubator answers its host: only --pty or --tcp, --seed and --fault\n");
    return kExitWrongUsage;
  }
  device.kind = info->kind;
  device.seed = options.seed;
  device.start_us = hub::SystemClock().Read().utc_us;
  for (const std::string& text : options.faults) {
    simulators::IncubatorFault fault;
    std::string error;
    if (!simulators::ParseIncubatorFault(text, &fault, &error)) {
      fmt::print(stderr, "vesta simulate: {}\n", error);
      return kExitWrongUsage;
    }
    device.faults.push_back(fault);
  }
  boost::asio::io_context io;
  const std::unique_ptr<simulators::Port> port = OpenPort(io, options);
  if (port == nullptr) return kExitCannotStart;
  std::signal(SIGPIPE, SIG_IGN);
  boost::asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&io](const boost::system::error_code& failed, int) {
    if (!failed) io.stop();
  });
  const simulators::IncubatorLine line(io, device, *port);
  fmt::print(stderr, "{} listens for a host on {}\n", info->description, port->where());
  io.run();
  fmt::print(stderr, "sent {} frames\n", line.device().frames_sent());
  return kExitOk;
}

int PrintToStdout(simulators::P1FeedOptions options) {
  if (options.count == 0) options.count = 1;
  simulators::P1Feed feed(options);
  while (feed.next_us()) {
    const std::string bytes = feed.Next();
    if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size()) break;
  }
  return std::fflush(stdout) == 0 ? kExitOk : kExitProblems;
}

}  // namespace

int RunSimulate(const SimulateOptions& options) {
  const bool is_incubator = options.protocol == "incubator";
  if (options.list) {
    is_incubator ? PrintIncubators() : PrintList();
    return kExitOk;
  }
  if (is_incubator) return SimulateIncubator(options);
  simulators::P1FeedOptions feed_options;
  const simulators::P1KindInfo* info =
      simulators::FindP1Kind(options.kind.empty() ? "dsmr5-three-phase" : options.kind);
  if (info == nullptr) {
    fmt::print(stderr, "vesta simulate: there is no kind \"{}\"; --list tells them\n", options.kind);
    return kExitWrongUsage;
  }
  feed_options.meter.kind = info->kind;
  feed_options.meter.seed = options.seed;
  feed_options.count = options.count;
  feed_options.start_us = hub::SystemClock().Read().utc_us;
  if (!options.start.empty() && (!ParseIso8601(options.start, &feed_options.start_us) || feed_options.start_us <= 0)) {
    fmt::print(stderr, "vesta simulate: --start: \"{}\" is not a time such as 2025-03-30T00:59:40Z\n", options.start);
    return kExitWrongUsage;
  }
  for (const std::string& text : options.faults) {
    simulators::Fault fault;
    std::string error;
    if (!simulators::ParseFault(text, &fault, &error)) {
      fmt::print(stderr, "vesta simulate: {}\n", error);
      return kExitWrongUsage;
    }
    if (fault.kind == simulators::FaultKind::kWrongCrc && !info->has_crc) {
      fmt::print(stderr, "vesta simulate: a {} meter has no checksum to spoil\n", info->name);
      return kExitWrongUsage;
    }
    feed_options.faults.push_back(fault);
  }
  if (options.to_stdout) return PrintToStdout(feed_options);

  boost::asio::io_context io;
  const std::unique_ptr<simulators::Port> port = OpenPort(io, options);
  if (port == nullptr) return kExitCannotStart;
  simulators::P1Feed feed(feed_options);
  fmt::print(stderr, "{} meter {}: ", info->name, feed.meter().equipment_id());
  return RunFeed(io, feed, *port, options.speed, feed_options.start_us, FeedStart::kAtOnce);
}

}  // namespace vesta::app
