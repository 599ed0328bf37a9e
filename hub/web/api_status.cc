// GET /api/status: the status document of an earlier display for Victron sensors, for what was built on it.
//
//   {"timestamp":ms since the hub's start,"wifi_connected":true,"wifi_ip":address that was asked,
//    "bmv":{"valid","voltage","current","power","soc","rssi","age"},"mppt":{...,no soc},"ip22":{...,no soc}}
//
// One battery monitor, one solar charger and one AC charger: of several the one that was heard last. valid is false
// when it was not heard for 30 s, age is in seconds. A value that is not known is null. Power of a solar charger is
// that of its panels. The sensors of that display, as nodes of a network, are shown as well.
#include <algorithm>

#include "hub/web/api.h"
#include "hub/web/api_json.h"
#include "hub/web/json_text.h"

namespace vesta::hub {
namespace {

constexpr int64_t kValid_us = 30 * kUsPerSecond;

// The display knew the battery side of single devices only, no sums and no other makes.
bool IsVictron(const ApiContext& context, const Device& device) {
  if (device.protocol == "nodes") return device.identity.find("-victron-") != std::string::npos;
  if (device.protocol != "victron" && device.protocol != "vedirect") return false;
  return context.directory.FindSeriesByKey(device.key, "battery_voltage") != nullptr;
}

const Device* HeardLast(const ApiContext& context, DeviceKind kind) {
  const Device* found = nullptr;
  int64_t heard_us = INT64_MIN;
  for (const Device& device : context.directory.devices()) {
    const int64_t device_us = context.live.DeviceHeardUs(device.id);
    if (device.kind != kind || !IsVictron(context, device) || (found != nullptr && device_us <= heard_us)) continue;
    found = &device;
    heard_us = device_us;
  }
  return found;
}

void WriteNumber(JsonWriter& json, const ApiContext& context, const Device* device, const char* key,
                 std::initializer_list<const char*> fields) {
  json.Key(key);
  for (const char* field : fields) {
    const Series* const series = device == nullptr ? nullptr : context.directory.FindSeriesByKey(device->key, field);
    const LiveValue* const value = series == nullptr ? nullptr : context.live.Find(series->id);
    if (value == nullptr) continue;
    const ValueKind kind = value->record.value.kind();
    if (kind != ValueKind::kDecimal && kind != ValueKind::kReal) continue;
    if (kind == ValueKind::kDecimal) {
      json.Number(value->record.value.decimal());
    } else {
      json.Number(value->record.value.ToDouble());
    }
    return;
  }
  json.Null();
}

void WriteOne(JsonWriter& json, const ApiContext& context, const char* name, DeviceKind kind) {
  const Device* const device = HeardLast(context, kind);
  const int64_t heard_us = device == nullptr ? INT64_MIN : context.live.DeviceHeardUs(device->id);
  const int64_t age_us = heard_us == INT64_MIN ? INT64_MAX : context.clock.Read().monotonic_us - heard_us;
  json.Key(name).BeginObject().Key("valid").Boolean(age_us <= kValid_us);
  WriteNumber(json, context, device, "voltage", {"battery_voltage", "voltage"});
  WriteNumber(json, context, device, "current", {"battery_current", "current"});
  if (kind == DeviceKind::kSolarCharger) {
    WriteNumber(json, context, device, "power", {"pv_power", "power"});
  } else {
    WriteNumber(json, context, device, "power", {"battery_power", "power"});
  }
  if (kind == DeviceKind::kBatteryMonitor) WriteNumber(json, context, device, "soc", {"soc", "state_of_charge"});
  WriteNumber(json, context, device, "rssi", {"rssi", "signal"});
  json.Key("age");
  if (age_us == INT64_MAX) {
    json.Null();
  } else {
    json.Integer(age_us / kUsPerSecond);
  }
  json.EndObject();
}

}  // namespace

void AddStatusRoute(Router& router, ApiContext& context) {
  router.Add({"GET", "/api/status", Scope::kRead, [&context](const Call& call, std::shared_ptr<Responder> reply) {
                HttpResponse response;
                const int64_t up_us = context.clock.Read().utc_us - context.state().started_us;
                std::string_view host = call.request.Header("host");
                host = host.substr(0, host.starts_with('[') ? host.find(']') + 1 : host.find(':'));
                AppendJson(&response.body, [&](JsonWriter& json) {
                  json.BeginObject().Key("timestamp").Integer(std::max<int64_t>(up_us, 0) / kUsPerMs);
                  json.Key("wifi_connected").Boolean(true).Key("wifi_ip").Text(host);
                  WriteOne(json, context, "bmv", DeviceKind::kBatteryMonitor);
                  WriteOne(json, context, "mppt", DeviceKind::kSolarCharger);
                  WriteOne(json, context, "ip22", DeviceKind::kAcCharger);
                  json.EndObject();
                });
                reply->Send(std::move(response));
              }});
}

}  // namespace vesta::hub
