#include "hub/sources/reconnecting.h"

#include <fmt/format.h>

#include <algorithm>

namespace vesta::hub {
namespace {

class HeldSource final : public Source {
 public:
  explicit HeldSource(std::shared_ptr<Reconnecting> core) : core_(std::move(core)) {}
  ~HeldSource() override { core_->Stop(); }
  void Start() override { core_->Start(); }
  void Stop() override { core_->Stop(); }

 private:
  std::shared_ptr<Reconnecting> core_;
};

}  // namespace

std::unique_ptr<Source> MakeHeldSource(std::shared_ptr<Reconnecting> core) {
  return std::make_unique<HeldSource>(std::move(core));
}

Reconnecting::Reconnecting(boost::asio::io_context& io, SourceConfig config, Line& line, const StreamTiming& timing)
    : io_(io),
      config_(std::move(config)),
      line_(line),
      timing_(timing),
      back_off_(timing.back_off_first_us, timing.back_off_last_us),
      retry_(io) {}

void Reconnecting::Start() {
  if (stopped_ || std::exchange(started_, true)) return;
  Try();
}

void Reconnecting::Stop() {
  if (std::exchange(stopped_, true)) return;
  retry_.cancel();
  Release();
}

void Reconnecting::Established() {
  line_.health().hint.clear();
  line_.Opened();
}

void Reconnecting::Lost(const std::string& why, const std::string& hint, bool data_flowed) {
  if (stopped_) return;
  Release();
  line_.health().hint = hint;
  line_.Closed(why, false);
  if (data_flowed) back_off_.Reset();
  if (!stopped_) TryAfter(back_off_.Next());
}

void Reconnecting::Missing(const std::string& why, const std::string& hint) {
  if (stopped_) return;
  Release();
  line_.health().hint = hint;
  line_.Closed(why, false);
  if (!stopped_) TryAfter(std::chrono::microseconds(timing_.missing_port_us));
}

void Reconnecting::Failed(const std::string& why) {
  if (stopped_) return;
  Release();
  line_.Closed(why, true);
}

std::chrono::microseconds Reconnecting::SilenceLimit() const {
  if (config_.silence_timeout_s > 0) return std::chrono::seconds(config_.silence_timeout_s);
  const std::optional<int64_t> interval_us = line_.health().interval_us;
  if (!interval_us) return std::chrono::microseconds(timing_.silence_unknown_us);
  return std::chrono::microseconds(std::max(timing_.silent_intervals * *interval_us, timing_.silence_least_us));
}

std::string Reconnecting::SilenceWords() const {
  return fmt::format("nothing came for {} s", std::chrono::duration_cast<std::chrono::seconds>(SilenceLimit()).count());
}

void Reconnecting::Try() {
  line_.Opening();
  if (!stopped_) Open();
}

void Reconnecting::TryAfter(std::chrono::microseconds wait) {
  retry_.expires_after(wait);
  retry_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error && !self->stopped_) self->Try();
  });
}

}  // namespace vesta::hub
