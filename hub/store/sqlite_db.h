// A SQLite connection and its statements as values that close themselves, and SQLite's result codes as StoreErrors.
//
// Thin on purpose: SQL stays visible where it is used. A call that fails leaves its message in the connection; Error()
// turns it into words that name the file and what to do.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "hub/store/store.h"

namespace vesta::hub {

// A prepared statement. Bind by position from 1, columns from 0, as SQLite counts them.
class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  bool valid() const { return statement_ != nullptr; }

  void BindInteger(int at, int64_t value) { sqlite3_bind_int64(statement_.get(), at, value); }
  void BindReal(int at, double value) { sqlite3_bind_double(statement_.get(), at, value); }
  void BindNull(int at) { sqlite3_bind_null(statement_.get(), at); }
  // The bytes must stay until the statement was run: they are not copied.
  void BindText(int at, std::string_view text) {
    sqlite3_bind_text(statement_.get(), at, text.empty() ? "" : text.data(), static_cast<int>(text.size()),
                      SQLITE_STATIC);
  }
  void BindBytes(int at, std::span<const uint8_t> bytes) {
    // A null pointer would store NULL instead of no bytes.
    if (bytes.empty()) {
      sqlite3_bind_zeroblob(statement_.get(), at, 0);
    } else {
      sqlite3_bind_blob(statement_.get(), at, bytes.data(), static_cast<int>(bytes.size()), SQLITE_STATIC);
    }
  }

  int Step() { return sqlite3_step(statement_.get()); }
  void Reset() { sqlite3_reset(statement_.get()); }
  // For a statement that gives no rows: SQLITE_DONE when it went well.
  int Run() {
    const int code = sqlite3_step(statement_.get());
    sqlite3_reset(statement_.get());
    return code;
  }

  int64_t Integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  double Real(int column) const { return sqlite3_column_double(statement_.get(), column); }
  bool IsNull(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }
  // Valid until the next Step or Reset.
  std::string_view Text(int column) const {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
    return {text == nullptr ? "" : text, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column))};
  }
  std::span<const uint8_t> Bytes(int column) const {
    const auto* bytes = static_cast<const uint8_t*>(sqlite3_column_blob(statement_.get(), column));
    return {bytes, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column))};
  }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// Resets a statement when its rows were read, so that no read transaction outlives the call.
class StatementReset {
 public:
  explicit StatementReset(Statement& statement) : statement_(statement) {}
  ~StatementReset() { statement_.Reset(); }
  StatementReset(const StatementReset&) = delete;
  StatementReset& operator=(const StatementReset&) = delete;

 private:
  Statement& statement_;
};

// A result code of a file of the store that is no database, in words. system_errno: 0 when it is not known.
StoreError FileError(const std::string& path, std::string_view doing, int code, int system_errno);

class SqliteDb {
 public:
  // Opens the file; flags as of sqlite3_open_v2. vfs empty: the system's.
  static tl::expected<SqliteDb, StoreError> Open(const std::string& path, int flags, const std::string& vfs);

  sqlite3* get() const { return db_.get(); }
  const std::string& path() const { return path_; }

  int Execute(const char* sql) { return sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr); }
  // Invalid when the SQL does not compile: the file is not what we think it is.
  Statement Prepare(const char* sql);
  // The first column of the first row; 0 when there is no row.
  tl::expected<int64_t, StoreError> Integer(const char* sql);

  // What the last call on this connection died of. `doing`: "writing readings". code: what is wrong when SQLite itself
  // has nothing to complain of.
  StoreError Error(std::string_view doing, int code = SQLITE_OK) const;

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  std::string path_;
  std::unique_ptr<sqlite3, Close> db_;
};

}  // namespace vesta::hub
