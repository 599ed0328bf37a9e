#include "protocols/p1/fields.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace vesta::p1 {
namespace {

TEST(FieldTable, KeysAreUniqueAndPlain) {
  std::set<std::string> keys;
  for (const Field& field : Fields()) {
    EXPECT_TRUE(keys.insert(field.key).second) << field.key;
    EXPECT_EQ(std::string(field.key).find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"), std::string::npos);
    EXPECT_EQ(field.kind == FieldKind::kState, !field.states.empty()) << field.key;
  }
}

TEST(ObisTable, EveryRowIsFoundByItsText) {
  for (const ObisRow& row : ObisRows()) EXPECT_EQ(FindObis(row.text), &row) << row.text;
  EXPECT_EQ(FindObis("1-0:99.99.9"), nullptr);
  EXPECT_EQ(FindObis(""), nullptr);
  EXPECT_EQ(FindObis("1-0:1.8.0-and-more-than-fits"), nullptr);
}

TEST(ObisTable, EveryFieldCanBeReached) {
  std::set<uint16_t> reached;
  for (const ObisRow& row : ObisRows()) reached.insert(row.field);
  // What the decoder fills by itself.
  for (const uint16_t field : {kKnown.limiter_threshold_kva, kKnown.limiter_threshold_a, kKnown.current_limit_export,
                               kKnown.tariff, kKnown.demand_month_peak, kKnown.demand_month_peak_at,
                               kKnown.demand_month_peak_export, kKnown.demand_month_peak_export_at, kKnown.gas_volume,
                               kKnown.water_volume, kKnown.heat_energy, kKnown.cooling_energy, kKnown.submeter_energy,
                               kKnown.submeter_volume, kKnown.valve_state, kKnown.switch_state, kKnown.device_type}) {
    ASSERT_NE(field, kNoField);
    reached.insert(field);
  }
  for (uint16_t i = 0; i < Fields().size(); ++i) EXPECT_EQ(reached.count(i), 1u) << Fields()[i].key;
}

TEST(ObisTable, HasTheCodesOfTheCatalogue) {
  for (const char* code :
       {"1-3:0.2.8",   "0-0:96.1.4",  "0-0:1.0.0",   "0-0:1.1.0",    "0-0:96.1.1",  "0-0:96.1.0",  "0-0:42.0.0",
        "0-0:96.1.2",  "1-0:0.0.0",   "0-0:0.0.0",   "0-0:96.1.255", "0-0:96.14.0", "0-0:96.14.1", "0-0:96.50.68",
        "0-0:96.3.10", "0-0:17.0.0",  "0-0:96.7.21", "0-0:96.7.9",   "1-0:99.97.0", "0-0:96.13.0", "0-0:96.13.1",
        "0-0:96.13.2", "0-0:96.13.5", "0-0:98.1.0",  "0-0:98.1.1",   "1-0:0.2.0",   "1-1:0.2.0",   "1-0:0.2.8",
        "1-1:0.2.8",   "1-0:0.4.2",   "1-0:0.4.3",   "1-0:0.8.2",    "1-0:0.9.1",   "1-0:0.9.2",   "1-0:96.5.5",
        "1-0:94.32.1", "1-0:99.1.0",  "1-0:1.8.0",   "1-0:2.8.5",    "1-0:1.8.11",  "1-0:1.8.13",  "1-1:1.8.0",
        "1-1:2.8.2",   "1-0:3.8.4",   "1-0:4.8.0",   "1-0:5.8.0",    "1-0:8.8.0",   "1-0:15.8.0",  "1-0:16.8.0",
        "1-0:1.7.0",   "1-0:62.7.0",  "1-0:23.7.0",  "1-0:64.7.0",   "1-0:5.7.0",   "1-0:8.7.0",   "1-0:69.7.0",
        "1-0:70.7.0",  "1-0:11.7.0",  "1-0:71.7.0",  "1-0:12.7.0",   "1-0:72.7.0",  "1-0:13.7.0",  "1-0:73.7.0",
        "1-0:14.7.0",  "1-0:15.7.0",  "1-0:16.7.0",  "1-0:90.7.0",   "1-0:91.7.0",  "1-0:1.24.0",  "1-0:15.24.0",
        "1-0:16.24.0", "1-0:72.24.0", "1-0:13.3.0",  "1-0:1.4.0",    "1-0:10.4.0",  "1-0:1.5.0",   "1-0:10.5.0",
        "1-0:1.6.0",   "1-0:2.6.0",   "1-1:1.6.0",   "1-0:31.4.0",   "1-0:71.4.0",  "1-1:31.4.0",  "1-0:32.32.0",
        "0-0:32.32.0", "1-0:72.36.0", "1-0:32.33.0", "1-0:52.34.0",  "1-0:72.37.0", "1-0:32.38.0", "0-1:24.1.0",
        "0-4:96.1.0",  "0-2:96.1.1",  "0-3:96.1.2",  "0-1:24.2.1",   "0-1:24.2.3",  "0-1:24.3.0",  "0-1:24.3.1",
        "0-4:24.4.0",  "0-2:96.3.10"}) {
    EXPECT_NE(FindObis(code), nullptr) << code;
  }
}

}  // namespace
}  // namespace vesta::p1
