// Why Bluetooth does not work, in words for people, and what to do about it.
#pragma once

#include <string>

namespace vesta::hub {

struct Trouble {
  std::string error;
  std::string hint;
};

// A D-Bus error that a call on an adapter gave. doing: "hci0: listening".
Trouble ExplainDbusError(const std::string& name, const std::string& message, const std::string& doing);

// A D-Bus error that says no more than that nobody answered in time: bluetoothd is slow or hangs, and refused nothing.
bool IsNoAnswer(const std::string& name);

// An adapter that is not powered: switched off, or blocked by the kernel's radio switch as the folder shows it
// (normally /sys/class/rfkill).
Trouble ExplainPoweredOff(const std::string& adapter, const std::string& rfkill_folder);

Trouble ExplainNoBus(const std::string& message);
Trouble ExplainNoBluez();
Trouble ExplainNoAdapter();
Trouble ExplainMissingAdapter(const std::string& adapter);

}  // namespace vesta::hub
