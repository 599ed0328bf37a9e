#include "app/doctor_bluetooth.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <map>

#include "hub/keys/key_check.h"

namespace vesta::app {
namespace {

constexpr uint16_t kVictronCompany = 0x02E1;
constexpr uint8_t kInstantReadout = 0x10;
constexpr size_t kOffSize = 4;  // what a device sends whose Instant Readout is off
constexpr size_t kKeyCheckEnd = 8;
// More devices than this are only counted.
constexpr size_t kMaxShown = 64;
// An adapter that does not answer in this time will not listen either.
constexpr double kStartLimit_s = 5;

constexpr int kGood_dbm = -70;
constexpr int kFair_dbm = -85;

struct Heard {
  uint64_t adverts = 0;
  int rssi_dbm = 0;
  std::chrono::steady_clock::time_point first;
  std::chrono::steady_clock::time_point last;
  std::vector<uint8_t> datagram;
};

std::string StrengthWords(int rssi_dbm) {
  if (rssi_dbm == ble::kUnknownRssi || rssi_dbm == 0) return "strength not known";
  return fmt::format("{} dBm ({})", rssi_dbm, rssi_dbm >= kGood_dbm ? "good" : rssi_dbm >= kFair_dbm ? "fair" : "weak");
}

std::string IntervalWords(const Heard& heard) {
  if (heard.adverts < 2) return "once";
  const double span_s = std::chrono::duration<double>(heard.last - heard.first).count();
  return fmt::format("every {:.1f} s", span_s / static_cast<double>(heard.adverts - 1));
}

std::string ContentWords(const Heard& heard) {
  const auto advert = ble::ReadAdvert(heard.datagram);
  const Bytes data = advert ? ble::FindManufacturerData(advert->data, kVictronCompany).value_or(Bytes()) : Bytes();
  if (data.empty() || data[0] != kInstantReadout) return "no Instant Readout (a VE.Smart network, or something else)";
  if (data.size() <= kOffSize) return "sends no values: switch on Instant readout in VictronConnect (Product info)";
  if (data.size() <= kKeyCheckEnd || data[kOffSize] == 0xFF) return "Instant Readout";
  return "Instant Readout, needs its key: `vesta keys check` tells whether you have it";
}

void TellAdapters(const hub::ScanStatus& status, PatientReport* patient) {
  patient->error = status.error;
  patient->hint = status.hint;
  for (const hub::AdapterStatus& adapter : status.adapters) {
    const std::string name =
        adapter.address.empty() ? adapter.name : fmt::format("{} ({})", adapter.name, adapter.address);
    if (adapter.mode != hub::ScanMode::kNone) {
      const bool passive = adapter.mode == hub::ScanMode::kPassive;
      patient->findings.push_back(fmt::format("{} listens {}", name, passive ? "passively" : "by discovery"));
      patient->well = true;
    } else {
      patient->findings.push_back(fmt::format("{}: {}", name, adapter.error));
      if (!adapter.hint.empty()) patient->findings.push_back("  what to do: " + adapter.hint);
    }
  }
}

void TellHeard(const std::map<uint64_t, Heard>& all, uint64_t foreign, double seconds, PatientReport* patient) {
  if (!patient->well) return;
  patient->findings.push_back(
      fmt::format("{} Victron devices heard in {:g} s, and {} adverts of other makers", all.size(), seconds, foreign));
  size_t shown = 0;
  for (const auto& [address, heard] : all) {
    if (shown++ == kMaxShown) {
      patient->findings.push_back(fmt::format("  and {} more", all.size() - kMaxShown));
      break;
    }
    patient->findings.push_back(fmt::format("  {}: {}, {}; {}", hub::DescribeHeard({address, heard.datagram}),
                                            StrengthWords(heard.rssi_dbm), IntervalWords(heard), ContentWords(heard)));
  }
  if (all.empty()) {
    patient->hint = foreign > 0 ? "the radio works: is a device near, and is its Bluetooth switched on?"
                                : "nothing at all is heard: is the adapter's antenna free of metal around it?";
  }
}

}  // namespace

PatientReport ExamineBluetooth(const hub::ScanOptions& options, double seconds) {
  using Clock = std::chrono::steady_clock;
  PatientReport patient;
  patient.where = "Bluetooth";
  boost::asio::io_context io(1);
  const auto work = boost::asio::make_work_guard(io);
  hub::ScanStatus status;
  std::map<uint64_t, Heard> all;
  hub::ScanOptions scan = options;
  scan.companies = {kVictronCompany};
  hub::BluezScanner::Listener listener;
  listener.status = [&](const hub::ScanStatus& news) { status = news; };
  listener.advert = [&](Bytes datagram) {
    const auto advert = ble::ReadAdvert(datagram);
    if (!advert) return;
    Heard& heard = all[advert->address];
    if (heard.adverts++ == 0) heard.first = Clock::now();
    heard.last = Clock::now();
    heard.rssi_dbm = advert->rssi_dbm;
    heard.datagram.assign(datagram.begin(), datagram.end());
  };
  const hub::BluezScanner scanner(io, scan, std::move(listener));
  const auto run_until = [&](double limit_s, const auto& over) {
    const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(limit_s));
    while (Clock::now() < end && !over()) io.run_one_for(std::chrono::milliseconds(20));
  };
  run_until(kStartLimit_s, [&] {
    bool told = !status.error.empty();
    for (const hub::AdapterStatus& adapter : status.adapters) told |= !adapter.error.empty();
    return told || status.IsScanning();
  });
  if (status.IsScanning()) run_until(seconds, [] { return false; });
  TellAdapters(status, &patient);
  TellHeard(all, scanner.counts().foreign, seconds, &patient);
  return patient;
}

}  // namespace vesta::app
