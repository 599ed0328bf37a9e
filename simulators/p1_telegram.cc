#include "simulators/p1_telegram.h"

#include "simulators/telegram_writer.h"

namespace vesta::simulators {
namespace {

constexpr int kPhasesMax = 3;

std::string Phased(int first, int phase, const char* rest) {
  return "1-0:" + std::to_string(first + 20 * phase) + rest;
}

std::string Stamp(UtcUs us) { return TelegramStamp(us, P1Meter::zone()); }

void WriteCounters(const P1Registers& r, int digits, TelegramWriter* out) {
  out->Number("1-0:1.8.1", r.import_wh[0], digits, 3, "kWh").Number("1-0:1.8.2", r.import_wh[1], digits, 3, "kWh");
  out->Number("1-0:2.8.1", r.export_wh[0], digits, 3, "kWh").Number("1-0:2.8.2", r.export_wh[1], digits, 3, "kWh");
}

void WritePowers(const P1Registers& r, TelegramWriter* out) {
  out->Number("1-0:1.7.0", r.import_w, 5, 3, "kW").Number("1-0:2.7.0", r.export_w, 5, 3, "kW");
}

void WriteFailures(const P1Registers& r, TelegramWriter* out) {
  out->Number("0-0:96.7.21", r.failures, 5, 0).Number("0-0:96.7.9", r.long_failures, 5, 0);
  std::string log = "1-0:99.97.0(" + std::to_string(r.failure_log.size()) + ")(0-0:96.7.19)";
  for (const PowerFailure& failure : r.failure_log) {
    log += "(" + Stamp(failure.end_us) + ")" + TelegramWriter::Group(failure.duration_s, 10, 0, "s");
  }
  out->Line(log);
}

void WriteSagsAndSwells(const P1Registers& r, int phases, TelegramWriter* out) {
  for (int i = 0; i < phases; ++i) out->Number(Phased(32, i, ".32.0"), r.sags[i], 5, 0);
  for (int i = 0; i < phases; ++i) out->Number(Phased(32, i, ".36.0"), r.swells[i], 5, 0);
}

void WriteVoltages(const P1Registers& r, int phases, TelegramWriter* out) {
  for (int i = 0; i < phases; ++i) out->Number(Phased(32, i, ".7.0"), r.voltage_dv[i], 4, 1, "V");
}

void WriteWholeAmperes(const P1Registers& r, int phases, TelegramWriter* out) {
  for (int i = 0; i < phases; ++i) out->Number(Phased(31, i, ".7.0"), (r.current_ca[i] + 50) / 100, 3, 0, "A");
}

void WritePhasePowers(const P1Registers& r, int phases, TelegramWriter* out) {
  for (int i = 0; i < phases; ++i) out->Number(Phased(21, i, ".7.0"), r.phase_import_w[i], 5, 3, "kW");
  for (int i = 0; i < phases; ++i) out->Number(Phased(22, i, ".7.0"), r.phase_export_w[i], 5, 3, "kW");
}

std::string WriteDsmr2(const P1Identity& identity, const P1Registers& r) {
  TelegramWriter out("ISk5\\2MT382-1004");
  out.Text("0-0:96.1.1", HexOfText(identity.equipment_id));
  WriteCounters(r, 8, &out);
  out.Number("0-0:96.14.0", r.tariff, 4, 0);
  // Steps of 10 W.
  out.Number("1-0:1.7.0", r.import_w / 10, 6, 2, "kW").Number("1-0:2.7.0", r.export_w / 10, 6, 2, "kW");
  out.Text("0-0:17.0.0", "0999.00*kW").Text("0-0:96.3.10", "1").Text("0-0:96.13.1", "").Text("0-0:96.13.0", "");
  out.Text("0-1:24.1.0", "3").Text("0-1:96.1.0", HexOfText(identity.gas_id));
  out.Line("0-1:24.3.0(" + TelegramStamp(r.gas.stamp_us, P1Meter::zone(), false) + ")(00)(60)(1)(0-1:24.2.1)(m3)");
  out.Line(TelegramWriter::Group(r.gas.litres, 8, 3, ""));
  out.Text("0-1:24.4.0", "1");
  return out.FinishWithoutCrc();
}

std::string WriteDsmr4(const P1Identity& identity, const P1Registers& r) {
  TelegramWriter out("XMX5LGBBFG10");
  out.Text("1-3:0.2.8", "42").Text("0-0:1.0.0", Stamp(r.clock_us)).Text("0-0:96.1.1", HexOfText(identity.equipment_id));
  WriteCounters(r, 9, &out);
  out.Number("0-0:96.14.0", r.tariff, 4, 0);
  WritePowers(r, &out);
  WriteFailures(r, &out);
  WriteSagsAndSwells(r, 1, &out);
  out.Text("0-0:96.13.1", "").Text("0-0:96.13.0", "");
  WriteWholeAmperes(r, 1, &out);
  WritePhasePowers(r, 1, &out);
  out.Text("0-1:24.1.0", "003").Text("0-1:96.1.0", HexOfText(identity.gas_id));
  out.Stamped("0-1:24.2.1", Stamp(r.gas.stamp_us), r.gas.litres, 8, 3, "m3");
  return out.FinishWithCrc();
}

std::string WriteDsmr5(const P1Identity& identity, const P1Registers& r, int phases) {
  TelegramWriter out(phases == 1 ? "ISK5\\2M550E-1012" : "ISK5\\2M550T-1013");
  out.Text("1-3:0.2.8", "50").Text("0-0:1.0.0", Stamp(r.clock_us)).Text("0-0:96.1.1", HexOfText(identity.equipment_id));
  WriteCounters(r, 9, &out);
  out.Number("0-0:96.14.0", r.tariff, 4, 0);
  WritePowers(r, &out);
  WriteFailures(r, &out);
  WriteSagsAndSwells(r, phases, &out);
  out.Text("0-0:96.13.0", "");
  WriteVoltages(r, phases, &out);
  WriteWholeAmperes(r, phases, &out);
  WritePhasePowers(r, phases, &out);
  out.Text("0-1:24.1.0", "003").Text("0-1:96.1.0", HexOfText(identity.gas_id));
  out.Stamped("0-1:24.2.1", Stamp(r.gas.stamp_us), r.gas.litres, 8, 3, "m3");
  return out.FinishWithCrc();
}

std::string WriteBelgian(const P1Identity& identity, const P1Registers& r) {
  TelegramWriter out("FLU5\\253769484_A");
  out.Text("0-0:96.1.4", "50217").Text("0-0:96.1.1", HexOfText(identity.equipment_id));
  out.Text("0-0:1.0.0", Stamp(r.clock_us));
  WriteCounters(r, 9, &out);
  out.Number("0-0:96.14.0", r.tariff, 4, 0);
  out.Number("1-0:1.4.0", r.quarter_average_w, 5, 3, "kW");
  out.Stamped("1-0:1.6.0", Stamp(r.month_peak.stamp_us), r.month_peak.watts, 5, 3, "kW");
  std::string history = "0-0:98.1.0(" + std::to_string(r.peaks.size()) + ")(1-0:1.6.0)(1-0:1.6.0)";
  for (const DemandPeak& peak : r.peaks) {
    history += "(" + Stamp(peak.month_end_us) + ")(" + Stamp(peak.stamp_us) + ")";
    history += TelegramWriter::Group(peak.watts, 5, 3, "kW");
  }
  out.Line(history);
  WritePowers(r, &out);
  WritePhasePowers(r, kPhasesMax, &out);
  WriteVoltages(r, kPhasesMax, &out);
  for (int i = 0; i < kPhasesMax; ++i) out.Number(Phased(31, i, ".7.0"), r.current_ca[i], 5, 2, "A");
  out.Text("0-0:96.3.10", "1").Text("0-0:17.0.0", "999.9*kW").Text("1-0:31.4.0", "999*A").Text("0-0:96.13.0", "");
  out.Text("0-1:24.1.0", "003").Text("0-1:96.1.1", HexOfText(identity.gas_id)).Text("0-1:24.4.0", "1");
  out.Stamped("0-1:24.2.3", Stamp(r.gas.stamp_us), r.gas.litres, 8, 3, "m3");
  out.Text("0-2:24.1.0", "007").Text("0-2:96.1.1", HexOfText(identity.water_id));
  out.Stamped("0-2:24.2.1", Stamp(r.water.stamp_us), r.water.litres, 8, 3, "m3");
  return out.FinishWithCrc();
}

int64_t Positive(int64_t v) { return v > 0 ? v : 0; }

int64_t ApparentVa(int64_t watts, int64_t var) {
  int64_t va = watts > var ? watts : var;
  while (va * va < watts * watts + var * var) ++va;
  return va;
}

std::string WriteLuxembourg(const P1Identity& identity, const P1Registers& r) {
  TelegramWriter out("Lux5\\253694471_M");
  out.Text("1-3:0.2.8", "42").Text("0-0:1.0.0", Stamp(r.clock_us)).Text("0-0:42.0.0", HexOfText(identity.equipment_id));
  out.Number("1-0:1.8.0", r.import_wh[0], 9, 3, "kWh").Number("1-0:2.8.0", r.export_wh[0], 9, 3, "kWh");
  out.Number("1-0:3.8.0", r.reactive_import_varh, 9, 3, "kvarh");
  out.Number("1-0:4.8.0", r.reactive_export_varh, 9, 3, "kvarh");
  WritePowers(r, &out);
  out.Number("1-0:3.7.0", r.reactive_import_var, 5, 3, "kvar");
  out.Number("1-0:4.7.0", r.reactive_export_var, 5, 3, "kvar");
  out.Text("0-0:17.0.0", "069.0*kVA");
  const int64_t var = r.reactive_import_var + r.reactive_export_var;
  out.Number("1-0:9.7.0", r.export_w > 0 ? 0 : ApparentVa(r.import_w, var), 5, 3, "kVA");
  out.Number("1-0:10.7.0", r.export_w > 0 ? ApparentVa(r.export_w, var) : 0, 5, 3, "kVA");
  out.Line("1-1:31.4.0(100*A)(-063*A)");
  out.Text("0-0:96.3.10", "1").Text("0-1:96.3.10", "0").Text("0-2:96.3.10", "0");
  out.Number("0-0:96.7.21", r.failures, 5, 0);
  WriteSagsAndSwells(r, kPhasesMax, &out);
  for (const char* message : {"0-0:96.13.0", "0-0:96.13.2", "0-0:96.13.3", "0-0:96.13.4", "0-0:96.13.5"}) {
    out.Text(message, "");
  }
  WriteVoltages(r, kPhasesMax, &out);
  WriteWholeAmperes(r, kPhasesMax, &out);
  WritePhasePowers(r, kPhasesMax, &out);
  for (int i = 0; i < kPhasesMax; ++i) {
    out.Number(Phased(23, i, ".7.0"), Positive(r.phase_reactive_var[i]), 5, 3, "kvar");
  }
  for (int i = 0; i < kPhasesMax; ++i) {
    out.Number(Phased(24, i, ".7.0"), Positive(-r.phase_reactive_var[i]), 5, 3, "kvar");
  }
  out.Text("0-1:24.1.0", "003").Text("0-1:96.1.0", HexOfText(identity.gas_id));
  out.Stamped("0-1:24.2.1", Stamp(r.gas.stamp_us), r.gas.litres, 8, 3, "m3").Text("0-1:24.4.0", "0");
  // Channels without a device are printed all the same.
  for (const char* channel : {"0-2", "0-3", "0-4"}) {
    const std::string prefix = channel;
    out.Text(prefix + ":24.1.0", "007").Text(prefix + ":96.1.0", "");
    out.Line(prefix + ":24.2.1(632525252525S)(00000.000)").Text(prefix + ":24.4.0", "1");
  }
  return out.FinishWithCrc();
}

}  // namespace

std::string WriteTelegram(P1Kind kind, const P1Identity& identity, const P1Registers& registers) {
  switch (kind) {
    case P1Kind::kDsmr2:
      return WriteDsmr2(identity, registers);
    case P1Kind::kDsmr4:
      return WriteDsmr4(identity, registers);
    case P1Kind::kDsmr5SinglePhase:
      return WriteDsmr5(identity, registers, 1);
    case P1Kind::kBelgian:
      return WriteBelgian(identity, registers);
    case P1Kind::kLuxembourg:
      return WriteLuxembourg(identity, registers);
    case P1Kind::kDsmr5ThreePhase:
    case P1Kind::kCountOfKinds:
      break;
  }
  return WriteDsmr5(identity, registers, kPhasesMax);
}

}  // namespace vesta::simulators
