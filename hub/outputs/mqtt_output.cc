#include "hub/outputs/mqtt_output.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <optional>

#include "formats/home_assistant.h"
#include "formats/mqtt_topic.h"
#include "hub/outputs/mqtt_commands.h"
#include "hub/outputs/mqtt_discovery.h"
#include "hub/outputs/mqtt_history.h"
#include "hub/outputs/mqtt_state.h"

namespace vesta::hub {
namespace {

// Of the time that an output has to say goodbye; the connection takes the rest.
constexpr int64_t kDrain_us = 1500 * kUsPerMs;

std::string CleanBase(const std::string& base) {
  char clean[128];
  return std::string(clean, CleanTopicBase(base, clean, sizeof clean));
}

class MqttOutput final : public Output {
 public:
  MqttOutput(boost::asio::io_context& io, const Clock& clock, const OutputConfig& config, const HubIdentity& identity,
             Journal& journal, LiveView& live, Directory& directory, FieldNameOf field_name, DeviceTitleOf device_title,
             const MqttOutputTiming& timing, std::shared_ptr<mqtt::Connection> shared, NodeDesk* nodes)
      : config_(config),
        base_(CleanBase(config.base)),
        timing_(timing),
        housekeeping_(io),
        held_(Join(io, clock, config, identity, base_, timing, std::move(shared))),
        connection_(*held_),
        state_(
            io, clock, config_, base_, connection_, journal, live, directory, [this] { return HistoryWaiting(); },
            timing),
        discovery_(
            io, config_, identity, base_, connection_, live, directory, std::move(field_name), std::move(device_title),
            [this](DeviceId device) { state_.RefreshSoon(device); }, timing, config.commands ? nodes : nullptr) {
    if (config.commands && nodes != nullptr) {
      commands_.emplace(clock, config.name, base_, connection_, directory, *nodes);
    }
    if (config.history) history_.emplace(io, clock, config_, base_, connection_, journal, directory, timing);
  }

  void Start() override {
    discovery_.Start();
    state_.Start();
    if (history_) history_->Start();
    if (commands_) commands_->Start();
    connection_.Start();
    ArmHousekeeping();
  }

  void Stop(std::function<void()> done) override {
    housekeeping_.cancel();
    const auto disconnect = [this, done = std::move(done)]() mutable { connection_.Stop(std::move(done)); };
    if (history_) {
      history_->Drain(kDrain_us, disconnect);
    } else {
      auto now = disconnect;
      now();
    }
  }

  std::vector<OutputHealth> health() const override {
    std::vector<OutputHealth> healths;
    if (history_) healths.push_back(history_->health());
    healths.push_back(state_.health());
    return healths;
  }

 private:
  static std::shared_ptr<mqtt::Connection> Join(boost::asio::io_context& io, const Clock& clock,
                                                const OutputConfig& config, const HubIdentity& identity,
                                                const std::string& base, const MqttOutputTiming& timing,
                                                std::shared_ptr<mqtt::Connection> shared) {
    std::string status(home_assistant::HubStatusTopic(base).view());
    if (shared && shared->SetStatusTopic(status)) return shared;
    return std::make_shared<mqtt::Connection>(
        io, clock, config.mqtt,
        mqtt::ConnectionOptions{.default_client_id = identity.id + "-" + config.name,
                                .status_topic = std::move(status),
                                .timing = timing.connection});
  }

  uint64_t HistoryWaiting() const { return history_ ? history_->health().waiting : 0; }

  void ArmHousekeeping() {
    housekeeping_.expires_after(std::chrono::microseconds(timing_.housekeeping_us));
    housekeeping_.async_wait([this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
      if (error || alive.expired()) return;
      if (connection_.health().connected) {
        state_.Housekeep();
        discovery_.CheckIntervals();
      }
      ArmHousekeeping();
    });
  }

  const OutputConfig config_;
  const std::string base_;
  const MqttOutputTiming timing_;
  boost::asio::steady_timer housekeeping_;
  const std::shared_ptr<mqtt::Connection> held_;
  mqtt::Connection& connection_;
  MqttState state_;
  MqttDiscovery discovery_;
  std::optional<MqttHistory> history_;
  std::optional<MqttCommands> commands_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace

std::unique_ptr<Output> MakeMqttOutput(boost::asio::io_context& io, const Clock& clock, const OutputConfig& config,
                                       const HubIdentity& identity, Journal& journal, LiveView& live,
                                       Directory& directory, FieldNameOf field_name, DeviceTitleOf device_title,
                                       const MqttOutputTiming& timing, std::shared_ptr<mqtt::Connection> shared,
                                       NodeDesk* nodes) {
  return std::make_unique<MqttOutput>(io, clock, config, identity, journal, live, directory, std::move(field_name),
                                      std::move(device_title), timing, std::move(shared), nodes);
}

}  // namespace vesta::hub
