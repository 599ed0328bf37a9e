// Listens to Bluetooth LE adverts through BlueZ, on all or some adapters, for as long as it lives.
//
// It runs on a thread of its own, since D-Bus calls wait for others, and hands adverts over in the form of
// protocols/ble_advert.h through a bounded queue: a main thread that is late loses the newest and counts them, and
// never waits for D-Bus. Each adapter listens passively by an advertisement monitor where BlueZ offers one (it sends
// nothing into the air), else by discovery with duplicates. Adapters come and go, bluetoothd and the bus itself
// restart: it notices and begins again. Facts: BlueZ doc/adapter-api.txt, doc/device-api.txt,
// doc/advertisement-monitor-api.txt.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "model/session.h"
#include "protocols/ble_advert.h"

namespace vesta::hub {

enum class ScanMode : uint8_t { kNone = 0, kPassive = 1, kDiscovery = 2 };

struct ScanOptions {
  std::vector<std::string> adapters;  // "hci0" or an adapter's address; none: all there are
  std::string mode = "auto";          // "auto", "passive", "discovery"
  std::vector<uint16_t> companies;    // whose manufacturer data is wanted; others are only counted
  std::string rfkill = "/sys/class/rfkill";
  int64_t retry_us = 5 * kUsPerSecond;  // until what failed is tried again
};

struct AdapterStatus {
  std::string name;     // "hci0"
  std::string address;  // of the adapter; "" when not known
  bool present = false;
  bool powered = false;
  ScanMode mode = ScanMode::kNone;
  std::string error;  // why it does not listen, in words for people
  std::string hint;   // what to do about it
};

struct ScanStatus {
  std::vector<AdapterStatus> adapters;
  std::string error;  // no bus, no bluetoothd, no adapter: nothing can be heard
  std::string hint;

  bool IsScanning() const;
};

struct ScanCounts {
  uint64_t foreign = 0;  // adverts without data of a wanted company
  uint64_t dropped = 0;  // the queue was full
};

// Adverts that wait for the main thread: some seconds of a busy place.
inline constexpr size_t kAdvertQueueMax = 1024;
// Devices whose name and address type are remembered; beyond this the one heard longest ago is forgotten.
inline constexpr size_t kKnownDevicesMax = 1024;
// Adapters of one machine that are looked at.
inline constexpr size_t kAdaptersMax = 16;

class BluezScanner {
 public:
  struct Listener {
    // Both on the main thread. The datagram is valid during the call.
    std::function<void(Bytes datagram)> advert;
    std::function<void(const ScanStatus& status)> status;
  };

  // Throws nothing; what goes wrong is told as status.
  BluezScanner(boost::asio::io_context& io, ScanOptions options, Listener listener);
  ~BluezScanner();  // ends the thread; the listener is not called any more

  ScanCounts counts() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace vesta::hub
