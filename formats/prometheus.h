// Writes metrics in the Prometheus text form 0.0.4, or in OpenMetrics 1.0.0.
//
// Portable: text goes to a sink of the caller's piece by piece, no heap. The writer keeps what the form demands of the
// text (HELP and TYPE once and before the samples, escapes, "_total", "# EOF"); the caller keeps what it demands of the
// order: all samples of a family directly after its Family() call. Label values come from devices and users: bytes that
// are not UTF-8 become U+FFFD, because one such byte makes Prometheus refuse the whole answer.
// Samples bear no time: a stale value is left out, so that Prometheus sees it go.
// Facts: prometheus.io/docs/instrumenting/exposition_formats, OpenMetrics 1.0.0.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "model/field.h"
#include "model/value.h"

namespace vesta {

class TextSink {
 public:
  virtual ~TextSink() = default;
  virtual void Write(std::string_view text) = 0;
};

enum class MetricType : uint8_t { kGauge, kCounter, kHistogram };

struct MetricLabel {
  std::string_view name;   // [a-zA-Z_][a-zA-Z0-9_]*
  std::string_view value;  // any text
};

class PrometheusWriter {
 public:
  enum class Form : uint8_t { kText, kOpenMetrics };

  PrometheusWriter(TextSink& sink, Form form) : sink_(sink), form_(form) {}

  // `name` is without "_total", which the writer adds to a counter. It must outlive the family's samples.
  void Family(std::string_view name, MetricType type, std::string_view help);
  void Sample(std::span<const MetricLabel> labels, Decimal value);
  void Sample(std::span<const MetricLabel> labels, double value);
  void Sample(std::span<const MetricLabel> labels, uint64_t value);
  // One histogram of a duration: counts by upper bound (not cumulative here, one more than bounds), written in seconds.
  void Histogram(std::span<const MetricLabel> labels, std::span<const int64_t> bounds_us,
                 std::span<const uint64_t> counts, int64_t sum_us);
  // After the last family.
  void End();

 private:
  void StartSample(std::string_view suffix, std::span<const MetricLabel> labels, std::string_view bound = {});
  void WriteEscaped(std::string_view text, bool quotes);

  TextSink& sink_;
  Form form_;
  std::string_view name_;
  MetricType type_ = MetricType::kGauge;
};

// How a unit goes over into Prometheus's base units: value * factor * 10^power. Exact for decimals as long as the
// mantissa stays within 64 bits; else the nearest double.
struct MetricUnit {
  std::string_view suffix;  // "_watts", "" for a bare number
  int8_t power = 0;
  int16_t factor = 1;
};
MetricUnit MetricUnitOf(Unit unit);

// Converts and writes one value. False, and nothing written, when it has no number (text, none).
bool WriteMetricValue(PrometheusWriter& writer, std::span<const MetricLabel> labels, const Value& value,
                      const MetricUnit& unit);

}  // namespace vesta
