// A small hub for tests of outputs: real store, journal, directory and live view, fed with made-up frames.
//
// For tests only, header only. The clock stands still until a test moves it; commits happen when a test asks for one.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "hub/clock/clock.h"
#include "hub/devices/directory.h"
#include "hub/journal/journal.h"
#include "hub/live/live_view.h"
#include "hub/mqtt/test_broker.h"
#include "hub/outputs/mqtt_output.h"
#include "hub/store/sqlite_store.h"

namespace vesta::hub {

inline constexpr StateName kTestTariffs[] = {{1, "low"}, {2, "normal"}};
inline constexpr Field kPower{"power", Quantity::kPower, Unit::kKilowatt, 3};
inline constexpr Field kEnergy{"energy_import", Quantity::kEnergy, Unit::kKilowattHour, 3, FieldKind::kCounter};
inline constexpr Field kTariff{"tariff",          Quantity::kMode, Unit::kNone, 0,
                               FieldKind::kState, Pace::kSlow,     false,       kTestTariffs};
inline constexpr Field kMessage{"message", Quantity::kMessage, Unit::kNone, 0, FieldKind::kText, Pace::kSlow};

class TestHub {
 public:
  using Values = std::vector<std::pair<Field, Value>>;

  TestHub() {
    char name[] = "/tmp/vesta-hub-XXXXXX";
    folder_ = mkdtemp(name);
    Open();
  }
  ~TestHub() {
    output.reset();
    Close();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  // As after a crash or an orderly restart: everything in memory is gone.
  void Reopen() {
    output.reset();
    Close();
    Open();
  }

  void StartOutput(const OutputConfig& config, const MqttOutputTiming& timing = Quick()) {
    output = MakeMqttOutput(
        io, clock, config, {"hub01", "Test hub"}, *journal, *live, *directory,
        [](const Device&, const SeriesField& field) { return "Name of " + field.key; },
        [](const Device& device) { return "Meter " + device.identity; }, timing);
    output->Start();
  }
  void StopOutput() {
    bool stopped = false;
    output->Stop([&] { stopped = true; });
    EXPECT_TRUE(mqtt::RunUntil(
        io, [&] { return stopped; }, std::chrono::seconds(6)));
    output.reset();
  }

  static MqttOutputTiming Quick() {
    MqttOutputTiming timing;
    timing.connection = {.back_off_first_us = 20 * kUsPerMs,
                         .back_off_last_us = 100 * kUsPerMs,
                         .stable_after_us = 500 * kUsPerMs,
                         .connect_timeout_us = 2 * kUsPerSecond};
    timing.birth_wait_first_us = 200 * kUsPerMs;
    timing.birth_wait_last_us = 400 * kUsPerMs;
    timing.sweep_us = 100 * kUsPerMs;
    timing.states_after_discovery_us = 100 * kUsPerMs;
    timing.gone_after_us = 300 * kUsPerMs;
    timing.housekeeping_us = 50 * kUsPerMs;
    timing.retry_us = 100 * kUsPerMs;
    return timing;
  }

  DeviceId MakeDevice(const std::string& identity) {
    DeviceInfo info;
    info.identity = identity;
    info.identity_on_wire = true;
    info.kind = DeviceKind::kElectricityMeter;
    const DeviceId device = directory->Resolve("p1", "test", info, 0);
    live->AnnounceDevice(device);
    return device;
  }

  // Numbers that the journal gave.
  std::vector<JournalNumber> Frame(DeviceId device, const Values& values, uint8_t flags = 0) {
    const Now now = clock.Read();
    std::vector<Record> records;
    bool new_series = false;
    for (const auto& [field, value] : values) {
      const uint64_t revision = directory->revision();
      Record record;
      record.series = directory->ResolveSeries(device, field);
      new_series = new_series || directory->revision() != revision;
      record.flags = flags;
      record.time_us = now.utc_us;
      record.received_us = now.utc_us;
      record.time_quality = TimeQuality::kHubSynchronised;
      record.value = value;
      record.quality = live->Judge(record);
      records.push_back(record);
    }
    EXPECT_TRUE(journal->Append(records));
    std::vector<JournalNumber> numbers;
    for (const Record& record : records) {
      live->Accept(record);
      numbers.push_back(record.number);
    }
    live->Heard(device, now.utc_us);
    if (new_series) live->AnnounceDevice(device);
    return numbers;
  }

  void Commit() {
    bool durable = false;
    journal->Flush([&] { durable = true; });
    EXPECT_TRUE(mqtt::RunUntil(io, [&] { return durable; }));
  }

  OutputHealth HistoryHealth() const { return output->health().at(0); }
  OutputHealth StateHealth() const { return output->health().back(); }

  boost::asio::io_context io;
  ManualClock clock{1786429285 * kUsPerSecond};  // 2026-08-11T06:21:25Z
  std::unique_ptr<Directory> directory;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<LiveView> live;
  std::unique_ptr<Output> output;

 private:
  void Open() {
    auto store = SqliteStore::Open((folder_ / "vesta.db").string(), {});
    ASSERT_TRUE(store.has_value());
    store_ = std::move(*store);
    auto restored = store_->Restore();
    ASSERT_TRUE(restored.has_value());
    directory = std::make_unique<Directory>();
    directory->Restore(restored->devices, restored->series);
    JournalOptions options;
    options.commit_interval_us = 3600 * kUsPerSecond;
    options.commit_records = 1u << 30;
    journal = std::make_unique<Journal>(io, clock, *store_, *directory, options);
    ASSERT_TRUE(journal->Open(*restored).has_value());
    live = std::make_unique<LiveView>(clock, *directory);
    live->Restore(restored->latest);
  }
  void Close() {
    live.reset();
    journal.reset();
    store_.reset();
    directory.reset();
  }

  std::filesystem::path folder_;
  std::unique_ptr<Store> store_;
};

// What a receiver of the history topics has got, by journal number.
struct ReceivedReading {
  std::string device;
  std::string field;
  std::string time;
  std::string value;
  std::string quality;
  int times = 0;
};

inline std::map<uint64_t, ReceivedReading> ReadHistory(const std::vector<mqtt::TestClient::Message>& messages) {
  std::map<uint64_t, ReceivedReading> readings;
  for (const mqtt::TestClient::Message& message : messages) {
    if (message.topic.find("/history/") == std::string::npos) continue;
    const auto json = nlohmann::json::parse(message.payload);
    for (const auto& reading : json["readings"]) {
      ReceivedReading& received = readings[reading["number"].get<uint64_t>()];
      received = {json["device"],          reading["field"],   reading["time"],
                  reading["value"].dump(), reading["quality"], received.times + 1};
    }
  }
  return readings;
}

}  // namespace vesta::hub
