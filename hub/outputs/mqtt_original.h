// An MQTT output with exactly the topics of an earlier logger (formats/original_topics.h), for what was built on them.
//
// Newest value only: a value goes out when it changes, at QoS 0 and not retained; what changes while the broker is away
// is counted as dropped, and the newest of everything goes out when it is back. Status (with last will) and appinfo are
// retained. Which series has a topic, and how its value reads there, is told by who knows registers: `text_of`.
// Main thread only.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "hub/outputs/mqtt_output.h"

namespace vesta::hub {

struct OriginalText {
  std::string topic;
  std::string payload;
};
// Empty topic: the series has none, or its value can't be said there.
using OriginalTextOf = std::function<OriginalText(const Device&, const Series&, const Value&)>;
// Whether a series is the panel power of a charger that takes part in the network's sum; its value is in W.
using IsPanelPower = std::function<bool(const Device&, const Series&)>;

struct OriginalOptions {
  OriginalTextOf text_of;
  IsPanelPower is_panel_power;
  std::vector<std::pair<std::string, std::string>> app_info;  // appinfo/KEY and its text
};

// Sums over chargers are published at most this often; each charger tells its own power at once.
inline constexpr int64_t kNetworkEvery_us = kUsPerSecond;
// Topics remembered to tell a change; beyond them values are published whether they changed or not.
inline constexpr size_t kMaxOriginalTopics = 4096;

class MqttOriginal final : public Output {
 public:
  MqttOriginal(boost::asio::io_context& io, const Clock& clock, const OutputConfig& config, const HubIdentity& identity,
               LiveView& live, const Directory& directory, OriginalOptions options,
               const mqtt::ConnectionTiming& timing = {});

  void Start() override;
  void Stop(std::function<void()> done) override;
  std::vector<OutputHealth> health() const override;

 private:
  void OnUp();
  void OnValue(const Series& series, const LiveValue& value);
  void PublishNetwork();
  void Publish(const std::string& topic, const std::string& payload);

  const OutputConfig config_;
  LiveView& live_;
  const Directory& directory_;
  const OriginalOptions options_;
  mqtt::Connection connection_;
  boost::asio::steady_timer network_timer_;
  mqtt::Connection::Token connection_token_;
  LiveView::Token live_token_;
  std::map<std::string, std::string> published_;  // by topic
  std::set<SeriesId> panels_;
  bool network_due_ = false;
  uint64_t accepted_ = 0;
  uint64_t sent_ = 0;
  uint64_t acknowledged_ = 0;
  std::map<std::string, uint64_t> dropped_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vesta::hub
