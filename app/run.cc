#include "app/run.h"

#include <fmt/format.h>
#include <malloc.h>
#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "app/exit_code.h"
#include "app/hub.h"

namespace vesta::app {
namespace {

// An output that does not say goodbye in this time is left behind; systemd's own limit is longer.
constexpr auto kStopLimit = std::chrono::seconds(10);
constexpr auto kStatusEvery = std::chrono::seconds(10);

void SetUpLog(const std::string& level) {
  auto logger = spdlog::stderr_logger_st("vesta");
  // Under systemd the journal puts its own time in front.
  logger->set_pattern(std::getenv("JOURNAL_STREAM") != nullptr ? "%^%l%$ %v" : "%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
  logger->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(logger));
}

// Big buffers go back to the system when they are freed, and threads share one arena: a hub that runs for years must
// not grow by fragments.
void KeepMemoryFlat() {
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, 128 * 1024);
  mallopt(M_TRIM_THRESHOLD, 256 * 1024);
}

void PrintProblems(const std::string& file, const hub::LoadedConfig& loaded) {
  for (const hub::ConfigProblem& problem : loaded.problems) {
    fmt::print(stderr, "{}\n", hub::FormatProblem(file, problem));
  }
}

// Everything that lives as long as the hub runs: signals, systemd, the way down.
class Runner {
 public:
  Runner(boost::asio::io_context& io, Hub& hub) : io_(io), hub_(hub), signals_(io), status_(io), limit_(io) {
    signals_.add(SIGTERM);
    signals_.add(SIGINT);
    signals_.add(SIGHUP);
    uint64_t watchdog_us = 0;
    if (sd_watchdog_enabled(0, &watchdog_us) > 0) watchdog_ = std::chrono::microseconds(watchdog_us / 2);
  }

  void Start() {
    WaitForSignal();
    sd_notify(0, "READY=1");
    Report();
  }

 private:
  void WaitForSignal() {
    signals_.async_wait([this](const boost::system::error_code& error, int signal) {
      if (error) return;
      if (signal == SIGHUP) {
        spdlog::info("SIGHUP: the configuration is read at start only; restart to take over a change");
        WaitForSignal();
        return;
      }
      Stop();
    });
  }

  void Report() {
    sd_notifyf(0, "STATUS=%s", hub_.StatusLine().c_str());
    // The watchdog hears from us only while the store's writer moves on: a hub that hangs is restarted.
    if (watchdog_.count() > 0 && hub_.Progressed()) sd_notify(0, "WATCHDOG=1");
    status_.expires_after(watchdog_.count() > 0 ? std::min<std::chrono::microseconds>(watchdog_, kStatusEvery)
                                                : std::chrono::microseconds(kStatusEvery));
    status_.async_wait([this](const boost::system::error_code& error) {
      if (!error) Report();
    });
  }

  void Stop() {
    sd_notify(0, "STOPPING=1");
    spdlog::info("stopping");
    status_.cancel();
    limit_.expires_after(kStopLimit);
    limit_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      spdlog::warn("an output did not stop in time");
      io_.stop();
    });
    hub_.Stop([this] { io_.stop(); });
  }

  boost::asio::io_context& io_;
  Hub& hub_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer status_;
  boost::asio::steady_timer limit_;
  std::chrono::microseconds watchdog_{0};
};

}  // namespace

bool ParseAddress(const std::string& text, std::string* address, uint16_t* port) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return false;
  std::string host = text.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data() + colon + 1, end, *port);
  if (result.ec != std::errc() || result.ptr != end || host.empty()) return false;
  *address = host;
  return true;
}

int RunLoaded(boost::asio::io_context& io, hub::LoadedConfig loaded, const std::function<void(Hub&)>& ready) {
  KeepMemoryFlat();
  signal(SIGPIPE, SIG_IGN);
  SetUpLog(loaded.config.log_level);
  auto hub = Hub::Make(io, std::move(loaded.config), std::move(loaded.off));
  if (!hub) {
    fmt::print(stderr, "vesta: {}\n", hub.error());
    return kExitCannotStart;
  }
  if (const auto started = (*hub)->Start(); !started) {
    fmt::print(stderr, "vesta: {}\n", started.error());
    return kExitCannotStart;
  }
  Runner runner(io, **hub);
  runner.Start();
  ready(**hub);
  io.run();
  return kExitOk;
}

int RunHub(const RunOptions& options) {
  hub::LoadedConfig loaded = hub::LoadConfigFile(options.config);
  PrintProblems(options.config, loaded);
  if (!loaded.usable || (options.strict && !loaded.problems.empty())) {
    fmt::print(stderr, "vesta: {} can't be used; `vesta check {}` explains\n", options.config, options.config);
    return kExitCannotStart;
  }
  if (!options.directory.empty()) loaded.config.storage.directory = options.directory;
  if (!options.http.empty() && !ParseAddress(options.http, &loaded.config.http.address, &loaded.config.http.port)) {
    fmt::print(stderr, "vesta: --http wants ADDRESS:PORT, for instance 127.0.0.1:8600\n");
    return kExitCannotStart;
  }
  boost::asio::io_context io(1);
  return RunLoaded(io, std::move(loaded), [](Hub& hub) {
    if (!hub.page_address().empty()) fmt::print("The page is at {}\n", hub.page_address());
    std::fflush(stdout);
  });
}

}  // namespace vesta::app
