#include "hub/postgres/database_store.h"

#include <chrono>

#include "hub/postgres/reader.h"

namespace vesta::hub::postgres {
namespace {

constexpr int64_t kDay_us = 86400 * kUsPerSecond;

// A day less than what is kept, since the question may take its time and the clock may step.
UtcUs FolderCompleteFrom() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count() - (kFolderKeepDays - 1) * kDay_us;
}

}  // namespace

Retention FolderRetention() {
  Retention retention = Retention::Readings(kFolderKeepDays * kDay_us);
  retention.rollups_us = {kFolderKeepDays * kDay_us, kFolderKeepDays * kDay_us, kFolderKeepDays * kDay_us, 0};
  return retention;
}

tl::expected<std::unique_ptr<StoreReader>, StoreError> DatabaseStore::OpenReader() {
  auto folder = folder_->OpenReader();
  if (!folder) return folder;
  return std::make_unique<Reader>(server_, zone_, std::move(*folder), FolderCompleteFrom);
}

}  // namespace vesta::hub::postgres
