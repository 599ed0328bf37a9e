// What the doctor found, and how it is told.
#pragma once

#include <string>
#include <vector>

#include "app/diagnose.h"

namespace vesta::app {

// One setting of a line, and what was heard with it.
struct Trial {
  std::string setting;  // "115200 8N1"; "" where there is nothing to set
  Diagnosis diagnosis;
};

struct PatientReport {
  std::string name;     // of the source in the configuration, or "" for a port that was found
  std::string where;    // path or host:port
  std::string product;  // of the adapter
  std::string protocol = "p1";
  std::string error;  // it could not be opened
  std::string hint;
  std::vector<Trial> trials;
  std::vector<std::string> findings;  // a line each, where there are no settings to try
  bool well = false;
  std::string note;  // where there is nothing to listen to
};

struct DoctorReport {
  bool clock_synchronised = false;
  std::string zone;  // of this machine
  std::vector<std::string> config_problems;
  std::string disk;  // what would spare the one with the history; "" = nothing
  std::vector<PatientReport> patients;
  bool well = false;
};

// The trial that says most.
const Trial* BestTrial(const PatientReport& patient);

void PrintReport(const DoctorReport& report);
void PrintReportAsJson(const DoctorReport& report);

}  // namespace vesta::app
