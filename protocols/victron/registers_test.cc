#include "protocols/victron/registers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "protocols/victron/products.h"

namespace vesta::victron {
namespace {

std::vector<std::vector<std::string>> ReadCsv(const std::string& name) {
  std::ifstream in(std::string(VESTA_SOURCE_DIR "/tests/vectors/victron/") + name);
  std::vector<std::vector<std::string>> rows;
  std::string line;
  while (std::getline(in, line)) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    std::vector<std::string> cells(1);
    bool quoted = false;
    for (const char c : line) {
      if (c == '"') {
        quoted = !quoted;
      } else if (c == ',' && !quoted) {
        cells.emplace_back();
      } else {
        cells.back() += c;
      }
    }
    rows.push_back(cells);
  }
  return rows;
}

struct Put {
  explicit Put(uint16_t id, std::vector<uint8_t> value, DeviceKind kind = DeviceKind::kSolarCharger) {
    writer.Start(0, {0, TimeQuality::kHubNotSynchronised}, &memory);
    const Register* row = FindRegister(id);
    ok = row != nullptr && PutRegister(*row, value, kind, writer);
  }
  const Reading* Find(uint16_t field) const {
    for (const Reading& reading : writer.readings()) {
      if (reading.field == field) return &reading;
    }
    return nullptr;
  }
  std::string Text(uint16_t field) const {
    const Reading* reading = Find(field);
    return reading == nullptr ? "-" : std::string(reading->value.text());
  }
  FieldMemory memory;
  ReadingWriter writer;
  bool ok = false;
};

TEST(VictronRegisters, AreSortedAndPointIntoTheFieldTable) {
  uint32_t last = 0;
  for (const Register& row : Registers()) {
    EXPECT_GT(row.id, last) << row.name;
    last = row.id;
    EXPECT_EQ(FindRegister(row.id), &row);
    EXPECT_TRUE(row.field == kNoField || row.field < kCountOfFields) << row.name;
  }
  EXPECT_EQ(FindRegister(0x3ABC), nullptr);
}

TEST(VictronRegisters, NoSecretHasARow) {
  for (const int id : {0xEC12, 0xEC13, 0xEC65}) EXPECT_EQ(FindRegister(static_cast<uint16_t>(id)), nullptr);
}

TEST(VictronRegisters, AgreeWithTheListOfRegisters) {
  const auto rows = ReadCsv("registers.csv");
  ASSERT_GT(rows.size(), 200u);
  const std::map<std::string, RegisterType> types = {
      {"un8", RegisterType::kU8}, {"un16", RegisterType::kU16}, {"un32", RegisterType::kU32},
      {"sn8", RegisterType::kS8}, {"sn16", RegisterType::kS16}, {"sn32", RegisterType::kS32},
  };
  int checked = 0;
  for (size_t i = 1; i < rows.size(); ++i) {
    const auto& cells = rows[i];
    if (cells[0].size() != 6 || types.count(cells[2]) == 0) continue;
    const Register* row = FindRegister(static_cast<uint16_t>(std::stoul(cells[0], nullptr, 16)));
    ASSERT_NE(row, nullptr) << cells[0];
    if (row->type == RegisterType::kBytes) continue;  // a number by type, a structure by meaning
    EXPECT_EQ(row->type, types.at(cells[2])) << cells[1];
    EXPECT_EQ(row->name, cells[1]);
    EXPECT_EQ(row->has_na, !cells[5].empty()) << cells[1];
    if (row->has_na) {
      EXPECT_EQ(row->na, std::stoul(cells[5], nullptr, 16)) << cells[1];
    }
    // Milliseconds are seconds here, and a quarter of a second stays raw.
    if (cells[3] != "-" && cells[3] != "0.25" && cells[4] != "ms") {
      EXPECT_NEAR(std::pow(10.0, row->exponent), std::stod(cells[3]), 1e-9) << cells[1];
    }
    ++checked;
  }
  EXPECT_GT(checked, 200);
}

TEST(VictronProducts, AgreeWithTheListOfProducts) {
  const auto rows = ReadCsv("products.csv");
  ASSERT_EQ(rows.size(), Products().size() + 1);
  for (size_t i = 1; i < rows.size(); ++i) {
    const Product* product = FindProduct(static_cast<uint16_t>(std::stoul(rows[i][0], nullptr, 16)));
    ASSERT_NE(product, nullptr) << rows[i][0];
    EXPECT_EQ(product->name, rows[i][1]);
  }
}

TEST(VictronRegisters, NumbersKeepTheirDigitsAndSentinelsAreNone) {
  Put voltage(0xED8D, {0x6C, 0x05});
  ASSERT_TRUE(voltage.ok);
  EXPECT_EQ(voltage.Find(kBatteryVoltage)->value, Value::OfDecimal(1388, -2));
  Put negative(0xED8C, {0x24, 0xFA, 0xFF, 0xFF});
  EXPECT_EQ(negative.Find(kBatteryCurrent)->value, Value::OfDecimal(-1500, -3));
  Put none(0xED8D, {0xFF, 0x7F});
  EXPECT_TRUE(none.ok);
  EXPECT_TRUE(none.writer.readings().empty()) << "a value that never was is not missed";
  Put kelvin(0xEDEC, {0x74, 0x77});
  EXPECT_EQ(kelvin.Find(kBatteryTemperature)->value.decimal().mantissa, 0x7774 - 27315);
}

TEST(VictronRegisters, ALostValueIsTold) {
  FieldMemory memory;
  ReadingWriter writer;
  const Register& row = *FindRegister(0xED8D);
  const uint8_t good[] = {0x6C, 0x05};
  const uint8_t none[] = {0xFF, 0x7F};
  writer.Start(0, {0, TimeQuality::kHubNotSynchronised}, &memory);
  PutRegister(row, good, DeviceKind::kOther, writer);
  ASSERT_EQ(writer.readings().size(), 1u);
  writer.Start(0, {0, TimeQuality::kHubNotSynchronised}, &memory);
  PutRegister(row, none, DeviceKind::kOther, writer);
  ASSERT_EQ(writer.readings().size(), 1u);
  EXPECT_TRUE(writer.readings()[0].value.is_none());
  EXPECT_EQ(writer.readings()[0].quality, ValueQuality::kUnavailable);
}

TEST(VictronRegisters, AWidthOfItsOwnHasItsOwnSentinel) {
  RegisterNumber number;
  const Register& yield = *FindRegister(0xEDD3);  // 2 bytes, 4 in old firmware
  const uint8_t wide[] = {0x39, 0x30, 0, 0};
  ASSERT_TRUE(ReadRegister(yield, wide, &number));
  EXPECT_EQ(number.raw, 12345);
  const Register& panel = *FindRegister(0xEDBB);
  const uint8_t none[] = {0xFF, 0xFF, 0xFF, 0xFF};
  ASSERT_TRUE(ReadRegister(panel, none, &number));
  EXPECT_FALSE(number.is_available);
  EXPECT_FALSE(ReadRegister(panel, {none, 3}, &number));
  EXPECT_FALSE(ReadRegister(panel, {}, &number));
}

TEST(VictronRegisters, TheKindOfDeviceChoosesTheField) {
  EXPECT_NE(Put(0xED8D, {0x6C, 0x05}, DeviceKind::kDcConverter).Find(kOutputVoltage), nullptr);
  EXPECT_NE(Put(0xEDBB, {0x6C, 0x05}, DeviceKind::kDcConverter).Find(kInputVoltage), nullptr);
  EXPECT_NE(Put(0xEDBB, {0x6C, 0x05}, DeviceKind::kSolarCharger).Find(kPvVoltage), nullptr);
  EXPECT_NE(Put(0xED7D, {0x6C, 0x05}, DeviceKind::kBatteryMonitor).Find(kAuxVoltage), nullptr);
  EXPECT_NE(Put(0xED7D, {0x6C, 0x05}, DeviceKind::kAcCharger).Find(kOutput2Voltage), nullptr);
}

TEST(VictronRegisters, BitsBecomeTextsAndFlags) {
  Put alarm(0x031E, {0x41, 0x00});
  EXPECT_EQ(alarm.Text(kAlarmReason), "low_voltage, high_temperature");
  EXPECT_EQ(alarm.Find(kAlarm)->value, Value::OfState(1));
  Put off(0x0207, {0x81, 0, 0, 0});
  EXPECT_EQ(off.Text(kOffReason), "no_input_power, engine_shutdown");
  Put status(0x200F, {0xC1});
  EXPECT_EQ(status.Find(kNetworkRole)->value, Value::OfState(1));
  EXPECT_EQ(status.Text(kNetworkSenses), "temperature, voltage");
}

TEST(VictronRegisters, ProductAndVersionAreTexts) {
  EXPECT_EQ(Put(0x0100, {0x00, 0x62, 0xA0, 0xFE}).Text(kProductId), "0xA062");
  EXPECT_FALSE(Put(0x0100, {0x62, 0xA0}).ok);
  EXPECT_EQ(Put(0x0102, {0x00, 0x23, 0x01, 0x00}).Text(kFirmware), "1.23");
  EXPECT_EQ(Put(0x0102, {0x00, 0xFF, 0x08, 0x02}).Text(kFirmware), "2.08");
  EXPECT_EQ(Put(0x0102, {0x00, 0x01, 0x08, 0x02}).Text(kFirmware), "2.08-beta-01");
  EXPECT_EQ(Put(0x010A, {'H', 'Q', '2', '1', 0x00, 'x'}).Text(kSerialNumber), "HQ21");
}

TEST(VictronRegisters, SlowFieldsAreToldWhenTheyChange) {
  FieldMemory memory;
  ReadingWriter writer;
  const Register& row = *FindRegister(0xEDDA);
  int last = -1;
  for (const int code : {0, 0, 33, 33, 0}) {
    writer.Start(0, {0, TimeQuality::kHubNotSynchronised}, &memory);
    const uint8_t value[] = {static_cast<uint8_t>(code)};
    PutRegister(row, value, DeviceKind::kOther, writer);
    EXPECT_EQ(writer.readings().size(), last == code ? 0u : 1u);
    last = code;
  }
}

}  // namespace
}  // namespace vesta::victron
