#include "hub/export/open_data.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "hub/store/sqlite_reader.h"
#include "hub/store/sqlite_restore.h"

namespace vesta::hub {

tl::expected<OpenedData, std::string> OpenDataFolder(const std::string& folder) {
  const std::string path = folder + "/vesta.db";
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return tl::unexpected(fmt::format("{}: {}", path, std::strerror(errno)));
  auto db = SqliteDb::Open(path, SQLITE_OPEN_READONLY, "");
  if (!db) return tl::unexpected(db.error().text);
  OpenedData data;
  RestoredState state;
  if (auto done = RestoreDirectory(*db, &state); !done) return tl::unexpected(done.error().text);
  data.devices = std::move(state.devices);
  data.series = std::move(state.series);
  auto reader = SqliteReader::Open(path, "");
  if (!reader) return tl::unexpected(reader.error().text);
  data.reader = std::move(*reader);
  return data;
}

}  // namespace vesta::hub
