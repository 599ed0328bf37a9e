// A store file in a folder of its own for a test or benchmark, gone with it; and records made in one line.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "hub/store/sqlite_store.h"

namespace vesta::hub {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "vesta-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline std::unique_ptr<SqliteStore> OpenStore(const std::string& path, SqliteStoreOptions options = {}) {
  auto store = SqliteStore::Open(path, std::move(options));
  if (!store) {
    std::fprintf(stderr, "%s\n", store.error().text.c_str());
    std::abort();
  }
  return std::move(*store);
}

// Folds as soon as a few readings are there, so that a test need not make hours of them.
inline SqliteStoreOptions SmallFolds(uint64_t records = 100) {
  SqliteStoreOptions options;
  options.fold = {records / 2, records};
  options.segment_bytes = 16 * kSectorBytes;
  return options;
}

// Folds all that is due; returns the number of steps.
inline int FoldAll(Store& store) {
  int steps = 0;
  while (true) {
    const auto more = store.FoldStep();
    if (!more) {
      std::fprintf(stderr, "%s\n", more.error().text.c_str());
      std::abort();
    }
    if (!*more) return steps;
    ++steps;
  }
}

inline Record MakeRecord(JournalNumber number, SeriesId series, UtcUs time_us, Value value) {
  Record record;
  record.number = number;
  record.series = series;
  record.time_us = time_us;
  record.received_us = time_us + 250000;
  record.time_quality = TimeQuality::kDeviceClock;
  record.value = value;
  return record;
}

// Reals that are no number are equal to each other here.
inline bool SameValue(const Value& a, const Value& b) {
  if (a.kind() == ValueKind::kReal && b.kind() == ValueKind::kReal && a.real() != a.real()) return b.real() != b.real();
  if (a.kind() == ValueKind::kDecimal && b.kind() == ValueKind::kDecimal) {
    // Trailing zeros count: the digits are what the wire sent.
    return a.decimal().mantissa == b.decimal().mantissa && a.decimal().exponent == b.decimal().exponent;
  }
  return a == b;
}

inline bool SameRecord(const Record& a, const Record& b) {
  return a.number == b.number && a.series == b.series && a.index == b.index && a.quality == b.quality &&
         a.time_quality == b.time_quality && a.flags == b.flags && a.time_us == b.time_us &&
         a.received_us == b.received_us && a.frame == b.frame && SameValue(a.value, b.value);
}

}  // namespace vesta::hub
