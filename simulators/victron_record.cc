#include "simulators/victron_record.h"

#include <algorithm>

#include "protocols/ble_advert.h"
#include "protocols/crypto.h"

namespace vesta::simulators {
namespace {

constexpr int64_t kMinus40_C = -40;
constexpr size_t kTagSize = 4;

std::optional<int64_t> Shifted(std::optional<int64_t> value, int64_t offset) {
  if (value) *value -= offset;
  return value;
}

void Append32(std::vector<uint8_t>* bytes, uint32_t value) {
  for (int i = 0; i < 4; ++i) bytes->push_back(static_cast<uint8_t>(value >> (8 * i)));
}

std::vector<uint8_t> Nonce(const VeSmartSender& sender, uint8_t op) {
  std::vector<uint8_t> nonce = {op};
  Append32(&nonce, sender.sequence);
  nonce.push_back(static_cast<uint8_t>(sender.overflow & 0xFF));
  nonce.push_back(static_cast<uint8_t>(sender.overflow >> 8));
  Append32(&nonce, sender.serial);
  nonce.push_back(static_cast<uint8_t>(sender.network >> 8));
  nonce.push_back(static_cast<uint8_t>(sender.network & 0xFF));
  return nonce;
}

std::vector<uint8_t> Header(const VeSmartSender& sender, uint8_t op) {
  std::vector<uint8_t> data = {op, static_cast<uint8_t>(sender.network >> 8)};
  Append32(&data, sender.serial);
  Append32(&data, sender.sequence);
  return data;
}

}  // namespace

RecordBits& RecordBits::Put(unsigned width, std::optional<int64_t> value, uint32_t absent) {
  const auto raw = static_cast<uint64_t>(value ? *value : int64_t{absent});
  for (unsigned i = 0; i < width; ++i) bits_.push_back((raw >> i & 1) != 0);
  return *this;
}

std::vector<uint8_t> RecordBits::Finish() const {
  std::vector<uint8_t> bytes((bits_.size() + 7) / 8, 0xFF);
  for (size_t i = 0; i < bits_.size(); ++i) {
    if (!bits_[i]) bytes[i / 8] = static_cast<uint8_t>(bytes[i / 8] & ~(1u << i % 8));
  }
  return bytes;
}

std::vector<uint8_t> SolarChargerRecord::Encode() const {
  return RecordBits()
      .Put(8, state, 0xFF)
      .Put(8, error, 0xFF)
      .Put(16, battery_cV, 0x7FFF)
      .Put(16, battery_dA, 0x7FFF)
      .Put(16, yield_10Wh, 0xFFFF)
      .Put(16, pv_W, 0xFFFF)
      .Put(9, load_dA, 0x1FF)
      .Finish();
}

std::vector<uint8_t> BatteryMonitorRecord::Encode() const {
  const uint32_t aux_absent = aux_mode == AuxInput::kStarter ? 0x7FFF : 0xFFFF;
  return RecordBits()
      .Put(16, time_to_go_min, 0xFFFF)
      .Put(16, battery_cV, 0x7FFF)
      .Put(16, alarms)
      .Put(16, aux, aux_absent)
      .Put(2, static_cast<int64_t>(aux_mode))
      .Put(22, battery_mA, 0x1FFFFF)
      .Put(20, consumed_dAh, 0xFFFFF)
      .Put(10, soc_permille, 0x3FF)
      .Finish();
}

std::vector<uint8_t> AcChargerRecord::Encode() const {
  RecordBits bits;
  bits.Put(8, state, 0xFF).Put(8, error, 0xFF);
  for (size_t i = 0; i < output_cV.size(); ++i) bits.Put(13, output_cV[i], 0x1FFF).Put(11, output_dA[i], 0x7FF);
  return bits.Put(7, Shifted(temperature_C, kMinus40_C), 0x7F).Put(9, ac_dA, 0x1FF).Finish();
}

std::vector<uint8_t> OrionXsRecord::Encode() const {
  return RecordBits()
      .Put(8, state, 0xFF)
      .Put(8, error, 0xFF)
      .Put(16, output_cV, 0xFFFF)
      .Put(16, output_dA, 0xFFFF)
      .Put(16, input_cV, 0xFFFF)
      .Put(16, input_dA, 0xFFFF)
      .Put(32, off_reason)
      .Finish();
}

std::vector<uint8_t> SmartLithiumRecord::Encode() const {
  constexpr int64_t kLowest_cV = 260;
  constexpr int64_t kHighest_cV = 386;
  RecordBits bits;
  bits.Put(32, flags).Put(16, errors);
  for (const std::optional<int64_t>& cell : cell_cV) {
    std::optional<int64_t> raw;
    if (cell) raw = std::clamp(*cell, kLowest_cV, kHighest_cV) - kLowest_cV;
    bits.Put(7, raw, 0x7F);
  }
  return bits.Put(12, battery_cV, 0xFFF)
      .Put(4, balancer, 0xF)
      .Put(7, Shifted(temperature_C, kMinus40_C), 0x7F)
      .Finish();
}

std::vector<uint8_t> InstantReadout(uint16_t product, uint8_t type, uint16_t nonce, const VictronKey& key,
                                    std::span<const uint8_t> record) {
  const auto low = [](uint16_t word) { return static_cast<uint8_t>(word & 0xFF); };
  const auto high = [](uint16_t word) { return static_cast<uint8_t>(word >> 8); };
  std::vector<uint8_t> data = {0x10, 0x00, low(product), high(product), type, low(nonce), high(nonce), key[0]};
  std::array<uint8_t, crypto::kAesBlockSize> counter{low(nonce), high(nonce)};
  std::vector<uint8_t> cipher(record.size());
  crypto::Aes128Ctr ctr;
  ctr.SetKey(key);
  ctr.Crypt(counter, record, cipher.data());
  data.insert(data.end(), cipher.begin(), cipher.end());
  return data;
}

std::vector<uint8_t> VeSmartOverflow(VeSmartSender* sender) {
  constexpr uint8_t kOp = 0x01;
  ++sender->sequence;
  std::vector<uint8_t> data = Header(*sender, kOp);
  data.push_back(static_cast<uint8_t>(sender->overflow & 0xFF));
  data.push_back(static_cast<uint8_t>(sender->overflow >> 8));
  crypto::Aes128Ccm ccm;
  ccm.SetKey(sender->key);
  std::array<uint8_t, kTagSize> tag{};
  uint8_t nothing = 0;
  ccm.Encrypt(Nonce(*sender, kOp), {}, {}, &nothing, tag);
  data.insert(data.end(), tag.begin(), tag.end());
  return data;
}

std::vector<uint8_t> VeSmartMessage(VeSmartSender* sender, std::span<const uint8_t> cleartext) {
  constexpr uint8_t kOp = 0x02;
  ++sender->sequence;
  std::vector<uint8_t> data = Header(*sender, kOp);
  crypto::Aes128Ccm ccm;
  ccm.SetKey(sender->key);
  std::vector<uint8_t> cipher(cleartext.size() + kTagSize);
  std::array<uint8_t, kTagSize> tag{};
  ccm.Encrypt(Nonce(*sender, kOp), {}, cleartext, cipher.data(), tag);
  std::copy(tag.begin(), tag.end(), cipher.end() - kTagSize);
  data.insert(data.end(), cipher.begin(), cipher.end());
  return data;
}

void AddRegister(std::vector<uint8_t>* cleartext, uint16_t id, int64_t value, size_t size) {
  cleartext->push_back(static_cast<uint8_t>(id & 0xFF));
  cleartext->push_back(static_cast<uint8_t>(id >> 8));
  cleartext->push_back(static_cast<uint8_t>(size));
  for (size_t i = 0; i < size; ++i) cleartext->push_back(static_cast<uint8_t>(value >> (8 * i)));
}

std::vector<uint8_t> VictronDatagram(uint64_t address, int8_t rssi_dbm, uint8_t scanner,
                                     std::span<const uint8_t> manufacturer_data) {
  std::vector<uint8_t> elements = {0x02, 0x01, 0x06, static_cast<uint8_t>(manufacturer_data.size() + 3),
                                   0xFF, 0xE1, 0x02};
  for (const uint8_t byte : manufacturer_data) elements.push_back(byte);
  ble::Advert advert;
  advert.address = address;
  advert.address_is_random = true;
  advert.rssi_dbm = rssi_dbm;
  advert.scanner = scanner;
  advert.data = elements;
  std::vector<uint8_t> datagram(ble::kMaxAdvertSize);
  datagram.resize(ble::WriteAdvert(advert, datagram));
  return datagram;
}

}  // namespace vesta::simulators
