// A store whose history is kept in PostgreSQL: the data folder takes the commits and keeps some days, readers see both.
//
// Everything that must be durable at once goes to the folder alone; the Follower brings it to the database behind the
// commits. When the server is away nothing is held up.
#pragma once

#include <memory>
#include <string>

#include "hub/postgres/connection.h"
#include "hub/store/store.h"
#include "model/calendar.h"

namespace vesta::hub::postgres {

// Days of readings and roll-ups that the folder keeps beside the database: the newest charts need no server then, and
// what a database that was put back from a backup lacks goes there again.
inline constexpr int64_t kFolderKeepDays = 7;

// What the folder keeps of what is to be kept. Days are kept for ever, as always.
Retention FolderRetention(const Retention& wanted);

class DatabaseStore final : public Store {
 public:
  DatabaseStore(std::unique_ptr<Store> folder, ServerSettings server, const Zone& zone)
      : folder_(std::move(folder)), server_(std::move(server)), zone_(zone) {}

  tl::expected<RestoredState, StoreError> Restore() override { return folder_->Restore(); }
  tl::expected<void, StoreError> Commit(const CommitUnit& unit) override { return folder_->Commit(unit); }
  tl::expected<bool, StoreError> FoldStep() override { return folder_->FoldStep(); }
  tl::expected<uint64_t, StoreError> TrimStep(const Retention& retention, UtcUs now_us, JournalNumber up_to) override {
    return folder_->TrimStep(retention, now_us, up_to);
  }
  tl::expected<UtcUs, StoreError> OldestTime() override { return folder_->OldestTime(); }
  tl::expected<std::unique_ptr<StoreReader>, StoreError> OpenReader() override;
  uint64_t SizeBytes() const override { return folder_->SizeBytes(); }

 private:
  std::unique_ptr<Store> folder_;
  ServerSettings server_;
  Zone zone_;
};

}  // namespace vesta::hub::postgres
