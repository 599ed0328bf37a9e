#include "hub/audit/audit_trail.h"

#include <spdlog/spdlog.h>

#include <chrono>

namespace vesta::hub {

AuditTrail::AuditTrail(const Clock& clock, std::string directory, AuditLogOptions options)
    : clock_(clock),
      directory_(std::move(directory)),
      log_(directory_, options),
      writer_("vesta-audit", kMaxWaitingEntries) {}

AuditTrail::~AuditTrail() { Close(); }

void AuditTrail::Record(std::string_view actor, std::string_view action, AuditDetails details) {
  const Now now = clock_.Read();
  AuditEntry entry;
  entry.time_us = now.utc_us;
  entry.clock = now.clock;
  entry.actor = actor;
  entry.action = action;
  entry.details = std::move(details);
  if (untold_ > 0) {
    AuditEntry missing = entry;
    missing.actor = "hub";
    missing.action = "entries_lost";
    missing.details = {{"count", std::to_string(untold_)}};
    if (Post(std::move(missing))) untold_ = 0;
  }
  if (Post(std::move(entry))) return;
  ++untold_;
  const std::lock_guard<std::mutex> guard(mutex_);
  ++health_.lost;
}

void AuditTrail::RecordOften(const std::string& key, std::string_view actor, std::string_view action,
                             AuditDetails details) {
  constexpr int64_t kHour_us = 3600 * kUsPerSecond;
  const bool room = allowances_.size() < kMaxAuditKeys || allowances_.count(key) > 0;
  Allowance& allowance = allowances_[room ? key : std::string()];
  const int64_t now_us = clock_.Read().monotonic_us;
  if (allowance.hour_began_us == INT64_MIN || now_us - allowance.hour_began_us >= kHour_us) {
    allowance.hour_began_us = now_us;
    allowance.entries = 0;
  }
  if (allowance.entries >= kMaxEntriesPerHour) {
    ++allowance.left_out;
    const std::lock_guard<std::mutex> guard(mutex_);
    ++health_.left_out;
    return;
  }
  ++allowance.entries;
  if (allowance.left_out > 0) {
    details.emplace_back("left_out_before", std::to_string(std::exchange(allowance.left_out, 0)));
  }
  Record(actor, action, std::move(details));
}

bool AuditTrail::Post(AuditEntry entry) {
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    ++health_.waiting;
  }
  if (writer_.Post([this, entry = std::move(entry)] { Write(entry); })) return true;
  const std::lock_guard<std::mutex> guard(mutex_);
  --health_.waiting;
  return false;
}

void AuditTrail::Write(AuditEntry entry) {
  while (true) {
    const auto written = log_.Append(entry);
    std::unique_lock<std::mutex> lock(mutex_);
    if (written) {
      if (!health_.error.empty()) spdlog::info("the audit log can be written again");
      health_.error.clear();
      ++health_.entries;
      --health_.waiting;
      health_.last_number = log_.last_number();
      health_.last_hash = log_.last_hash();
      return;
    }
    if (health_.error != written.error()) spdlog::error("the audit log: {}; entries wait in memory", written.error());
    health_.error = written.error();
    if (!closing_) {
      wake_.wait_for(lock, std::chrono::microseconds(kAuditRetry_us), [this] { return closing_; });
      if (!closing_) continue;
    }
    --health_.waiting;
    ++health_.lost;
    return;
  }
}

AuditHealth AuditTrail::health() const {
  const std::lock_guard<std::mutex> guard(mutex_);
  return health_;
}

void AuditTrail::Close() {
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    closing_ = true;
  }
  wake_.notify_all();
  writer_.Stop();
}

}  // namespace vesta::hub
