#include "hub/store/sqlite_db.h"

#include <fmt/format.h>

#include <cerrno>

namespace vesta::hub {
namespace {

StoreErrorKind KindOf(int extended_code, int system_errno) {
  switch (extended_code & 0xFF) {
    case SQLITE_FULL:
      return StoreErrorKind::kDiskFull;
    case SQLITE_READONLY:
      return StoreErrorKind::kReadOnly;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return StoreErrorKind::kCorrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return StoreErrorKind::kBusy;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      // SQLite knows ENOSPC of a write only; a quota or the growing of the shared memory file comes as an I/O error.
      if (system_errno == ENOSPC || system_errno == EDQUOT) return StoreErrorKind::kDiskFull;
      if (system_errno == EROFS || system_errno == EACCES || system_errno == EPERM) return StoreErrorKind::kReadOnly;
      return StoreErrorKind::kIo;
    default:
      return StoreErrorKind::kOther;
  }
}

std::string_view Advice(StoreErrorKind kind) {
  switch (kind) {
    case StoreErrorKind::kDiskFull:
      return "the disk is full: free some space; the hub goes on by itself then";
    case StoreErrorKind::kReadOnly:
      return "the file or its folder can't be written: check its owner, its permissions and whether the file system is "
             "mounted read-only";
    case StoreErrorKind::kCorrupt:
      return "the file is damaged or no Vesta store. Nothing was deleted. Stop the hub, move the file away together "
             "with "
             "its -wal file and keep them: `sqlite3 FILE .recover` saves most of it; the hub then starts with a new "
             "one";
    case StoreErrorKind::kBusy:
      return "another program holds the file locked: close it";
    case StoreErrorKind::kIo:
      return "the disk reports an error: check the kernel's log and the disk";
    case StoreErrorKind::kWrongVersion:
    case StoreErrorKind::kOther:
      return "";
  }
  return "";
}

}  // namespace

StoreError FileError(const std::string& path, std::string_view doing, int code, int system_errno) {
  const StoreErrorKind kind = KindOf(code, system_errno);
  std::string text = fmt::format("{}: {} failed: {} (SQLite {})", path, doing, sqlite3_errstr(code), code);
  const std::string_view advice = Advice(kind);
  if (!advice.empty()) text += fmt::format("; {}", advice);
  return {kind, std::move(text)};
}

tl::expected<SqliteDb, StoreError> SqliteDb::Open(const std::string& path, int flags, const std::string& vfs) {
  SqliteDb db;
  db.path_ = path;
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                                   vfs.empty() ? nullptr : vfs.c_str());
  db.db_.reset(handle);
  if (code != SQLITE_OK) return tl::unexpected(db.Error("opening the store"));
  return db;
}

Statement SqliteDb::Prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  sqlite3_prepare_v3(db_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  return Statement(statement);
}

tl::expected<int64_t, StoreError> SqliteDb::Integer(const char* sql) {
  Statement statement = Prepare(sql);
  if (!statement.valid()) return tl::unexpected(Error("reading"));
  const int code = statement.Step();
  if (code == SQLITE_DONE) return 0;
  if (code != SQLITE_ROW) return tl::unexpected(Error("reading"));
  return statement.Integer(0);
}

StoreError SqliteDb::Error(std::string_view doing, int code) const {
  if (db_ == nullptr) return {StoreErrorKind::kOther, fmt::format("{}: {}: out of memory", path_, doing)};
  const int last = sqlite3_extended_errcode(db_.get());
  const bool sqlite_failed = last != SQLITE_OK && last != SQLITE_ROW && last != SQLITE_DONE;
  if (sqlite_failed || code == SQLITE_OK) code = last;
  const StoreErrorKind kind = KindOf(code, sqlite3_system_errno(db_.get()));
  std::string text = fmt::format("{}: {} failed: {} (SQLite {})", path_, doing,
                                 sqlite_failed ? sqlite3_errmsg(db_.get()) : sqlite3_errstr(code), code);
  const std::string_view advice = Advice(kind);
  if (!advice.empty()) text += fmt::format("; {}", advice);
  return {kind, std::move(text)};
}

}  // namespace vesta::hub
