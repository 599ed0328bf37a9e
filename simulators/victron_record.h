// Writes what Victron devices send over Bluetooth: Instant Readout records bit for bit, and VE.Smart messages.
//
// The encoder knows nothing of the decoder: it has its own account of the layouts, so that one checks the other. Values
// are raw, as on the wire; a field that a device lacks is written as its code for "not available".
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace vesta::simulators {

using VictronKey = std::array<uint8_t, 16>;

// Fields one behind the other, lowest bit first; the rest of the last byte is ones.
class RecordBits {
 public:
  // The lowest `width` bits of the value, or of `absent` when there is none.
  RecordBits& Put(unsigned width, std::optional<int64_t> value, uint32_t absent = 0);
  std::vector<uint8_t> Finish() const;

 private:
  std::vector<bool> bits_;
};

struct SolarChargerRecord {
  std::optional<int64_t> state, error;
  std::optional<int64_t> battery_cV, battery_dA, yield_10Wh, pv_W, load_dA;
  std::vector<uint8_t> Encode() const;
};

enum class AuxInput : uint8_t { kStarter = 0, kMidPoint = 1, kTemperature = 2, kNone = 3 };

struct BatteryMonitorRecord {
  std::optional<int64_t> time_to_go_min, battery_cV;
  uint16_t alarms = 0;
  AuxInput aux_mode = AuxInput::kNone;
  std::optional<int64_t> aux;                                     // cV, or hundredths of a kelvin
  std::optional<int64_t> battery_mA, consumed_dAh, soc_permille;  // consumed: positive
  std::vector<uint8_t> Encode() const;
};

struct AcChargerRecord {
  std::optional<int64_t> state, error;
  std::array<std::optional<int64_t>, 3> output_cV, output_dA;
  std::optional<int64_t> temperature_C, ac_dA;
  std::vector<uint8_t> Encode() const;
};

struct OrionXsRecord {
  std::optional<int64_t> state, error, output_cV, output_dA, input_cV, input_dA;
  uint32_t off_reason = 0;
  std::vector<uint8_t> Encode() const;
};

struct SmartLithiumRecord {
  uint32_t flags = 0;
  uint16_t errors = 0;
  std::array<std::optional<int64_t>, 8> cell_cV;  // 260 (or less) to 386 (or more)
  std::optional<int64_t> battery_cV, balancer, temperature_C;
  std::vector<uint8_t> Encode() const;
};

// Manufacturer data (without the company's two bytes) of an Instant Readout advert.
std::vector<uint8_t> InstantReadout(uint16_t product, uint8_t type, uint16_t nonce, const VictronKey& key,
                                    std::span<const uint8_t> record);

struct VeSmartSender {
  uint16_t network = 0;
  VictronKey key{};
  uint32_t serial = 0;
  uint32_t sequence = 0;
  uint16_t overflow = 0;
};
// Each takes the next sequence number.
std::vector<uint8_t> VeSmartOverflow(VeSmartSender* sender);
std::vector<uint8_t> VeSmartMessage(VeSmartSender* sender, std::span<const uint8_t> cleartext);
// Appends one register to a message in the clear (which starts with its priority byte).
void AddRegister(std::vector<uint8_t>* cleartext, uint16_t id, int64_t value, size_t size);

// The datagram of protocols/ble_advert.h: flags and the manufacturer data.
std::vector<uint8_t> VictronDatagram(uint64_t address, int8_t rssi_dbm, uint8_t scanner,
                                     std::span<const uint8_t> manufacturer_data);

}  // namespace vesta::simulators
