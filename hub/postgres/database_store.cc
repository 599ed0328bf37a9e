#include "hub/postgres/database_store.h"

#include <algorithm>
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

Retention FolderRetention(const Retention& wanted) {
  constexpr int64_t kKeep_us = kFolderKeepDays * kDay_us;
  Retention retention = wanted;
  for (int64_t& keep_us : retention.readings_us) keep_us = keep_us == 0 ? kKeep_us : std::min(keep_us, kKeep_us);
  for (int level = 0; level < static_cast<int>(RollupLevel::kDay); ++level) {
    int64_t& keep_us = retention.rollups_us[static_cast<size_t>(level)];
    keep_us = keep_us == 0 ? kKeep_us : std::min(keep_us, kKeep_us);
  }
  retention.max_bytes = 0;
  return retention;
}

tl::expected<std::unique_ptr<StoreReader>, StoreError> DatabaseStore::OpenReader() {
  auto folder = folder_->OpenReader();
  if (!folder) return folder;
  return std::make_unique<Reader>(server_, zone_, std::move(*folder), FolderCompleteFrom);
}

}  // namespace vesta::hub::postgres
