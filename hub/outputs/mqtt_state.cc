#include "hub/outputs/mqtt_state.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>

#include "formats/home_assistant.h"
#include "hub/outputs/mqtt_discovery.h"

namespace vesta::hub {
namespace {

using mqtt::Delivery;
using mqtt::PublishResult;
using mqtt::PublishStatus;
using std::chrono::microseconds;

constexpr const char* kReplaced = "replaced by a newer value";
constexpr const char* kAveraged = "averaged";

bool NotNow(PublishStatus status) { return status == PublishStatus::kFull || status == PublishStatus::kNotConnected; }

}  // namespace

MqttState::MqttState(boost::asio::io_context& io, const Clock& clock, const OutputConfig& config, std::string base,
                     mqtt::Connection& connection, const Journal& journal, LiveView& live, const Directory& directory,
                     std::function<uint64_t()> history_waiting, const MqttOutputTiming& timing)
    : io_(io),
      clock_(clock),
      config_(config),
      base_(std::move(base)),
      connection_(connection),
      journal_(journal),
      live_(live),
      directory_(directory),
      history_waiting_(std::move(history_waiting)),
      timing_(timing),
      interval_timer_(io),
      refresh_timer_(io),
      buffer_(std::make_unique_for_overwrite<char[]>(kStateMessageBytes)) {}

MqttState::DeviceState& MqttState::StateOf(DeviceId device) {
  if (devices_.size() <= device) devices_.resize(device + 1);
  return devices_[device];
}

MqttState::SeriesState& MqttState::StateOfSeries(SeriesId series) {
  if (series_.size() <= series) series_.resize(series + 1);
  return series_[series];
}

void MqttState::Start() {
  started_us_ = clock_.Read().utc_us;
  live_token_ = live_.Listen(
      {.value = [this](const Series& series, const LiveValue& value) { OnValue(series, value); },
       .availability = [this](const Device& device, Availability) { MarkDue(device.id, kAvailabilityDue); },
       .device_changed = {}});
  connection_token_ = connection_.Listen({.up = [this] { Refresh(); }, .room = [this] { Flush(); }});
  if (config_.send != "each") ArmInterval();
}

void MqttState::OnValue(const Series& series, const LiveValue& value) {
  SeriesState& state = StateOfSeries(series.id);
  const uint8_t pace = series.field.pace == Pace::kSlow ? kSlowDue : kFastDue;
  ++accepted_;
  const bool mean = config_.send == "mean" && value.fresh && series.field.kind == FieldKind::kGauge &&
                    value.record.value.kind() == ValueKind::kDecimal && series.field.quantity != Quantity::kInstant;
  if (mean) state.mean.Add(value.record.value.decimal());
  if (state.waiting) {
    ++dropped_[mean ? kAveraged : kReplaced];
  } else {
    state.waiting = true;
    if (waiting_++ == 0) waiting_since_us_ = clock_.Read().monotonic_us;
  }
  if (!value.fresh) {
    state.mean.Take();
    state.mean_to_send.reset();
    StateOf(series.device).with_null |= pace;
  }
  if (config_.send == "each" || !value.fresh) {
    MarkDue(series.device, pace);
  } else {
    StateOf(series.device).pending |= pace;
  }
}

void MqttState::MarkDue(DeviceId id, uint8_t what) {
  DeviceState& state = StateOf(id);
  state.due |= what;
  if (!state.queued) {
    state.queued = true;
    queue_.push_back(id);
  }
  PostFlush();
}

void MqttState::ArmInterval() {
  interval_timer_.expires_after(std::chrono::seconds(std::max(1u, config_.interval_s)));
  interval_timer_.async_wait([this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
    if (error || alive.expired()) return;
    ArmInterval();
    EndInterval();
  });
}

void MqttState::EndInterval() {
  for (SeriesState& state : series_) state.mean_to_send = state.mean.Take();
  for (DeviceId id = 1; id < devices_.size(); ++id) {
    const uint8_t pending = devices_[id].pending;
    devices_[id].pending = 0;
    if (pending != 0) MarkDue(id, pending);
  }
}

// What arrives in this turn goes out together.
void MqttState::PostFlush() {
  if (flush_posted_) return;
  flush_posted_ = true;
  boost::asio::post(io_, [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    flush_posted_ = false;
    Flush();
  });
}

void MqttState::Flush() {
  while (!queue_.empty() && connection_.health().connected) {
    const DeviceId id = queue_.front();
    if (!FlushDevice(id)) return;
    queue_.pop_front();
    StateOf(id).queued = false;
  }
}

// False: not now.
bool MqttState::FlushDevice(DeviceId id) {
  const Device* device = directory_.FindDevice(id);
  if (device == nullptr) return true;
  DeviceState& state = StateOf(id);
  if ((state.due & kAvailabilityDue) != 0) {
    if (!SendAvailability(*device)) return false;
    state.due &= static_cast<uint8_t>(~kAvailabilityDue);
  }
  for (const auto& [bit, pace] : {std::pair{kFastDue, Pace::kFast}, std::pair{kSlowDue, Pace::kSlow}}) {
    if ((state.due & bit) == 0) continue;
    if (IsWorthSending(*device, pace) && !SendState(*device, pace)) return false;
    state.due &= static_cast<uint8_t>(~bit);
    state.with_null &= static_cast<uint8_t>(~bit);
  }
  return true;
}

// A device of an earlier run that has not spoken yet has nothing to say.
bool MqttState::IsWorthSending(const Device& device, Pace pace) const {
  for (const SeriesId id : device.series) {
    if (directory_.FindSeries(id)->field.pace != pace) continue;
    if (id < series_.size() && series_[id].waiting) return true;
    const LiveValue* live = live_.Find(id);
    if (live != nullptr && live->fresh) return true;
  }
  return false;
}

bool MqttState::SendState(const Device& device, Pace pace) {
  values_.clear();
  UtcUs ts = kNoTime;
  for (const SeriesId id : device.series) {
    const SeriesField& field = directory_.FindSeries(id)->field;
    if (field.pace != pace) continue;
    MqttStateValue value{
        .key = field.key, .kind = field.kind, .quantity = field.quantity, .has_states = !field.states.empty()};
    const LiveValue* live = live_.Find(id);
    if (live != nullptr && live->fresh) {
      value.value = live->record.value;
      if (value.value.kind() == ValueKind::kState) value.state_name = field.StateName(value.value.state());
      if (id < series_.size() && series_[id].mean_to_send) value.value = Value::OfDecimal(*series_[id].mean_to_send);
      ts = std::max(ts, live->record.time_us);
    }
    values_.push_back(value);
  }
  JsonWriter json(buffer_.get(), kStateMessageBytes);
  WriteMqttState(json, ts, values_);
  PublishStatus status = PublishStatus::kTooLarge;
  const DeviceState& state = StateOf(device.id);
  const bool with_null = (state.with_null & (pace == Pace::kSlow ? kSlowDue : kFastDue)) != 0;
  uint64_t carried = 0;
  for (const SeriesId id : device.series) {
    carried += id < series_.size() && series_[id].waiting && directory_.FindSeries(id)->field.pace == pace;
  }
  if (json.ok()) {
    const Topic topic = home_assistant::StateTopic(base_, device.key, pace);
    status = connection_.Publish(std::string(topic.view()), json.view(), pace == Pace::kSlow || with_null ? 1 : 0,
                                 false, [this, carried, alive = std::weak_ptr(alive_)](const PublishResult& result) {
                                   if (alive.expired() || result.delivery != Delivery::kAcknowledged) return;
                                   acknowledged_ += carried;
                                 });
  }
  if (NotNow(status)) return false;
  if (status != PublishStatus::kTaken) {
    spdlog::warn("output {}: the broker does not take the states of {}", config_.name, device.key);
  } else if (pace == Pace::kSlow) {
    StateOf(device.id).slow_sent_us = clock_.Read().monotonic_us;
  }
  Settle(device, pace, status != PublishStatus::kTaken);
  return true;
}

// The waiting values of a message are on their way, or will never be.
void MqttState::Settle(const Device& device, Pace pace, bool dropped) {
  for (const SeriesId id : device.series) {
    if (id >= series_.size() || directory_.FindSeries(id)->field.pace != pace) continue;
    SeriesState& state = series_[id];
    state.mean_to_send.reset();
    if (!state.waiting) continue;
    state.waiting = false;
    --waiting_;
    if (dropped) {
      ++dropped_["too large"];
    } else {
      ++sent_;
    }
  }
  waiting_since_us_ = clock_.Read().monotonic_us;
}

bool MqttState::SendAvailability(const Device& device) {
  const bool online = live_.DeviceAvailability(device.id) == Availability::kOnline;
  const Topic topic = home_assistant::AvailabilityTopic(base_, device.key);
  return !NotNow(connection_.Publish(std::string(topic.view()),
                                     online ? home_assistant::kOnline : home_assistant::kOffline, 1, true));
}

void MqttState::SendHub() {
  int64_t online = 0;
  for (const Device& device : directory_.devices()) {
    online += live_.DeviceAvailability(device.id) == Availability::kOnline;
  }
  const int64_t offline = static_cast<int64_t>(directory_.devices().size()) - online;
  const bool clock_problem = clock_.Read().clock != ClockQuality::kSynchronised;
  char text[512];
  JsonWriter json(text, sizeof text);
  json.BeginObject().Key("ts").Time(clock_.Read().utc_us);
  json.Key("started").Time(started_us_);
  json.Key("storage_problem").Boolean(!journal_.health().error.empty());
  json.Key("clock_problem").Boolean(clock_problem);
  json.Key("devices_online").Integer(online);
  json.Key("devices_offline").Integer(offline);
  json.Key("history_waiting").Integer(static_cast<int64_t>(history_waiting_()));
  json.EndObject();
  const Topic topic = home_assistant::StateTopic(base_, "", Pace::kFast);
  if (NotNow(connection_.Publish(std::string(topic.view()), json.view(), 1, false))) return;
  hub_sent_us_ = clock_.Read().monotonic_us;
}

void MqttState::Refresh() {
  for (const Device& device : directory_.devices()) MarkDue(device.id, kAvailabilityDue | kFastDue | kSlowDue);
  SendHub();
  Flush();
}

void MqttState::RefreshSoon(DeviceId device) {
  if (refresh_soon_.empty()) {
    refresh_timer_.expires_after(microseconds(timing_.states_after_discovery_us));
    refresh_timer_.async_wait([this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
      if (error || alive.expired()) return;
      for (const DeviceId id : refresh_soon_) {
        if (id == 0) {
          SendHub();
        } else {
          MarkDue(id, kAvailabilityDue | kFastDue | kSlowDue);
        }
      }
      refresh_soon_.clear();
    });
  }
  refresh_soon_.insert(device);
}

void MqttState::Housekeep() {
  const int64_t now_us = clock_.Read().monotonic_us;
  if (hub_sent_us_ == INT64_MIN || now_us - hub_sent_us_ >= kHubStateEvery_us) SendHub();
  for (const Device& device : directory_.devices()) {
    DeviceState& state = StateOf(device.id);
    if (state.slow_sent_us == INT64_MIN || live_.DeviceAvailability(device.id) != Availability::kOnline) continue;
    // A third of what was announced as the expiry, so that one lost message does no harm.
    const int64_t every_us = live_.DeviceSilentAfterUs(device.id) / 3;
    if (now_us - state.slow_sent_us >= every_us) MarkDue(device.id, kSlowDue);
  }
}

OutputHealth MqttState::health() const {
  const mqtt::ConnectionHealth& link = connection_.health();
  OutputHealth health;
  health.name = config_.name + "/state";
  health.type = "mqtt";
  health.delivery_class = "newest value only";
  health.where = fmt::format("{} {}/+/state", link.where, base_);
  health.connected = link.connected;
  health.error = link.error;
  health.state_since_us = link.state_since_us;
  health.connects = link.connects;
  health.accepted = accepted_;
  health.sent = sent_;
  health.acknowledged = acknowledged_;
  health.waiting = waiting_;
  health.dropped = dropped_;
  if (link.failures > 0) health.failed["connection"] = link.failures;
  if (waiting_ > 0) health.oldest_unsent_age_us = clock_.Read().monotonic_us - waiting_since_us_;
  return health;
}

}  // namespace vesta::hub
