// The ward on one hub, the real program with sockets and disk, the devices in processes of their own so that only the
// hub is counted.
//
// medibus_answer_p99_ms_at_50000_readings: a device asks (its own commands, which the rules want answered), while
// meters on another source make the hub store 50,000 readings a second; from the request's last byte leaving to the
// answer's first byte. medibus_200_hub_*: 200 simulated incubators, each polled as fast as the rules allow (a cycle a
// second), set up as docs/ward.md says (every frame archived and durable at once). A figure is printed only when the
// readings came.
#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "protocols/medibus/parser.h"
#include "simulators/incubator_line.h"
#include "simulators/p1_meter.h"
#include "simulators/tcp_port.h"
#include "tests/system/hub_process.h"

namespace vesta {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Steady = std::chrono::steady_clock;

constexpr double kReadingsPerSecond = 50'000;
constexpr int kMeters = 4;
constexpr int kTelegramsPrepared = 2'000;
constexpr int kRequests = 500;
constexpr auto kRequestEvery = std::chrono::milliseconds(40);
constexpr double kAnswerLimitMs = 100;

constexpr int kIncubators = 200;
constexpr int kSettleSeconds = 20;
constexpr int kMeasureSeconds = 30;
constexpr double kCoreLimitPercent = 25;
constexpr double kResidentLimitMb = 60;

bool Bar(const char* name, double value, double limit) {
  const bool ok = value <= limit;
  fmt::print("bar {} {:.2f} {:.0f} {}\n", name, value, limit, ok ? "ok" : "short");
  return ok;
}

// A process that ends with this one.
class Beside {
 public:
  explicit Beside(const std::function<void()>& work) : pid_(fork()) {
    if (pid_ != 0) return;
    work();
    _exit(0);
  }
  ~Beside() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_;
};

int64_t UtcUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Serves telegrams at an even pace to whoever connects, for ever.
void ServeMeter(uint16_t port, uint64_t seed, double telegrams_per_second) {
  simulators::P1MeterOptions options;
  options.kind = simulators::P1Kind::kDsmr5ThreePhase;
  options.seed = seed;
  const int64_t start_us = UtcUs() / 1'000'000 * 1'000'000 - kTelegramsPrepared * int64_t{1'000'000};
  options.installed_us = start_us - 3'600'000'000;
  simulators::P1Meter meter(options);
  std::vector<std::string> telegrams;
  for (int i = 0; i < kTelegramsPrepared; ++i) {
    meter.Advance(start_us + i * int64_t{1'000'000});
    telegrams.push_back(meter.Emit());
  }
  asio::io_context io;
  tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), port});
  while (true) {
    tcp::socket socket(io);
    acceptor.accept(socket);
    boost::system::error_code error;
    const auto began = Steady::now();
    uint64_t sent = 0;
    for (auto next = began; !error; next += std::chrono::milliseconds(10)) {
      std::this_thread::sleep_until(next);
      const double seconds = std::chrono::duration<double>(Steady::now() - began).count();
      for (; static_cast<double>(sent) < seconds * telegrams_per_second && !error; ++sent) {
        asio::write(socket, asio::buffer(telegrams[sent % telegrams.size()]), error);
      }
    }
  }
}

std::string Framed(char start, char code, std::string_view payload) {
  std::string frame = {start, code};
  frame += payload;
  const uint8_t sum = medibus::Checksum({reinterpret_cast<const uint8_t*>(frame.data()), frame.size()});
  return frame + fmt::format("{:02X}\r", sum);
}

// A device that answers every poll at once and asks every 40 ms; how long each answer took.
class AskingDevice final : private medibus::ParserSink {
 public:
  explicit AskingDevice(uint16_t port)
      : acceptor_(io_, {asio::ip::address_v4::loopback(), port}), socket_(io_), parser_(this) {}

  bool Run(std::vector<double>* answers_ms, const std::function<void()>& warmed_up) {
    acceptor_.accept(socket_);
    Send(Framed('\x1B', 'Q', ""));
    const auto limit = Steady::now() + std::chrono::seconds(120);
    auto ask_at = Steady::now() + std::chrono::seconds(10);
    bool warm = false;
    while (answers_ms->size() < kRequests && Steady::now() < limit) {
      pollfd readable = {socket_.native_handle(), POLLIN, 0};
      poll(&readable, 1, 1);
      if ((readable.revents & POLLIN) != 0) {
        uint8_t bytes[4096];
        boost::system::error_code error;
        const size_t size = socket_.read_some(asio::buffer(bytes), error);
        if (error) return false;
        read_at_ = Steady::now();
        parser_.Receive({bytes, size}, {});
      }
      if (answered_) {
        answered_ = false;
        answers_ms->push_back(std::chrono::duration<double, std::milli>(read_at_ - asked_at_).count());
      }
      if (waiting_ || Steady::now() < ask_at) continue;
      if (!warm) warmed_up();
      warm = true;
      waiting_ = true;
      ask_at = Steady::now() + kRequestEvery;
      asked_at_ = Steady::now();
      Send(Framed('\x1B', '0', ""));
    }
    return answers_ms->size() == kRequests;
  }
  uint64_t polls() const { return polls_; }

 private:
  void Send(const std::string& bytes) { asio::write(socket_, asio::buffer(bytes)); }
  void OnParsed(const medibus::Frame& frame) override {
    if (!frame.is_command) {
      // The only question that is open is ours.
      if (waiting_ && frame.code == '0') {
        waiting_ = false;
        answered_ = true;
      }
      return;
    }
    ++polls_;
    const char code = static_cast<char>(frame.code);
    Send(Framed('\x01', code,
                code == 'R'   ? "5700'Babyleo TN500'01.06:06.00"
                : code == '$' ? "6530.86631.66D33.3"
                              : ""));
  }
  void OnDropped(Bytes, uint64_t, const char*) override {}
  void OnRealtimeByte(uint8_t, const Now&) override {}
  void OnFlow(bool, const Now&) override {}

  asio::io_context io_;
  tcp::acceptor acceptor_;
  tcp::socket socket_;
  medibus::Parser parser_;
  Steady::time_point asked_at_;
  Steady::time_point read_at_;
  bool waiting_ = false;
  bool answered_ = false;
  uint64_t polls_ = 0;
};

uint64_t Stored(const test::HubProcess& hub) {
  const auto counts = hub.Api("counts");
  uint64_t stored = 0;
  if (!counts.is_object()) return 0;
  for (const auto& device : counts["devices"]) stored += device["stored"].get<uint64_t>();
  return stored;
}

int AnswerBar() {
  const test::TempDirectory directory;
  std::string sources;
  std::vector<uint16_t> ports;
  for (int i = 0; i < kMeters; ++i) {
    ports.push_back(test::FreePort());
    sources +=
        fmt::format(R"({{"name": "meter-{}", "type": "tcp", "protocol": "p1", "host": "127.0.0.1", "port": {}}},)", i,
                    ports.back());
  }
  const uint16_t bed = test::FreePort();
  AskingDevice device(bed);
  const std::string config =
      directory.Write("vesta.json", fmt::format(R"({{"storage": {{"directory": "{}/data"}}, "sources": [{}
        {{"name": "bed", "type": "tcp", "protocol": "medibus", "host": "127.0.0.1", "port": {}, "archive": "all",
          "commit_each_frame": true, "medibus": {{"cycle_s": 1, "alarm_s": 1}}}}]}})",
                                                directory.path(), sources, bed));
  // Each telegram of this meter is 28 readings; a few more of them a second, so that the limit is reached.
  std::vector<std::unique_ptr<Beside>> meters;
  for (int i = 0; i < kMeters; ++i) {
    meters.push_back(std::make_unique<Beside>([&, i] {
      ServeMeter(ports[static_cast<size_t>(i)], static_cast<uint64_t>(i) + 1, 1.15 * kReadingsPerSecond / 28 / kMeters);
    }));
  }
  test::HubProcess hub({"run", "--config", config, "--http", fmt::format("127.0.0.1:{}", test::FreePort())});
  if (hub.WaitForPort() == 0) {
    fmt::print(stderr, "the hub did not start:\n{}\n", hub.Output());
    return 1;
  }
  uint64_t stored_before = 0;
  Steady::time_point began;
  std::vector<double> answers_ms;
  const bool answered = device.Run(&answers_ms, [&] {
    stored_before = Stored(hub);
    began = Steady::now();
  });
  const double per_second =
      static_cast<double>(Stored(hub) - stored_before) / std::chrono::duration<double>(Steady::now() - began).count();
  fmt::print("  {} answers, {} polls, {:.0f} readings stored a second\n", answers_ms.size(), device.polls(),
             per_second);
  if (!answered || per_second < kReadingsPerSecond || device.polls() < 100) {
    fmt::print(stderr, "that is not what was to be measured\n{}\n", hub.Api("sources").dump());
    return 1;
  }
  std::sort(answers_ms.begin(), answers_ms.end());
  return Bar("medibus_answer_p99_ms_at_50000_readings", answers_ms[answers_ms.size() * 99 / 100], kAnswerLimitMs) ? 0
                                                                                                                  : 1;
}

int WardBar() {
  const test::TempDirectory directory;
  std::string sources;
  std::vector<uint16_t> ports;
  for (int i = 0; i < kIncubators; ++i) {
    ports.push_back(test::FreePort());
    sources +=
        fmt::format(R"({}{{"name": "bed-{}", "type": "tcp", "protocol": "medibus", "host": "127.0.0.1", "port": {},
      "archive": "all", "commit_each_frame": true, "medibus": {{"cycle_s": 1, "alarm_s": 1}}}})",
                    i == 0 ? "" : ",", i, ports.back());
  }
  const std::string config = directory.Write(
      "vesta.json",
      fmt::format(R"({{"storage": {{"directory": "{}/data"}}, "sources": [{}]}})", directory.path(), sources));
  const Beside incubators([&] {
    asio::io_context io;
    std::vector<std::unique_ptr<simulators::TcpPort>> lines;
    std::vector<std::unique_ptr<simulators::IncubatorLine>> devices;
    for (int i = 0; i < kIncubators; ++i) {
      std::string error;
      lines.push_back(
          simulators::TcpPort::Open(io, fmt::format("127.0.0.1:{}", ports[static_cast<size_t>(i)]), &error));
      if (lines.back() == nullptr) _exit(1);
      simulators::IncubatorOptions options;
      options.seed = static_cast<uint64_t>(i) + 1;
      options.start_us = UtcUs();
      devices.push_back(std::make_unique<simulators::IncubatorLine>(io, options, *lines.back()));
    }
    io.run();
  });
  test::HubProcess hub({"run", "--config", config, "--http", fmt::format("127.0.0.1:{}", test::FreePort())});
  if (hub.WaitForPort() == 0) {
    fmt::print(stderr, "the hub did not start:\n{}\n", hub.Output());
    return 1;
  }
  std::this_thread::sleep_for(std::chrono::seconds(kSettleSeconds));
  const double cpu_before = hub.CpuSeconds();
  const uint64_t stored_before = Stored(hub);
  const auto began = Steady::now();
  std::this_thread::sleep_for(std::chrono::seconds(kMeasureSeconds));
  const double seconds = std::chrono::duration<double>(Steady::now() - began).count();
  const double percent = (hub.CpuSeconds() - cpu_before) / seconds * 100;
  const double resident_mb = static_cast<double>(hub.ResidentBytes()) / 1e6;
  const double per_second = static_cast<double>(Stored(hub) - stored_before) / seconds;
  fmt::print("  {:.0f} readings stored a second\n", per_second);
  // A poll of the measured values alone gives ten.
  if (per_second < kIncubators * 10) {
    fmt::print(stderr, "the incubators were not polled\n{}\n", hub.Api("sources").dump().substr(0, 4000));
    return 1;
  }
  const bool core_ok = Bar("medibus_200_hub_core_percent", percent, kCoreLimitPercent);
  const bool memory_ok = Bar("medibus_200_hub_resident_mb", resident_mb, kResidentLimitMb);
  return core_ok && memory_ok ? 0 : 1;
}

}  // namespace
}  // namespace vesta

int main() {
  const int answer = vesta::AnswerBar();
  const int ward = vesta::WardBar();
  return answer + ward == 0 ? 0 : 1;
}
