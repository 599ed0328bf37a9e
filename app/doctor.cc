#include "app/doctor.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "app/doctor_bluetooth.h"
#include "app/doctor_can.h"
#include "app/doctor_nodes.h"
#include "app/doctor_report.h"
#include "app/exit_code.h"
#include "app/line_setting.h"
#include "app/listen.h"
#include "app/serial_ports.h"
#include "hub/clock/clock.h"
#include "hub/config/load.h"
#include "hub/sources/bluetooth/bluetooth_source.h"
#include "hub/sources/capture_file.h"
#include "hub/store/disk_wear.h"

namespace vesta::app {
namespace {

std::string SettingText(uint32_t baud, const std::string& framing) { return fmt::format("{} {}", baud, framing); }

// True when other settings are worth a try. Nothing is ever sent: what a MEDIBUS session would say stays unsaid.
bool TrySetting(hub::SourceConfig config, uint32_t baud, const std::string& framing, double seconds,
                PatientReport* patient) {
  config.baud = baud;
  config.framing = framing;
  config.medibus.passive = true;
  const Listened listened = ListenTo(config, seconds);
  if (!listened.error.empty() && listened.bytes.empty()) {
    patient->error = listened.error;
    patient->hint = listened.hint;
    return false;
  }
  patient->trials.push_back({SettingText(baud, framing), Diagnose(listened.bytes, config)});
  const LineFinding finding = patient->trials.back().diagnosis.finding;
  // A line that is silent at one speed is silent at all of them: at a wrong speed one hears noise.
  return finding != LineFinding::kTelegrams && finding != LineFinding::kKeyNeeded && finding != LineFinding::kNothing;
}

void Tell(const DoctorOptions& options, const std::string& what) {
  if (!options.json) fmt::print(stderr, "{}\n", what);
}

void ExamineSerial(const DoctorOptions& options, const hub::SourceConfig& config, PatientReport* patient) {
  Tell(options, fmt::format("listening on {} ...", patient->where));
  // A source of the configuration begins with its own setting.
  const std::string own = SettingText(config.baud, config.framing);
  bool go_on = patient->name.empty() || TrySetting(config, config.baud, config.framing, options.seconds, patient);
  const bool own_is_right =
      BestTrial(*patient) != nullptr && BestTrial(*patient)->diagnosis.finding == LineFinding::kTelegrams;
  for (const LineSetting& setting : LineSettingsOf(config.protocol)) {
    if (!go_on) break;
    if (!patient->name.empty() && SettingText(setting.baud, setting.framing) == own) continue;
    go_on = TrySetting(config, setting.baud, setting.framing, options.seconds, patient);
  }
  const Trial* best = BestTrial(*patient);
  const bool heard = best != nullptr && best->diagnosis.finding == LineFinding::kTelegrams;
  patient->well = patient->name.empty() ? heard : own_is_right;
  if (heard && !patient->well) {
    patient->hint = fmt::format("the device speaks with {}, the configuration says {}", best->setting, own);
    patient->note = patient->hint;
  }
}

void ExamineTcp(const DoctorOptions& options, const hub::SourceConfig& config, PatientReport* patient) {
  Tell(options, fmt::format("listening to {} ...", patient->where));
  const Listened listened = ListenTo(config, options.seconds);
  if (!listened.opened || (!listened.error.empty() && listened.bytes.empty())) {
    patient->error = listened.error.empty() ? "no connection yet" : listened.error;
    patient->hint = listened.hint;
    return;
  }
  patient->trials.push_back({"", Diagnose(listened.bytes, config)});
  patient->well = patient->trials.back().diagnosis.finding == LineFinding::kTelegrams;
}

void ExamineCapture(const hub::SourceConfig& config, PatientReport* patient) {
  hub::CaptureReader reader;
  if (const auto opened = reader.Open(config.file); !opened) {
    patient->error = opened.error();
    return;
  }
  hub::CaptureFrame frame;
  const hub::CaptureReader::Result result = reader.Next(&frame);
  patient->well = result == hub::CaptureReader::Result::kFrame;
  patient->note = patient->well ? "a capture that can be read" : "no capture: " + reader.error();
}

PatientReport ExamineSource(const DoctorOptions& options, const hub::SourceConfig& config) {
  PatientReport patient;
  patient.name = config.name;
  if (!config.enabled) {
    patient.where = config.type;
    patient.note = "switched off in the configuration";
    patient.well = true;
  } else if (config.type == "serial") {
    patient.where = config.port;
    ExamineSerial(options, config, &patient);
  } else if (config.type == "tcp") {
    patient.where = fmt::format("{}:{}", config.host, config.tcp_port);
    ExamineTcp(options, config, &patient);
  } else if (config.type == "can") {
    Tell(options, fmt::format("listening on {} ...", config.can_interface));
    patient = ExamineCan(config, options.seconds);
  } else if (config.type == "slcan") {
    Tell(options, fmt::format("listening on {} ...", config.port));
    patient = ExamineSlcan(config, options.seconds);
  } else if (config.type == "capture") {
    patient.where = config.file;
    ExamineCapture(config, &patient);
  } else if (config.type == "nodes") {
    patient = ExamineNodes(config);
  } else if (config.type == "bluetooth") {
    Tell(options, "listening to Bluetooth ...");
    patient = ExamineBluetooth(hub::ScanOptionsOf(config), options.seconds);
    patient.name = config.name;
  } else {
    patient.where = fmt::format("{}:{}", config.listen, config.tcp_port);
    patient.note = "waits for others to connect; nothing to try from here";
    patient.well = true;
  }
  return patient;
}

std::string MachineZone() {
  std::error_code failed;
  const std::string target = std::filesystem::read_symlink("/etc/localtime", failed);
  const size_t at = target.find("zoneinfo/");
  return at == std::string::npos ? "" : target.substr(at + 9);
}

void ExamineConfig(const DoctorOptions& options, DoctorReport* report) {
  const hub::LoadedConfig loaded = hub::LoadConfigFile(options.config);
  for (const hub::ConfigProblem& problem : loaded.problems) {
    report->config_problems.push_back(hub::FormatProblem(options.config, problem));
    report->well &= !problem.fatal_for_part;
  }
  if (const auto disk = hub::DiskOf(loaded.config.storage.directory)) report->disk = hub::SpareDiskAdvice(*disk);
  for (const hub::SourceConfig& source : loaded.config.sources) {
    report->patients.push_back(ExamineSource(options, source));
    report->well &= report->patients.back().well;
  }
}

void ExaminePorts(const DoctorOptions& options, DoctorReport* report) {
  std::vector<SerialPort> ports;
  if (options.ports.empty()) {
    ports = FindSerialPorts();
  } else {
    for (const std::string& path : options.ports) ports.push_back({path, path, ""});
  }
  bool heard = false;
  for (const SerialPort& port : ports) {
    PatientReport patient;
    patient.where = port.path;
    patient.product = port.product;
    hub::SourceConfig config;
    config.name = "doctor";
    config.type = "serial";
    config.protocol = options.protocol;
    config.port = port.path;
    patient.protocol = options.protocol;
    ExamineSerial(options, config, &patient);
    heard |= patient.well;
    report->patients.push_back(std::move(patient));
  }
  report->well &= heard;
}

}  // namespace

int RunDoctor(const DoctorOptions& options) {
  if (!options.config.empty() && access(options.config.c_str(), R_OK) != 0) {
    fmt::print(stderr, "vesta doctor: cannot read {}\n", options.config);
    return kExitCannotStart;
  }
  DoctorReport report;
  report.well = true;
  report.clock_synchronised = hub::SystemClock().Read().clock == ClockQuality::kSynchronised;
  report.zone = MachineZone();
  if (!options.config.empty()) ExamineConfig(options, &report);
  const bool look_around = options.config.empty() && !options.bluetooth;
  if (look_around || !options.ports.empty()) ExaminePorts(options, &report);
  if (options.bluetooth || (look_around && options.ports.empty())) {
    Tell(options, "listening to Bluetooth ...");
    report.patients.push_back(ExamineBluetooth({}, options.seconds));
    // A machine without Bluetooth is not ill, unless it was asked for.
    if (options.bluetooth) report.well &= report.patients.back().well;
  }
  if (options.json) {
    PrintReportAsJson(report);
  } else {
    PrintReport(report);
  }
  return report.well ? kExitOk : kExitProblems;
}

}  // namespace vesta::app
