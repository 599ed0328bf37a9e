#include "hub/catalog/catalog.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "hub/catalog/masterbus_texts.h"
#include "hub/catalog/medibus_texts.h"
#include "hub/catalog/node_texts.h"
#include "hub/catalog/p1_texts.h"
#include "hub/catalog/victron_texts.h"
#include "protocols/link/fields.h"
#include "protocols/masterbus/fields.h"
#include "protocols/medibus/fields.h"
#include "protocols/p1/fields.h"
#include "protocols/victron/fields.h"

namespace vesta::hub {
namespace {

constexpr std::string_view kDeviceKindTitles[] = {
    "Device",        "Electricity meter", "Gas meter",       "Water meter",   "Heat meter",
    "Cooling meter", "Battery monitor",   "Battery",         "Solar charger", "Charger",
    "Inverter",      "DC-DC converter",   "Gateway",         "Incubator",     "Node",
    "Sensor",        "Inverter-charger",  "Battery protect", "BMS",           "DC meter",
};
static_assert(std::size(kDeviceKindTitles) == static_cast<size_t>(DeviceKind::kCountOfDeviceKinds));

// Device texts are hostile: in a page of Markdown a bar or a line end would break the table.
std::string Cell(std::string_view text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|') cell += '\\';
    cell += c == '\n' ? ' ' : c;
  }
  return cell;
}

}  // namespace

std::span<const ProtocolEntry> Protocols() {
  static const std::array<ProtocolEntry, 6> protocols = {{
      {"p1", "Smart meter, P1 port", p1::Fields(), P1Texts()},
      {"victron", "Victron over Bluetooth", victron::Fields(), VictronTexts()},
      {"vedirect", "Victron, VE.Direct port", victron::Fields(), VictronTexts()},
      {"medibus", "Incubators and other MEDIBUS devices", medibus::Fields(), MedibusTexts()},
      {"masterbus", "Mastervolt MasterBus", masterbus::Fields(), MasterBusTexts()},
      {"nodes", "Nodes of the hub's own network", link::NodeFields(), NodeTexts()},
  }};
  return protocols;
}

const FieldText* FindFieldText(std::string_view protocol, std::string_view key) {
  for (const ProtocolEntry& entry : Protocols()) {
    if (entry.name != protocol) continue;
    for (const FieldText& text : entry.texts) {
      if (text.key == key) return &text;
    }
  }
  return nullptr;
}

std::string FieldName(std::string_view protocol, std::string_view key) {
  if (const FieldText* text = FindFieldText(protocol, key)) return std::string(text->name);
  std::string name(key);
  std::replace(name.begin(), name.end(), '_', ' ');
  if (!name.empty()) name[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])));
  return name;
}

std::string_view DeviceKindTitle(DeviceKind kind) { return kDeviceKindTitles[static_cast<size_t>(kind)]; }

std::string DeviceTitle(const Device& device) {
  if (!device.name.empty()) return device.name;
  std::string title(DeviceKindTitle(device.kind));
  if (!device.model.empty()) title += " " + device.model;
  return title;
}

std::string FieldTableMarkdown(const ProtocolEntry& protocol) {
  std::string page = "# " + std::string(protocol.title) + ": fields\n\n";
  page += "Made from the field table and the catalogue; `./dev docs` writes it anew.\n\n";
  page += "| field | name | quantity | unit | decimals | kind | meaning |\n|---|---|---|---|---|---|---|\n";
  for (const Field& field : protocol.fields) {
    const FieldText* text = FindFieldText(protocol.name, field.key);
    std::string meaning = text == nullptr ? "" : Cell(text->description);
    if (!field.states.empty()) {
      if (!meaning.empty()) meaning += " ";
      meaning += "States:";
      for (const StateName& state : field.states) meaning += " " + std::to_string(state.code) + " `" + state.name + "`";
    }
    page += "| `" + std::string(field.key) + "` | " + Cell(FieldName(protocol.name, field.key)) + " | " +
            std::string(QuantityName(field.quantity)) + " | " + std::string(UnitText(field.unit)) + " | " +
            std::to_string(field.decimals) + " | " + std::string(FieldKindName(field.kind)) +
            (field.diagnostic ? ", diagnostic" : "") + " | " + meaning + " |\n";
  }
  return page;
}

}  // namespace vesta::hub
