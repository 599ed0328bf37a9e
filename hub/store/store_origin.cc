#include "hub/store/store_origin.h"

#include <fmt/format.h>

#include <random>

#include "hub/store/sqlite_db.h"

namespace vesta::hub {

tl::expected<std::string, StoreError> OriginOfStore(const std::string& path) {
  auto db = SqliteDb::Open(path, SQLITE_OPEN_READWRITE, "");
  if (!db) return tl::unexpected(db.error());
  sqlite3_busy_timeout(db->get(), 10000);
  const auto ask = [&]() -> int64_t {
    Statement origin = db->Prepare("SELECT value FROM meta WHERE name = 'origin'");
    return origin.valid() && origin.Step() == SQLITE_ROW ? origin.Integer(0) : 0;
  };
  int64_t number = ask();
  if (number == 0) {
    std::random_device random;
    const auto drawn = static_cast<int64_t>((static_cast<uint64_t>(random()) << 31 ^ random()) >> 1 | 1);
    const std::string sql = fmt::format("PRAGMA synchronous=FULL; INSERT OR IGNORE INTO meta VALUES ('origin', {})",
                                        drawn);
    if (db->Execute(sql.c_str()) != SQLITE_OK) return tl::unexpected(db->Error("naming the store"));
    number = ask();
  }
  if (number == 0) return tl::unexpected(db->Error("naming the store"));
  return fmt::format("{:016x}", static_cast<uint64_t>(number));
}

}  // namespace vesta::hub
