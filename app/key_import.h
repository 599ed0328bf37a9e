// Keys out of VictronConnect's own database, or of a table exported from it.
//
// The database is a SQLite file with the tables advertisementKeys (macAddress, advertisementKey), macAddresses
// (macAddress, address) and networks (id, key, name). A table as text has one key a line, with | , ; or tabs between
// the columns, in any order. On macOS the app does not know radio addresses: such a key has no id, and is found by
// trying it. Facts: reference of VE.Smart, section 8; README of keshavdv/victron-ble.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace vesta::app {

struct ImportedKey {
  std::string id;    // as hub::ParseKeyId takes it; "" = not known
  std::string key;   // 32 hex digits; never to be shown
  std::string name;  // what the table says beside, or ""
};

struct KeyImport {
  std::vector<ImportedKey> keys;
  size_t left_out = 0;  // rows without a key of 32 digits
};

// The error is for people.
tl::expected<KeyImport, std::string> ReadKeysToImport(const std::string& path);
// Of a table as text.
KeyImport ParseKeyTable(std::string_view text);

}  // namespace vesta::app
