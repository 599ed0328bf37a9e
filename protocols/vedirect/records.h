// Registers of the HEX protocol that hold a record of several values. Raw numbers; the scales stand beside them. Facts:
// reference of Victron, sections 11 and 12.
#pragma once

#include <array>
#include <cstdint>

#include "model/session.h"

namespace vesta::vedirect {

// Registers 0x1050 (today) to 0x106E. Missing: all bits set.
struct HistoryDay {
  uint32_t yield;                     // 0.01 kWh
  uint32_t consumed;                  // 0.01 kWh; missing without a load output
  uint16_t battery_max, battery_min;  // 0.01 V
  uint8_t error_database;
  std::array<uint8_t, 4> errors;        // the latest first
  uint16_t bulk, absorption, floating;  // min
  uint32_t power_max;                   // W
  uint16_t battery_current_max;         // 0.1 A
  uint16_t panel_max;                   // 0.01 V
  uint16_t day;                         // 0 to 364
};
bool ReadHistoryDay(Bytes value, HistoryDay* day);

// Register 0x104F; the short form of old firmware has no battery minimum.
struct HistoryTotal {
  uint32_t user_yield, system_yield;             // 0.01 kWh
  uint16_t panel_max, battery_max, battery_min;  // 0.01 V
};
bool ReadHistoryTotal(Bytes value, HistoryTotal* total);

// Registers 0xEC20 on: what a charger receives over VE.Smart.
struct ReceiveEntry {
  uint16_t reg;      // 0xFFFF: none
  uint8_t age_s;     // 0xFE: longer than 253 s, 0xFF: never
  uint8_t priority;  // 0xFF: none
  uint32_t sender;   // 0xFFFFFFFF: none
};
bool ReadReceiveList(Bytes value, std::array<ReceiveEntry, 4>* entries);

// Registers 0xEC31 on: which devices a charger hears over VE.Smart; the first of all is itself.
struct NetworkDevice {
  uint32_t address;  // 0xFFFFFFFF: none
  uint16_t product;
  uint8_t age_s;
  uint32_t firmware;
  int8_t rssi_dbm;  // 0x7F: itself
};
bool ReadDeviceList(Bytes value, uint8_t* version, std::array<NetworkDevice, 2>* entries);

// Little endian; the bytes must be there.
uint32_t Little(Bytes bytes, size_t at, size_t count);

}  // namespace vesta::vedirect
