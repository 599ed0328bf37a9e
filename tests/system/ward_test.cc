// What a ward asks of the whole program: a day without the broker, killed in the middle, loses nothing; and afterwards
// every reading has its trace and the audit log is whole.
#include <gtest/gtest.h>
#include <mosquitto.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "model/calendar.h"
#include "simulators/p1_meter.h"
#include "tests/system/hub_process.h"

namespace vesta::test {
namespace {

using nlohmann::json;

// A telegram each ten seconds for a day.
constexpr int kTelegramsOfADay = 8640;
constexpr int64_t kRhythm_us = 10'000'000;
constexpr int64_t kStart_us = 1786429285'000'000;
// The disk is asked for each frame; a slow one takes its time.
constexpr auto kLong = std::chrono::seconds(240);

std::string Hex(const std::string& bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    hex += kDigits[static_cast<unsigned char>(c) >> 4];
    hex += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return hex;
}

void WriteDay(const std::string& path) {
  simulators::P1MeterOptions options;
  options.kind = simulators::P1Kind::kDsmr5ThreePhase;
  options.installed_us = kStart_us - 3'600'000'000;
  simulators::P1Meter meter(options);
  std::ofstream file(path, std::ios::binary);
  file << "{\"vesta_capture\":1}\n";
  for (int i = 0; i < kTelegramsOfADay; ++i) {
    const int64_t now_us = kStart_us + i * kRhythm_us;
    meter.Advance(now_us);
    char time[kIso8601Size];
    file << "{\"t\":\"" << std::string(time, FormatIso8601(now_us, time)) << "\",\"hex\":\"" << Hex(meter.Emit())
         << "\"}\n";
  }
}

class Broker {
 public:
  Broker(const std::string& directory, uint16_t port) {
    const std::string config = directory + "/mosquitto.conf";
    std::ofstream(config) << "listener " << port << " 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n";
    pid_ = fork();
    if (pid_ == 0) {
      execlp("mosquitto", "mosquitto", "-c", config.c_str(), nullptr);
      execl("/usr/sbin/mosquitto", "mosquitto", "-c", config.c_str(), nullptr);
      _exit(127);
    }
  }
  ~Broker() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_;
};

// The numbers of all readings on the history topics.
class Receiver {
 public:
  Receiver() : client_(mosquitto_new(nullptr, true, this)) {
    mosquitto_message_callback_set(client_, [](mosquitto*, void* self, const mosquitto_message* message) {
      const char* const bytes = static_cast<const char*>(message->payload);
      const json body = json::parse(bytes, bytes + message->payloadlen, nullptr, false);
      Receiver& receiver = *static_cast<Receiver*>(self);
      const std::lock_guard<std::mutex> guard(receiver.mutex_);
      for (const json& reading : body["readings"]) receiver.numbers_.insert(reading["number"].get<uint64_t>());
    });
    mosquitto_connect_callback_set(
        client_, [](mosquitto* client, void*, int) { mosquitto_subscribe(client, nullptr, "vesta/history/#", 1); });
  }
  ~Receiver() {
    mosquitto_disconnect(client_);
    mosquitto_loop_stop(client_, true);
    mosquitto_destroy(client_);
  }
  bool Start(uint16_t port) {
    return WaitFor([&] { return mosquitto_connect(client_, "127.0.0.1", port, 60) == MOSQ_ERR_SUCCESS; }) &&
           mosquitto_loop_start(client_) == MOSQ_ERR_SUCCESS;
  }
  uint64_t count() {
    const std::lock_guard<std::mutex> guard(mutex_);
    return numbers_.size();
  }

 private:
  mosquitto* client_;
  std::mutex mutex_;
  std::set<uint64_t> numbers_;
};

TEST(WardSystemTest, ADayWithoutTheBrokerLosesNothing) {
  mosquitto_lib_init();
  const TempDirectory directory;
  const std::string day = directory.path() + "/day.jsonl";
  WriteDay(day);
  const uint16_t broker_port = FreePort();
  const auto config = [&](bool source) {
    return directory.Write(source ? "day.json" : "after.json",
                           R"({"storage": {"directory": ")" + directory.path() + R"(/data", "archive_mb": 1},
      "sources": [{"name": "bed", "type": "capture", "protocol": "p1", "file": ")" +
                               day + R"(", "speed": 0, "archive": "all", "commit_each_frame": true, "enabled": )" +
                               (source ? "true" : "false") + R"(}],
      "outputs": [{"name": "broker", "type": "mqtt", "host": "127.0.0.1", "port": )" +
                               std::to_string(broker_port) + R"(, "in_flight": 1000, "home_assistant": false}]})");
  };
  const auto run = [](const std::string& file) {
    return std::vector<std::string>{"run", "--config", file, "--http", "127.0.0.1:" + std::to_string(FreePort())};
  };
  uint64_t received = 0;
  {
    HubProcess hub(run(config(true)));
    ASSERT_NE(hub.WaitForPort(), 0) << hub.Output();
    json source;
    ASSERT_TRUE(WaitFor(
        [&] {
          const json answer = hub.Api("sources");
          if (answer.is_object()) source = answer["sources"][0];
          return source.is_object() && source["frames_accepted"] == kTelegramsOfADay;
        },
        kLong))
        << source.dump();
    received = source["readings"];
    EXPECT_EQ(source["frames_refused"], 0);
    EXPECT_TRUE(source["commit_p99_s"].is_number());
    EXPECT_GT(received, uint64_t{kTelegramsOfADay} * 20);
    // No goodbye: what counts as received is on disk.
    hub.Signal(SIGKILL);
    hub.WaitForExit();
  }
  HubProcess hub(run(config(false)));
  ASSERT_NE(hub.WaitForPort(), 0) << hub.Output();
  const Broker broker(directory.path(), broker_port);
  Receiver receiver;
  ASSERT_TRUE(receiver.Start(broker_port));
  ASSERT_TRUE(WaitFor([&] { return receiver.count() >= received; }, kLong)) << receiver.count() << " of " << received;
  EXPECT_EQ(receiver.count(), received);
  json counts;
  ASSERT_TRUE(WaitFor([&] {
    counts = hub.Api("counts");
    uint64_t waiting = 1;
    uint64_t delivered = 0;
    if (counts.is_object()) {
      waiting = 0;
      for (const json& one : counts["devices"]) {
        waiting += one["waiting"].get<uint64_t>();
        delivered += one["delivered"].get<uint64_t>();
      }
    }
    return waiting == 0 && delivered >= received;
  })) << counts.dump();

  // The newest reading has its frame and its decoder; the oldest frame gave way to the quota and its trace says so.
  const json devices = hub.Api("devices");
  const int series = devices["devices"][0]["series"][0]["id"];
  const json newest = hub.Api("trace?series=" + std::to_string(series));
  EXPECT_EQ(newest["frame"]["state"], "kept") << newest.dump();
  EXPECT_FALSE(newest["decoder"].is_null());
  const json oldest = hub.Api("trace?series=" + std::to_string(series) + "&time=2026-08-11T06:30:00Z");
  EXPECT_EQ(oldest["frame"]["state"], "gone") << oldest.dump();
  EXPECT_FALSE(oldest["decoder"].is_null());

  hub.Signal(SIGTERM);
  EXPECT_EQ(hub.WaitForExit(), 0);
  HubProcess verify({"audit", "verify", "--data", directory.path() + "/data"});
  EXPECT_EQ(verify.WaitForExit(), 0) << verify.Output();
}

}  // namespace
}  // namespace vesta::test
