#include "hub/intake/slot_table.h"

namespace vesta::hub {

DeviceId SlotTable::SetDevice(uint16_t slot, const DeviceInfo& told) {
  DeviceInfo info = told;
  // Where the wire tells nothing, the sender is part of the device's identity: the source alone has several.
  std::string identity;
  if (!info.identity_on_wire && !sender_.empty()) {
    identity = sender_ + (info.identity.empty() ? "" : "/") + std::string(info.identity);
    info.identity = identity;
  }
  if (slots_.size() <= slot) slots_.resize(slot + 1);
  const DeviceId parent = info.parent == kNoDevice ? 0 : DeviceOf(info.parent);
  const DeviceId device = directory_.Resolve(protocol_, source_, info, parent);
  Slot& entry = slots_[slot];
  if (entry.device != device) {
    entry.device = device;
    entry.series.clear();
  }
  return device;
}

SeriesId SlotTable::SeriesOf(uint16_t slot, uint16_t field, std::span<const Field> fields, bool* is_new) {
  if (DeviceOf(slot) == 0) return 0;
  Slot& entry = slots_[slot];
  if (entry.series.size() < fields.size()) entry.series.resize(fields.size(), 0);
  SeriesId& series = entry.series[field];
  if (series == 0) {
    series = directory_.ResolveSeries(entry.device, fields[field]);
    if (series != 0) *is_new = true;
  }
  return series;
}

}  // namespace vesta::hub
