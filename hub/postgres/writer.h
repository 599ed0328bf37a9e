// Writes readings, in the order of their numbers, into a PostgreSQL database, each exactly once.
//
// A batch, the devices and series that are new, and the position after it are one transaction: whoever is killed when,
// the database has a batch whole or not at all and says itself how far it is. After a broken link Open asks it; so does
// whoever feeds the writer, and goes on from there. The roll-ups of an hour follow in a transaction of their own when
// the hour is over or got late readings; which ones are due is marked in the batch's transaction.
// It knows of no journal and no store: it can serve as the store's other half, as an output, and for copying.
// Blocks; used on one thread at a time.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "hub/postgres/schema.h"
#include "hub/store/rollup.h"

namespace vesta::hub::postgres {

// Late readings, and those that a device stamps a little behind, are waited for before an hour is rolled up.
inline constexpr int64_t kRollUpDelay_us = 120 * kUsPerSecond;
// Hours rolled up between two batches while there is much to write.
inline constexpr int kRollUpsPerBatch = 2;
// What is asked for a deletion's lock; a long query of somebody else is not waited for longer.
inline constexpr char kLockLimit[] = "5s";

class Writer {
 public:
  // origin tells data folders apart: a database that has another one's history is refused.
  Writer(ServerSettings settings, std::string origin, const Zone& zone, const std::atomic<bool>* stop = nullptr)
      : connection_(std::move(settings), stop), origin_(std::move(origin)), zone_(zone) {}

  // Connects, makes the tables that are missing, asks for the position.
  tl::expected<DatabaseFacts, StoreError> Open();
  void Close() { connection_.Close(); }
  bool is_open() const { return connection_.is_open() && !connection_.lost(); }
  JournalNumber position() const { return position_; }

  // Numbers grow and are beyond the position. Durable when it returns. After an error: Open.
  tl::expected<void, StoreError> Write(const RecordBatch& batch, const std::vector<Device>& devices,
                                       const std::vector<Series>& series);
  // Rolls up the oldest due hour that ends at or before a time. False: none was.
  tl::expected<bool, StoreError> RollUp(UtcUs until_us);

  // Deletes what is older than the retention says; returns how many tables and rows went.
  tl::expected<uint64_t, StoreError> Trim(const Retention& retention, UtcUs now_us);
  // Tables for the days to come.
  tl::expected<void, StoreError> MakeDaysAhead(UtcUs now_us);

 private:
  struct SeriesNote {
    bool counter = false;
    SeriesClass series_class = SeriesClass::kMeasurement;
  };
  using Hour = int64_t;  // since 1970
  using SeriesBuckets = std::map<SeriesId, std::vector<RollupBucket>>;

  void Note(const std::vector<Series>& series);
  tl::expected<void, StoreError> MakeDay(int64_t day);
  tl::expected<void, StoreError> MarkDue(const std::set<std::pair<SeriesId, Hour>>& hours);
  tl::expected<void, StoreError> InTransaction(const std::function<tl::expected<void, StoreError>()>& work);
  tl::expected<void, StoreError> MovePosition(JournalNumber number, SeriesId series, UtcUs time_us);
  tl::expected<void, StoreError> RollUpHour(Hour hour);
  tl::expected<void, StoreError> ReadBuckets(const std::string& series, RollupLevel level, UtcUs from_us, UtcUs to_us,
                                             SeriesBuckets* buckets);
  tl::expected<void, StoreError> MakeMinutes(const std::string& series, UtcUs hour_us, SeriesBuckets* minutes);
  tl::expected<uint64_t, StoreError> DropDays(int64_t before_day);
  tl::expected<uint64_t, StoreError> DropToSize(uint64_t max_bytes, UtcUs now_us);
  tl::expected<uint64_t, StoreError> TrimClass(SeriesClass series_class, UtcUs before_us);

  Connection connection_;
  std::string origin_;
  Zone zone_;
  JournalNumber position_ = 0;
  std::vector<SeriesNote> notes_;            // by series
  std::set<int64_t> days_;                   // with a table
  std::set<std::pair<SeriesId, Hour>> due_;  // marked already
};

}  // namespace vesta::hub::postgres
