#include "hub/web/api_json.h"

#include <algorithm>

namespace vesta::hub {
namespace {

int64_t ValueAgeUs(const Now& now, const LiveValue& value) {
  // A value of an earlier run has no monotonic time.
  const int64_t age_us =
      value.heard_us == INT64_MIN ? now.utc_us - value.record.received_us : now.monotonic_us - value.heard_us;
  return std::max<int64_t>(age_us, 0);
}

template <typename States, typename Name>
void WriteStates(JsonWriter& json, const States& states, const Name& name) {
  json.Key("states").BeginArray();
  for (const auto& state : states) name(json.BeginObject(), state).EndObject();
  json.EndArray();
}

void WriteCounts(JsonWriter& json, std::string_view key, const std::map<std::string, uint64_t>& counts) {
  json.Key(key).BeginObject();
  for (const auto& [reason, count] : counts) json.Key(reason).Integer(static_cast<int64_t>(count));
  json.EndObject();
}

JsonWriter& WriteCount(JsonWriter& json, std::string_view key, uint64_t count) {
  return json.Key(key).Integer(static_cast<int64_t>(count));
}

}  // namespace

std::string_view QualityName(ValueQuality quality) {
  switch (quality) {
    case ValueQuality::kOk:
      return "ok";
    case ValueQuality::kUnavailable:
      return "unavailable";
    case ValueQuality::kOutOfRange:
      return "out_of_range";
    case ValueQuality::kSuspect:
      return "suspect";
    case ValueQuality::kDerived:
      return "derived";
  }
  return "suspect";
}

std::string_view TimeQualityName(TimeQuality quality) {
  switch (quality) {
    case TimeQuality::kDeviceClock:
      return "device_clock";
    case TimeQuality::kHubSynchronised:
      return "hub_synchronised";
    case TimeQuality::kHubNotSynchronised:
      return "hub_not_synchronised";
    case TimeQuality::kBackDated:
      return "back_dated";
  }
  return "hub_not_synchronised";
}

std::string_view AvailabilityName(Availability availability) {
  if (availability == Availability::kOnline) return "online";
  return availability == Availability::kOffline ? "offline" : "unknown";
}

void WriteSeconds(JsonWriter& json, std::optional<int64_t> us) {
  if (us) {
    json.Number(Decimal{*us / kUsPerMs, -3});
  } else {
    json.Null();
  }
}

void WriteFieldValue(JsonWriter& json, const SeriesField& field, const Value& value) {
  const bool state = value.kind() == ValueKind::kState;
  WriteJsonValue(json, value, field.kind, state ? field.StateName(value.state()) : std::string_view());
}

std::optional<int64_t> DeviceAgeUs(const ApiContext& context, const Device& device) {
  const Now now = context.clock.Read();
  const int64_t heard_us = context.live.DeviceHeardUs(device.id);
  if (heard_us != INT64_MIN) return std::max<int64_t>(now.monotonic_us - heard_us, 0);
  std::optional<int64_t> age_us;
  for (const SeriesId id : device.series) {
    const LiveValue* const value = context.live.Find(id);
    if (value == nullptr) continue;
    const int64_t value_age_us = ValueAgeUs(now, *value);
    age_us = age_us ? std::min(*age_us, value_age_us) : value_age_us;
  }
  return age_us;
}

void WriteSeries(JsonWriter& json, const ApiContext& context, const Series& series) {
  const Device* const device = context.directory.FindDevice(series.device);
  const SeriesField& field = series.field;
  json.BeginObject().Key("id").Integer(series.id);
  json.Key("device").Text(device == nullptr ? "" : device->key).Key("field").Text(field.key);
  json.Key("name").Text(context.field_name(device == nullptr ? "" : device->protocol, field.key));
  json.Key("quantity").Text(QuantityName(field.quantity)).Key("unit").Text(UnitText(field.unit));
  json.Key("decimals").Integer(field.decimals).Key("kind").Text(FieldKindName(field.kind));
  json.Key("pace").Text(field.pace == Pace::kFast ? "fast" : "slow").Key("diagnostic").Boolean(field.diagnostic);
  WriteStates(json, field.states, [](JsonWriter& out, const auto& state) -> JsonWriter& {
    return out.Key("code").Integer(state.first).Key("name").Text(state.second);
  });
  json.Key("interval_s");
  WriteSeconds(json, context.live.SeriesIntervalUs(series.id));
  // A value of slow pace comes only when it changes: its age says nothing, it is as fresh as its device.
  json.Key("stale_after_s");
  if (field.pace == Pace::kSlow) {
    json.Null();
  } else {
    WriteSeconds(json, context.live.StaleAfterUs(series.id));
  }
  json.EndObject();
}

void WriteDevice(JsonWriter& json, const ApiContext& context, const Device& device) {
  const Device* const parent = device.parent == 0 ? nullptr : context.directory.FindDevice(device.parent);
  const std::optional<int64_t> age_us = DeviceAgeUs(context, device);
  json.BeginObject().Key("key").Text(device.key).Key("protocol").Text(device.protocol);
  json.Key("source").Text(device.source).Key("identity").Text(device.identity);
  json.Key("identity_on_wire").Boolean(device.identity_on_wire).Key("kind").Text(DeviceKindName(device.kind));
  json.Key("manufacturer").Text(device.manufacturer).Key("model").Text(device.model);
  json.Key("serial").Text(device.serial).Key("firmware").Text(device.firmware).Key("parent");
  if (parent == nullptr) {
    json.Null();
  } else {
    json.Text(parent->key);
  }
  json.Key("name").Text(device.name).Key("place").Text(device.place).Key("title").Text(context.device_title(device));
  json.Key("availability").Text(AvailabilityName(context.live.DeviceAvailability(device.id)));
  json.Key("last_heard").Time(age_us ? context.clock.Read().utc_us - *age_us : kNoTime).Key("age_s");
  WriteSeconds(json, age_us);
  json.Key("bed");
  const BedStay* const stay = context.ward.places == nullptr ? nullptr : context.ward.places->Now(device.id);
  if (stay == nullptr) {
    json.Null();
  } else {
    json.Text(stay->bed);
  }
  json.Key("interval_s");
  WriteSeconds(json, context.live.DeviceIntervalUs(device.id));
  json.Key("series").BeginArray();
  for (const SeriesId id : device.series) {
    if (const Series* const series = context.directory.FindSeries(id)) WriteSeries(json, context, *series);
  }
  json.EndArray().EndObject();
}

void WriteLiveValue(JsonWriter& json, const ApiContext& context, const Series& series, const LiveValue& value) {
  const Record& record = value.record;
  json.BeginObject().Key("series").Integer(series.id).Key("time").Time(record.time_us);
  json.Key("received").Time(record.received_us).Key("value");
  WriteFieldValue(json, series.field, record.value);
  json.Key("quality").Text(QualityName(record.quality));
  json.Key("time_quality").Text(TimeQualityName(record.time_quality));
  json.Key("stale").Boolean(!value.fresh).Key("age_s");
  WriteSeconds(json, ValueAgeUs(context.clock.Read(), value));
  json.EndObject();
}

void WriteSource(JsonWriter& json, const SourceHealth& source, const Now& now, bool ages) {
  json.BeginObject().Key("name").Text(source.name).Key("type").Text(source.type).Key("protocol").Text(source.protocol);
  json.Key("where").Text(source.where).Key("state").Text(SourceStateName(source.state));
  json.Key("error").Text(source.error).Key("hint").Text(source.hint);
  json.Key("state_since").Time(source.state_since_us == 0 ? kNoTime : source.state_since_us);
  WriteCount(json, "opens", source.opens);
  WriteCount(json, "bytes", source.bytes);
  WriteCount(json, "frames_accepted", source.frames_accepted);
  WriteCount(json, "frames_repeated", source.frames_repeated);
  WriteCount(json, "readings", source.readings);
  WriteCount(json, "unknown_objects", source.unknown_objects);
  WriteCounts(json, "frames_rejected", source.frames_rejected);
  WriteCounts(json, "frames_discarded", source.frames_discarded);
  WriteCounts(json, "counters", source.counters);
  WriteCount(json, "refused_readings", source.refused_readings);
  WriteCount(json, "refused_connections", source.refused_connections);
  json.Key("last_frame").Time(source.last_frame_us == 0 ? kNoTime : source.last_frame_us);
  if (ages) {
    json.Key("last_frame_age_s");
    const bool heard = source.last_frame_monotonic_us != INT64_MIN;
    WriteSeconds(json, heard ? std::optional(std::max<int64_t>(now.monotonic_us - source.last_frame_monotonic_us, 0))
                             : std::nullopt);
  }
  json.Key("interval_s");
  WriteSeconds(json, source.interval_us);
  json.Key("commit_each_frame").Boolean(source.commit_each_frame);
  WriteCount(json, "frames_pending", ages ? source.frames_pending : 0);
  WriteCount(json, "frames_refused", source.frames_refused);
  json.Key("commit_p50_s");
  WriteSeconds(json, ages ? source.commit.AtMost_us(0.5) : std::nullopt);
  json.Key("commit_p99_s");
  WriteSeconds(json, ages ? source.commit.AtMost_us(0.99) : std::nullopt);
  json.EndObject();
}

void WriteOutput(JsonWriter& json, const OutputHealth& output, bool ages) {
  json.BeginObject().Key("name").Text(output.name).Key("type").Text(output.type);
  json.Key("delivery_class").Text(output.delivery_class).Key("where").Text(output.where);
  json.Key("connected").Boolean(output.connected).Key("error").Text(output.error);
  json.Key("state_since").Time(output.state_since_us == 0 ? kNoTime : output.state_since_us);
  WriteCount(json, "accepted", output.accepted);
  WriteCount(json, "sent", output.sent);
  WriteCount(json, "acknowledged", output.acknowledged);
  WriteCount(json, "waiting", output.waiting);
  WriteCounts(json, "dropped", output.dropped);
  WriteCounts(json, "failed", output.failed);
  if (ages) {
    json.Key("oldest_unsent_age_s");
    WriteSeconds(json, output.oldest_unsent_age_us);
  }
  WriteCount(json, "connects", output.connects).EndObject();
}

}  // namespace vesta::hub
