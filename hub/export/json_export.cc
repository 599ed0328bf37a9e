// JSON lines: one line about the export, one a device, one a reading.
#include "hub/export/json_text.h"
#include "hub/export/long_export.h"

namespace vesta::hub {
namespace {

void WriteIfAny(JsonWriter& json, std::string_view key, std::string_view text) {
  if (!text.empty()) json.Key(key).Text(text);
}

void WriteSeries(JsonWriter& json, const ExportSeries& series) {
  const SeriesField& field = series.field;
  json.BeginObject().Key("field").Text(field.key);
  json.Key("quantity").Text(QuantityName(field.quantity));
  json.Key("unit").Text(UnitText(field.unit)).Key("decimals").Integer(field.decimals);
  json.Key("kind").Text(FieldKindName(field.kind));
  if (!field.states.empty()) {
    json.Key("states").BeginObject();
    for (const auto& [code, name] : field.states) json.Key(std::to_string(code)).Text(name);
    json.EndObject();
  }
  json.EndObject();
}

class JsonRows final : public RowWriter {
 public:
  explicit JsonRows(bool hide_numbers) : hide_numbers_(hide_numbers) {}

  void Begin(const ExportPlan& plan, std::string* out) override {
    AppendJsonText(out, [&](JsonWriter& json) {
      json.BeginObject().Key("vesta_export").Integer(1).Key("pseudonymous").Boolean(plan.request.privacy.has_value());
      json.EndObject();
    });
    *out += '\n';
    for (const ExportDevice& device : plan.devices) {
      AppendJsonText(out, [&](JsonWriter& json) { WriteDevice(json, plan, device); });
      *out += '\n';
    }
  }

  void Row(const ExportSeries& series, const Record& record, std::string* out) override {
    AppendJsonText(out, [&](JsonWriter& json) {
      json.BeginObject().Key("time").Time(record.time_us);
      json.Key("device").Text(series.device).Key("field").Text(series.field.key);
      json.Key("value");
      WriteValue(json, record.value);
      if (record.value.kind() == ValueKind::kState) {
        WriteIfAny(json, "name", series.field.StateName(record.value.state()));
      }
      if (record.value.kind() != ValueKind::kDecimal) json.Key("kind").Text(ExportValueKindName(record.value.kind()));
      if (record.quality != ValueQuality::kOk) json.Key("quality").Text(ExportQualityName(record.quality));
      json.Key("time_from").Text(ExportTimeName(record.time_quality));
      WriteIfAny(json, "flags", ExportFlags(record.flags));
      if (record.index != 0) json.Key("index").Integer(record.index);
      json.Key("received").Time(record.received_us);
      if (!hide_numbers_) json.Key("number").Integer(static_cast<int64_t>(record.number));
      json.EndObject();
    });
    *out += '\n';
  }

 private:
  static void WriteDevice(JsonWriter& json, const ExportPlan& plan, const ExportDevice& device) {
    json.BeginObject().Key("device").BeginObject();
    json.Key("key").Text(device.key).Key("protocol").Text(device.protocol);
    json.Key("kind").Text(DeviceKindName(device.kind));
    if (!device.identity.empty()) {
      json.Key("identity").Text(device.identity).Key("identity_on_wire").Boolean(device.identity_on_wire);
    }
    WriteIfAny(json, "source", device.source);
    WriteIfAny(json, "manufacturer", device.manufacturer);
    WriteIfAny(json, "model", device.model);
    WriteIfAny(json, "serial", device.serial);
    WriteIfAny(json, "firmware", device.firmware);
    WriteIfAny(json, "name", device.name);
    WriteIfAny(json, "place", device.place);
    json.Key("series").BeginArray();
    for (size_t i = 0; i < device.series_count; ++i) WriteSeries(json, plan.series[device.first_series + i]);
    json.EndArray().EndObject().EndObject();
  }

  static void WriteValue(JsonWriter& json, const Value& value) {
    switch (value.kind()) {
      case ValueKind::kDecimal:
        json.Number(value.decimal());
        break;
      case ValueKind::kReal:
        json.Number(value.real());
        break;
      case ValueKind::kText:
        json.Text(value.text());
        break;
      case ValueKind::kState:
        json.Integer(value.state());
        break;
      case ValueKind::kNone:
        json.Null();
        break;
    }
  }

  bool hide_numbers_;
};

}  // namespace

std::unique_ptr<RowWriter> MakeJsonRows(bool hide_numbers) { return std::make_unique<JsonRows>(hide_numbers); }

}  // namespace vesta::hub
