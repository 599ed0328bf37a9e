// The doctor's look at the radio of a node network: is it there, and can it acknowledge.
#pragma once

#include "app/doctor_report.h"
#include "hub/config/config.h"

namespace vesta::app {

PatientReport ExamineNodes(const hub::SourceConfig& config);

}  // namespace vesta::app
