#include "hub/sources/bluetooth/bluez_session.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <utility>

namespace vesta::hub {
namespace {

constexpr char kBusName[] = "org.freedesktop.DBus";
constexpr char kObjectManager[] = "org.freedesktop.DBus.ObjectManager";
constexpr char kProperties[] = "org.freedesktop.DBus.Properties";
// bluetoothd that does not answer in this time is treated as one that failed.
constexpr uint64_t kCallTimeout_us = 3 * kUsPerSecond;
// Messages taken before the state is looked at again.
constexpr int kMessagesPerTurn = 256;
// Bounds of the monitor's signal strengths that let everything through; BlueZ wants the high one above the low one.
constexpr int16_t kRssiLow_dbm = -127;
constexpr int16_t kRssiHigh_dbm = -126;
constexpr uint16_t kRssiTimeout_s = 1;

int64_t MonotonicUs() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * kUsPerSecond + time.tv_nsec / 1000;
}

std::string Rule(const char* sender, const char* interface, const char* member, const char* more) {
  return fmt::format("type='signal',sender='{}',interface='{}',member='{}'{}", sender, interface, member, more);
}

// A handler that a message with another shape than it should have does no harm to: such a message is left out.
template <typename Handle>
sdbus::message_handler Guarded(Handle handle) {
  return [handle](sdbus::Message& message) {
    try {
      handle(message);
    } catch (const sdbus::Error&) {
    }
  };
}

}  // namespace

BluezSession::BluezSession(const ScanOptions& options, const std::atomic<bool>& stopping, int wake_fd, Sink& sink)
    : options_(options), stopping_(stopping), wake_fd_(wake_fd), sink_(sink), bus_(sdbus::createSystemBusConnection()) {
  bus_->setMethodCallTimeout(kCallTimeout_us);
  Subscribe();
}

void BluezSession::Subscribe() {
  bus_->addMatch(Rule(kBusName, kBusName, "NameOwnerChanged", ",arg0='org.bluez'"),
                 Guarded([this](sdbus::Message& message) {
                   std::string name;
                   std::string old_owner;
                   std::string owner;
                   message >> name >> old_owner >> owner;
                   OnOwnerChanged(owner);
                 }),
                 sdbus::floating_slot);
  bus_->addMatch(Rule(kBluezName, kObjectManager, "InterfacesAdded", ""),
                 Guarded([this](sdbus::Message& message) { TakeObject(ReadObject(message), true); }),
                 sdbus::floating_slot);
  bus_->addMatch(Rule(kBluezName, kObjectManager, "InterfacesRemoved", ""), Guarded([this](sdbus::Message& message) {
                   sdbus::ObjectPath path;
                   std::vector<std::string> interfaces;
                   message >> path >> interfaces;
                   for (const std::string& interface : interfaces) {
                     if (interface == kAdapterInterface || interface == kDeviceInterface) return Forget(path);
                   }
                 }),
                 sdbus::floating_slot);
  bus_->addMatch(Rule(kBluezName, kProperties, "PropertiesChanged", ",path_namespace='/org/bluez'"),
                 Guarded([this](sdbus::Message& message) { OnPropertiesChanged(message); }), sdbus::floating_slot);
}

void BluezSession::Serve() {
  const auto daemon = sdbus::createProxy(*bus_, kBusName, "/org/freedesktop/DBus");
  bool owned = false;
  daemon->callMethod("NameHasOwner").onInterface(kBusName).withArguments(std::string(kBluezName)).storeResultsTo(owned);
  if (owned) OnOwnerChanged("bluetoothd");
  while (!stopping_) {
    for (int i = 0; i < kMessagesPerTurn && bus_->processPendingRequest(); ++i) {
    }
    Reconcile();
    Publish();
    const sdbus::IConnection::PollData bus = bus_->getEventLoopPollData();
    pollfd polled[] = {{bus.fd, bus.events, 0}, {wake_fd_, POLLIN, 0}};
    int wait_ms = bus.getPollTimeout();
    const int own_ms = PollTimeout();
    if (wait_ms < 0 || (own_ms >= 0 && own_ms < wait_ms)) wait_ms = own_ms;
    poll(polled, std::size(polled), wait_ms);
    if ((polled[0].revents & (POLLHUP | POLLERR)) != 0)
      throw sdbus::Error("vesta.BusLost", "the bus closed the connection");
  }
}

int BluezSession::PollTimeout() const {
  int64_t next_us = INT64_MAX;
  for (const auto& [name, adapter] : adapters_) {
    const bool waits = adapter.status.powered && adapter.status.mode == ScanMode::kNone && !adapter.pending;
    if (waits && IsWanted(adapter)) next_us = std::min(next_us, adapter.retry_at_us);
  }
  if (next_us == INT64_MAX) return -1;
  return static_cast<int>(std::clamp<int64_t>((next_us - MonotonicUs()) / 1000 + 1, 0, 60000));
}

void BluezSession::OnOwnerChanged(const std::string& owner) {
  adapters_.clear();
  known_.clear();
  has_bluez_ = !owner.empty();
  dirty_ = true;
  if (has_bluez_) LookAround();
}

// Everything that is there; signals that come meanwhile wait and are taken afterwards.
void BluezSession::LookAround() {
  try {
    const auto root = sdbus::createProxy(*bus_, kBluezName, "/");
    sdbus::MethodCall call = root->createMethodCall(kObjectManager, "GetManagedObjects");
    sdbus::MethodReply reply = root->callMethod(call);
    for (ObjectProperties& object : ReadObjects(reply)) TakeObject(std::move(object), false);
  } catch (const sdbus::Error&) {
    has_bluez_ = false;  // it is gone again; its next owner is told by signal
  }
}

void BluezSession::TakeObject(ObjectProperties object, bool is_new) {
  if (object.adapter) TakeAdapter(object.path, *object.adapter);
  if (object.monitor_types) {
    const auto found = adapters_.find(std::string(AdapterOfPath(object.path)));
    const auto& types = *object.monitor_types;
    if (found != adapters_.end()) {
      found->second.has_monitors = std::find(types.begin(), types.end(), "or_patterns") != types.end();
      dirty_ = true;
    }
  }
  // What BlueZ remembers of a device was heard once; only one that was heard now has a signal strength.
  if (object.device) TakeDevice(object.path, *object.device, is_new && object.device->rssi_dbm.has_value());
}

void BluezSession::TakeAdapter(const std::string& path, const AdapterProperties& properties) {
  const std::string name(AdapterOfPath(path));
  if (name.empty() || path.find("/dev_") != std::string::npos) return;
  if (!adapters_.contains(name) && adapters_.size() >= kAdaptersMax) return;
  Adapter& adapter = adapters_[name];
  if (adapter.proxy == nullptr) {
    adapter.path = path;
    adapter.status.name = name;
    adapter.status.present = true;
    const size_t digit = name.find_first_of("0123456789");
    adapter.number =
        digit == std::string::npos ? 0 : static_cast<uint8_t>(std::strtoul(name.c_str() + digit, nullptr, 10));
    adapter.proxy = sdbus::createProxy(*bus_, kBluezName, path);
  }
  if (properties.address) adapter.status.address = *properties.address;
  if (properties.powered && *properties.powered != adapter.status.powered) {
    adapter.status.powered = *properties.powered;
    EndListening(adapter);
    adapter.retry_at_us = INT64_MIN;
  }
  // Something ended our discovery (a suspended computer, another program's reset).
  if (properties.discovering && !*properties.discovering && adapter.status.mode == ScanMode::kDiscovery) {
    EndListening(adapter);
    adapter.retry_at_us = MonotonicUs() + options_.retry_us;
  }
  dirty_ = true;
}

void BluezSession::OnPropertiesChanged(sdbus::Message& message) {
  std::string interface;
  message >> interface;
  if (interface == kDeviceInterface) {
    TakeDevice(message.getPath(), ReadDeviceProperties(message), true);
  } else if (interface == kAdapterInterface) {
    TakeAdapter(message.getPath(), ReadAdapterProperties(message));
  }
}

BluezSession::Known& BluezSession::Remember(const std::string& path) {
  const auto found = known_.find(path);
  if (found != known_.end()) return found->second;
  if (known_.size() >= kKnownDevicesMax) {
    known_.erase(std::min_element(known_.begin(), known_.end(),
                                  [](const auto& a, const auto& b) { return a.second.heard < b.second.heard; }));
  }
  return known_[path];
}

void BluezSession::Forget(const std::string& path) {
  known_.erase(path);
  const auto found = adapters_.find(std::string(AdapterOfPath(path)));
  if (found == adapters_.end() || found->second.path != path) return;
  adapters_.erase(found);
  dirty_ = true;
}

void BluezSession::TakeDevice(const std::string& path, const DeviceProperties& properties, bool is_heard) {
  Known& known = Remember(path);
  known.heard = ++heard_;
  if (properties.name) known.name = *properties.name;
  if (properties.address_type) known.is_random = *properties.address_type == "random";
  if (properties.rssi_dbm) known.rssi_dbm = *properties.rssi_dbm;
  if (!is_heard || !properties.has_manufacturer_data) return;
  SendAdvert(path, known, properties);
}

void BluezSession::SendAdvert(const std::string& path, const Known& known, const DeviceProperties& properties) {
  const auto adapter = adapters_.find(std::string(AdapterOfPath(path)));
  const std::optional<uint64_t> address = AddressOfPath(path);
  if (adapter == adapters_.end() || !address || !IsWanted(adapter->second)) return;
  std::array<uint8_t, ble::kMaxAdvertData> data{};
  size_t size = 0;
  const auto add = [&](uint8_t type, Bytes head, Bytes content) {
    const size_t element = 2 + head.size() + content.size();
    if (size + element > data.size()) return;
    data[size] = static_cast<uint8_t>(element - 1);
    data[size + 1] = type;
    std::copy(head.begin(), head.end(), data.begin() + static_cast<std::ptrdiff_t>(size + 2));
    std::copy(content.begin(), content.end(), data.begin() + static_cast<std::ptrdiff_t>(size + 2 + head.size()));
    size += element;
  };
  for (const uint16_t company : options_.companies) {
    const auto found = properties.manufacturer_data.find(company);
    if (found == properties.manufacturer_data.end()) continue;
    const uint8_t id[] = {static_cast<uint8_t>(company), static_cast<uint8_t>(company >> 8)};
    add(ble::kTypeManufacturer, id, found->second);
  }
  if (size == 0) return sink_.OnForeign();
  const auto* name = reinterpret_cast<const uint8_t*>(known.name.data());
  if (!known.name.empty()) add(ble::kTypeCompleteName, {}, {name, known.name.size()});
  ble::Advert advert;
  advert.address = *address;
  advert.address_is_random = known.is_random;
  const bool in_range = known.rssi_dbm >= INT8_MIN && known.rssi_dbm < ble::kUnknownRssi;
  advert.rssi_dbm = in_range ? static_cast<int8_t>(known.rssi_dbm) : ble::kUnknownRssi;
  advert.scanner = adapter->second.number;
  advert.data = Bytes(data.data(), size);
  sink_.OnAdvert(advert);
}

bool BluezSession::IsWanted(const Adapter& adapter) const {
  if (options_.adapters.empty()) return true;
  return std::any_of(options_.adapters.begin(), options_.adapters.end(), [&](const std::string& wanted) {
    return wanted == adapter.status.name || strcasecmp(wanted.c_str(), adapter.status.address.c_str()) == 0;
  });
}

void BluezSession::Reconcile() {
  const int64_t now_us = MonotonicUs();
  for (auto& [name, adapter] : adapters_) {
    if (!IsWanted(adapter) || adapter.pending || adapter.status.mode != ScanMode::kNone) continue;
    if (!adapter.status.powered) {
      const Trouble off = ExplainPoweredOff(name, options_.rfkill);
      dirty_ |= adapter.status.error != off.error;
      adapter.status.error = off.error;
      adapter.status.hint = off.hint;
    } else if (now_us >= adapter.retry_at_us) {
      Begin(adapter);
      dirty_ = true;
    }
  }
}

void BluezSession::Publish() {
  if (!std::exchange(dirty_, false)) return;
  ScanStatus status;
  Trouble trouble;
  if (!has_bluez_) trouble = ExplainNoBluez();
  for (const auto& [name, adapter] : adapters_) {
    if (IsWanted(adapter)) status.adapters.push_back(adapter.status);
  }
  if (has_bluez_) {
    for (const std::string& wanted : options_.adapters) {
      const bool there = std::any_of(status.adapters.begin(), status.adapters.end(), [&](const AdapterStatus& adapter) {
        return adapter.name == wanted || strcasecmp(adapter.address.c_str(), wanted.c_str()) == 0;
      });
      if (there) continue;
      const Trouble missing = ExplainMissingAdapter(wanted);
      status.adapters.push_back({.name = wanted, .address = {}, .error = missing.error, .hint = missing.hint});
    }
    if (status.adapters.empty()) trouble = ExplainNoAdapter();
  }
  status.error = trouble.error;
  status.hint = trouble.hint;
  sink_.OnStatus(status);
}

void BluezSession::Fail(Adapter& adapter, const Trouble& trouble) {
  EndListening(adapter);
  adapter.status.error = trouble.error;
  adapter.status.hint = trouble.hint;
  adapter.retry_at_us = MonotonicUs() + options_.retry_us;
  dirty_ = true;
}

void BluezSession::EndListening(Adapter& adapter) {
  adapter.status.mode = ScanMode::kNone;
  adapter.pending = false;
  if (adapter.monitor_root != nullptr) {
    // BlueZ would refuse the same monitor the next time.
    try {
      adapter.proxy->callMethodAsync("UnregisterMonitor")
          .onInterface(kMonitorManagerInterface)
          .withArguments(sdbus::ObjectPath(adapter.monitor_root->getObjectPath()))
          .uponReplyInvoke([](const sdbus::Error*) {});
    } catch (const sdbus::Error&) {
    }
  }
  adapter.monitor.reset();
  adapter.monitor_root.reset();
}

void BluezSession::Begin(Adapter& adapter) {
  const bool passive = adapter.has_monitors && !adapter.passive_refused && options_.mode != "discovery";
  if (passive) return BeginPassive(adapter);
  if (options_.mode == "passive" && !adapter.has_monitors) {
    return Fail(adapter, {fmt::format("{}: BlueZ offers no passive listening", adapter.status.name),
                          "set the mode to auto, or start bluetoothd with --experimental (needed up to BlueZ 5.66)"});
  }
  BeginDiscovery(adapter);
}

void BluezSession::BeginDiscovery(Adapter& adapter) {
  const std::string doing = adapter.status.name + ": listening";
  try {
    const std::map<std::string, sdbus::Variant> filter = {{"Transport", sdbus::Variant(std::string("le"))},
                                                          {"DuplicateData", sdbus::Variant(true)}};
    adapter.proxy->callMethod("SetDiscoveryFilter").onInterface(kAdapterInterface).withArguments(filter);
    adapter.proxy->callMethod("StartDiscovery").onInterface(kAdapterInterface);
  } catch (const sdbus::Error& error) {
    // InProgress: this connection has already begun.
    if (error.getName() != "org.bluez.Error.InProgress") {
      return Fail(adapter, ExplainDbusError(error.getName(), error.getMessage(), doing));
    }
  }
  adapter.status.mode = ScanMode::kDiscovery;
  adapter.status.error.clear();
  adapter.status.hint.clear();
}

// BlueZ reads the monitor from us before it answers, so nothing may wait for that answer.
void BluezSession::BeginPassive(Adapter& adapter) {
  const std::string root = "/vesta/bluetooth/" + adapter.status.name;
  try {
    ExportMonitor(adapter, root);
    adapter.pending = true;
    adapter.proxy->callMethodAsync("RegisterMonitor")
        .onInterface(kMonitorManagerInterface)
        .withArguments(sdbus::ObjectPath(root))
        .uponReplyInvoke(
            [this, name = adapter.status.name](const sdbus::Error* error) { OnMonitorAnswer(name, error); });
  } catch (const sdbus::Error& error) {
    Fail(adapter, ExplainDbusError(error.getName(), error.getMessage(), adapter.status.name + ": passive listening"));
  }
}

void BluezSession::ExportMonitor(Adapter& adapter, const std::string& root) {
  using Pattern = sdbus::Struct<uint8_t, uint8_t, std::vector<uint8_t>>;
  std::vector<Pattern> patterns;
  for (const uint16_t company : options_.companies) {
    patterns.emplace_back(uint8_t{0}, ble::kTypeManufacturer,
                          std::vector<uint8_t>{static_cast<uint8_t>(company), static_cast<uint8_t>(company >> 8)});
  }
  adapter.monitor.reset();
  adapter.monitor_root = sdbus::createObject(*bus_, root);
  adapter.monitor_root->addObjectManager();
  adapter.monitor = sdbus::createObject(*bus_, root + "/monitor");
  sdbus::IObject& monitor = *adapter.monitor;
  const auto property = [&](const char* name, auto value) {
    monitor.registerProperty(name).onInterface(kMonitorInterface).withGetter([value] { return value; });
  };
  property("Type", std::string("or_patterns"));
  property("RSSILowThreshold", kRssiLow_dbm);
  property("RSSIHighThreshold", kRssiHigh_dbm);
  property("RSSILowTimeout", kRssiTimeout_s);
  property("RSSIHighTimeout", kRssiTimeout_s);
  property("RSSISamplingPeriod", uint16_t{0});  // every advert
  property("Patterns", patterns);
  // Taken back by BlueZ. The object must outlive this call, so that the loop tidies up.
  monitor.registerMethod("Release").onInterface(kMonitorInterface).implementedAs([this, name = adapter.status.name] {
    const auto found = adapters_.find(name);
    if (found == adapters_.end()) return;
    found->second.status.mode = ScanMode::kNone;
    found->second.pending = false;
    found->second.retry_at_us = MonotonicUs() + options_.retry_us;
    dirty_ = true;
  });
  monitor.registerMethod("Activate").onInterface(kMonitorInterface).implementedAs([] {});
  monitor.registerMethod("DeviceFound").onInterface(kMonitorInterface).implementedAs([](const sdbus::ObjectPath&) {});
  monitor.registerMethod("DeviceLost").onInterface(kMonitorInterface).implementedAs([](const sdbus::ObjectPath&) {});
  monitor.finishRegistration();
}

void BluezSession::OnMonitorAnswer(const std::string& name, const sdbus::Error* error) {
  const auto found = adapters_.find(name);
  if (found == adapters_.end() || !found->second.pending) return;
  Adapter& adapter = found->second;
  adapter.pending = false;
  dirty_ = true;
  if (error == nullptr) {
    adapter.status.mode = ScanMode::kPassive;
    adapter.status.error.clear();
    adapter.status.hint.clear();
    return;
  }
  Fail(adapter, ExplainDbusError(error->getName(), error->getMessage(), name + ": passive listening"));
  // One that is only slow would be asked to search for ever.
  if (options_.mode != "passive" && !IsNoAnswer(error->getName())) {
    adapter.passive_refused = true;
    adapter.retry_at_us = INT64_MIN;
  }
}

}  // namespace vesta::hub
