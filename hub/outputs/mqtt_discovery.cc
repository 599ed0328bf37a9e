#include "hub/outputs/mqtt_discovery.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <iterator>
#include <nlohmann/json.hpp>

#include "vesta_version.h"

namespace vesta::hub {
namespace {

namespace ha = home_assistant;
using mqtt::PublishStatus;
using std::chrono::microseconds;

constexpr DeviceId kHub = 0;
// Without a word from the broker on our subscription, discovery goes out nevertheless.
constexpr int64_t kSweepPatience_us = 3 * kUsPerSecond;

// Coarse steps, so that an interval that wavers a little is not announced anew each time.
constexpr uint32_t kExpirySteps_s[] = {60,   90,   120,   180,   300,   600,   900,   1800,
                                       3600, 7200, 14400, 21600, 43200, 86400, 180000};

}  // namespace

std::vector<ha::Entity> HubEntities() {
  constexpr uint32_t kExpireAfter_s = 3 * kHubStateEvery_us / kUsPerSecond;
  const auto entity = [](std::string_view key, std::string_view name, Quantity quantity, FieldKind kind) {
    ha::Entity e;
    e.key = key;
    e.name = name;
    e.quantity = quantity;
    e.kind = kind;
    e.diagnostic = true;
    e.expire_after_s = kExpireAfter_s;
    return e;
  };
  return {entity("started", "Started", Quantity::kInstant, FieldKind::kGauge),
          entity("storage_problem", "Storage problem", Quantity::kProblem, FieldKind::kFlag),
          entity("clock_problem", "Clock not synchronised", Quantity::kProblem, FieldKind::kFlag),
          entity("devices_online", "Devices online", Quantity::kCount, FieldKind::kGauge),
          entity("devices_offline", "Devices offline", Quantity::kCount, FieldKind::kGauge),
          entity("history_waiting", "Readings waiting for the broker", Quantity::kCount, FieldKind::kGauge)};
}

MqttDiscovery::MqttDiscovery(boost::asio::io_context& io, const OutputConfig& config, const HubIdentity& identity,
                             std::string base, mqtt::Connection& connection, LiveView& live, const Directory& directory,
                             FieldNameOf field_name, DeviceTitleOf device_title,
                             std::function<void(DeviceId)> announced, const MqttOutputTiming& timing,
                             const NodeDesk* nodes)
    : io_(io),
      config_(config),
      identity_(identity),
      base_(std::move(base)),
      connection_(connection),
      live_(live),
      directory_(directory),
      field_name_(std::move(field_name)),
      device_title_(std::move(device_title)),
      announced_(std::move(announced)),
      timing_(timing),
      nodes_(nodes),
      sweep_timer_(io),
      migrate_timer_(io),
      gone_timer_(io),
      birth_timer_(io),
      random_(std::random_device{}()) {}

ha::Hub MqttDiscovery::HubOf() const {
  return {.id = identity_.id,
          .name = identity_.name,
          .version = kVersion,
          .base = base_,
          .prefix = config_.discovery_prefix};
}

uint32_t MqttDiscovery::ExpireAfter(int64_t stale_after_us, const OutputConfig& config) {
  int64_t wanted_s = (stale_after_us + kUsPerSecond - 1) / kUsPerSecond;
  if (config.send != "each") wanted_s = std::max<int64_t>(wanted_s, 3ll * config.interval_s);
  for (const uint32_t step_s : kExpirySteps_s) {
    if (step_s >= wanted_s) return step_s;
  }
  return kExpirySteps_s[std::size(kExpirySteps_s) - 1];
}

void MqttDiscovery::Start() {
  connection_token_ = connection_.Listen({.up = [this] { OnUp(); }, .room = [this] { Pump(); }});
  sweep_token_ = connection_.Subscribe(
      config_.discovery_prefix + "/+/+/config", 0, [this](const mqtt::IncomingMessage& m) { OnLeftover(m); },
      [this] { ArmSweep(timing_.sweep_us); });
  if (!config_.home_assistant) return;
  live_token_ = live_.Listen({.value = {}, .availability = {}, .device_changed = [this](const Device& device) {
                                if (swept_) Mark(device.id);
                              }});
  birth_token_ = connection_.Subscribe(config_.birth_topic, 1, [this](const mqtt::IncomingMessage& m) { OnBirth(m); });
}

void MqttDiscovery::OnUp() {
  if (!swept_) {
    ArmSweep(timing_.sweep_us + kSweepPatience_us);
  } else if (config_.home_assistant) {
    MarkAll();
    Pump();
  }
  if (clear_waits_) Pump();
}

void MqttDiscovery::ArmSweep(int64_t wait_us) {
  if (swept_) return;
  sweep_timer_.expires_after(microseconds(wait_us));
  sweep_timer_.async_wait([this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
    if (!error && !alive.expired() && connection_.health().connected) FinishSweep();
  });
}

void MqttDiscovery::MakeWritable(const Device& device, ha::Entity* entity) const {
  if (nodes_ == nullptr) return;
  const auto writable = nodes_->FindWritable(device, entity->key);
  if (!writable) return;
  const auto real = [](const std::optional<Decimal>& value, double missing) {
    return value ? Value::OfDecimal(*value).ToDouble() : missing;
  };
  entity->is_writable = true;
  entity->min = real(writable->item.min, -100);
  entity->max = real(writable->item.max, 100);
  entity->step = real(writable->item.step, 1);
}

// True when the topic is one that we publish ourselves in the present form.
bool MqttDiscovery::IsExpected(const std::string& topic, const std::string& device_key) const {
  const ha::Hub hub = HubOf();
  const ha::Device device{.key = device_key};
  if (ha::DeviceConfigTopic(hub, device).view() == topic) return device_form();
  if (device_key.empty()) {
    for (const ha::Entity& entity : HubEntities()) {
      if (ha::EntityConfigTopic(hub, device, entity).view() == topic) return !device_form();
    }
    return false;
  }
  const Device* known = directory_.FindDeviceByKey(device_key);
  if (known == nullptr || device_form()) return false;
  for (const SeriesId id : known->series) {
    const SeriesField& field = directory_.FindSeries(id)->field;
    ha::Entity entity{.key = field.key, .quantity = field.quantity, .kind = field.kind};
    MakeWritable(*known, &entity);
    if (ha::EntityConfigTopic(hub, device, entity).view() == topic) return true;
  }
  return false;
}

void MqttDiscovery::OnLeftover(const mqtt::IncomingMessage& message) {
  if (swept_ || !message.retained || message.payload.empty()) return;
  const auto json = nlohmann::json::parse(message.payload, nullptr, false);
  if (!json.is_object()) return;
  const auto text = [](const nlohmann::json& object, const char* key) -> std::string {
    const auto found = object.is_object() ? object.find(key) : object.end();
    return object.is_object() && found != object.end() && found->is_string() ? found->get<std::string>() : "";
  };
  if (!json.contains("origin") || !json.contains("device")) return;
  if (text(json["origin"], "name") != ha::kOriginName) return;
  const nlohmann::json& device = json["device"];
  if (!device.is_object() || !device.contains("identifiers")) return;
  const nlohmann::json& identifiers = device["identifiers"];
  if (!identifiers.is_array() || identifiers.empty() || !identifiers[0].is_string()) return;
  const std::string id = identifiers[0].get<std::string>();

  std::string key;
  if (id != identity_.id) {
    const std::string prefix = identity_.id + "_";
    if (text(device, "via_device") != identity_.id || id.compare(0, prefix.size(), prefix) != 0) return;
    key = id.substr(prefix.size());
  }
  if (gone_.size() + other_form_.size() + to_clear_.size() >= kMaxLeftovers) return;
  Leftover leftover{.topic = std::string(message.topic), .device_key = key};
  if (!config_.home_assistant) {
    to_clear_.push_back(std::move(leftover));
  } else if (!key.empty() && directory_.FindDeviceByKey(key) == nullptr) {
    gone_.push_back(std::move(leftover));
  } else if (!IsExpected(leftover.topic, key)) {
    // Announced in the other form, or as an entity of another kind.
    other_form_.push_back(std::move(leftover));
  }
}

void MqttDiscovery::FinishSweep() {
  swept_ = true;
  sweep_token_.reset();
  if (!config_.home_assistant) {
    Pump();
    return;
  }
  for (const Leftover& old : other_form_) {
    connection_.Publish(old.topic, ha::kMigratePayload, 1, false);
  }
  MarkAll();
  Pump();
  if (!other_form_.empty()) {
    // The new form must have arrived before the old topics are cleared.
    migrate_timer_.expires_after(microseconds(timing_.states_after_discovery_us));
    migrate_timer_.async_wait([this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
      if (!error && !alive.expired()) FinishMigration();
    });
  }
  if (!gone_.empty()) {
    gone_timer_.expires_after(microseconds(timing_.gone_after_us));
    gone_timer_.async_wait([this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
      if (!error && !alive.expired()) ClearGone();
    });
  }
}

void MqttDiscovery::FinishMigration() {
  for (Leftover& old : other_form_) to_clear_.push_back(std::move(old));
  other_form_.clear();
  Pump();
}

void MqttDiscovery::ClearGone() {
  for (Leftover& old : gone_) {
    if (directory_.FindDeviceByKey(old.device_key) == nullptr) {
      spdlog::info("output {}: device {} is gone, its discovery is taken back", config_.name, old.device_key);
      to_clear_.push_back(std::move(old));
    } else if (!IsExpected(old.topic, old.device_key)) {
      to_clear_.push_back(std::move(old));
    }
  }
  gone_.clear();
  Pump();
}

void MqttDiscovery::OnBirth(const mqtt::IncomingMessage& message) {
  // A retained one is old news: it only says that we have just subscribed.
  if (message.retained || message.payload != ha::kOnline || birth_waits_) return;
  birth_waits_ = true;
  std::uniform_int_distribution<int64_t> wait(timing_.birth_wait_first_us, timing_.birth_wait_last_us);
  birth_timer_.expires_after(microseconds(wait(random_)));
  birth_timer_.async_wait([this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
    if (error || alive.expired()) return;
    birth_waits_ = false;
    if (swept_) MarkAll();
    Pump();
  });
}

void MqttDiscovery::Mark(DeviceId device) {
  if (queued_.size() <= device) queued_.resize(device + 1);
  // The one that is half through starts anew at the end of the queue.
  const bool half_through = !to_announce_.empty() && to_announce_.front() == device && next_entity_ > 0;
  if (queued_[device] && !half_through) return;
  queued_[device] = true;
  to_announce_.push_back(device);
  PostPump();
}

void MqttDiscovery::MarkAll() {
  Mark(kHub);
  for (const Device& device : directory_.devices()) Mark(device.id);
}

// Everything that is new in this turn goes out together.
void MqttDiscovery::PostPump() {
  if (pump_posted_) return;
  pump_posted_ = true;
  boost::asio::post(io_, [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    pump_posted_ = false;
    Pump();
  });
}

void MqttDiscovery::Pump() {
  if (!connection_.health().connected || !swept_) return;
  if (!to_announce_.empty()) buffer_.resize(ha::kMaxPayloadBytes);
  while (!to_announce_.empty()) {
    const DeviceId device = to_announce_.front();
    if (!Announce(device)) break;
    to_announce_.pop_front();
    next_entity_ = 0;
    queued_[device] = std::find(to_announce_.begin(), to_announce_.end(), device) != to_announce_.end();
    announced_(device);
  }
  // Discovery is rare: its buffer is not kept.
  std::vector<char>().swap(buffer_);
  clear_waits_ = !Clear(to_clear_);
}

bool MqttDiscovery::Clear(std::deque<Leftover>& topics) {
  while (!topics.empty()) {
    const PublishStatus status = connection_.Publish(topics.front().topic, "", 1, true);
    if (status == PublishStatus::kFull || status == PublishStatus::kNotConnected) return false;
    topics.pop_front();
  }
  return true;
}

PublishStatus MqttDiscovery::Publish(const Topic& topic, std::string_view payload, bool retain) {
  const PublishStatus status = connection_.Publish(std::string(topic.view()), payload, 1, retain);
  if (status == PublishStatus::kTooLarge || status == PublishStatus::kInvalid) {
    spdlog::warn("output {}: the broker does not take {} ({} bytes)", config_.name, topic.view(), payload.size());
  }
  return status;
}

// False: not now.
bool MqttDiscovery::Announce(DeviceId id) {
  const ha::Hub hub = HubOf();
  ha::Device device;
  std::vector<ha::Entity> entities;
  std::deque<std::string> names;
  std::deque<std::vector<std::string_view>> options;
  std::string title;
  if (id == kHub) {
    device = {.name = identity_.name, .manufacturer = ha::kOriginName, .model = "Hub", .firmware = kVersion};
    entities = HubEntities();
  } else {
    const Device& known = *directory_.FindDevice(id);
    title = device_title_(known);
    device = {.key = known.key,
              .name = title.empty() ? std::string_view(known.key) : title,
              .manufacturer = known.manufacturer,
              .model = known.model,
              .serial = known.serial,
              .firmware = known.firmware,
              .place = known.place};
    for (const SeriesId series_id : known.series) {
      const SeriesField& field = directory_.FindSeries(series_id)->field;
      std::vector<std::string_view>& states = options.emplace_back();
      for (const auto& [code, name] : field.states) states.push_back(name);
      const uint32_t expire_after_s = ExpireAfter(live_.StaleAfterUs(series_id), config_);
      if (announced_expiry_.size() <= series_id) announced_expiry_.resize(series_id + 1);
      announced_expiry_[series_id] = expire_after_s;
      entities.push_back({.key = field.key,
                          .name = names.emplace_back(field_name_(known, field)),
                          .quantity = field.quantity,
                          .unit = field.unit,
                          .decimals = field.decimals,
                          .kind = field.kind,
                          .pace = field.pace,
                          .diagnostic = field.diagnostic,
                          .options = states,
                          .expire_after_s = expire_after_s});
      MakeWritable(known, &entities.back());
    }
    if (entities.empty()) return true;  // nothing to show yet
  }
  if (!device_form()) return AnnounceEntities(hub, device, entities);
  JsonWriter json(buffer_.data(), buffer_.size());
  ha::WriteDeviceConfig(json, hub, device, entities);
  // Too many entities for one message: the other form has no such limit.
  if (!json.ok()) return AnnounceEntities(hub, device, entities);
  const PublishStatus status = Publish(ha::DeviceConfigTopic(hub, device), json.view(), true);
  return status != PublishStatus::kFull && status != PublishStatus::kNotConnected;
}

bool MqttDiscovery::AnnounceEntities(const ha::Hub& hub, const ha::Device& device,
                                     const std::vector<ha::Entity>& entities) {
  for (; next_entity_ < entities.size(); ++next_entity_) {
    const ha::Entity& entity = entities[next_entity_];
    JsonWriter json(buffer_.data(), buffer_.size());
    ha::WriteEntityConfig(json, hub, device, entity);
    if (!json.ok()) continue;
    const PublishStatus status = Publish(ha::EntityConfigTopic(hub, device, entity), json.view(), true);
    if (status == PublishStatus::kFull || status == PublishStatus::kNotConnected) return false;
  }
  return true;
}

void MqttDiscovery::CheckIntervals() {
  if (!config_.home_assistant || !swept_) return;
  for (SeriesId id = 1; id < announced_expiry_.size(); ++id) {
    const uint32_t announced = announced_expiry_[id];
    if (announced == 0) continue;
    const uint32_t now = ExpireAfter(live_.StaleAfterUs(id), config_);
    // Too short an announcement makes a living value look dead, so it is mended at once; too long a one can wait until
    // it is off by more than half.
    if (now > announced || now < announced / 2) Mark(directory_.FindSeries(id)->device);
  }
}

}  // namespace vesta::hub
