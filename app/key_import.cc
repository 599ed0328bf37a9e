#include "app/key_import.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "hub/keys/key_file.h"
#include "hub/store/sqlite_db.h"

namespace vesta::app {
namespace {

constexpr std::string_view kSqliteMagic = "SQLite format 3";
// A table of a few hundred keys is some tens of kilobytes.
constexpr size_t kMaxTableBytes = 1u << 20;
constexpr size_t kMaxShownName = 48;
constexpr size_t kNetworkIdDigits = 4;

bool IsKey(std::string_view text) { return victron::ParseKeyText(text).result == victron::KeyTextResult::kOk; }

// The id that a cell of a table may hold; "" when it holds none.
std::string IdOf(std::string_view cell) {
  uint64_t address = 0;
  uint16_t network = 0;
  if (victron::ParseAddress(cell, &address)) return hub::FormatKeyId({false, address, 0});
  const bool is_network = cell.size() == kNetworkIdDigits && victron::ParseNetworkId(cell, &network);
  return is_network ? hub::FormatKeyId({true, 0, network}) : "";
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\"'";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

void TakeRow(const std::vector<std::string>& cells, KeyImport* import) {
  ImportedKey key;
  for (const std::string& cell : cells) {
    const std::string id = IdOf(cell);
    if (key.key.empty() && IsKey(cell)) {
      key.key = cell;
    } else if (key.id.empty() && !id.empty()) {
      key.id = id;
    } else if (key.name.empty() && !cell.starts_with('{')) {
      key.name = cell.substr(0, kMaxShownName);
    }
  }
  if (key.key.empty()) {
    ++import->left_out;
  } else {
    import->keys.push_back(std::move(key));
  }
}

tl::expected<KeyImport, std::string> ReadDatabase(const std::string& path) {
  auto db = hub::SqliteDb::Open(path, SQLITE_OPEN_READONLY, "");
  if (!db) return tl::unexpected(db.error().text);
  // A column may be text or bytes. Each query is tried; a table that this version of the app lacks gives nothing.
  const char* queries[] = {
      "SELECT CASE typeof(m.address) WHEN 'blob' THEN hex(m.address) ELSE coalesce(m.address, k.macAddress) END,"
      " CASE typeof(k.advertisementKey) WHEN 'blob' THEN hex(k.advertisementKey) ELSE k.advertisementKey END"
      " FROM advertisementKeys k LEFT JOIN macAddresses m ON m.macAddress = k.macAddress",
      "SELECT macAddress, CASE typeof(advertisementKey) WHEN 'blob' THEN hex(advertisementKey) ELSE advertisementKey "
      "END"
      " FROM advertisementKeys",
      "SELECT CASE typeof(id) WHEN 'integer' THEN printf('%04x', id) WHEN 'blob' THEN hex(id) ELSE id END,"
      " CASE typeof(key) WHEN 'blob' THEN hex(key) ELSE key END, name FROM networks",
  };
  KeyImport import;
  bool has_table = false;
  bool has_adverts = false;
  for (const char* query : queries) {
    if (has_adverts && query == queries[1]) continue;
    hub::Statement rows = db->Prepare(query);
    if (!rows.valid()) continue;
    has_table = true;
    has_adverts |= query == queries[0];
    const int columns = query == queries[2] ? 3 : 2;
    while (rows.Step() == SQLITE_ROW) {
      std::vector<std::string> cells;
      cells.reserve(static_cast<size_t>(columns));
      for (int i = 0; i < columns; ++i) cells.emplace_back(Trim(rows.Text(i)));
      TakeRow(cells, &import);
    }
  }
  if (!has_table) {
    return tl::unexpected(fmt::format("{}: this database has none of the tables advertisementKeys and networks", path));
  }
  return import;
}

}  // namespace

KeyImport ParseKeyTable(std::string_view text) {
  KeyImport import;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = Trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.starts_with('#')) continue;
    std::vector<std::string> cells;
    while (true) {
      const size_t cut = line.find_first_of("|,;\t");
      const std::string_view cell = Trim(line.substr(0, cut));
      if (!cell.empty()) cells.emplace_back(cell);
      if (cut == std::string_view::npos) break;
      line.remove_prefix(cut + 1);
    }
    TakeRow(cells, &import);
  }
  return import;
}

tl::expected<KeyImport, std::string> ReadKeysToImport(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return tl::unexpected(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  std::string start(kSqliteMagic.size(), '\0');
  file.read(start.data(), static_cast<std::streamsize>(start.size()));
  if (start == kSqliteMagic) return ReadDatabase(path);
  file.clear();
  file.seekg(0, std::ios::end);
  if (static_cast<size_t>(file.tellg()) > kMaxTableBytes) {
    return tl::unexpected(fmt::format("{} is too large for a table of keys", path));
  }
  file.seekg(0);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return ParseKeyTable(text);
}

}  // namespace vesta::app
