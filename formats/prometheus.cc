#include "formats/prometheus.h"

#include <charconv>
#include <cmath>
#include <cstdio>

#include "formats/utf8.h"

namespace vesta {
namespace {

constexpr std::string_view TypeName(MetricType type) {
  if (type == MetricType::kHistogram) return "histogram";
  return type == MetricType::kCounter ? "counter" : "gauge";
}

}  // namespace

void PrometheusWriter::WriteEscaped(std::string_view text, bool quotes) {
  while (!text.empty()) {
    size_t length = Utf8Length(text);
    const char c = text.front();
    if (c == '\\') {
      sink_.Write("\\\\");
    } else if (c == '\n') {
      sink_.Write("\\n");
    } else if (c == '"' && quotes) {
      sink_.Write("\\\"");
    } else {
      sink_.Write(length == 0 ? kUtf8Replacement : text.substr(0, length));
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
}

void PrometheusWriter::Family(std::string_view name, MetricType type, std::string_view help) {
  name_ = name;
  type_ = type;
  // OpenMetrics names the family, the older form names the samples.
  const std::string_view suffix = type == MetricType::kCounter && form_ == Form::kText ? "_total" : "";
  sink_.Write("# HELP ");
  sink_.Write(name);
  sink_.Write(suffix);
  sink_.Write(" ");
  WriteEscaped(help, form_ == Form::kOpenMetrics);
  sink_.Write("\n# TYPE ");
  sink_.Write(name);
  sink_.Write(suffix);
  sink_.Write(" ");
  sink_.Write(TypeName(type));
  sink_.Write("\n");
}

void PrometheusWriter::StartSample(std::string_view suffix, std::span<const MetricLabel> labels,
                                   std::string_view bound) {
  sink_.Write(name_);
  sink_.Write(type_ == MetricType::kCounter ? "_total" : suffix);
  std::string_view separator = "{";
  const auto label = [&](std::string_view name, std::string_view value) {
    sink_.Write(separator);
    sink_.Write(name);
    sink_.Write("=\"");
    WriteEscaped(value, true);
    sink_.Write("\"");
    separator = ",";
  };
  for (const MetricLabel& one : labels) label(one.name, one.value);
  if (!bound.empty()) label("le", bound);
  if (separator == ",") sink_.Write("}");
  sink_.Write(" ");
}

void PrometheusWriter::Sample(std::span<const MetricLabel> labels, Decimal value) {
  StartSample("", labels);
  char text[kDecimalTextSize];
  sink_.Write({text, FormatDecimal(value, text)});
  sink_.Write("\n");
}

void PrometheusWriter::Sample(std::span<const MetricLabel> labels, double value) {
  StartSample("", labels);
  if (std::isnan(value)) {
    sink_.Write("NaN");
  } else if (std::isinf(value)) {
    sink_.Write(value > 0 ? "+Inf" : "-Inf");
  } else {
    char text[32];
    sink_.Write({text, static_cast<size_t>(std::snprintf(text, sizeof text, "%.17g", value))});
  }
  sink_.Write("\n");
}

void PrometheusWriter::Sample(std::span<const MetricLabel> labels, uint64_t value) {
  StartSample("", labels);
  char text[24];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  sink_.Write({text, static_cast<size_t>(end - text)});
  sink_.Write("\n");
}

void PrometheusWriter::Histogram(std::span<const MetricLabel> labels, std::span<const int64_t> bounds_us,
                                 std::span<const uint64_t> counts, int64_t sum_us) {
  char text[kDecimalTextSize];
  uint64_t total = 0;
  const auto number = [&](uint64_t count) {
    sink_.Write({text, FormatDecimal({static_cast<int64_t>(count), 0}, text)});
    sink_.Write("\n");
  };
  for (size_t i = 0; i < bounds_us.size(); ++i) {
    total += counts[i];
    Decimal seconds{bounds_us[i], -6};
    while (seconds.exponent < 0 && seconds.mantissa % 10 == 0)
      seconds = {seconds.mantissa / 10, static_cast<int8_t>(seconds.exponent + 1)};
    char bound[kDecimalTextSize];
    StartSample("_bucket", labels, {bound, FormatDecimal(seconds, bound)});
    number(total);
  }
  total += counts[bounds_us.size()];
  StartSample("_bucket", labels, "+Inf");
  number(total);
  StartSample("_sum", labels);
  sink_.Write({text, FormatDecimal({sum_us, -6}, text)});
  sink_.Write("\n");
  StartSample("_count", labels);
  number(total);
}

void PrometheusWriter::End() {
  if (form_ == Form::kOpenMetrics) sink_.Write("# EOF\n");
}

MetricUnit MetricUnitOf(Unit unit) {
  switch (unit) {
    case Unit::kNone:
    case Unit::kCountOfUnits:
      break;
    case Unit::kVolt:
      return {"_volts"};
    case Unit::kMillivolt:
      return {"_volts", -3};
    case Unit::kAmpere:
      return {"_amperes"};
    case Unit::kMilliampere:
      return {"_amperes", -3};
    case Unit::kWatt:
      return {"_watts"};
    case Unit::kKilowatt:
      return {"_watts", 3};
    case Unit::kVar:
      return {"_vars"};
    case Unit::kKilovar:
      return {"_vars", 3};
    case Unit::kVoltAmpere:
      return {"_volt_amperes"};
    case Unit::kKilovoltAmpere:
      return {"_volt_amperes", 3};
    // Watt-hours, not joules: the number people know from the meter's display, and still a power of ten away.
    case Unit::kWattHour:
      return {"_watt_hours"};
    case Unit::kKilowattHour:
      return {"_watt_hours", 3};
    case Unit::kKilovarHour:
      return {"_var_hours", 3};
    case Unit::kKilovoltAmpereHour:
      return {"_volt_ampere_hours", 3};
    case Unit::kHertz:
      return {"_hertz"};
    case Unit::kCubicMetre:
      return {"_cubic_meters"};
    case Unit::kLitre:
      return {"_cubic_meters", -3};
    case Unit::kGigajoule:
      return {"_joules", 9};
    case Unit::kSecond:
      return {"_seconds"};
    case Unit::kMinute:
      return {"_seconds", 0, 60};
    case Unit::kHour:
      return {"_seconds", 0, 3600};
    case Unit::kCelsius:
      return {"_celsius"};
    case Unit::kPercent:
      return {"_ratio", -2};
    case Unit::kAmpereHour:
      return {"_ampere_hours"};
    case Unit::kHectopascal:
      return {"_pascals", 2};
    case Unit::kBar:
      return {"_pascals", 5};
    case Unit::kGram:
      return {"_grams"};
    case Unit::kKilogram:
      return {"_grams", 3};
    case Unit::kRevolutionsPerMinute:
      return {"_revolutions_per_minute"};
    case Unit::kDecibelMilliwatt:
      return {"_decibel_milliwatts"};
    case Unit::kByte:
      return {"_bytes"};
    case Unit::kLux:
      return {"_lux"};
    case Unit::kDecibel:
      return {"_decibels"};
    case Unit::kUnixSecond:
      return {"_timestamp_seconds"};
    case Unit::kKilobytePerSecond:
      return {"_bytes_per_second", 3};
    case Unit::kDecibelA:
      return {"_decibels_a"};
    case Unit::kPerMinute:
      return {"_per_minute"};
    case Unit::kMillibar:
      return {"_pascals", 2};
    case Unit::kMillilitre:
      return {"_cubic_meters", -6};
    case Unit::kLitrePerMinute:
      return {"_liters_per_minute"};
    case Unit::kKilopascal:
      return {"_pascals", 3};
    case Unit::kMillimetreOfMercury:
      return {"_millimeters_of_mercury"};
  }
  return {""};
}

bool WriteMetricValue(PrometheusWriter& writer, std::span<const MetricLabel> labels, const Value& value,
                      const MetricUnit& unit) {
  switch (value.kind()) {
    case ValueKind::kNone:
    case ValueKind::kText:
      return false;
    case ValueKind::kState:
      writer.Sample(labels, uint64_t{value.state()});
      return true;
    case ValueKind::kReal:
      writer.Sample(labels, value.real() * unit.factor * std::pow(10.0, unit.power));
      return true;
    case ValueKind::kDecimal:
      break;
  }
  Decimal decimal = value.decimal();
  const int exponent = decimal.exponent + unit.power;
  if (exponent < INT8_MIN || exponent > INT8_MAX ||
      __builtin_mul_overflow(decimal.mantissa, int64_t{unit.factor}, &decimal.mantissa)) {
    writer.Sample(labels, value.ToDouble() * unit.factor * std::pow(10.0, unit.power));
    return true;
  }
  writer.Sample(labels, Scale(decimal, unit.power));
  return true;
}

}  // namespace vesta
