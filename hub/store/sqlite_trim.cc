// Retention: what is too old or too much is deleted in short steps, whole blocks and roll-up rows at a time.
#include <algorithm>

#include "hub/store/sqlite_store.h"

namespace vesta::hub {
namespace {

constexpr int64_t kPageBytes = 4096;
constexpr int64_t kTrimRound_us = 24ll * 3600 * kUsPerSecond;

std::span<const uint8_t> BytesOf(const std::string& data) {
  return {reinterpret_cast<const uint8_t*>(data.data()), data.size()};
}

}  // namespace

tl::expected<uint64_t, StoreError> SqliteStore::TrimStep(const Retention& retention, UtcUs now_us,
                                                         JournalNumber up_to) {
  auto trimmed = TrimBlocks(retention, now_us, up_to);
  if (trimmed && *trimmed == 0) trimmed = TrimRollups(retention, now_us);
  if (trimmed && *trimmed == 0 && retention.max_bytes > 0) trimmed = TrimToSize(retention.max_bytes, up_to);
  // Once a day all is looked at again: blocks do not come in order of their times only.
  if (trimmed && *trimmed == 0 && now_us - trim_round_us_ > kTrimRound_us) {
    trim_round_us_ = now_us;
    trimmed_to_ = {};
  }
  Checkpoint();
  Measure();
  return trimmed;
}

// Each class on its own: a block loses the parts of the series whose class is too old, and goes with the last of them.
tl::expected<uint64_t, StoreError> SqliteStore::TrimBlocks(const Retention& retention, UtcUs now_us,
                                                           JournalNumber up_to) {
  struct Old {
    int64_t id;
    std::string data;  // what is left; "": nothing
    uint64_t readings_left;
  };
  std::vector<Old> old;
  uint64_t trimmed = 0;
  for (int one_class = 0; one_class < kSeriesClasses && old.empty(); ++one_class) {
    const int64_t keep_us = retention.readings_us[static_cast<size_t>(one_class)];
    if (keep_us <= 0) continue;
    const UtcUs before_us = EarlierBy(now_us, keep_us);
    Statement rows = db_.Prepare(
        "SELECT id, data, readings FROM block WHERE id > ? AND last_us < ? AND last_number <= ? ORDER BY id LIMIT ?");
    if (!rows.valid()) return tl::unexpected(db_.Error("looking for old readings"));
    int64_t& looked_to = trimmed_to_[static_cast<size_t>(one_class)];
    int code = SQLITE_ROW;
    while (code == SQLITE_ROW && old.empty()) {
      rows.BindInteger(1, looked_to);
      rows.BindInteger(2, before_us);
      rows.BindInteger(3, static_cast<int64_t>(std::min<uint64_t>(up_to, INT64_MAX)));
      rows.BindInteger(4, kTrimLook);
      int seen = 0;
      while ((code = rows.Step()) == SQLITE_ROW && old.size() < static_cast<size_t>(kTrimRows)) {
        ++seen;
        looked_to = rows.Integer(0);
        const auto bytes = rows.Bytes(1);
        BoxReader box;
        if (!box.Open({reinterpret_cast<const char*>(bytes.data()), bytes.size()})) continue;
        BoxWriter left;
        uint64_t kept = 0;
        uint64_t gone = 0;
        for (const PartEntry& part : box.parts()) {
          const SeriesFacts facts = part.owner < facts_.size() ? facts_[part.owner] : SeriesFacts{};
          const bool goes = part.owner != 0 && static_cast<int>(facts.series_class) == one_class;
          (goes ? gone : kept) += part.owner == 0 ? 0 : part.items;
          if (!goes) left.AddStored(part);
        }
        if (gone == 0) continue;
        old.push_back({rows.Integer(0), kept == 0 ? "" : left.Finish(), kept});
        trimmed += gone;
      }
      const bool more = code == SQLITE_ROW || seen == kTrimLook;
      rows.Reset();
      if (code != SQLITE_ROW && code != SQLITE_DONE) return tl::unexpected(db_.Error("looking for old readings"));
      code = more ? SQLITE_ROW : SQLITE_DONE;
    }
  }
  if (old.empty()) return 0;
  Statement drop = db_.Prepare("DELETE FROM block WHERE id = ?");
  Statement change = db_.Prepare("UPDATE block SET data = ?, readings = ? WHERE id = ?");
  if (!drop.valid() || !change.valid() || sql_.begin.Run() != SQLITE_DONE) {
    return tl::unexpected(db_.Error("starting to trim"));
  }
  int code = SQLITE_DONE;
  for (const Old& one : old) {
    if (one.data.empty()) {
      drop.BindInteger(1, one.id);
      code = drop.Run();
    } else {
      change.BindBytes(1, BytesOf(one.data));
      change.BindInteger(2, static_cast<int64_t>(one.readings_left));
      change.BindInteger(3, one.id);
      code = change.Run();
    }
    if (code != SQLITE_DONE) break;
  }
  if (code == SQLITE_DONE) code = sql_.commit.Run();
  if (code != SQLITE_DONE) {
    trimmed_to_ = {};
    return tl::unexpected(RollBack("trimming old readings"));
  }
  return trimmed;
}

tl::expected<uint64_t, StoreError> SqliteStore::TrimRollups(const Retention& retention, UtcUs now_us) {
  for (int level = 0; level < kRollupLevels; ++level) {
    const int64_t keep_us = retention.rollups_us[static_cast<size_t>(level)];
    if (keep_us <= 0) continue;
    // The row that the limit falls in stays.
    const UtcUs before_us = EarlierBy(now_us, keep_us);
    if (before_us < kRollupFirst_us) continue;
    Statement look =
        db_.Prepare("SELECT count(*) FROM (SELECT 1 FROM rollup WHERE level = ? AND start_us < ? LIMIT ?)");
    Statement drop = db_.Prepare(
        "DELETE FROM rollup WHERE (device, level, start_us) IN"
        " (SELECT device, level, start_us FROM rollup WHERE level = ? AND start_us < ? LIMIT ?)");
    if (!look.valid() || !drop.valid()) return tl::unexpected(db_.Error("looking for old roll-ups"));
    for (Statement* statement : {&look, &drop}) {
      statement->BindInteger(1, level);
      statement->BindInteger(2, RollupRowStart(static_cast<RollupLevel>(level), before_us));
      statement->BindInteger(3, kTrimRows);
    }
    if (look.Step() != SQLITE_ROW) return tl::unexpected(db_.Error("looking for old roll-ups"));
    const int64_t found = look.Integer(0);
    look.Reset();
    if (found == 0) continue;
    if (drop.Run() != SQLITE_DONE) return tl::unexpected(db_.Error("trimming old roll-ups"));
    return static_cast<uint64_t>(sqlite3_changes(db_.get()));
  }
  return 0;
}

tl::expected<uint64_t, StoreError> SqliteStore::TrimToSize(uint64_t max_bytes, JournalNumber up_to) {
  const auto pages = db_.Integer("PRAGMA page_count");
  const auto free = db_.Integer("PRAGMA freelist_count");
  if (!pages || !free) return tl::unexpected(db_.Error("measuring the store"));
  if (static_cast<uint64_t>((*pages - *free) * kPageBytes) <= max_bytes) return 0;
  Statement blocks =
      db_.Prepare("DELETE FROM block WHERE id IN (SELECT id FROM block WHERE last_number <= ? ORDER BY id LIMIT ?)");
  Statement rollups = db_.Prepare(
      "DELETE FROM rollup WHERE (device, level, start_us) IN"
      " (SELECT device, level, start_us FROM rollup WHERE level = ? ORDER BY start_us LIMIT ?)");
  if (!blocks.valid() || !rollups.valid()) return tl::unexpected(db_.Error("trimming to size"));
  blocks.BindInteger(1, static_cast<int64_t>(std::min<uint64_t>(up_to, INT64_MAX)));
  blocks.BindInteger(2, kTrimRows / 16);
  if (blocks.Run() != SQLITE_DONE) return tl::unexpected(db_.Error("trimming to size"));
  int changes = sqlite3_changes(db_.get());
  for (int level = 0; level < static_cast<int>(RollupLevel::kDay) && changes == 0; ++level) {
    rollups.BindInteger(1, level);
    rollups.BindInteger(2, kTrimRows);
    if (rollups.Run() != SQLITE_DONE) return tl::unexpected(db_.Error("trimming to size"));
    changes = sqlite3_changes(db_.get());
  }
  return static_cast<uint64_t>(changes);
}

tl::expected<UtcUs, StoreError> SqliteStore::OldestTime() {
  UtcUs oldest_us = kNoTime;
  const auto offer = [&](UtcUs time_us) {
    if (oldest_us == kNoTime || time_us < oldest_us) oldest_us = time_us;
  };
  Statement next = db_.Prepare("SELECT device, first_us FROM block WHERE device > ? ORDER BY device, first_us LIMIT 1");
  if (!next.valid()) return tl::unexpected(db_.Error("looking for the oldest reading"));
  int64_t device = -1;
  int code = SQLITE_ROW;
  while (code == SQLITE_ROW) {
    next.BindInteger(1, device);
    code = next.Step();
    if (code == SQLITE_ROW) {
      device = next.Integer(0);
      offer(next.Integer(1));
    }
    next.Reset();
  }
  if (code != SQLITE_DONE) return tl::unexpected(db_.Error("looking for the oldest reading"));
  const auto read = ForEachEntry([&](const Entry& entry, const JournalPlace&) {
    if (entry.head.last_number > journaled_.folded_to) offer(entry.head.first_us);
    return true;
  });
  if (!read) return tl::unexpected(read.error());
  return oldest_us;
}

}  // namespace vesta::hub
