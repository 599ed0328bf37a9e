#include "formats/prometheus.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace vesta {
namespace {

class Sink final : public TextSink {
 public:
  void Write(std::string_view piece) override { text.append(piece); }
  std::string text;
};

using Form = PrometheusWriter::Form;
using Labels = std::vector<MetricLabel>;

TEST(Prometheus, WritesFamiliesAndSamples) {
  Sink sink;
  PrometheusWriter writer(sink, Form::kText);
  writer.Family("vesta_frames", MetricType::kCounter, "Frames \\ of\nall \"kinds\".");
  writer.Sample(Labels{{"source", "a"}, {"reason", "crc"}}, uint64_t{18446744073709551615u});
  writer.Sample(Labels{}, Decimal{-12340, -3});
  writer.Family("vesta_up", MetricType::kGauge, "Up.");
  writer.Sample(Labels{}, 0.5);
  writer.End();
  EXPECT_EQ(sink.text,
            "# HELP vesta_frames_total Frames \\\\ of\\nall \"kinds\".\n"
            "# TYPE vesta_frames_total counter\n"
            "vesta_frames_total{source=\"a\",reason=\"crc\"} 18446744073709551615\n"
            "vesta_frames_total -12.340\n"
            "# HELP vesta_up Up.\n"
            "# TYPE vesta_up gauge\n"
            "vesta_up 0.5\n");
}

TEST(Prometheus, OpenMetricsNamesTheFamilyAndEnds) {
  Sink sink;
  PrometheusWriter writer(sink, Form::kOpenMetrics);
  writer.Family("vesta_frames", MetricType::kCounter, "All \"kinds\".");
  writer.Sample(Labels{}, uint64_t{1});
  writer.End();
  EXPECT_EQ(sink.text,
            "# HELP vesta_frames All \\\"kinds\\\".\n"
            "# TYPE vesta_frames counter\n"
            "vesta_frames_total 1\n"
            "# EOF\n");
}

TEST(Prometheus, EscapesHostileLabels) {
  Sink sink;
  PrometheusWriter writer(sink, Form::kText);
  writer.Family("x", MetricType::kGauge, "");
  writer.Sample(Labels{{"name", "a\"}\\\n\xFF\xC3\xA9"}}, uint64_t{1});
  EXPECT_NE(sink.text.find("x{name=\"a\\\"}\\\\\\n\xEF\xBF\xBD\xC3\xA9\"} 1\n"), std::string::npos) << sink.text;
}

TEST(Prometheus, WritesNumbersThatAreNone) {
  Sink sink;
  PrometheusWriter writer(sink, Form::kText);
  writer.Family("x", MetricType::kGauge, "");
  sink.text.clear();
  writer.Sample(Labels{}, std::nan(""));
  writer.Sample(Labels{}, std::numeric_limits<double>::infinity());
  writer.Sample(Labels{}, -std::numeric_limits<double>::infinity());
  writer.Sample(Labels{}, 0.1);
  EXPECT_EQ(sink.text, "x NaN\nx +Inf\nx -Inf\nx 0.10000000000000001\n");
}

std::string Converted(Value value, Unit unit) {
  Sink sink;
  PrometheusWriter writer(sink, Form::kText);
  writer.Family("x", MetricType::kGauge, "");
  sink.text.clear();
  return WriteMetricValue(writer, {}, value, MetricUnitOf(unit)) ? sink.text : "none";
}

TEST(Prometheus, ConvertsToBaseUnitsExactly) {
  EXPECT_EQ(Converted(Value::OfDecimal(1193, -3), Unit::kKilowatt), "x 1193\n");
  EXPECT_EQ(Converted(Value::OfDecimal(123456789, -3), Unit::kKilowattHour), "x 123456789\n");
  EXPECT_EQ(Converted(Value::OfDecimal(5, 0), Unit::kPercent), "x 0.05\n");
  EXPECT_EQ(Converted(Value::OfDecimal(90, 0), Unit::kMinute), "x 5400\n");
  EXPECT_EQ(Converted(Value::OfDecimal(15, -1), Unit::kHour), "x 5400.0\n");
  EXPECT_EQ(Converted(Value::OfDecimal(12345, 0), Unit::kLitre), "x 12.345\n");
  EXPECT_EQ(Converted(Value::OfReal(0.25), Unit::kKilowatt), "x 250\n");
  EXPECT_EQ(Converted(Value::OfState(2), Unit::kNone), "x 2\n");
  EXPECT_EQ(Converted(Value::None(), Unit::kVolt), "none");
  EXPECT_EQ(Converted(Value::OfText("1"), Unit::kVolt), "none");
  // Beyond 64 bits the nearest double has to do.
  EXPECT_EQ(Converted(Value::OfDecimal(INT64_MAX, 0), Unit::kHour), "x 3.3204139332677193e+22\n");
}

TEST(Prometheus, EveryUnitHasASuffix) {
  for (int unit = 1; unit < static_cast<int>(Unit::kCountOfUnits); ++unit) {
    EXPECT_TRUE(MetricUnitOf(static_cast<Unit>(unit)).suffix.starts_with('_')) << unit;
  }
}

}  // namespace
}  // namespace vesta
