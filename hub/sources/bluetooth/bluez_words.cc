#include "hub/sources/bluetooth/bluez_words.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

namespace vesta::hub {
namespace {

std::string FirstWord(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string word;
  in >> word;
  return word;
}

enum class Block { kNone, kSoft, kHard };

Block FindBlock(const std::string& folder) {
  std::error_code error;
  Block found = Block::kNone;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (FirstWord(entry.path() / "type") != "bluetooth") continue;
    if (FirstWord(entry.path() / "hard") == "1") return Block::kHard;
    if (FirstWord(entry.path() / "soft") == "1") found = Block::kSoft;
  }
  return found;
}

}  // namespace

bool IsNoAnswer(const std::string& name) {
  return name == "org.freedesktop.DBus.Error.NoReply" || name == "org.freedesktop.DBus.Error.Timeout";
}

Trouble ExplainDbusError(const std::string& name, const std::string& message, const std::string& doing) {
  if (name == "org.freedesktop.DBus.Error.AccessDenied" || name == "org.bluez.Error.NotPermitted" ||
      name == "org.bluez.Error.NotAuthorized") {
    return {fmt::format("{} is not permitted", doing),
            "the user that runs Vesta must be in the group bluetooth: `usermod -aG bluetooth vesta`, then restart it"};
  }
  if (name == "org.bluez.Error.NotReady") {
    return {fmt::format("{}: the adapter is not ready", doing),
            "it is tried again; `bluetoothctl show` tells its state"};
  }
  if (IsNoAnswer(name)) {
    return {fmt::format("{}: bluetoothd does not answer", doing),
            "it is tried again; see `systemctl status bluetooth`"};
  }
  return {fmt::format("{} failed: {}", doing, message.empty() ? name : message),
          "it is tried again; see `systemctl status bluetooth`"};
}

Trouble ExplainPoweredOff(const std::string& adapter, const std::string& rfkill_folder) {
  switch (FindBlock(rfkill_folder)) {
    case Block::kHard:
      return {fmt::format("Bluetooth is off ({}): a switch or key of this computer blocks it", adapter),
              "turn the radio on with that switch"};
    case Block::kSoft:
      return {fmt::format("Bluetooth is off ({}): it is blocked", adapter), "turn it on: `rfkill unblock bluetooth`"};
    case Block::kNone:
      break;
  }
  return {fmt::format("Bluetooth is off ({})", adapter), "turn it on: `bluetoothctl power on`"};
}

Trouble ExplainNoBus(const std::string& message) {
  return {fmt::format("no connection to the system's D-Bus: {}", message),
          "Bluetooth is reached through D-Bus: install dbus and bluez; in a container, give it the socket "
          "/run/dbus/system_bus_socket"};
}

Trouble ExplainNoBluez() {
  return {"bluetoothd is not running", "install bluez and start it: `systemctl enable --now bluetooth`"};
}

Trouble ExplainNoAdapter() {
  return {"there is no Bluetooth adapter", "plug one in, or look whether the kernel knows it: `dmesg | grep -i blue`"};
}

Trouble ExplainMissingAdapter(const std::string& adapter) {
  return {fmt::format("the adapter {} is not there", adapter),
          "`bluetoothctl list` shows those that are; an adapter may be named by its address too"};
}

}  // namespace vesta::hub
