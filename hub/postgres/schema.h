// The tables of a hub in a PostgreSQL database, in a schema of its own. docs/formats/postgres.md describes them.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "hub/postgres/connection.h"
#include "hub/store/store.h"

namespace vesta::hub::postgres {

inline constexpr int kFormat = 1;
// Days that have a table of their own, ten years and more. Readings of days beyond go to one table for all of them.
inline constexpr int64_t kMaxDayTables = 4096;
inline constexpr int64_t kDayTablesAhead = 3;

// What is known of a database that was opened.
struct DatabaseFacts {
  bool is_made = false;  // the tables are there
  std::string origin;    // whose readings these are: of which data folder
  JournalNumber position = 0;
  int64_t position_series = 0;  // of the reading that bears that number, and its time
  UtcUs position_us = 0;
};

// Makes what is missing. An error for tables of a newer program or of another data folder.
tl::expected<DatabaseFacts, StoreError> PrepareDatabase(Connection& connection, const std::string& origin);
// Only looks.
tl::expected<DatabaseFacts, StoreError> LookAtDatabase(Connection& connection);

// "'...'" for SQL text.
std::string Quoted(std::string_view text);
// Whether readings of this time go to a table of their day, and the day's table.
bool HasDayTable(UtcUs time_us);
std::string DayTable(int64_t day);  // days since 1970
int64_t DayOf(UtcUs time_us);

// Everything about devices and series that a hub restores.
tl::expected<void, StoreError> ReadDirectory(Connection& connection, std::vector<Device>* devices,
                                             std::vector<Series>* series);
tl::expected<void, StoreError> WriteDirectory(Connection& connection, const std::vector<Device>& devices,
                                              const std::vector<Series>& series);

}  // namespace vesta::hub::postgres
