#include "hub/outputs/mqtt_original.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cmath>

#include "formats/original_topics.h"

namespace vesta::hub {

MqttOriginal::MqttOriginal(boost::asio::io_context& io, const Clock& clock, const OutputConfig& config,
                           const HubIdentity& identity, LiveView& live, const Directory& directory,
                           OriginalOptions options, const mqtt::ConnectionTiming& timing)
    : config_(config),
      live_(live),
      directory_(directory),
      options_(std::move(options)),
      connection_(io, clock, config.mqtt,
                  {.default_client_id = identity.id + "-" + config.name,
                   .status_topic = std::string(original_topics::kStatusTopic),
                   .timing = timing}),
      network_timer_(io) {}

void MqttOriginal::Start() {
  mqtt::Connection::Listener listener;
  listener.up = [this] { OnUp(); };
  connection_token_ = connection_.Listen(std::move(listener));
  LiveView::Listener values;
  values.value = [this](const Series& series, const LiveValue& value) { OnValue(series, value); };
  live_token_ = live_.Listen(std::move(values));
  connection_.Start();
}

void MqttOriginal::Stop(std::function<void()> done) {
  live_token_.reset();
  network_timer_.cancel();
  connection_.Stop(std::move(done));
}

void MqttOriginal::OnUp() {
  published_.clear();
  for (const auto& [key, text] : options_.app_info) {
    connection_.Publish(fmt::format("{}/{}", original_topics::kAppInfoBase, key), text, 1, true);
  }
  for (const Series& series : directory_.series()) {
    const LiveValue* const value = live_.Find(series.id);
    if (value != nullptr && value->fresh) OnValue(series, *value);
  }
}

void MqttOriginal::OnValue(const Series& series, const LiveValue& value) {
  const Device* const device = directory_.FindDevice(series.device);
  if (device == nullptr) return;
  if (options_.is_panel_power(*device, series)) {
    panels_.insert(series.id);
    if (!network_due_) {
      network_due_ = true;
      network_timer_.expires_after(std::chrono::microseconds(kNetworkEvery_us));
      network_timer_.async_wait([this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
        if (error || alive.expired()) return;
        network_due_ = false;
        PublishNetwork();
      });
    }
  }
  if (!value.fresh || value.record.quality == ValueQuality::kUnavailable) return;
  const OriginalText text = options_.text_of(*device, series, value.record.value);
  if (!text.topic.empty()) Publish(text.topic, text.payload);
}

// A panel that is not heard any more counts as dark.
void MqttOriginal::PublishNetwork() {
  double sum_W = 0;
  std::vector<std::pair<const Device*, double>> chargers;
  for (const SeriesId id : panels_) {
    const LiveValue* const value = live_.Find(id);
    const Series* const series = directory_.FindSeries(id);
    const Device* const device = series == nullptr ? nullptr : directory_.FindDevice(series->device);
    if (value == nullptr || device == nullptr) continue;
    const bool counts = value->fresh && value->record.quality != ValueQuality::kUnavailable;
    const double power_W = counts ? value->record.value.ToDouble() : 0;
    sum_W += power_W;
    chargers.emplace_back(device, power_W);
  }
  Publish(std::string(original_topics::kPanelPowerTopic), fmt::format("{:.2f}", sum_W));
  for (const auto& [device, power_W] : chargers) {
    const Topic topic = original_topics::ShareOfNetwork(device->serial.empty() ? device->identity : device->serial);
    if (topic.empty()) continue;
    Publish(std::string(topic.view()), fmt::format("{:.6f}", sum_W > 0 ? power_W / sum_W : 0));
  }
}

void MqttOriginal::Publish(const std::string& topic, const std::string& payload) {
  const auto known = published_.find(topic);
  if (known != published_.end() && known->second == payload) return;
  ++accepted_;
  const auto status = connection_.Publish(topic, payload, 0, false,
                                          [this, alive = std::weak_ptr(alive_)](const mqtt::PublishResult& result) {
                                            if (alive.expired()) return;
                                            if (result.delivery == mqtt::Delivery::kAcknowledged) ++acknowledged_;
                                          });
  switch (status) {
    case mqtt::PublishStatus::kTaken:
      ++sent_;
      if (known != published_.end()) {
        known->second = payload;
      } else if (published_.size() < kMaxOriginalTopics) {
        published_.emplace(topic, payload);
      }
      break;
    case mqtt::PublishStatus::kNotConnected:
      ++dropped_["away"];
      break;
    case mqtt::PublishStatus::kFull:
      ++dropped_["full"];
      break;
    case mqtt::PublishStatus::kTooLarge:
    case mqtt::PublishStatus::kInvalid:
      ++dropped_["invalid"];
      break;
  }
}

std::vector<OutputHealth> MqttOriginal::health() const {
  const mqtt::ConnectionHealth& link = connection_.health();
  OutputHealth health;
  health.name = config_.name;
  health.type = "mqtt-original";
  health.delivery_class = "newest value only";
  health.where = link.where;
  health.connected = link.connected;
  health.error = link.error;
  health.state_since_us = link.state_since_us;
  health.connects = link.connects;
  health.accepted = accepted_;
  health.sent = sent_;
  health.acknowledged = acknowledged_;
  health.dropped = dropped_;
  if (link.failures > 0) health.failed["connection"] = link.failures;
  return {health};
}

}  // namespace vesta::hub
