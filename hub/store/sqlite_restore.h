// What the hub needs to go on where it was, read from the file once at start.
#pragma once

#include <string_view>
#include <tl/expected.hpp>

#include "hub/store/sqlite_db.h"
#include "hub/store/store.h"

namespace vesta::hub {

// Units and other enumerations stand in the file as their words, so that the tables read well and a new enumerator in
// the middle moves no meaning. As UnitText, and "unix_s" for the unit that has no text.
std::string_view StoredUnitText(Unit unit);

// Devices, series, beds and decoders.
tl::expected<void, StoreError> RestoreTables(SqliteDb& db, RestoredState* state);
// Devices and series only.
tl::expected<void, StoreError> RestoreDirectory(SqliteDb& db, RestoredState* state);

}  // namespace vesta::hub
