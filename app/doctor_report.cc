#include "app/doctor_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace vesta::app {
namespace {

using Json = nlohmann::ordered_json;

// How much a finding tells, best last.
int Weight(LineFinding finding) {
  switch (finding) {
    case LineFinding::kNothing:
      return 0;
    case LineFinding::kNoise:
      return 1;
    case LineFinding::kOtherText:
      return 2;
    case LineFinding::kDamaged:
      return 3;
    case LineFinding::kBit7:
    case LineFinding::kInverted:
      return 4;
    case LineFinding::kKeyNeeded:
      return 5;
    case LineFinding::kTelegrams:
      break;
  }
  return 6;
}

Json ToJson(const Trial& trial) {
  const Diagnosis& d = trial.diagnosis;
  Json out = {{"setting", trial.setting}, {"finding", LineFindingName(d.finding)},
              {"says", d.says},           {"advice", d.advice},
              {"bytes", d.bytes},         {"telegrams", d.accepted},
              {"encrypted", d.encrypted}, {"version", d.version},
              {"problems", d.problems}};
  out["devices"] = Json::array();
  for (const DiagnosedDevice& device : d.devices) {
    out["devices"].push_back({{"kind", device.kind},
                              {"identity", device.identity},
                              {"manufacturer", device.manufacturer},
                              {"model", device.model}});
  }
  return out;
}

void PrintPatient(const PatientReport& patient) {
  fmt::print("{}{}{}\n", patient.name.empty() ? "" : patient.name + ": ", patient.where,
             patient.product.empty() ? "" : " (" + patient.product + ")");
  if (!patient.error.empty()) {
    fmt::print("  cannot be used: {}\n", patient.error);
    if (!patient.hint.empty()) fmt::print("  what to do: {}\n", patient.hint);
  }
  if (!patient.note.empty()) fmt::print("  {}\n", patient.note);
  for (const std::string& finding : patient.findings) fmt::print("  {}\n", finding);
  if (patient.error.empty() && !patient.findings.empty() && !patient.hint.empty()) {
    fmt::print("  what to do: {}\n", patient.hint);
  }
  for (const Trial& trial : patient.trials) {
    fmt::print("  {}{}\n", trial.setting.empty() ? "" : trial.setting + ": ", trial.diagnosis.says);
  }
  const Trial* best = BestTrial(patient);
  if (best != nullptr && !best->diagnosis.advice.empty()) fmt::print("  what to do: {}\n", best->diagnosis.advice);
  if (best != nullptr && best->diagnosis.finding == LineFinding::kTelegrams && !best->setting.empty() &&
      patient.name.empty()) {
    const size_t blank = best->setting.find(' ');
    fmt::print(
        "  for the configuration: {{\"name\": \"{}\", \"type\": \"serial\", \"protocol\": \"{}\", "
        "\"port\": \"{}\", \"baud\": {}, \"framing\": \"{}\"}}\n",
        patient.protocol == "p1" ? "meter" : "device", patient.protocol, patient.where, best->setting.substr(0, blank),
        best->setting.substr(blank + 1));
  }
}

}  // namespace

const Trial* BestTrial(const PatientReport& patient) {
  const Trial* best = nullptr;
  for (const Trial& trial : patient.trials) {
    if (best == nullptr || Weight(trial.diagnosis.finding) > Weight(best->diagnosis.finding)) best = &trial;
  }
  return best;
}

void PrintReport(const DoctorReport& report) {
  fmt::print("clock: {}\n", report.clock_synchronised
                                ? "synchronised"
                                : "not synchronised; readings bear the meters' own times (timedatectl set-ntp true)");
  fmt::print("time zone of this machine: {}\n", report.zone.empty() ? "not set" : report.zone);
  for (const std::string& problem : report.config_problems) fmt::print("{}\n", problem);
  if (!report.disk.empty()) fmt::print("disk of the history: {}\n", report.disk);
  if (report.patients.empty()) {
    fmt::print("no serial port was found: is the cable plugged in? (dmesg tells)\n");
  }
  for (const PatientReport& patient : report.patients) PrintPatient(patient);
}

void PrintReportAsJson(const DoctorReport& report) {
  Json out = {{"well", report.well},
              {"clock_synchronised", report.clock_synchronised},
              {"zone", report.zone},
              {"config_problems", report.config_problems},
              {"disk", report.disk}};
  out["ports"] = Json::array();
  for (const PatientReport& patient : report.patients) {
    Json entry = {{"name", patient.name}, {"where", patient.where},      {"product", patient.product},
                  {"well", patient.well}, {"error", patient.error},      {"hint", patient.hint},
                  {"note", patient.note}, {"findings", patient.findings}};
    entry["trials"] = Json::array();
    for (const Trial& trial : patient.trials) entry["trials"].push_back(ToJson(trial));
    out["ports"].push_back(std::move(entry));
  }
  fmt::print("{}\n", out.dump(2, ' ', false, Json::error_handler_t::replace));
}

}  // namespace vesta::app
