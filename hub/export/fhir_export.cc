// FHIR R4: one Bundle of type collection, with a Device for each device and an Observation for each reading.
#include <fmt/format.h>
#include <openssl/sha.h>

#include <cmath>

#include "hub/export/fhir_codes.h"
#include "hub/export/json_text.h"
#include "hub/export/long_export.h"

namespace vesta::hub {
namespace {

constexpr std::string_view kUcum = "http://unitsofmeasure.org";
constexpr std::string_view kLoincSystem = "http://loinc.org";
constexpr std::string_view kAbsent = "http://terminology.hl7.org/CodeSystem/data-absent-reason";

// The same text gives the same id in each export. Version 8 of RFC 9562: the bits are ours.
std::string UuidOf(std::string_view text) {
  uint8_t hash[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const uint8_t*>(text.data()), text.size(), hash);
  hash[6] = static_cast<uint8_t>((hash[6] & 0x0F) | 0x80);
  hash[8] = static_cast<uint8_t>((hash[8] & 0x3F) | 0x80);
  std::string uuid = "urn:uuid:";
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) uuid += '-';
    uuid += fmt::format("{:02x}", hash[i]);
  }
  return uuid;
}

// FHIR's string takes no control characters but tab and line ends, and none may be empty or blank only.
std::string CleanString(std::string_view text) {
  std::string clean;
  bool blank = true;
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    const bool control = (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7F;
    clean += control ? '?' : c;
    blank = blank && (c == ' ' || c == '\t' || c == '\n' || c == '\r');
  }
  return blank ? std::string() : clean;
}

// "YYYY-MM-DDThh:mm:ss(.f)Z" exists for four-digit years only.
bool HasFhirTime(UtcUs us) {
  constexpr UtcUs kFirst_us = -62135596800ll * kUsPerSecond;  // 0001-01-01
  constexpr UtcUs kLast_us = 253402300799ll * kUsPerSecond;   // 9999-12-31T23:59:59
  return us >= kFirst_us && us <= kLast_us;
}

std::string FieldSystem(std::string_view protocol) { return fmt::format("urn:vesta:field:{}", protocol); }

class FhirRows final : public RowWriter {
 public:
  void Begin(const ExportPlan& plan, std::string* out) override {
    *out += R"({"resourceType":"Bundle","type":"collection","entry":[)";
    for (const ExportDevice& device : plan.devices) {
      Separate(out);
      AppendJsonText(out, [&](JsonWriter& json) { WriteDevice(json, device); });
    }
  }

  void Row(const ExportSeries& series, const Record& record, std::string* out) override {
    if (series.device != device_) {
      device_ = series.device;
      device_uuid_ = UuidOf("device " + series.device);
    }
    Separate(out);
    const std::string uuid = UuidOf(
        fmt::format("reading {} {} {} {} {}", series.device, series.field.key, record.time_us, record.index, ++count_));
    AppendJsonText(out, [&](JsonWriter& json) { WriteObservation(json, uuid, series, record); });
  }

  void End(std::string* out) override {
    // An empty list is not allowed in FHIR.
    if (first_) out->resize(out->size() - std::string_view(",\"entry\":[").size());
    *out += first_ ? "}\n" : "\n]}\n";
  }

 private:
  void Separate(std::string* out) {
    *out += first_ ? "\n" : ",\n";
    first_ = false;
  }

  static void WriteText(JsonWriter& json, std::string_view key, std::string_view text) {
    const std::string clean = CleanString(text);
    if (!clean.empty()) json.Key(key).Text(clean);
  }

  static void WriteDevice(JsonWriter& json, const ExportDevice& device) {
    json.BeginObject().Key("fullUrl").Text(UuidOf("device " + device.key)).Key("resource").BeginObject();
    json.Key("resourceType").Text("Device");
    json.Key("identifier").BeginArray().BeginObject();
    json.Key("system").Text("urn:vesta:device").Key("value").Text(device.key).EndObject().EndArray();
    WriteText(json, "manufacturer", device.manufacturer);
    WriteText(json, "serialNumber", device.serial);
    WriteText(json, "modelNumber", device.model);
    json.Key("type").BeginObject().Key("coding").BeginArray().BeginObject();
    json.Key("system").Text("urn:vesta:device-kind").Key("code").Text(DeviceKindName(device.kind));
    json.EndObject().EndArray().EndObject();
    if (const std::string firmware = CleanString(device.firmware); !firmware.empty()) {
      json.Key("version").BeginArray().BeginObject().Key("value").Text(firmware).EndObject().EndArray();
    }
    json.EndObject().EndObject();
  }

  void WriteObservation(JsonWriter& json, std::string_view uuid, const ExportSeries& series,
                        const Record& record) const {
    const bool believed = record.quality == ValueQuality::kOk || record.quality == ValueQuality::kDerived ||
                          record.quality == ValueQuality::kUnavailable;
    json.BeginObject().Key("fullUrl").Text(uuid).Key("resource").BeginObject();
    json.Key("resourceType").Text("Observation").Key("status").Text(believed ? "final" : "unknown");
    json.Key("code").BeginObject().Key("coding").BeginArray();
    if (const LoincCode loinc = FindLoinc(series.protocol, series.field.key); !loinc.code.empty()) {
      json.BeginObject().Key("system").Text(kLoincSystem).Key("code").Text(loinc.code);
      json.Key("display").Text(loinc.display).EndObject();
    }
    json.BeginObject().Key("system").Text(FieldSystem(series.protocol)).Key("code").Text(series.field.key).EndObject();
    json.EndArray().EndObject();
    if (HasFhirTime(record.time_us)) json.Key("effectiveDateTime").Time(record.time_us);
    if (HasFhirTime(record.received_us)) json.Key("issued").Time(record.received_us);
    WriteValue(json, series, record.value);
    json.Key("device").BeginObject().Key("reference").Text(device_uuid_).EndObject();
    json.EndObject().EndObject();
  }

  static void WriteAbsent(JsonWriter& json, std::string_view code) {
    json.Key("dataAbsentReason").BeginObject().Key("coding").BeginArray().BeginObject();
    json.Key("system").Text(kAbsent).Key("code").Text(code).EndObject().EndArray().EndObject();
  }

  static void WriteQuantity(JsonWriter& json, const SeriesField& field, const Value& value) {
    json.Key("valueQuantity").BeginObject().Key("value");
    if (value.kind() == ValueKind::kDecimal) {
      json.Number(value.decimal());
    } else {
      json.Number(value.real());
    }
    const std::string_view unit = UnitText(field.unit);
    if (!unit.empty()) json.Key("unit").Text(unit);
    if (const std::string_view ucum = UcumCode(field.unit); !ucum.empty()) {
      json.Key("system").Text(kUcum).Key("code").Text(ucum);
    }
    json.EndObject();
  }

  static void WriteValue(JsonWriter& json, const ExportSeries& series, const Value& value) {
    switch (value.kind()) {
      case ValueKind::kDecimal:
        WriteQuantity(json, series.field, value);
        break;
      case ValueKind::kReal:
        if (std::isfinite(value.real())) {
          WriteQuantity(json, series.field, value);
        } else {
          WriteAbsent(json, "not-a-number");
        }
        break;
      case ValueKind::kText:
        if (const std::string text = CleanString(value.text()); !text.empty()) {
          json.Key("valueString").Text(text);
        } else {
          WriteAbsent(json, "unknown");
        }
        break;
      case ValueKind::kState:
        if (series.field.kind == FieldKind::kFlag && value.state() <= 1) {
          json.Key("valueBoolean").Boolean(value.state() == 1);
          break;
        }
        json.Key("valueCodeableConcept").BeginObject().Key("coding").BeginArray().BeginObject();
        json.Key("system").Text(fmt::format("{}:{}", FieldSystem(series.protocol), series.field.key));
        json.Key("code").Text(std::to_string(value.state()));
        WriteText(json, "display", series.field.StateName(value.state()));
        json.EndObject().EndArray().EndObject();
        break;
      case ValueKind::kNone:
        WriteAbsent(json, "unknown");
        break;
    }
  }

  std::string device_;
  std::string device_uuid_;
  uint64_t count_ = 0;
  bool first_ = true;
};

}  // namespace

std::unique_ptr<RowWriter> MakeFhirRows() { return std::make_unique<FhirRows>(); }

}  // namespace vesta::hub
