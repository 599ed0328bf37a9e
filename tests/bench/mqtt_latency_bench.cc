// From the last byte of a telegram on the serial line to the state message at a subscriber, through the real program
// and a real mosquitto: the 99th percentile on an idle hub.
#include <fmt/format.h>
#include <mosquitto.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "simulators/p1_meter.h"
#include "tests/system/hub_process.h"
#include "tests/system/pty_pair.h"

namespace vesta {
namespace {

constexpr int kTelegrams = 300;
constexpr auto kGap = std::chrono::milliseconds(100);
constexpr auto kAnswerLimit = std::chrono::seconds(2);
constexpr double kLimitMs = 10;

using Steady = std::chrono::steady_clock;

class Broker {
 public:
  Broker(const std::string& directory, uint16_t port) {
    config_ = directory + "/mosquitto.conf";
    FILE* file = fopen(config_.c_str(), "w");
    fmt::print(file, "listener {} 127.0.0.1\nallow_anonymous true\n", port);
    fclose(file);
    pid_ = fork();
    if (pid_ == 0) {
      execlp("mosquitto", "mosquitto", "-c", config_.c_str(), nullptr);
      execl("/usr/sbin/mosquitto", "mosquitto", "-c", config_.c_str(), nullptr);
      _exit(127);
    }
  }
  ~Broker() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

 private:
  std::string config_;
  pid_t pid_;
};

// Notes when the newest state message came.
class Subscriber {
 public:
  Subscriber() : client_(mosquitto_new(nullptr, true, this)) {
    mosquitto_message_callback_set(client_, [](mosquitto*, void* self, const mosquitto_message* message) {
      const std::string topic = message->topic;
      if (topic.size() > 6 && topic.compare(topic.size() - 6, 6, "/state") == 0) {
        static_cast<Subscriber*>(self)->arrived_ns_ = Steady::now().time_since_epoch().count();
        ++static_cast<Subscriber*>(self)->count_;
      }
    });
    mosquitto_connect_callback_set(
        client_, [](mosquitto* client, void*, int) { mosquitto_subscribe(client, nullptr, "vesta/+/state", 0); });
  }
  ~Subscriber() {
    mosquitto_disconnect(client_);
    mosquitto_loop_stop(client_, true);
    mosquitto_destroy(client_);
  }
  bool Start(uint16_t port) {
    return test::WaitFor([&] { return mosquitto_connect(client_, "127.0.0.1", port, 60) == MOSQ_ERR_SUCCESS; }) &&
           mosquitto_loop_start(client_) == MOSQ_ERR_SUCCESS;
  }
  int count() const { return count_; }
  int64_t arrived_ns() const { return arrived_ns_; }

 private:
  mosquitto* client_;
  std::atomic<int> count_{0};
  std::atomic<int64_t> arrived_ns_{0};
};

int64_t NowUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

int Run() {
  mosquitto_lib_init();
  const test::TempDirectory directory;
  const uint16_t broker_port = test::FreePort();
  const Broker broker(directory.path(), broker_port);
  Subscriber subscriber;
  if (!subscriber.Start(broker_port)) return 1;
  test::PtyPair meter_line;
  const std::string config =
      directory.Write("vesta.json", fmt::format(R"json({{
    "storage": {{"directory": "{0}/data"}},
    "sources": [{{"name": "meter", "type": "serial", "protocol": "p1", "port": "{1}"}}],
    "outputs": [{{"name": "broker", "type": "mqtt", "host": "127.0.0.1", "port": {2}}}]
  }})json",
                                                directory.path(), meter_line.path(), broker_port));
  test::HubProcess hub({"run", "--config", config, "--http", fmt::format("127.0.0.1:{}", test::FreePort())});
  if (hub.WaitForPort() == 0) {
    fmt::print(stderr, "the hub did not start:\n{}\n", hub.Output());
    return 1;
  }
  simulators::P1MeterOptions options;
  options.kind = simulators::P1Kind::kDsmr5ThreePhase;
  int64_t meter_us = NowUs() / 1'000'000 * 1'000'000 - 40'000'000;
  options.installed_us = meter_us - 3'600'000'000;
  simulators::P1Meter meter(options);

  std::vector<double> latencies_ms;
  // The first telegrams make devices, series and discovery; they are not what an idle hub does.
  for (int i = -20; i < kTelegrams; ++i) {
    meter.Advance(meter_us += 1'000'000);
    const std::string telegram = meter.Emit();
    const int before = subscriber.count();
    if (!meter_line.Write(telegram)) return 1;
    const int64_t written_ns = Steady::now().time_since_epoch().count();
    const bool came = test::WaitFor([&] { return subscriber.count() > before; }, kAnswerLimit);
    if (i >= 0) {
      if (!came) {
        fmt::print(stderr, "telegram {} gave no state message\n{}\n", i, hub.Output());
        return 1;
      }
      latencies_ms.push_back(static_cast<double>(subscriber.arrived_ns() - written_ns) / 1e6);
    }
    std::this_thread::sleep_for(kGap);
  }
  std::sort(latencies_ms.begin(), latencies_ms.end());
  const double p99_ms = latencies_ms[latencies_ms.size() * 99 / 100];
  const bool ok = p99_ms < kLimitMs;
  fmt::print("bar frame_to_mqtt_state_p99_ms {:.2f} {:.0f} {}\n", p99_ms, kLimitMs, ok ? "ok" : "short");
  return ok ? 0 : 1;
}

}  // namespace
}  // namespace vesta

int main() { return vesta::Run(); }
