// Lines of an export as JSON lines, read back: the line about the export, one about a device, one of a reading.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "hub/devices/directory.h"

namespace vesta::hub {

// A reading as its row tells it, in the words of the CSV columns; numbers with the digits that stand there.
struct ImportRow {
  std::string time;
  std::string device;
  std::string protocol;
  std::string field;
  std::string kind = "decimal";
  std::string value;
  std::string quality = "ok";
  std::string time_from;
  std::string flags;
  std::string index;
  std::string received;
};

struct ImportDevice {
  std::string key;
  std::string protocol;
  std::string source;
  DeviceKind kind = DeviceKind::kOther;
  std::string identity;
  bool identity_on_wire = false;
  std::string manufacturer;
  std::string model;
  std::string serial;
  std::string firmware;
  std::string name;
  std::string place;
  std::vector<SeriesField> fields;
};

// The first line. The error says why this can't be imported.
tl::expected<void, std::string> CheckJsonHeader(std::string_view line);
bool IsJsonDevice(std::string_view line);
tl::expected<ImportDevice, std::string> ReadJsonDevice(std::string_view line);
tl::expected<ImportRow, std::string> ReadJsonRow(std::string_view line);

}  // namespace vesta::hub
