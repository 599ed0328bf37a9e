// The Victron devices of a boat, simulated in virtual time, as a Bluetooth scanner hears them.
//
// Two solar chargers that form a VE.Smart network, a battery monitor, a shore charger, a DC-DC charger on the
// alternator and a lithium battery live through days of sun, clouds and people. NextAdvert() gives one advert after the
// other with its time; nothing reads a clock, and the same options give the same bytes on every machine. Now and then a
// second scanner hears a copy. The charge master is the first charger.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "model/time.h"
#include "simulators/victron_record.h"

namespace vesta::simulators {

struct VictronBoatOptions {
  uint64_t seed = 1;
  UtcUs start_us = 1750500000 * kUsPerSecond;  // 21 June 2025, 10:00 UTC
  bool second_scanner = true;
};

struct SimulatedAdvert {
  UtcUs at_us = 0;
  std::vector<uint8_t> datagram;  // protocols/ble_advert.h
};

enum class BoatDevice : uint8_t {
  kSolarPort = 0,
  kSolarStarboard,
  kBatteryMonitor,
  kShoreCharger,
  kAlternatorCharger,
  kLithium,
  kCount,
};

// What is true at a moment, in the units of the wire.
struct BoatState {
  int64_t pv_W[2] = {};
  int64_t yield_10Wh[2] = {};
  int64_t battery_cV = 0;
  int64_t battery_mA = 0;  // positive: charged
  int64_t soc_permille = 0;
  int64_t consumed_dAh = 0;
  int64_t shore_dA = 0;
  int64_t alternator_dA = 0;
  int64_t temperature_cC = 0;
};

class VictronBoat {
 public:
  explicit VictronBoat(const VictronBoatOptions& options);

  SimulatedAdvert NextAdvert();

  // As it was told by the adverts so far.
  const BoatState& state() const { return state_; }

  static uint64_t AddressOf(BoatDevice device);
  // Not secret: keys of simulated devices.
  static VictronKey KeyOf(BoatDevice device);
  static constexpr uint16_t kNetwork = 0xA1B2;
  static VictronKey NetworkKey();

 private:
  static constexpr size_t kDevices = static_cast<size_t>(BoatDevice::kCount);
  static constexpr size_t kSolar = 2;

  struct Speaker {
    int64_t due_us = 0;
    uint16_t nonce = 0;
  };

  void Live(UtcUs to_us);
  void LiveOneSecond();
  std::vector<uint8_t> Record(BoatDevice device);
  std::vector<uint8_t> NetworkAdvert(size_t solar);
  SimulatedAdvert Heard(BoatDevice device, std::vector<uint8_t> manufacturer_data);

  VictronBoatOptions options_;
  BoatState state_;
  int64_t now_s_;
  int64_t heard_us_ = 0;
  uint64_t count_ = 0;  // of adverts
  int64_t charge_mAs_;
  int64_t yield_Ws_[kSolar] = {};
  int64_t day_ = INT64_MIN;
  std::array<Speaker, kDevices> readouts_{};
  std::array<Speaker, kSolar> network_{};
  std::array<VeSmartSender, kSolar> senders_{};
  std::array<uint64_t, kSolar> turns_{};
  bool copy_waits_ = false;
  SimulatedAdvert copy_;
};

}  // namespace vesta::simulators
