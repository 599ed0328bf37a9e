#include "hub/store/store_origin.h"

#include <fmt/format.h>

#include <cstdlib>
#include <random>

#include "hub/store/sqlite_db.h"

namespace vesta::hub {
namespace {

int64_t AskOrigin(SqliteDb& db) {
  Statement origin = db.Prepare("SELECT value FROM meta WHERE name = 'origin'");
  return origin.valid() && origin.Step() == SQLITE_ROW ? origin.Integer(0) : 0;
}

// The number that is there afterwards: this one, unless there was one.
tl::expected<int64_t, StoreError> KeepOrigin(const std::string& path, int64_t number) {
  auto db = SqliteDb::Open(path, SQLITE_OPEN_READWRITE, "");
  if (!db) return tl::unexpected(db.error());
  sqlite3_busy_timeout(db->get(), 10000);
  int64_t kept = AskOrigin(*db);
  if (kept == 0) {
    const std::string sql =
        fmt::format("PRAGMA synchronous=FULL; INSERT OR IGNORE INTO meta VALUES ('origin', {})", number);
    if (db->Execute(sql.c_str()) != SQLITE_OK) return tl::unexpected(db->Error("naming the store"));
    kept = AskOrigin(*db);
  }
  if (kept == 0) return tl::unexpected(db->Error("naming the store"));
  return kept;
}

std::string OriginText(int64_t number) { return fmt::format("{:016x}", static_cast<uint64_t>(number)); }

}  // namespace

tl::expected<std::string, StoreError> OriginOfStore(const std::string& path) {
  std::random_device random;
  const auto drawn = static_cast<int64_t>((static_cast<uint64_t>(random()) << 31 ^ random()) >> 1 | 1);
  const auto kept = KeepOrigin(path, drawn);
  if (!kept) return tl::unexpected(kept.error());
  return OriginText(*kept);
}

tl::expected<void, StoreError> TakeOriginOf(const std::string& origin, const std::string& path) {
  const auto kept = KeepOrigin(path, static_cast<int64_t>(std::strtoull(origin.c_str(), nullptr, 16)));
  if (!kept) return tl::unexpected(kept.error());
  if (OriginText(*kept) == origin) return {};
  return tl::unexpected(StoreError{StoreErrorKind::kOther, path + " has the history of another data folder"});
}

}  // namespace vesta::hub
