// Texts for people: what a field or a kind of device is called and what it means.
//
// Never on the chips; keyed by protocol and field key, so that a protocol's table stays small. A field without a text
// is shown by its key, and a test finds it. Also the list of protocols that the hub speaks, with their field tables.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "hub/devices/directory.h"
#include "model/field.h"

namespace vesta::hub {

struct FieldText {
  std::string_view key;
  std::string_view name;         // "Energy imported, tariff 1": only the quantity, without the device
  std::string_view description;  // one sentence, "" where the name says it all
};

struct ProtocolEntry {
  std::string_view name;   // "p1"
  std::string_view title;  // "Smart meter, P1 port"
  std::span<const Field> fields;
  std::span<const FieldText> texts;
};

std::span<const ProtocolEntry> Protocols();

// The text of a field, nullptr when there is none.
const FieldText* FindFieldText(std::string_view protocol, std::string_view key);
// Its name; the key with blanks when the catalogue lacks it ("outer_temperature" -> "Outer temperature").
std::string FieldName(std::string_view protocol, std::string_view key);

// What to call a device: the name that the user gave, else kind and model ("Gas meter", "Electricity meter M550T").
std::string DeviceTitle(const Device& device);
std::string_view DeviceKindTitle(DeviceKind kind);

// The reference page of a protocol's fields, made from its table and texts (docs/protocols/NAME.md).
std::string FieldTableMarkdown(const ProtocolEntry& protocol);

}  // namespace vesta::hub
