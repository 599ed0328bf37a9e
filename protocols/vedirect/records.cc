#include "protocols/vedirect/records.h"

namespace vesta::vedirect {
namespace {

constexpr size_t kHistoryDaySize = 34;
constexpr size_t kHistoryTotalSize = 19;
constexpr size_t kReceiveEntrySize = 8;
constexpr size_t kNetworkDeviceSize = 16;

}  // namespace

uint32_t Little(Bytes bytes, size_t at, size_t count) {
  uint32_t value = 0;
  for (size_t i = 0; i < count; ++i) value |= static_cast<uint32_t>(bytes[at + i]) << (8 * i);
  return value;
}

bool ReadHistoryDay(Bytes value, HistoryDay* day) {
  if (value.size() < kHistoryDaySize) return false;
  const auto word = [value](size_t at) { return static_cast<uint16_t>(Little(value, at, 2)); };
  day->yield = Little(value, 1, 4);
  day->consumed = Little(value, 5, 4);
  day->battery_max = word(9);
  day->battery_min = word(11);
  day->error_database = value[13];
  for (size_t i = 0; i < day->errors.size(); ++i) day->errors[i] = value[14 + i];
  day->bulk = word(18);
  day->absorption = word(20);
  day->floating = word(22);
  day->power_max = Little(value, 24, 4);
  day->battery_current_max = word(28);
  day->panel_max = word(30);
  day->day = word(32);
  return true;
}

bool ReadHistoryTotal(Bytes value, HistoryTotal* total) {
  if (value.size() < kHistoryTotalSize) return false;
  total->user_yield = Little(value, 6, 4);
  total->system_yield = Little(value, 10, 4);
  total->panel_max = static_cast<uint16_t>(Little(value, 14, 2));
  total->battery_max = static_cast<uint16_t>(Little(value, 16, 2));
  total->battery_min = value.size() >= 21 ? static_cast<uint16_t>(Little(value, 19, 2)) : 0xFFFF;
  return true;
}

bool ReadReceiveList(Bytes value, std::array<ReceiveEntry, 4>* entries) {
  if (value.size() < entries->size() * kReceiveEntrySize) return false;
  for (size_t i = 0; i < entries->size(); ++i) {
    const Bytes entry = value.subspan(i * kReceiveEntrySize, kReceiveEntrySize);
    (*entries)[i] = {static_cast<uint16_t>(Little(entry, 0, 2)), entry[2], entry[3], Little(entry, 4, 4)};
  }
  return true;
}

bool ReadDeviceList(Bytes value, uint8_t* version, std::array<NetworkDevice, 2>* entries) {
  if (value.size() < 1 + entries->size() * kNetworkDeviceSize) return false;
  *version = value[0];
  for (size_t i = 0; i < entries->size(); ++i) {
    const Bytes entry = value.subspan(1 + i * kNetworkDeviceSize, kNetworkDeviceSize);
    (*entries)[i] = {Little(entry, 0, 4), static_cast<uint16_t>(Little(entry, 4, 2)), entry[6], Little(entry, 7, 4),
                     static_cast<int8_t>(entry[11])};
  }
  return true;
}

}  // namespace vesta::vedirect
