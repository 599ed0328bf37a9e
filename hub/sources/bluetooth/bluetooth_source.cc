#include "hub/sources/bluetooth/bluetooth_source.h"

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <string>
#include <utility>

namespace vesta::hub {
namespace {

constexpr uint16_t kVictronCompany = 0x02E1;
// How often the scanner's own counters go to the health page.
constexpr auto kCountEvery = std::chrono::seconds(1);

class BluetoothSource final : public Source {
 public:
  BluetoothSource(boost::asio::io_context& io, ScanOptions options, Line& line)
      : io_(io), options_(std::move(options)), line_(line), count_(io) {}
  ~BluetoothSource() override { Stop(); }

  void Start() override {
    if (scanner_ != nullptr || stopped_) return;
    line_.Opening();
    BluezScanner::Listener listener;
    listener.advert = [this](Bytes datagram) { line_.Received(datagram); };
    listener.status = [this](const ScanStatus& status) { OnStatus(status); };
    scanner_ = std::make_unique<BluezScanner>(io_, options_, std::move(listener));
    CountLater();
  }

  void Stop() override {
    stopped_ = true;
    count_.cancel();
    scanner_.reset();
  }

 private:
  void OnStatus(const ScanStatus& status) {
    std::string where;
    std::string error = status.error;
    std::string hint = status.hint;
    for (const AdapterStatus& adapter : status.adapters) {
      if (adapter.mode != ScanMode::kNone) {
        where += (where.empty() ? "" : ", ") + adapter.name;
        where += adapter.mode == ScanMode::kPassive ? " passive" : " discovery";
      } else if (error.empty()) {
        error = adapter.error;
        hint = adapter.hint;
      }
    }
    if (!status.IsScanning()) {
      open_ = false;
      line_.health().hint = hint;
      if (error.empty()) return line_.Opening();  // an answer of BlueZ is being waited for
      return line_.Closed(error, false);
    }
    line_.health().where = where;
    if (!std::exchange(open_, true)) line_.Opened();
    // One adapter of several that does not listen is no reason to call the source closed.
    line_.health().hint = error.empty() ? "" : error + ": " + hint;
  }

  void CountLater() {
    count_.expires_after(kCountEvery);
    count_.async_wait([this](const boost::system::error_code& error) {
      if (error || scanner_ == nullptr) return;
      Count();
      CountLater();
    });
  }

  void Count() {
    const ScanCounts counts = scanner_->counts();
    if (const uint64_t more = counts.foreign - std::exchange(counted_.foreign, counts.foreign); more > 0) {
      line_.health().frames_rejected["foreign"] += more;
    }
    if (const uint64_t more = counts.dropped - std::exchange(counted_.dropped, counts.dropped); more > 0) {
      line_.health().frames_discarded["queue_full"] += more;
    }
  }

  boost::asio::io_context& io_;
  const ScanOptions options_;
  Line& line_;
  boost::asio::steady_timer count_;
  ScanCounts counted_;
  bool open_ = false;
  bool stopped_ = false;
  std::unique_ptr<BluezScanner> scanner_;
};

}  // namespace

ScanOptions ScanOptionsOf(const SourceConfig& config) {
  ScanOptions options;
  options.adapters = config.adapters;
  options.mode = config.mode;
  options.companies = {kVictronCompany};  // the only protocol that is heard in adverts
  return options;
}

std::unique_ptr<Source> MakeBluetoothSource(boost::asio::io_context& io, ScanOptions options, Line& line) {
  return std::make_unique<BluetoothSource>(io, std::move(options), line);
}

std::unique_ptr<Source> MakeBluetoothSource(boost::asio::io_context& io, const SourceConfig& config, Line& line) {
  return MakeBluetoothSource(io, ScanOptionsOf(config), line);
}

}  // namespace vesta::hub
