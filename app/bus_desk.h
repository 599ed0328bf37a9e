// The MasterBus sources of a hub: their device models kept over restarts, and a look at each for the API and for
// outputs.
//
// A bus tells names and units of its items only when somebody asks for them, which may be hours after a start. So each
// source's model is a file bus-NAME.model in the data directory, written whole when it changed, at most once in
// kKeepEvery_us, and at the end; read when the source is made. A file that can't be read is told in the log and the bus
// is learned anew. Its form: protocols/masterbus/model_saved.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/clock/clock.h"
#include "hub/devices/directory.h"
#include "hub/intake/bus_state.h"

namespace vesta::app {

// A model changes while a display looks through its menus and then for months not at all.
inline constexpr int64_t kKeepEvery_us = 60 * kUsPerSecond;

class BusDesk {
 public:
  BusDesk(const hub::Clock& clock, std::string directory) : clock_(clock), directory_(std::move(directory)) {}

  // The session lives as long as calls of Tick, Keep and the looks come.
  void Add(const std::string& source, masterbus::MasterBusSession* session);
  // Writes what changed and is due; about once a second.
  void Tick();
  // Writes what changed.
  void Keep();

  // Empty: this source is no MasterBus.
  std::optional<hub::BusState> Look(const std::string& source) const;

  struct WireItem {
    uint32_t unique_id = 0;
    uint8_t number = 0;
  };
  // Which monitoring item on a bus says this field of a device now.
  std::optional<WireItem> FindItem(const hub::Device& device, std::string_view field) const;

 private:
  struct Bus {
    std::string source;
    masterbus::MasterBusSession* session;
    std::vector<uint8_t> kept;  // as it stands in the file
    int64_t looked_us;
  };
  std::string PathOf(const std::string& source) const;
  void KeepOne(Bus* bus);

  const hub::Clock& clock_;
  const std::string directory_;
  std::vector<Bus> buses_;
};

}  // namespace vesta::app
