#include "hub/intake/medibus_table.h"

#include <gtest/gtest.h>

namespace vesta::hub {
namespace {

TEST(MedibusTable, TakesRowsAndTellsWhatIsWrong) {
  const MedibusTable table = MedibusTable::Parse(
      "# ours\n"
      "kind,codepage,code,name,unit,format,device_ids,family,evidence\n"
      "measured,1,4F,Third Probe,Cel,decimal,5700 5701,,seen here\r\n"
      "measured,3,4F,x,,decimal,5700,,\n"
      "alarm,2,7,x,,phrase,5700,,\n"
      "alarm,2,7E,DOOR,,phrase,,incubator,\n"
      "setting,,41,Third Probe,Cel,decimal,5700,,\n"
      "setting,,42,y,Cel,decimal,,,\n"
      "too,short\n",
      "/etc/vesta/ward 7.csv");
  ASSERT_EQ(table.codes().rows.size(), 3u);
  EXPECT_EQ(table.codes().version, "ward_7");
  EXPECT_STREQ(table.codes().rows[0].field.key, "site_third_probe");
  EXPECT_EQ(table.codes().rows[0].field.unit, Unit::kCelsius);
  EXPECT_EQ(table.codes().rows[0].devices[1], 5701);
  EXPECT_EQ(table.codes().rows[1].field.kind, FieldKind::kFlag);
  EXPECT_STREQ(table.codes().rows[2].field.key, "site_setting_41");
  ASSERT_EQ(table.problems().size(), 4u);
  EXPECT_EQ(table.problems()[0], "/etc/vesta/ward 7.csv:4: no such kind and codepage");
  EXPECT_EQ(table.problems()[1], "/etc/vesta/ward 7.csv:5: the code is not two hex digits");
}

TEST(MedibusTable, TheBuiltInFileReadsBack) {
  const MedibusTable table = MedibusTable::Read(VESTA_SOURCE_DIR "/docs/protocols/medibus-codes.csv");
  EXPECT_EQ(table.codes().rows.size(), medibus::BuiltInCodes().size() + 2);  // and two sync commands of the channel
  EXPECT_EQ(table.problems().size(), 1u);                                    // the third, whose code is a pair
}

TEST(MedibusTable, AMissingFileIsTold) {
  const MedibusTable table = MedibusTable::Read("/nowhere/table.csv");
  EXPECT_TRUE(table.codes().rows.empty());
  EXPECT_EQ(table.problems().size(), 1u);
}

}  // namespace
}  // namespace vesta::hub
