// The objects of the API (DEVICE, SERIES, VALUE, SOURCE, OUTPUT in docs/api.md), written from what the hub knows now.
#pragma once

#include <string>

#include "formats/json_writer.h"
#include "hub/web/api.h"

namespace vesta::hub {

void WriteDevice(JsonWriter& json, const ApiContext& context, const Device& device);
void WriteSeries(JsonWriter& json, const ApiContext& context, const Series& series);
void WriteLiveValue(JsonWriter& json, const ApiContext& context, const Series& series, const LiveValue& value);
// Without the ages when `ages` is false: then the text changes only when something happened.
void WriteSource(JsonWriter& json, const SourceHealth& source, const Now& now, bool ages = true);
void WriteOutput(JsonWriter& json, const OutputHealth& output, bool ages = true);

// The value alone, with the names of its states.
void WriteFieldValue(JsonWriter& json, const SeriesField& field, const Value& value);
// Seconds with three decimals, null when there are none.
void WriteSeconds(JsonWriter& json, std::optional<int64_t> us);

std::string_view QualityName(ValueQuality quality);
std::string_view TimeQualityName(TimeQuality quality);
std::string_view AvailabilityName(Availability availability);

// {"sources":[...]} and {"outputs":[...]}
std::string SourcesJson(const ApiContext& context, bool ages = true);
std::string OutputsJson(const ApiContext& context, bool ages = true);

// Since the hub heard of it last, whichever run of the hub that was; empty when never.
std::optional<int64_t> DeviceAgeUs(const ApiContext& context, const Device& device);

}  // namespace vesta::hub
