// The two small tables of beds and decoders. They came after the first files were written, so they are made where they
// are missing; a program that does not know them leaves them alone.
#pragma once

#include <tl/expected.hpp>

#include "hub/store/sqlite_db.h"
#include "hub/store/store.h"

namespace vesta::hub {

tl::expected<void, StoreError> MakeWardTables(SqliteDb& db);

// Inside a transaction; returns an SQLite code.
int WriteWard(SqliteDb& db, const CommitUnit& unit);

tl::expected<void, StoreError> RestoreWard(SqliteDb& db, RestoredState* state);

}  // namespace vesta::hub
