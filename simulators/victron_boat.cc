#include "simulators/victron_boat.h"

#include <algorithm>
#include <cmath>

#include "simulators/day.h"
#include "simulators/random.h"

namespace vesta::simulators {
namespace {

constexpr int64_t kCapacity_mAs = int64_t{200} * 1000 * 3600;  // 200 Ah
constexpr int64_t kSunrise_s = 5 * 3600;
constexpr int64_t kSunset_s = 21 * 3600;
constexpr int64_t kPeak_W[] = {240, 170};

enum Purpose : uint64_t { kStart = 7000, kCloud, kFlicker, kFridge, kLamps, kJitter, kRssi, kCopy, kNonce };

// When the second charger sees less sun: the mast's shadow in the afternoon.
double Shadow(size_t charger, int64_t second) {
  return charger == 1 && second > 15 * 3600 && second < 17 * 3600 ? 0.45 : 1;
}

VictronKey KeyFrom(uint64_t number) {
  VictronKey key{};
  for (size_t i = 0; i < key.size(); ++i) key[i] = static_cast<uint8_t>(Mix(number, kStart, i));
  return key;
}

uint8_t ChargeState(int64_t pv_W, int64_t soc_permille) {
  constexpr uint8_t kOff = 0;
  constexpr uint8_t kBulk = 3;
  constexpr uint8_t kAbsorption = 4;
  constexpr uint8_t kFloat = 5;
  if (pv_W == 0) return kOff;
  if (soc_permille < 900) return kBulk;
  return soc_permille < 995 ? kAbsorption : kFloat;
}

}  // namespace

uint64_t VictronBoat::AddressOf(BoatDevice device) { return 0xC0FFEE100000 + static_cast<uint64_t>(device); }
VictronKey VictronBoat::KeyOf(BoatDevice device) { return KeyFrom(static_cast<uint64_t>(device)); }
VictronKey VictronBoat::NetworkKey() { return KeyFrom(kNetwork); }

VictronBoat::VictronBoat(const VictronBoatOptions& options)
    : options_(options),
      now_s_(options.start_us / kUsPerSecond),
      charge_mAs_(static_cast<int64_t>(static_cast<double>(kCapacity_mAs) *
                                       Between(0.55, 0.8, Unit(options.seed, kStart, 0)))) {
  for (size_t i = 0; i < kDevices; ++i) {
    readouts_[i].due_us = options.start_us + static_cast<int64_t>(Mix(options.seed, kJitter, i) % kUsPerSecond);
    readouts_[i].nonce = static_cast<uint16_t>(Mix(options.seed, kNonce, i));
  }
  for (size_t i = 0; i < kSolar; ++i) {
    network_[i].due_us = options.start_us + static_cast<int64_t>(Mix(options.seed, kJitter, 100 + i) % kUsPerSecond);
    senders_[i] = {kNetwork, NetworkKey(), static_cast<uint32_t>(0x999A25EC + i * 1000), 0, 1};
  }
  LiveOneSecond();
}

void VictronBoat::Live(UtcUs to_us) {
  while ((now_s_ + 1) * kUsPerSecond <= to_us) {
    ++now_s_;
    LiveOneSecond();
  }
}

void VictronBoat::LiveOneSecond() {
  const int64_t day = now_s_ / kSecondsPerDay;
  const int64_t second = now_s_ % kSecondsPerDay;
  const auto u_now = static_cast<uint64_t>(now_s_);
  if (day != day_) yield_Ws_[0] = yield_Ws_[1] = 0;
  day_ = day;
  const bool is_full = charge_mAs_ >= kCapacity_mAs * 99 / 100;
  double sun = 0;
  if (second > kSunrise_s && second < kSunset_s) {
    sun = std::sin(kPi * static_cast<double>(second - kSunrise_s) / static_cast<double>(kSunset_s - kSunrise_s));
    sun *= Between(0.35, 1.0, SmoothNoise(options_.seed, kCloud, now_s_, 420));
  }
  int64_t power_W = 0;
  for (size_t i = 0; i < kSolar; ++i) {
    const double part = sun * Shadow(i, second) * (is_full ? 0.25 : 1.0);
    state_.pv_W[i] = static_cast<int64_t>(part * static_cast<double>(kPeak_W[i]));
    yield_Ws_[i] += state_.pv_W[i];
    state_.yield_10Wh[i] = yield_Ws_[i] / 36000;
    power_W += state_.pv_W[i];
  }
  // Loads: instruments, a fridge that cycles, lamps in the evening.
  int64_t load_W = 18 + static_cast<int64_t>(8 * Unit(options_.seed, kFlicker, u_now / 5));
  if (now_s_ % 1500 < 600) load_W += 55;
  if (second > 19 * 3600 && second < 23 * 3600) load_W += 40;
  // The shore charger works in the small hours of every third day, the engine runs an hour before noon on the others.
  const bool on_shore = day % 3 == 0 && second < 6 * 3600 && !is_full;
  const bool engine_on = day % 3 != 0 && second > 10 * 3600 && second < 11 * 3600;
  state_.shore_dA = on_shore ? 150 : 0;
  state_.alternator_dA = engine_on && !is_full ? 300 : 0;

  const double soc = static_cast<double>(charge_mAs_) / static_cast<double>(kCapacity_mAs);
  const double volts = 12.6 + 0.8 * soc;
  state_.battery_mA = static_cast<int64_t>(static_cast<double>(power_W - load_W) / volts * 1000) +
                      (state_.shore_dA + state_.alternator_dA) * 100;
  state_.battery_cV = static_cast<int64_t>(volts * 100) + state_.battery_mA / 1200;
  charge_mAs_ = std::clamp<int64_t>(charge_mAs_ + state_.battery_mA, kCapacity_mAs / 10, kCapacity_mAs);
  state_.soc_permille = charge_mAs_ * 1000 / kCapacity_mAs;
  state_.consumed_dAh = (kCapacity_mAs - charge_mAs_) / (100 * 3600);
  state_.temperature_cC = 1800 + static_cast<int64_t>(700 * SmoothNoise(options_.seed, kFridge, now_s_, 7200));
}

std::vector<uint8_t> VictronBoat::Record(BoatDevice device) {
  constexpr int64_t kOff = 0;
  constexpr int64_t kBulk = 3;
  const auto i = static_cast<size_t>(device);
  Speaker& speaker = readouts_[i];
  ++speaker.nonce;
  const auto readout = [&speaker, device](uint16_t product, uint8_t type, const std::vector<uint8_t>& record) {
    return InstantReadout(product, type, speaker.nonce, KeyOf(device), record);
  };
  switch (device) {
    case BoatDevice::kSolarPort:
    case BoatDevice::kSolarStarboard: {
      SolarChargerRecord record;
      record.state = ChargeState(state_.pv_W[i], state_.soc_permille);
      record.error = 0;
      record.battery_cV = state_.battery_cV;
      record.battery_dA = state_.pv_W[i] * 1000 / state_.battery_cV;
      record.yield_10Wh = state_.yield_10Wh[i];
      record.pv_W = state_.pv_W[i];
      if (i == 0) record.load_dA = 15;  // the small one has a load output
      return readout(i == 0 ? 0xA075 : 0xA057, 0x01, record.Encode());
    }
    case BoatDevice::kBatteryMonitor: {
      BatteryMonitorRecord record;
      if (state_.battery_mA < -100)
        record.time_to_go_min = std::min<int64_t>(charge_mAs_ / -state_.battery_mA / 60, 14400);
      record.battery_cV = state_.battery_cV;
      record.alarms = state_.soc_permille < 200 ? 1 << 2 : 0;
      record.aux_mode = AuxInput::kTemperature;
      record.aux = state_.temperature_cC + 27315;
      record.battery_mA = state_.battery_mA;
      record.consumed_dAh = state_.consumed_dAh;
      record.soc_permille = state_.soc_permille;
      return readout(0xA389, 0x02, record.Encode());
    }
    case BoatDevice::kShoreCharger: {
      AcChargerRecord record;
      record.state = state_.shore_dA > 0 ? kBulk : kOff;
      record.error = 0;
      record.output_cV[0] = state_.battery_cV;
      record.output_dA[0] = state_.shore_dA;
      record.temperature_C = 22;
      return readout(0xA330, 0x08, record.Encode());
    }
    case BoatDevice::kAlternatorCharger: {
      OrionXsRecord record;
      const bool runs = state_.alternator_dA > 0;
      record.state = runs ? kBulk : kOff;
      record.error = 0;
      record.output_cV = state_.battery_cV;
      if (runs) record.output_dA = state_.alternator_dA;
      record.input_cV = runs ? 1415 : 1275;
      if (runs) record.input_dA = state_.alternator_dA * state_.battery_cV / 1415;
      record.off_reason = runs ? 0 : 0x80;
      return readout(0xA3F0, 0x0F, record.Encode());
    }
    case BoatDevice::kLithium: {
      SmartLithiumRecord record;
      record.flags = 0x06000000;
      for (size_t cell = 0; cell < 4; ++cell)
        record.cell_cV[cell] = state_.battery_cV / 4 + static_cast<int64_t>(cell % 2);
      record.battery_cV = state_.battery_cV;
      record.balancer = state_.soc_permille > 990 ? 2 : 1;
      record.temperature_C = state_.temperature_cC / 100;
      return readout(0xA0E5, 0x05, record.Encode());
    }
    case BoatDevice::kCount:
      break;
  }
  return {};
}

// A device repeats its announcement now and then, and tells one or two registers at a time.
std::vector<uint8_t> VictronBoat::NetworkAdvert(size_t solar) {
  VeSmartSender* sender = &senders_[solar];
  const uint64_t turn = turns_[solar]++;
  if (turn % 16 == 0) return VeSmartOverflow(sender);
  std::vector<uint8_t> clear = {0x08};
  switch (turn % 4) {
    case 0:
      AddRegister(&clear, 0xEDBC, state_.pv_W[solar] * 100, 4);
      break;
    case 1:
      AddRegister(&clear, 0xED8C, state_.pv_W[solar] * 100000 / state_.battery_cV, 4);
      break;
    case 2:
      if (turn % 8 == 2) {
        AddRegister(&clear, 0x0100, (solar == 0 ? 0xA075 : 0xA057) * 256 + int64_t{0xFE000000}, 4);
      } else {
        AddRegister(&clear, 0xEDEF, 12, 1);
      }
      break;
    default:
      if (solar == 0) {
        clear = {0x0F};
        AddRegister(&clear, 0x200C, ChargeState(state_.pv_W[0], state_.soc_permille), 1);
        AddRegister(&clear, 0x2001, 1420, 2);
      } else {
        AddRegister(&clear, 0xEDBC, state_.pv_W[solar] * 100, 4);
      }
      break;
  }
  return VeSmartMessage(sender, clear);
}

SimulatedAdvert VictronBoat::Heard(BoatDevice device, std::vector<uint8_t> manufacturer_data) {
  const auto rssi =
      static_cast<int8_t>(-55 - static_cast<int>(device) * 6 - static_cast<int>(Mix(options_.seed, kRssi, count_) % 7));
  SimulatedAdvert advert{heard_us_, VictronDatagram(AddressOf(device), rssi, 0, manufacturer_data)};
  if (options_.second_scanner && Mix(options_.seed, kCopy, count_) % 3 == 0) {
    constexpr int64_t kSlower_us = 35 * kUsPerMs;
    copy_ = {heard_us_ + kSlower_us,
             VictronDatagram(AddressOf(device), static_cast<int8_t>(rssi - 12), 1, manufacturer_data)};
    copy_waits_ = true;
  }
  ++count_;
  return advert;
}

SimulatedAdvert VictronBoat::NextAdvert() {
  // Who speaks next; network adverts come a little more often than records.
  Speaker* next = &readouts_[0];
  for (Speaker& speaker : readouts_) next = speaker.due_us < next->due_us ? &speaker : next;
  bool is_network = false;
  for (Speaker& speaker : network_) {
    if (speaker.due_us >= next->due_us) continue;
    next = &speaker;
    is_network = true;
  }
  if (copy_waits_ && copy_.at_us <= next->due_us) {
    copy_waits_ = false;
    return copy_;
  }
  // A copy that is still on its way when the next device speaks is heard after it all the same: it is not lost.
  heard_us_ = std::max(next->due_us, heard_us_);
  Live(heard_us_);
  const auto jitter_us = static_cast<int64_t>(Mix(options_.seed, kJitter, 1000 + count_) % (60 * kUsPerMs));
  next->due_us = heard_us_ + (is_network ? 690 : 940) * kUsPerMs + jitter_us;
  if (is_network) {
    const auto solar = static_cast<size_t>(next - network_.data());
    return Heard(static_cast<BoatDevice>(solar), NetworkAdvert(solar));
  }
  const auto device = static_cast<BoatDevice>(next - readouts_.data());
  return Heard(device, Record(device));
}

}  // namespace vesta::simulators
