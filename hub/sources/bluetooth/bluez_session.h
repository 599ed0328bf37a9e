// One life of a connection to the system bus: from the first look at BlueZ to the loss of the bus.
//
// Used on the scanner's thread only. Adverts and state go out through the Sink; whatever is not a lost bus is handled
// here, a lost bus leaves Serve() as sdbus::Error.
#pragma once

#include <sdbus-c++/sdbus-c++.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "hub/sources/bluetooth/bluez_message.h"
#include "hub/sources/bluetooth/bluez_scanner.h"
#include "hub/sources/bluetooth/bluez_words.h"

namespace vesta::hub {

class BluezSession {
 public:
  class Sink {
   public:
    virtual ~Sink() = default;
    virtual void OnAdvert(const ble::Advert& advert) = 0;
    virtual void OnForeign() = 0;
    virtual void OnStatus(const ScanStatus& status) = 0;
  };

  // wake_fd: readable when `stopping` was set.
  BluezSession(const ScanOptions& options, const std::atomic<bool>& stopping, int wake_fd, Sink& sink);
  // Returns when it is to stop.
  void Serve();

 private:
  struct Adapter {
    AdapterStatus status;
    std::string path;
    uint8_t number = 0;
    bool has_monitors = false;     // BlueZ offers passive listening
    bool passive_refused = false;  // and did not give it
    bool pending = false;          // an answer is being waited for
    int64_t retry_at_us = INT64_MIN;
    std::unique_ptr<sdbus::IProxy> proxy;
    std::unique_ptr<sdbus::IObject> monitor_root;
    std::unique_ptr<sdbus::IObject> monitor;
  };
  struct Known {
    std::string name;
    bool is_random = false;
    int16_t rssi_dbm = ble::kUnknownRssi;
    uint64_t heard = 0;  // a count that grows
  };

  void Subscribe();
  void LookAround();
  void TakeObject(ObjectProperties object, bool is_new);
  void TakeAdapter(const std::string& path, const AdapterProperties& properties);
  void TakeDevice(const std::string& path, const DeviceProperties& properties, bool is_heard);
  void SendAdvert(const std::string& path, const Known& known, const DeviceProperties& properties);
  Known& Remember(const std::string& path);
  void Forget(const std::string& path);
  void OnPropertiesChanged(sdbus::Message& message);
  void OnOwnerChanged(const std::string& owner);

  bool IsWanted(const Adapter& adapter) const;
  void Reconcile();
  void Begin(Adapter& adapter);
  void BeginPassive(Adapter& adapter);
  void ExportMonitor(Adapter& adapter, const std::string& root);
  void OnMonitorAnswer(const std::string& name, const sdbus::Error* error);
  void BeginDiscovery(Adapter& adapter);
  void EndListening(Adapter& adapter);
  void Fail(Adapter& adapter, const Trouble& trouble);
  void Publish();
  int PollTimeout() const;

  const ScanOptions& options_;
  const std::atomic<bool>& stopping_;
  const int wake_fd_;
  Sink& sink_;
  std::unique_ptr<sdbus::IConnection> bus_;
  bool has_bluez_ = false;
  bool dirty_ = true;
  std::map<std::string, Adapter> adapters_;  // by name
  std::unordered_map<std::string, Known> known_;
  uint64_t heard_ = 0;
};

}  // namespace vesta::hub
