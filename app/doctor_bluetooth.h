// The doctor's look at Bluetooth: adapters and permissions, who is heard, how strong and how often.
#pragma once

#include "app/doctor_report.h"
#include "hub/sources/bluetooth/bluez_scanner.h"

namespace vesta::app {

// Listens for so many seconds, less when nothing can be heard at all. well: at least one adapter listens.
PatientReport ExamineBluetooth(const hub::ScanOptions& options, double seconds);

}  // namespace vesta::app
