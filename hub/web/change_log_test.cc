#include "hub/web/change_log.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace vesta::hub {
namespace {

TEST(ChangeLog, GivesEachThingOnceWithItsNewestNumber) {
  ChangeLog log;
  EXPECT_EQ(log.After(0, {}).number, 0u);
  log.Touch(ChangeKind::kValue, 1);
  log.Touch(ChangeKind::kValue, 2);
  log.Touch(ChangeKind::kValue, 1);
  const ChangeLog::Entry first = log.After(0, {});
  EXPECT_EQ(first.number, 2u);
  EXPECT_EQ(first.id, 2u);
  const ChangeLog::Entry second = log.After(first.number, first);
  EXPECT_EQ(second.number, 3u);
  EXPECT_EQ(second.id, 1u);
  EXPECT_EQ(log.After(second.number, second).number, 0u);
}

TEST(ChangeLog, AgreesWithAPlainModelForAnyReader) {
  ChangeLog log;
  std::map<uint64_t, std::pair<ChangeKind, uint32_t>> model;  // by newest number
  std::mt19937 random(3);
  uint64_t cursor = 0;
  ChangeLog::Entry last;
  for (int step = 0; step < 20000; ++step) {
    if (random() % 3 != 0) {
      const auto kind = static_cast<ChangeKind>(random() % 3);
      const auto id = static_cast<uint32_t>(random() % 40 + 1);
      for (auto it = model.begin(); it != model.end(); ++it) {
        if (it->second == std::pair(kind, id)) {
          model.erase(it);
          break;
        }
      }
      log.Touch(kind, id);
      model[log.last_number()] = {kind, id};
    } else {
      const ChangeLog::Entry entry = log.After(cursor, last);
      const auto expected = model.upper_bound(cursor);
      ASSERT_EQ(entry.number, expected == model.end() ? 0 : expected->first);
      if (entry.number == 0) {
        if (log.last_number() > 50) cursor = random() % 50;  // an old position is resumed
        last = {};
        continue;
      }
      ASSERT_EQ(std::pair(entry.kind, entry.id), expected->second);
      cursor = entry.number;
      last = entry;
    }
  }
}

}  // namespace
}  // namespace vesta::hub
