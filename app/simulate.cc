#include "app/simulate.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>

#include "app/exit_code.h"
#include "app/feed_run.h"
#include "app/simulate_masterbus.h"
#include "app/simulate_victron.h"
#include "hub/clock/clock.h"
#include "model/calendar.h"
#include "simulators/incubator_line.h"
#include "simulators/p1_feed.h"
#include "simulators/pty_port.h"
#include "simulators/tcp_port.h"
#include "simulators/vedirect_feed.h"

namespace vesta::app {
namespace {

using simulators::P1Kind;

constexpr char kDefaultP1Kind[] = "dsmr5-three-phase";

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
  fmt::print("\nKinds of VE.Direct devices (--kind, with vedirect):\n");
  for (size_t i = 0; i < static_cast<size_t>(simulators::VedirectKind::kCountOfKinds); ++i) {
    const simulators::VedirectKindInfo& info = simulators::InfoOf(static_cast<simulators::VedirectKind>(i));
    fmt::print("  {:<20}{}\n", info.name, info.description);
  }
  fmt::print("\nFaults (--fault NAME or NAME:N):\n");
  for (const simulators::FaultInfo& fault : simulators::AllFaults()) {
    fmt::print("  {:<20}{}", fault.name, fault.description);
    if (fault.has_amount) fmt::print(" [{}]", fault.default_amount);
    fmt::print("\n");
  }
  PrintBusFaults();
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

int PrintToStdout(simulators::Feed& feed) {
  while (feed.next_us()) {
    const std::string bytes = feed.Next();
    if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size()) break;
  }
  return std::fflush(stdout) == 0 ? kExitOk : kExitProblems;
}

bool ReadStart(const SimulateOptions& options, UtcUs* start_us) {
  *start_us = hub::SystemClock().Read().utc_us;
  if (options.start.empty() || (ParseIso8601(options.start, start_us) && *start_us > 0)) return true;
  fmt::print(stderr, "vesta simulate: --start: \"{}\" is not a time such as 2025-03-30T00:59:40Z\n", options.start);
  return false;
}

bool ReadFaults(const SimulateOptions& options, std::vector<simulators::Fault>* faults) {
  for (const std::string& text : options.faults) {
    simulators::Fault fault;
    std::string error;
    if (!simulators::ParseFault(text, &fault, &error)) {
      fmt::print(stderr, "vesta simulate: {}\n", error);
      return false;
    }
    faults->push_back(fault);
  }
  return true;
}

int SimulateVedirect(const SimulateOptions& options) {
  const std::string kind = options.kind.empty() ? "solar" : options.kind;
  const simulators::VedirectKindInfo* info = simulators::FindVedirectKind(kind);
  if (info == nullptr) {
    fmt::print(stderr, "vesta simulate: there is no kind \"{}\" of vedirect; --list tells them\n", kind);
    return kExitWrongUsage;
  }
  simulators::VedirectFeedOptions feed_options;
  feed_options.device = {info->kind, options.seed, 0};
  feed_options.count = options.count == 0 && options.to_stdout ? 1 : options.count;
  if (!ReadStart(options, &feed_options.device.start_us)) return kExitWrongUsage;
  if (!ReadFaults(options, &feed_options.faults)) return kExitWrongUsage;
  for (const simulators::Fault& fault : feed_options.faults) {
    if (simulators::VedirectFaultApplies(fault.kind)) continue;
    fmt::print(stderr, "vesta simulate: a VE.Direct device has no clock and no parity to go wrong\n");
    return kExitWrongUsage;
  }
  simulators::VedirectFeed feed(feed_options);
  if (options.to_stdout) return PrintToStdout(feed);
  boost::asio::io_context io;
  const std::unique_ptr<simulators::Port> port = OpenPort(io, options);
  if (port == nullptr) return kExitCannotStart;
  port->OnReceived([&](std::string_view bytes) { port->Send(feed.Receive(bytes)); });
  fmt::print(stderr, "{} {}: ", info->model, feed.device().serial());
  return RunFeed(io, feed, *port, options.speed, feed_options.device.start_us, FeedStart::kAtOnce);
}

}  // namespace

int RunSimulate(const SimulateOptions& options) {
  const bool is_incubator = options.protocol == "incubator";
  if (options.list) {
    if (options.protocol == "victron") {
      fmt::print("Six devices and a network; a keys file with their keys:\n{}", SimulatedVictronKeys());
    } else {
      is_incubator ? PrintIncubators() : PrintList();
    }
    return kExitOk;
  }
  if (options.protocol == "victron") return RunSimulateVictron(options);
  if (options.protocol == "masterbus") return RunSimulateMasterBus(options);
  if (options.protocol == "vedirect") return SimulateVedirect(options);
  if (is_incubator) return SimulateIncubator(options);
  simulators::P1FeedOptions feed_options;
  const std::string kind = options.kind.empty() ? kDefaultP1Kind : options.kind;
  const simulators::P1KindInfo* info = simulators::FindP1Kind(kind);
  if (info == nullptr) {
    fmt::print(stderr, "vesta simulate: there is no kind \"{}\" of p1; --list tells them\n", kind);
    return kExitWrongUsage;
  }
  feed_options.meter.kind = info->kind;
  feed_options.meter.seed = options.seed;
  feed_options.count = options.count;
  if (!ReadStart(options, &feed_options.start_us) || !ReadFaults(options, &feed_options.faults)) return kExitWrongUsage;
  for (const simulators::Fault& fault : feed_options.faults) {
    if (fault.kind == simulators::FaultKind::kWrongCrc && !info->has_crc) {
      fmt::print(stderr, "vesta simulate: a {} meter has no checksum to spoil\n", info->name);
      return kExitWrongUsage;
    }
  }
  if (options.to_stdout) {
    if (feed_options.count == 0) feed_options.count = 1;
    simulators::P1Feed once(feed_options);
    return PrintToStdout(once);
  }
  boost::asio::io_context io;
  const std::unique_ptr<simulators::Port> port = OpenPort(io, options);
  if (port == nullptr) return kExitCannotStart;
  simulators::P1Feed feed(feed_options);
  fmt::print(stderr, "{} meter {}: ", info->name, feed.meter().equipment_id());
  return RunFeed(io, feed, *port, options.speed, feed_options.start_us, FeedStart::kAtOnce);
}

}  // namespace vesta::app
