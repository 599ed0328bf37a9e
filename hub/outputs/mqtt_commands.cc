#include "hub/outputs/mqtt_commands.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>

#include "formats/json_writer.h"

namespace vesta::hub {
namespace {

constexpr std::string_view kSuffix = "/set";
constexpr int64_t kLogEvery_us = 10 * kUsPerSecond;

std::optional<Decimal> ValueOf(std::string_view payload) {
  if (payload == "True" || payload == "ON" || payload == "true" || payload == "on") return Decimal{1, 0};
  if (payload == "False" || payload == "OFF" || payload == "false" || payload == "off") return Decimal{0, 0};
  Decimal value;
  if (!ParseDecimal(payload, &value)) return std::nullopt;
  return value;
}

}  // namespace

MqttCommands::MqttCommands(const Clock& clock, std::string name, std::string base, mqtt::Connection& connection,
                           const Directory& directory, NodeDesk& nodes)
    : clock_(clock),
      name_(std::move(name)),
      base_(std::move(base)),
      connection_(connection),
      directory_(directory),
      nodes_(nodes) {}

void MqttCommands::Start() {
  token_ = connection_.Subscribe(base_ + "/+/+/set", 1, [this](const mqtt::IncomingMessage& m) { OnMessage(m); });
  told_ = nodes_.OnWish([this](const WishTold& told) { Tell(told); });
}

// Without a broker nobody hears it: what holds is a reading, and comes when there is one.
void MqttCommands::Tell(const WishTold& told) {
  char body[512];  // the reason is one of ours
  JsonWriter json(body, sizeof body);
  json.BeginObject().Key("state").Text(WishStateName(told.wish.state)).Key("value").Number(told.wish.value);
  json.Key("held");
  if (told.wish.held) {
    json.Number(*told.wish.held);
  } else {
    json.Null();
  }
  json.Key("reason").Text(told.wish.reason).EndObject();
  if (!json.ok()) return;
  connection_.Publish(base_ + "/" + told.device + "/" + told.field + "/wish", json.view(), 1, false);
}

bool MqttCommands::Take(int64_t now_us) {
  constexpr int64_t kEach_us = kUsPerSecond / kCommandsPerSecond;
  free_us_ = std::max(free_us_, now_us);
  if (free_us_ - now_us > (kCommandBurst - 1) * kEach_us) return false;
  free_us_ += kEach_us;
  return true;
}

void MqttCommands::OnMessage(const mqtt::IncomingMessage& message) {
  const std::string topic(message.topic);
  if (message.retained) return Refuse(topic, "it is retained, and would be carried out again at each start");
  if (!Take(clock_.Read().monotonic_us)) return Refuse(topic, "too many at once");
  std::string_view path = message.topic;
  path.remove_prefix(std::min(path.size(), base_.size() + 1));
  path.remove_suffix(std::min(path.size(), kSuffix.size()));
  const size_t slash = path.find('/');
  const Device* device = slash == std::string_view::npos ? nullptr : directory_.FindDeviceByKey(path.substr(0, slash));
  if (device == nullptr) return Refuse(topic, "there is no such device");
  const auto writable = nodes_.FindWritable(*device, path.substr(slash + 1));
  if (!writable) return Refuse(topic, "this can't be set");
  const auto value = ValueOf(message.payload);
  if (!value) return Refuse(topic, "the payload is no number");
  const NodeResult done = nodes_.Set(writable->node, writable->item.item, *value, "mqtt " + name_);
  if (!done) Refuse(topic, done.error().text);
}

void MqttCommands::Refuse(const std::string& topic, const std::string& why) {
  const int64_t now_us = clock_.Read().monotonic_us;
  if (now_us - logged_us_ < kLogEvery_us) return;
  logged_us_ = now_us;
  spdlog::warn("output {}: {} is not carried out: {}", name_, topic, why);
}

}  // namespace vesta::hub
