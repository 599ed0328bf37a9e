// What BlueZ over D-Bus costs the hub: adverts as bluetoothd sends them (a process of its own, on a real bus), counted
// when they come out of the scanner as datagrams. CPU of this process only, all threads.
#include <sys/resource.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>

#include "hub/sources/bluetooth/bluez_scanner.h"
#include "hub/sources/bluetooth/testing/private_bus.h"

namespace vesta::hub {
namespace {

constexpr int kAdverts = 10000;
// Microseconds of CPU an advert: 1,000 adverts a second are then 3 % of a core at most.
constexpr double kLimit_us = 30;

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

// CPU seconds for so many adverts of a company; negative when not all came.
double Hear(FakeBluez& bluez, boost::asio::io_context& io, const std::string& company,
            const std::function<bool(uint64_t)>& all_came) {
  const double before = CpuSeconds();
  for (int sent = 0; sent < kAdverts; sent += kAdverts / 20) {
    bluez.Do("repeat hci0 AA:BB:CC:DD:EE:01 " + std::to_string(kAdverts / 20) + " " + company);
    io.poll();
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!all_came(kAdverts)) {
    if (std::chrono::steady_clock::now() > end) return -1;
    io.run_one_for(std::chrono::milliseconds(10));
  }
  return CpuSeconds() - before;
}

int Run() {
  PrivateBus bus;
  bus.Start();
  FakeBluez bluez;
  bluez.Start();
  bluez.Do("adapter hci0 00:11:22:33:44:55");
  boost::asio::io_context io;
  const auto work = boost::asio::make_work_guard(io);
  bool scanning = false;
  uint64_t heard = 0;
  ScanOptions options;
  options.companies = {0x02E1};
  BluezScanner::Listener listener;
  listener.advert = [&](Bytes) { ++heard; };
  listener.status = [&](const ScanStatus& status) { scanning = status.IsScanning(); };
  const BluezScanner scanner(io, options, listener);
  while (!scanning) io.run_one();
  const double wanted = Hear(bluez, io, "02e1", [&](uint64_t n) { return heard + scanner.counts().dropped == n; });
  const double foreign = Hear(bluez, io, "004c", [&](uint64_t n) { return scanner.counts().foreign == n; });
  if (wanted < 0 || foreign < 0) {
    std::fprintf(stderr, "%llu heard, %llu dropped\n", static_cast<unsigned long long>(heard),
                 static_cast<unsigned long long>(scanner.counts().dropped));
    return 1;
  }
  const auto print = [](const char* name, double seconds) {
    const double each_us = seconds * 1e6 / kAdverts;
    std::printf("bar %s %.1f %.0f %s\n", name, each_us, kLimit_us, each_us <= kLimit_us ? "ok" : "short");
    return each_us <= kLimit_us;
  };
  const bool good = print("dbus_advert_cpu_us", wanted);
  return print("dbus_foreign_advert_cpu_us", foreign) && good ? 0 : 1;
}

}  // namespace
}  // namespace vesta::hub

int main() { return vesta::hub::Run(); }
