// Reads the history of a store file: blocks of readings by series and time, or by journal number, and roll-up rows.
//
// Works inside the caller's transaction, on the caller's connection. Memory: the blocks that overlap one instant, each
// an hour of one series, whatever the span, and what it is told to keep.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "hub/store/block.h"
#include "hub/store/rollup.h"
#include "hub/store/sqlite_db.h"

namespace vesta::hub {

// A block's readings lie within this; so who looks for a time need not look at blocks that begin earlier than this.
inline constexpr int64_t kBlockSpan_us = 26ll * 3600 * kUsPerSecond;

// a - b without overflow.
inline UtcUs EarlierBy(UtcUs time_us, int64_t span_us) {
  return time_us < INT64_MIN + span_us ? INT64_MIN : time_us - span_us;
}

// Readings of a series in order of time and number, from elsewhere, to be mixed among those of the blocks.
class ReadingSource {
 public:
  virtual ~ReadingSource() = default;
  // The next one, if its time is not behind `until_us`; else nullptr. Good until Advance. Returns an SQLite code:
  // SQLITE_DONE when it went well.
  virtual int Peek(UtcUs until_us, const Record** record) = 0;
  virtual void Advance() = 0;
};

// Those of a list.
class ListedReadings final : public ReadingSource {
 public:
  explicit ListedReadings(const std::vector<Record>& records) : records_(records) {}
  int Peek(UtcUs, const Record** record) override {
    *record = at_ < records_.size() ? &records_[at_] : nullptr;
    return SQLITE_DONE;
  }
  void Advance() override { ++at_; }

 private:
  const std::vector<Record>& records_;
  size_t at_ = 0;
};

class HistoryRows {
 public:
  // Prepares its statements; the connection must outlive it. With `keep_unpacked` readings that were unpacked last are
  // kept, so that who reads page by page unpacks a block once.
  tl::expected<void, StoreError> Prepare(SqliteDb* db, size_t keep_unpacked = 0);

  // Readings of a series in order of time and number, from <= time < to and beyond from_number at from_us, those of
  // `extra` mixed in. take(record) returns false to stop. A record's text lives until take returns. Returns an SQLite
  // code: SQLITE_DONE when it went well.
  using Take = std::function<bool(const Record&)>;
  int Walk(DeviceId device, SeriesId series, UtcUs from_us, UtcUs to_us, JournalNumber from_number,
           ReadingSource* extra, const Take& take);
  // The newest reading at or before a time, if there is one; in journal order where times are equal.
  int AtOrBefore(DeviceId device, SeriesId series, UtcUs time_us, bool* found, RecordBatch* batch);
  // Readings with after < number, in order, at most `limit`, added to *batch.
  int ReadNumbers(JournalNumber after, JournalNumber last, size_t limit, RecordBatch* batch);
  // Improves the newest reading of each of the device's series (by series id, number 0: none yet) by what the blocks
  // have and `wanted` takes. Texts go to *texts.
  int Latest(DeviceId device, const std::vector<SeriesId>& series, const std::function<bool(const Record&)>& wanted,
             std::vector<Record>* latest, RecordBatch* texts);

  // A series' buckets of a level, from <= start < to, at most `limit`, in order.
  int ReadRollups(DeviceId device, SeriesId series, RollupLevel level, UtcUs from_us, UtcUs to_us, size_t limit,
                  std::vector<RollupBucket>* buckets);
  // A roll-up row's bytes; "" when there is none.
  int ReadRollupRow(DeviceId device, RollupLevel level, UtcUs start_us, std::string* box);
  // How many blocks of a device begin in a span: what a walk would cost.
  int CountBlocks(DeviceId device, UtcUs from_us, UtcUs to_us, uint64_t* blocks);

  Packer& packer() { return packer_; }

 private:
  struct Run {
    std::shared_ptr<const SeriesPart> part;
    size_t next = 0;
  };
  // A series' part of a block. Numbers are never given twice, so these three tell a block apart from any other.
  struct Unpacked {
    int64_t block = 0;
    int64_t first_number = 0;
    SeriesId series = 0;
    std::shared_ptr<const SeriesPart> part;
  };
  int ReadPart(std::string_view data, SeriesId series, SeriesPart* part, bool* there);
  // The part of the row at hand of by_time_; nullptr when the series is not in it.
  int KeptPart(SeriesId series, std::shared_ptr<const SeriesPart>* part);

  SqliteDb* db_ = nullptr;
  Packer packer_;
  Statement by_time_, before_, chunks_, backwards_, rollups_, rollup_, count_;
  std::vector<Arrival> arrivals_;
  size_t keep_unpacked_ = 0;
  size_t kept_records_ = 0;
  std::list<Unpacked> kept_;  // newest first
};

}  // namespace vesta::hub
