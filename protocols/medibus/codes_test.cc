#include "protocols/medibus/codes.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <vector>

#include "protocols/medibus/fields.h"

namespace vesta::medibus {
namespace {

std::vector<std::string> Cells(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream in(line);
  for (std::string cell; std::getline(in, cell, ',');) cells.push_back(cell);
  return cells;
}

const std::map<std::string, Group> kGroupOf = {{"measured1", Group::kMeasured1}, {"measured2", Group::kMeasured2},
                                               {"alarm1", Group::kAlarm1},       {"alarm2", Group::kAlarm2},
                                               {"setting", Group::kSetting},     {"text", Group::kText},
                                               {"realtime", Group::kRealtime}};

// The published table and the one that is compiled in say the same, row by row.
TEST(MedibusCodes, AreThoseOfTheFile) {
  std::ifstream in(VESTA_SOURCE_DIR "/docs/protocols/medibus-codes.csv");
  ASSERT_TRUE(in.is_open());
  size_t row = 0;
  size_t protocol_only = 0;
  std::string line;
  std::getline(in, line);
  EXPECT_EQ(line,
            "# Code table of MEDIBUS.X incubators, warmers and ventilators, version " + std::string(kBuiltInVersion));
  std::getline(in, line);
  while (std::getline(in, line)) {
    const std::vector<std::string> cells = Cells(line);
    ASSERT_GE(cells.size(), 8u) << line;
    if (cells[0] == "realtime" && (cells[2].size() != 2 || cells[2][0] == 'C')) {
      ++protocol_only;  // sync commands: part of the protocol, no data
      continue;
    }
    ASSERT_LT(row, BuiltInCodes().size());
    const CodeRow& built_in = BuiltInCodes()[row++];
    EXPECT_EQ(built_in.group, kGroupOf.at(cells[0] + cells[1])) << line;
    EXPECT_EQ(built_in.code, std::stoul(cells[2], nullptr, 16)) << line;
    EXPECT_EQ(built_in.name, cells[3]) << line;
    EXPECT_EQ(built_in.unit_text, cells[4]) << line;
    EXPECT_EQ(built_in.family == Family::kIncubator ? "incubator" : "ventilator", cells[7]) << line;
    std::string devices;
    for (const uint16_t device : built_in.devices) {
      if (device != 0) devices += (devices.empty() ? "" : " ") + std::to_string(device);
    }
    EXPECT_EQ(devices, cells[6]) << line;
  }
  EXPECT_EQ(row, BuiltInCodes().size());
  EXPECT_EQ(protocol_only, 3u);
}

TEST(MedibusCodes, KeysAreUniqueAndClean) {
  std::set<std::string> keys;
  for (const Field& field : Fields()) {
    EXPECT_TRUE(keys.insert(field.key).second) << field.key;
    EXPECT_EQ(std::string(field.key).find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"), std::string::npos);
  }
  EXPECT_EQ(Fields().size(), kCountOfCoreFields + BuiltInCodes().size());
}

TEST(MedibusCodes, TheSameCodeIsSomethingElseOnAnotherFamily) {
  const CodeRow* incubator = FindRow(5700, Family::kNone, Group::kAlarm1, 0x30, nullptr);
  ASSERT_NE(incubator, nullptr);
  EXPECT_STREQ(incubator->field.key, "alarm_p1_30");
  const CodeRow* ventilator = FindRow(5000, Family::kIncubator, Group::kMeasured1, 0x73, nullptr);
  ASSERT_NE(ventilator, nullptr);
  EXPECT_STREQ(ventilator->name, "Pmean");
  EXPECT_EQ(FindRow(5512, Family::kIncubator, Group::kMeasured1, 0x6D, nullptr), nullptr);  // known number, no table
  EXPECT_NE(FindRow(0, Family::kIncubator, Group::kMeasured1, 0x6D, nullptr), nullptr);
  // 5701 is no device of this row, but of its family.
  EXPECT_STREQ(FindRow(5701, Family::kNone, Group::kMeasured1, 0xE4, nullptr)->name, "light_level");
}

TEST(MedibusCodes, TheHashFollowsTheContent) {
  std::vector<CodeRow> rows(BuiltInCodes().begin(), BuiltInCodes().end());
  EXPECT_EQ(HashOf(rows), HashOf(BuiltInCodes()));
  rows[3].devices[1] = 5702;
  EXPECT_NE(HashOf(rows), HashOf(BuiltInCodes()));
}

}  // namespace
}  // namespace vesta::medibus
