#include "app/data_directory.h"

#include "hub/store/sqlite_reader.h"
#include "hub/store/sqlite_restore.h"
#include "hub/store/sqlite_schema.h"

namespace vesta::app {

tl::expected<std::unique_ptr<DataDirectory>, std::string> OpenDataDirectory(const std::string& path) {
  const std::string file = path + "/vesta.db";
  auto opened = std::make_unique<DataDirectory>();
  auto db = hub::SqliteDb::Open(file, SQLITE_OPEN_READONLY, "");
  if (!db) return tl::unexpected(db.error().text);
  if (auto prepared = hub::PrepareReader(*db); !prepared) return tl::unexpected(prepared.error().text);
  hub::RestoredState state;
  if (auto restored = hub::RestoreTables(*db, &state); !restored) return tl::unexpected(restored.error().text);
  opened->directory.Restore(std::move(state.devices), std::move(state.series));
  opened->places.Restore(std::move(state.beds));
  opened->decoders.Restore(std::move(state.decoders), {});
  auto reader = hub::SqliteReader::Open(file, "");
  if (!reader) return tl::unexpected(reader.error().text);
  opened->reader = std::move(*reader);
  return opened;
}

}  // namespace vesta::app
