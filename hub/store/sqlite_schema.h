// The tables of a store file and how a connection to it is set up. The format is docs/formats/store.md.
#pragma once

#include <tl/expected.hpp>

#include "hub/store/sqlite_db.h"

namespace vesta::hub {

// PRAGMA user_version of a file that this program writes. A newer file is refused, never guessed at; the tables of an
// older one are brought up to date when it is opened for writing, its readings chunk by chunk behind that (format 2
// kept them as rows in the table `reading`, which is there until the last of them is folded).
inline constexpr int64_t kStoreVersion = 3;
// PRAGMA application_id: "Vest".
inline constexpr int64_t kStoreApplicationId = 0x56657374;

// Page caches, in KiB. The writer touches a few pages per commit and folds in order of series, so more than this is
// not faster; the reader walks indexes in order.
inline constexpr int kWriterCacheKib = 1024;
inline constexpr int kReaderCacheKib = 512;
// Pages in the write-ahead log after which they are copied to the file itself. Each copy costs two fsyncs and writes a
// page once however often it changed since, so a larger log wears a card less; this one stays below 4 MiB.
inline constexpr int kCheckpointPages = 960;
// A log that grew beyond this (a reader was in the way) is cut when it starts anew.
inline constexpr int kLogBytesMax = 8 << 20;
// How long a writer waits for another program that holds the file locked.
inline constexpr int kBusyTimeout_ms = 5000;

// Makes the tables in a new file, refuses one that is not ours, and sets the connection up for writing. fsync false
// is for the proof that the power-cut test notices.
tl::expected<void, StoreError> PrepareWriter(SqliteDb& db, bool fsync);
tl::expected<void, StoreError> PrepareReader(SqliteDb& db);

}  // namespace vesta::hub
