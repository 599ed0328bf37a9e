// A session's slots and fields as the directory's devices and series, looked up once and remembered.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hub/devices/directory.h"
#include "model/reading.h"

namespace vesta::hub {

class SlotTable {
 public:
  // sender: where one source has several lines, whose this is; else empty.
  SlotTable(Directory& directory, std::string_view protocol, std::string_view source, std::string_view sender = {})
      : directory_(directory), protocol_(protocol), source_(source), sender_(sender) {}

  // The session said what stands in a slot. Returns the device, 0 when the directory is full.
  DeviceId SetDevice(uint16_t slot, const DeviceInfo& info);
  DeviceId DeviceOf(uint16_t slot) const { return slot < slots_.size() ? slots_[slot].device : 0; }

  // The device that this one is heard through, 0 when it is heard itself.
  DeviceId ParentOf(DeviceId device) const { return directory_.FindDevice(device)->parent; }

  // 0 when there is no such device or the directory is full. *is_new is set when the series was not known before.
  SeriesId SeriesOf(uint16_t slot, uint16_t field, std::span<const Field> fields, bool* is_new);

 private:
  struct Slot {
    DeviceId device = 0;
    std::vector<SeriesId> series;  // by place in the field table, 0 = not resolved yet
  };

  Directory& directory_;
  const std::string protocol_;
  const std::string source_;
  const std::string sender_;
  std::vector<Slot> slots_;
};

}  // namespace vesta::hub
