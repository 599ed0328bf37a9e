#include "simulators/vedirect_device.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "simulators/random.h"

namespace vesta::simulators {
namespace {

constexpr VedirectKindInfo kKinds[] = {
    {VedirectKind::kSolar, "solar", "solar charger with a load output, one block a second", 0xA053,
     "SmartSolar Charger MPPT 75/15", "159", false, true},
    {VedirectKind::kSolarLarge, "solar-large", "large solar charger, its fields over two blocks in turn", 0xA06C,
     "SmartSolar Charger MPPT 150/70 rev3", "316FF", true, true},
    {VedirectKind::kBatteryMonitor, "battery-monitor", "BMV-712: live values and history in turn", 0xA381,
     "BMV-712 Smart", "0408", false, false},
    {VedirectKind::kInverter, "inverter", "Phoenix inverter of 500 VA", 0xA241, "Phoenix Inverter 12V 500VA 230V",
     "0116", false, true},
};
static_assert(std::size(kKinds) == static_cast<size_t>(VedirectKind::kCountOfKinds));

constexpr int64_t kUnaskedFor_us = 120 * kUsPerSecond;
constexpr size_t kQuestionSizeMax = 200;

void Put(std::string* block, std::string_view label, const std::string& value) {
  *block += "\r\n";
  *block += label;
  *block += '\t';
  *block += value;
}
void Put(std::string* block, std::string_view label, int64_t value) { Put(block, label, std::to_string(value)); }

void PutChecksum(std::string* block) {
  *block += "\r\nChecksum\t";
  unsigned sum = 0;
  for (const char c : *block) sum += static_cast<uint8_t>(c);
  *block += static_cast<char>(-sum & 0xFF);
}

std::string Hex(uint64_t value, int digits) {
  char text[20];
  std::snprintf(text, sizeof text, "%0*llX", digits, static_cast<unsigned long long>(value));
  return text;
}

// A HEX frame of a command and its data bytes.
std::string Frame(unsigned command, std::string_view data) {
  unsigned sum = command;
  std::string frame = ":" + Hex(command, 1);
  for (const char c : data) {
    frame += Hex(static_cast<uint8_t>(c), 2);
    sum += static_cast<uint8_t>(c);
  }
  return frame + Hex((0x55 - sum) & 0xFF, 2) + "\n";
}

// The low `bytes` bytes, lowest first.
std::string Number(int64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(static_cast<uint64_t>(value) >> (8 * i) & 0xFF);
  return text;
}

int64_t Centi(double value) { return std::llround(value * 100); }

}  // namespace

const VedirectKindInfo& InfoOf(VedirectKind kind) { return kKinds[static_cast<size_t>(kind)]; }

const VedirectKindInfo* FindVedirectKind(std::string_view name) {
  for (const VedirectKindInfo& info : kKinds) {
    if (name == info.name) return &info;
  }
  return nullptr;
}

VedirectDevice::VedirectDevice(const VedirectDeviceOptions& options)
    : options_(options),
      info_(InfoOf(options.kind)),
      system_({options.seed, options.kind == VedirectKind::kSolarLarge ? 900 : 200}, options.start_us),
      now_us_(options.start_us) {
  Swap();
}

void VedirectDevice::Swap() {
  const uint64_t number = Mix(options_.seed, 900 + static_cast<uint64_t>(options_.kind), swaps_++);
  char serial[16];
  std::snprintf(serial, sizeof serial, "HQ%02u%02u%05X", static_cast<unsigned>(15 + number % 10),
                static_cast<unsigned>(1 + (number >> 8) % 52), static_cast<unsigned>((number >> 20) & 0xFFFFF));
  serial_ = serial;
}

void VedirectDevice::Advance(UtcUs us) {
  now_us_ = us;
  system_.Advance(us);
}

void VedirectDevice::PutHead(std::string* block) const {
  Put(block, "PID", "0x" + Hex(info_.product, 4));
  if (info_.kind == VedirectKind::kBatteryMonitor) return;
  Put(block, info_.extended_firmware ? "FWE" : "FW", info_.firmware);
  Put(block, "SER#", serial_);
}

std::string VedirectDevice::NextBlock() {
  const bool second = blocks_++ % 2 == 1;
  std::string block;
  switch (info_.kind) {
    case VedirectKind::kSolar:
      block = Solar(true, false);
      break;
    case VedirectKind::kSolarLarge:
      block = Solar(false, second);
      break;
    case VedirectKind::kBatteryMonitor:
      block = BatteryMonitor(second);
      break;
    case VedirectKind::kInverter:
    case VedirectKind::kCountOfKinds:
      block = Inverter();
      break;
  }
  PutChecksum(&block);
  return block;
}

std::string VedirectDevice::Solar(bool all, bool second) const {
  const DcSystem& s = system_;
  std::string block;
  if (all || !second) {
    PutHead(&block);
    Put(&block, "V", s.battery_mv());
    // The display of the charger has steps of 10 mA.
    Put(&block, "I", (s.charger_ma() - (all ? s.load_ma() : 0)) / 10 * 10);
    Put(&block, "VPV", s.panel_mv() / 10 * 10);
    Put(&block, "PPV", s.panel_w());
    Put(&block, "CS", static_cast<int>(s.stage()));
    Put(&block, "MPPT", s.stage() == ChargeStage::kOff ? 0 : s.stage() == ChargeStage::kBulk ? 2 : 1);
    Put(&block, "OR", s.stage() == ChargeStage::kOff ? "0x00000001" : "0x00000000");
  }
  if (all || second) {
    Put(&block, "ERR", 0);
    Put(&block, "LOAD", all ? "ON" : "OFF");
    if (all) Put(&block, "IL", s.load_ma() / 100 * 100);
    if (!all) Put(&block, "Relay", "OFF");
    Put(&block, "H19", Centi(s.yield_total_wh() / 1000));
    Put(&block, "H20", Centi(s.today().yield_wh / 1000));
    Put(&block, "H21", static_cast<int64_t>(s.today().peak_w));
    Put(&block, "H22", Centi(s.yesterday().yield_wh / 1000));
    Put(&block, "H23", static_cast<int64_t>(s.yesterday().peak_w));
    Put(&block, "HSDS", s.day_number());
  }
  return block;
}

std::string VedirectDevice::BatteryMonitor(bool history) const {
  const DcSystem& s = system_;
  std::string block;
  if (!history) {
    PutHead(&block);
    Put(&block, "V", s.battery_mv());
    Put(&block, "VS", 12640);
    Put(&block, "I", s.battery_ma());
    Put(&block, "P", static_cast<int64_t>(s.battery_mv()) * s.battery_ma() / 1000000);
    Put(&block, "CE", s.consumed_mah());
    Put(&block, "SOC", s.soc_permille());
    Put(&block, "TTG", s.minutes_to_go());
    Put(&block, "Alarm", "OFF");
    Put(&block, "Relay", "OFF");
    Put(&block, "AR", 0);
    Put(&block, "BMV", "712 Smart");
    Put(&block, "FW", info_.firmware);
    Put(&block, "MON", 0);
    return block;
  }
  const int64_t deepest = static_cast<int64_t>(s.deepest_ah() * 1000);
  Put(&block, "H1", deepest);
  Put(&block, "H2", std::min<int64_t>(0, s.consumed_mah()));
  Put(&block, "H3", -26485);
  Put(&block, "H4", 29);
  Put(&block, "H5", 4);
  Put(&block, "H6", static_cast<int64_t>(-s.drawn_ah() * 1000));
  Put(&block, "H7", 10870);
  Put(&block, "H8", 14776);
  Put(&block, "H9", s.seconds_since_full());
  Put(&block, "H10", 31);
  Put(&block, "H11", 0);
  Put(&block, "H12", 0);
  Put(&block, "H15", 22);
  Put(&block, "H16", 12980);
  Put(&block, "H17", Centi(s.discharged_wh() / 1000));
  Put(&block, "H18", Centi(s.charged_wh() / 1000));
  return block;
}

std::string VedirectDevice::Inverter() const {
  const DcSystem& s = system_;
  std::string block;
  PutHead(&block);
  Put(&block, "MODE", 2);
  Put(&block, "CS", 9);
  Put(&block, "AC_OUT_V", s.inverter_mv() / 10);
  Put(&block, "AC_OUT_I", s.inverter_w() * 10 / 230);
  Put(&block, "V", s.battery_mv());
  Put(&block, "AR", 0);
  Put(&block, "WARN", 0);
  Put(&block, "OR", "0x00000000");
  return block;
}

std::string VedirectDevice::NextUnasked() {
  if (asked_us_ == 0 || now_us_ - asked_us_ > kUnaskedFor_us) return "";
  // Serial number and model are told only when they are asked for.
  static constexpr std::array<uint16_t, 5> kSolarOnes = {0x0120, 0xEDDB, 0xEDBC, 0xEDBB, 0x1050};
  static constexpr std::array<uint16_t, 2> kMonitorOnes = {0xED8C, 0x0FFF};
  static constexpr std::array<uint16_t, 2> kInverterOnes = {0x2204, 0x2208};
  const uint64_t turn = unasked_++;
  uint16_t reg = kSolarOnes[turn % kSolarOnes.size()];
  if (info_.kind == VedirectKind::kBatteryMonitor) reg = kMonitorOnes[turn % kMonitorOnes.size()];
  if (info_.kind == VedirectKind::kInverter) reg = kInverterOnes[turn % kInverterOnes.size()];
  std::string value;
  if (!RegisterValue(reg, &value)) return "";
  return Frame(0xA, Number(reg, 2) + '\0' + value);
}

std::string VedirectDevice::Answer(std::string_view bytes) {
  received_ += bytes;
  std::string answer;
  for (size_t end = received_.find('\n'); end != std::string::npos; end = received_.find('\n')) {
    const size_t colon = received_.rfind(':', end);
    if (colon != std::string::npos) answer += AnswerFrame(std::string_view(received_).substr(colon, end + 1 - colon));
    received_.erase(0, end + 1);
  }
  if (received_.size() > kQuestionSizeMax) received_.clear();
  return answer;
}

std::string VedirectDevice::AnswerFrame(std::string_view frame) {
  std::string data;
  unsigned command = 0;
  unsigned sum = 0;
  if (frame.size() < 5 || frame.size() % 2 == 0 ||
      std::sscanf(std::string(frame.substr(1, 1)).c_str(), "%1X", &command) != 1) {
    return Frame(4, "\xAA\xAA");
  }
  sum = command;
  for (size_t i = 2; i + 1 < frame.size(); i += 2) {
    unsigned byte = 0;
    if (std::sscanf(std::string(frame.substr(i, 2)).c_str(), "%2X", &byte) != 1) return Frame(4, "\xAA\xAA");
    data += static_cast<char>(byte);
    sum += byte;
  }
  if ((sum & 0xFF) != 0x55) return Frame(4, "\xAA\xAA");
  data.pop_back();  // the check
  asked_us_ = now_us_;
  if (command == 1) return Frame(5, Number(0x4116, 2));
  if (command == 3) return Frame(1, Number(0x0116, 2));
  if (command == 4) return Frame(1, Number(info_.product, 2));
  if (command != 7 && command != 8) return Frame(3, std::string(1, static_cast<char>(command)));
  if (data.size() < 3) return Frame(4, "\xAA\xAA");
  const auto reg = static_cast<uint16_t>(static_cast<uint8_t>(data[0]) | static_cast<uint8_t>(data[1]) << 8);
  std::string value;
  const bool known = RegisterValue(reg, &value);
  if (!known) return Frame(command, Number(reg, 2) + '\x01');
  if (command == 8) return Frame(8, Number(reg, 2) + '\x02' + value);  // nothing can be set
  return Frame(7, Number(reg, 2) + '\0' + value);
}

bool VedirectDevice::RegisterValue(uint16_t reg, std::string* value) const {
  const DcSystem& s = system_;
  const bool solar = info_.kind == VedirectKind::kSolar || info_.kind == VedirectKind::kSolarLarge;
  const auto is = [value](std::string text) {
    *value = std::move(text);
    return true;
  };
  if (reg == 0x0100) return is(Number(0, 1) + Number(info_.product, 2) + '\xFF');
  if (reg == 0x0102) return is(Number(0, 1) + Number(0x0316FF, 3));
  if (reg == 0x010A) return is(serial_ + '\0');
  if (reg == 0x010B) return is(std::string(info_.model) + '\0');
  if (reg == 0x0120) return is(Number((now_us_ - options_.start_us) / kUsPerSecond + 225316, 4));
  if (solar) {
    switch (reg) {
      case 0x0200:
        return is(Number(1, 1));
      case 0x0201:
        return is(Number(static_cast<int>(s.stage()), 1));
      case 0x1050:
        return is(HistoryDay(s.today(), s.day_number()));
      case 0x1051:
        return is(HistoryDay(s.yesterday(), s.day_number() - 1));
      case 0xEDDB:
        return is(Number(s.charger_centi_c(), 2));
      case 0xEDBC:
        return is(Number(s.panel_w() * 100, 4));
      case 0xEDBB:
        return is(Number(s.panel_mv() / 10, 2));
      case 0xEDBD:
        if (info_.kind == VedirectKind::kSolar) return false;  // small models do not measure it
        return is(Number(s.panel_w() * 10000 / std::max(1, s.panel_mv()), 2));
      case 0xEDD5:
        return is(Number(s.battery_mv() / 10, 2));
      case 0xEDD7:
        return is(Number(s.charger_ma() / 100, 2));
      case 0xEDEC:
        return is(Number(0xFFFF, 2));  // no sensor
      case 0xEDF7:
        return is(Number(1440, 2));
      case 0xEDF6:
        return is(Number(1380, 2));
      default:
        return false;
    }
  }
  if (info_.kind == VedirectKind::kBatteryMonitor) {
    if (reg == 0xED8C) return is(Number(s.battery_ma(), 4));
    if (reg == 0xED8D) return is(Number(s.battery_mv() / 10, 2));
    if (reg == 0x0FFF) return is(Number(s.soc_permille() * 10, 2));
    if (reg == 0xEEF8) return is(Number(0, 1));
    return false;
  }
  if (reg == 0x2204) return is(Number(s.inverter_w(), 4));
  if (reg == 0x2208) return is(Number(5000, 2));
  return false;
}

std::string VedirectDevice::HistoryDay(const DcSystem::Day& day, int32_t number) const {
  std::string record = Number(0, 1) + Number(Centi(day.yield_wh / 1000), 4) + Number(0xFFFFFFFF, 4);
  record += Number(Centi(day.battery_v_max), 2) + Number(Centi(day.battery_v_min), 2) + Number(0, 5);
  const auto minutes = [](double seconds) { return static_cast<int64_t>(seconds / 60); };
  record += Number(minutes(day.bulk_s), 2) + Number(minutes(day.absorption_s), 2) + Number(minutes(day.float_s), 2);
  record += Number(static_cast<int64_t>(day.peak_w), 4) + Number(std::llround(day.charger_a_max * 10), 2);
  return record + Number(Centi(day.panel_v_max), 2) + Number(number, 2);
}

}  // namespace vesta::simulators
