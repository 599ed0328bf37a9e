// Writes an export in FHIR with every kind of value, device text and quality that there is, for validate.mjs.
#include <cstdio>
#include <limits>

#include "hub/export/export_test_data.h"

namespace vesta::hub {
namespace {

constexpr StateName kTariffs[] = {{1, "low"}, {2, "normal"}};

std::string Sample(bool pseudonymous) {
  ExportData data;
  const auto series = [&](const char* protocol, const char* identity, const Field& field, DeviceKind kind) {
    return data.AddSeries(protocol, identity, field, kind);
  };
  const auto incubator = DeviceKind::kIncubator;
  const auto meter = DeviceKind::kElectricityMeter;
  const SeriesId skin =
      series("medibus", "bed 1", {"skin_temp_central", Quantity::kTemperature, Unit::kCelsius, 1}, incubator);
  const SeriesId weight = series("medibus", "bed 1", {"body_weight", Quantity::kMass, Unit::kGram, 0}, incubator);
  const SeriesId text =
      series("medibus", "bed 1", {"texts", Quantity::kMessage, Unit::kNone, 0, FieldKind::kText}, incubator);
  const SeriesId alarm =
      series("medibus", "bed 1", {"alarm", Quantity::kProblem, Unit::kNone, 0, FieldKind::kFlag}, incubator);
  const SeriesId tariff = series(
      "p1", "M1", {"tariff", Quantity::kMode, Unit::kNone, 0, FieldKind::kState, Pace::kSlow, false, kTariffs}, meter);
  const SeriesId real = series("p1", "M1", {"real", Quantity::kReactivePower, Unit::kKilovar, 3}, meter);
  UtcUs now_us = kExportStart_us;
  const auto add = [&](SeriesId id, Value value, ValueQuality quality = ValueQuality::kOk) {
    data.Add(id, now_us += 1234567, value, quality);
  };
  add(skin, Value::OfDecimal(360, -1));
  add(skin, Value::OfDecimal(-5, 0), ValueQuality::kSuspect);
  add(skin, Value::None(), ValueQuality::kUnavailable);
  add(weight, Value::OfDecimal(12, 2));
  add(weight, Value::OfDecimal(0, -3), ValueQuality::kOutOfRange);
  for (const char* words : {"Air Mode", "", "   ", "\x01\x02 <b>\"quoted\" \xFF", "line\r\nline"})
    add(text, Value::OfText(words));
  for (const uint32_t code : {0u, 1u, 7u}) add(alarm, Value::OfState(code));
  add(tariff, Value::OfState(2));
  add(tariff, Value::OfState(42));
  for (const double number : {0.1, -1e300, 1e-300, std::numeric_limits<double>::infinity()})
    add(real, Value::OfReal(number));
  add(real, Value::OfReal(std::numeric_limits<double>::quiet_NaN()), ValueQuality::kDerived);
  ExportRequest request;
  request.format = ExportFormat::kFhir;
  if (pseudonymous) request.privacy.emplace("0123456789abcdef");
  return data.Export(request);
}

// A store without any device.
std::string Empty() {
  ExportData data;
  ExportRequest request;
  request.format = ExportFormat::kFhir;
  return data.Export(request);
}

}  // namespace
}  // namespace vesta::hub

int main(int argc, char** argv) {
  const std::string which = argc > 1 ? argv[1] : "plain";
  const std::string text = which == "empty" ? vesta::hub::Empty() : vesta::hub::Sample(which == "pseudonymous");
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}
