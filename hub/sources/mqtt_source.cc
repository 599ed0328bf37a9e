#include "hub/sources/mqtt_source.h"

#include <fmt/format.h>

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "protocols/medibus/legacy_mqtt.h"

namespace vesta::hub {
namespace {

Bytes BytesOf(std::string_view text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

size_t HashOf(const mqtt::IncomingMessage& message) {
  const std::hash<std::string_view> hash;
  return (hash(message.payload) * 31 + hash(message.topic)) * 31 + static_cast<size_t>(message.id);
}

class MqttSource final : public Source {
 public:
  MqttSource(const SourceConfig& config, const Clock& clock, std::shared_ptr<mqtt::Connection> connection,
             SenderLines& lines, WhenDurable when_durable)
      : config_(config),
        clock_(clock),
        connection_(std::move(connection)),
        lines_(lines),
        when_durable_(std::move(when_durable)) {}

  void Start() override {
    lines_.Opening();
    listener_ = connection_->Listen({.up = [this] { OnUp(); }, .down = [this] { OnDown(); }});
    for (const std::string& topic : config_.topics) {
      subscriptions_.push_back(connection_->SubscribeKept(
          topic, [this](const mqtt::IncomingMessage& message) { OnMessage(message); },
          [this, topic](int answer) { OnAnswer(topic, answer); }));
    }
    connection_->Start();
  }

  // The subscriptions stay: the broker collects for the next start. What still comes is not acknowledged.
  void Stop() override { stopped_ = true; }

 private:
  void OnUp() {
    if (stopped_) return;
    granted_ = 0;
    refused_.clear();
    if (connection_->health().session_present) {
      const int64_t now_us = clock_.Read().monotonic_us;
      backlog_until_us_ = now_us + kBacklogLongest_us;
      last_message_us_ = now_us;
    } else {
      // The broker counts its deliveries anew.
      remembered_ = {};
    }
  }

  void OnDown() {
    if (!stopped_) lines_.Closed(connection_->health().error, false);
  }

  void OnAnswer(const std::string& topic, int answer) {
    if (stopped_) return;
    if (answer >= 0x80) {
      refused_ = topic;
      return lines_.Closed(fmt::format("the broker refuses the subscription to {}", topic), true);
    }
    if (answer == 0) {
      lines_.Hint(fmt::format("the broker gives {} with QoS 0 only: messages can be lost on the way", topic));
    }
    if (++granted_ == config_.topics.size() && refused_.empty()) lines_.Opened();
  }

  // True when the broker had this message waiting, as far as can be told.
  bool IsBacklog() {
    const int64_t now_us = clock_.Read().monotonic_us;
    const bool paused = now_us - last_message_us_ > kBacklogPause_us;
    last_message_us_ = now_us;
    if (paused || now_us > backlog_until_us_) backlog_until_us_ = INT64_MIN;
    return backlog_until_us_ != INT64_MIN;
  }

  bool IsRepeat(const mqtt::IncomingMessage& message) {
    if (message.id == 0) return false;  // QoS 0 is sent once
    const size_t hash = HashOf(message);
    for (const size_t known : remembered_) {
      if (known == hash) return true;
    }
    remembered_[next_remembered_] = hash;
    next_remembered_ = (next_remembered_ + 1) % remembered_.size();
    return false;
  }

  void OnMessage(const mqtt::IncomingMessage& message) {
    if (stopped_) {
      parked_ = message.receipt;  // one at most: no other comes before this one is acknowledged
      return;
    }
    const bool backlog = IsBacklog();
    if (IsRepeat(message)) {
      lines_.Count("redelivered");
    } else if (message.payload.empty()) {
      lines_.Count("empty_messages");  // how a retained message is taken back
    } else if (config_.form == "legacy") {
      TakeLegacy(message, backlog);
    } else {
      TakeRaw(message, backlog);
    }
    // The broker hears of it when everything that came of it is on the disk.
    if (config_.commit_each_frame && message.receipt) when_durable_([receipt = message.receipt] {});
  }

  void TakeRaw(const mqtt::IncomingMessage& message, bool backlog) {
    if (message.retained) return lines_.Count("retained_skipped");  // nobody knows when that was
    Line* const line = lines_.For(message.topic);
    if (line == nullptr) return;
    if (!backlog) return line->Received(BytesOf(message.payload));
    lines_.Count("held_back");
    const Now now = clock_.Read();
    line->ReceivedFromRelay(BytesOf(message.payload), {now.utc_us, TimeQuality::kHubNotSynchronised}, true);
  }

  void TakeLegacy(const mqtt::IncomingMessage& message, bool backlog) {
    medibus::LegacyMessage& legacy = legacy_;
    if (!medibus::ReadLegacyMessage(message.payload, &legacy)) return lines_.Reject("payload");
    const UtcUs stamp_us = medibus::LegacyTime(legacy, config_.stamp_offset_min);
    const Bytes frame(legacy.frame.data(), legacy.frame_size);
    const bool held_back = backlog || message.retained;
    if (message.retained) lines_.Count("retained");
    if (backlog) lines_.Count("held_back");
    if (stamp_us == kNoTime) {
      lines_.Count("stamp_unreadable");
      if (message.retained) return;
    }
    Line* const line = lines_.For(legacy.node_id);
    if (line == nullptr) return;
    // What waited on the way keeps the node's stamp however old it is; else the rule of live readings holds.
    const Now now = clock_.Read();
    StampedTime said = ChooseTime(stamp_us, now);
    if (held_back && stamp_us != kNoTime) said = {stamp_us, TimeQuality::kDeviceClock};
    if (said.quality != TimeQuality::kDeviceClock && !held_back) {
      if (stamp_us != kNoTime) lines_.Count("stamp_not_believed");
      return line->Received(frame);
    }
    line->ReceivedFromRelay(frame, said, held_back);
  }

  const SourceConfig config_;
  const Clock& clock_;
  const std::shared_ptr<mqtt::Connection> connection_;
  SenderLines& lines_;
  const WhenDurable when_durable_;
  mqtt::Connection::Token listener_;
  std::vector<mqtt::Connection::Token> subscriptions_;
  std::shared_ptr<void> parked_;
  size_t granted_ = 0;
  std::string refused_;
  std::array<size_t, kRememberedMessages> remembered_{};
  size_t next_remembered_ = 0;
  medibus::LegacyMessage legacy_;  // of the message at hand: too large for the stack
  int64_t last_message_us_ = 0;
  int64_t backlog_until_us_ = INT64_MIN;
  bool stopped_ = false;
};

}  // namespace

std::unique_ptr<Source> MakeMqttSource(const SourceConfig& config, const Clock& clock,
                                       std::shared_ptr<mqtt::Connection> connection, SenderLines& lines,
                                       WhenDurable when_durable) {
  return std::make_unique<MqttSource>(config, clock, std::move(connection), lines, std::move(when_durable));
}

}  // namespace vesta::hub
