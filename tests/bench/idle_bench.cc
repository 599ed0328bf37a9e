// The real program with one meter on a serial line and the page open (one live stream): resident memory, and processor
// time at one telegram a second.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "simulators/p1_meter.h"
#include "tests/system/hub_process.h"
#include "tests/system/pty_pair.h"

namespace vesta {
namespace {

constexpr int kSettleSeconds = 10;
constexpr int kMeasureSeconds = 30;
constexpr double kResidentLimitMb = 20;
constexpr double kCpuLimitPercent = 1;

int64_t NowUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// What a browser does after it has the page: one live stream, read as it comes.
class OpenPage {
 public:
  explicit OpenPage(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    const std::string request =
        fmt::format("GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAccept: text/event-stream\r\n\r\n", port);
    connected_ = connected_ && write(fd_, request.data(), request.size()) == static_cast<ssize_t>(request.size());
  }
  ~OpenPage() { close(fd_); }
  // Takes what has come; returns how much.
  size_t Drain() {
    char buffer[65536];
    size_t total = 0;
    ssize_t n;
    while ((n = recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT)) > 0) total += static_cast<size_t>(n);
    return total;
  }
  bool connected() const { return connected_; }

 private:
  int fd_;
  bool connected_ = false;
};

bool Bar(const char* name, double value, double limit) {
  const bool ok = value <= limit;
  fmt::print("bar {} {:.2f} {:.0f} {}\n", name, value, limit, ok ? "ok" : "short");
  return ok;
}

int Run() {
  const test::TempDirectory directory;
  test::PtyPair meter_line;
  const std::string config = directory.Write("vesta.json", fmt::format(R"json({{
    "storage": {{"directory": "{0}/data"}},
    "sources": [{{"name": "meter", "type": "serial", "protocol": "p1", "port": "{1}"}}]
  }})json",
                                                                       directory.path(), meter_line.path()));
  test::HubProcess hub({"run", "--config", config, "--http", fmt::format("127.0.0.1:{}", test::FreePort())});
  const uint16_t port = hub.WaitForPort();
  if (port == 0) {
    fmt::print(stderr, "the hub did not start:\n{}\n", hub.Output());
    return 1;
  }
  if (test::HttpGet(port, "/").status != 200) return 1;
  OpenPage page(port);
  simulators::P1MeterOptions options;
  options.kind = simulators::P1Kind::kDsmr5ThreePhase;
  options.installed_us = NowUs() / 1'000'000 * 1'000'000 - 3'600'000'000;
  simulators::P1Meter meter(options);

  size_t streamed = 0;
  double cpu_start = 0;
  auto next = std::chrono::steady_clock::now();
  for (int second = 0; second < kSettleSeconds + kMeasureSeconds; ++second) {
    if (second == kSettleSeconds) cpu_start = hub.CpuSeconds();
    meter.Advance(NowUs());
    if (!meter_line.Write(meter.Emit())) return 1;
    next += std::chrono::seconds(1);
    std::this_thread::sleep_until(next);
    streamed += page.Drain();
  }
  const double cpu_percent = (hub.CpuSeconds() - cpu_start) / kMeasureSeconds * 100;
  const double resident_mb = static_cast<double>(hub.ResidentBytes()) / 1e6;
  // A hub that heard nothing or streamed nothing would be small and idle too.
  const auto sources = hub.Api("sources");
  if (!page.connected() || streamed < 10'000 || !sources.is_object() ||
      sources["sources"][0]["frames_accepted"].get<int>() < kMeasureSeconds) {
    fmt::print(stderr, "streamed {} bytes, sources {}\n", streamed, sources.dump());
    return 1;
  }
  const bool memory_ok = Bar("idle_hub_page_open_resident_mb", resident_mb, kResidentLimitMb);
  const bool cpu_ok = Bar("one_telegram_a_second_cpu_percent", cpu_percent, kCpuLimitPercent);
  return memory_ok && cpu_ok ? 0 : 1;
}

}  // namespace
}  // namespace vesta

int main() { return vesta::Run(); }
