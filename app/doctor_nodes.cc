#include "app/doctor_nodes.h"

#include <fmt/format.h>
#include <net/if.h>

#include "hub/sources/serial_port.h"
#include "linux_radio/wifi_control.h"

namespace vesta::app {
namespace {

void ExamineRadios(const hub::SourceConfig& config, PatientReport* patient) {
  patient->where = config.radio_interface;
  std::string problem;
  for (const linux_radio::WifiRadio& radio : linux_radio::ListWifiRadios(&problem)) {
    patient->findings.push_back(fmt::format(
        "{}: {}", radio.name,
        !radio.can_monitor      ? "can't monitor"
        : radio.can_acknowledge ? "can monitor, and acknowledges when the interface is made with `flags active`"
                                : "can monitor, but not acknowledge: nodes repeat each frame, and nothing is lost"));
  }
  if (!problem.empty()) patient->findings.push_back(problem);
  patient->well = if_nametoindex(config.radio_interface.c_str()) != 0;
  if (patient->well) return;
  patient->error = fmt::format("there is no interface {}", config.radio_interface);
  patient->hint = fmt::format("iw phy PHY interface add {} type monitor flags active; ip link set {} up",
                              config.radio_interface, config.radio_interface);
}

}  // namespace

PatientReport ExamineNodes(const hub::SourceConfig& config) {
  PatientReport patient;
  patient.name = config.name;
  if (config.air == "wifi") {
    ExamineRadios(config, &patient);
  } else if (config.air == "serial") {
    patient.where = config.radio_port;
    patient.well = hub::FindPort(config.radio_port).has_value();
    if (patient.well) {
      patient.note = "the port is there; the hub itself tells whether the radio answers";
    } else {
      patient.error = fmt::format("{} is not there", config.radio_port);
      patient.hint = "is the radio plugged in?";
    }
  } else {
    patient.where = fmt::format("{} UDP port {}", config.listen, config.air_port);
    patient.note = "waits for nodes; nothing to try from here";
    patient.well = true;
  }
  return patient;
}

}  // namespace vesta::app
