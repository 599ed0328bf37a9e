#include "hub/keys/key_desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "hub/keys/key_check.h"
#include "hub/store/temporary_store.h"
#include "protocols/victron/advert_for_test.h"

namespace vesta::hub {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kKey(victron::kKeyTextForTest);
constexpr char kOther[] = "00112233445566778899aabbccddeeff";

class KeyDeskTest : public testing::Test {
 protected:
  std::string WriteFile(const std::string& text, mode_t mode = 0600) {
    const std::string path = folder_.File("my-keys.json");
    std::ofstream(path) << text;
    chmod(path.c_str(), mode);
    return path;
  }
  std::vector<std::string> Ids(const KeyDesk& desk) {
    std::vector<std::string> ids;
    for (const KeyEntry& entry : desk.List()) ids.push_back(FormatKeyId(entry.id));
    return ids;
  }

  TemporaryFolder folder_;
  std::string given_ = folder_.File("keys.json");
};

TEST_F(KeyDeskTest, AGivenKeyIsKeptForTheOwnerOnlyAndTellsTheListener) {
  {
    KeyDesk desk(given_, "");
    EXPECT_THAT(desk.Load(), IsEmpty());
    std::vector<uint64_t> told;
    desk.OnKey([&](uint64_t sender) { told.push_back(sender); });
    ASSERT_TRUE(desk.Put("C0:FF:EE:11:22:33", " " + kKey + "\n", "Roof"));
    ASSERT_TRUE(desk.Put("c0ffee112233", kKey, "Roof"));
    ASSERT_TRUE(desk.Put("network-a1b2", kOther, ""));
    EXPECT_THAT(told, ElementsAre(0xC0FFEE112233u, 0xC0FFEE112233u, 0u));
  }
  struct stat status {};
  ASSERT_EQ(stat(given_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  KeyDesk desk(given_, "");
  EXPECT_THAT(desk.Load(), IsEmpty());
  EXPECT_THAT(Ids(desk), ElementsAre("c0ffee112233", "network-a1b2"));
  EXPECT_EQ(desk.List()[0].name, "Roof");
  ASSERT_NE(desk.ring().FindKey(0xC0FFEE112233), nullptr);
  EXPECT_EQ(*desk.ring().FindKey(0xC0FFEE112233), victron::kKeyForTest);
  ASSERT_EQ(desk.ring().networks().size(), 1u);
  ASSERT_TRUE(desk.Remove("c0:ff:ee:11:22:33"));
  EXPECT_EQ(desk.ring().FindKey(0xC0FFEE112233), nullptr);
  EXPECT_EQ(desk.Remove("c0ffee112233").error().code, "no_key");
  KeyDesk again(given_, "");
  again.Load();
  EXPECT_THAT(Ids(again), ElementsAre("network-a1b2"));
}

TEST_F(KeyDeskTest, TheConfiguredFileStandsBehindWhatIsGiven) {
  const std::string file = WriteFile(R"({"keys": [{"address": "c0:ff:ee:11:22:33", "key": ")" + std::string(kOther) +
                                     R"(", "name": "From file"}]})");
  KeyDesk desk(given_, file);
  EXPECT_THAT(desk.Load(), IsEmpty());
  EXPECT_EQ(desk.List()[0].origin, KeyOrigin::kFile);
  EXPECT_EQ(desk.Remove("c0ffee112233").error().code, "in_file");
  ASSERT_TRUE(desk.Put("c0ffee112233", kKey, ""));
  EXPECT_EQ(desk.List()[0].origin, KeyOrigin::kGiven);
  EXPECT_EQ(*desk.ring().FindKey(0xC0FFEE112233), victron::kKeyForTest);
  ASSERT_TRUE(desk.Remove("c0ffee112233"));
  EXPECT_EQ((*desk.ring().FindKey(0xC0FFEE112233))[1], 0x11);
}

TEST_F(KeyDeskTest, AFileThatOthersMayReadIsRefused) {
  KeyDesk desk(given_, WriteFile("{}", 0640));
  EXPECT_THAT(desk.Load(), ElementsAre(HasSubstr("chmod 600")));
}

TEST_F(KeyDeskTest, OneBadEntryLeavesTheRestAndNoErrorHoldsAKey) {
  const std::string bad = kKey.substr(1);
  KeyDesk desk(given_, WriteFile(R"({"keys": [{"address": "c0ffee112233", "key": ")" + bad +
                                 R"("}, {"address": "c0ffee112234", "key": ")" + kKey +
                                 R"("}, {"address": "nobody", "key": ")" + kKey + R"("}, 7], "networks": 3})"));
  const auto problems = desk.Load();
  ASSERT_EQ(problems.size(), 4u);
  EXPECT_THAT(problems[0], HasSubstr("keys[0]"));
  EXPECT_THAT(problems[0], HasSubstr("31"));
  for (const std::string& problem : problems) EXPECT_EQ(problem.find(bad.substr(0, 6)), std::string::npos) << problem;
  EXPECT_THAT(Ids(desk), ElementsAre("c0ffee112234"));
}

TEST_F(KeyDeskTest, MissingAndBrokenFilesAreTold) {
  EXPECT_THAT(KeyDesk(given_, folder_.File("none")).Load(), ElementsAre(HasSubstr("cannot read the keys")));
  EXPECT_THAT(KeyDesk(given_, WriteFile("[1")).Load(), ElementsAre(HasSubstr("no JSON object")));
  KeyDesk nowhere(folder_.File("no/such/folder"), "");
  EXPECT_EQ(nowhere.Put("c0ffee112233", kKey, "").error().code, "not_stored");
  EXPECT_THAT(nowhere.List(), IsEmpty());
}

TEST_F(KeyDeskTest, WhatIsWrongWithAKeyIsSaidExactly) {
  KeyDesk desk(given_, "");
  EXPECT_EQ(desk.Put("c0ffee112233", kKey.substr(1), "").error().code, "too_short");
  EXPECT_EQ(desk.Put("c0ffee112233", kKey + "0", "").error().code, "too_long");
  EXPECT_EQ(desk.Put("c0ffee112233", "", "").error().code, "empty");
  EXPECT_EQ(desk.Put("c0ffee112233", "g" + kKey.substr(1), "").error().code, "bad_character");
  EXPECT_EQ(desk.Put("c0ffee1122", kKey, "").error().code, "bad_id");
  EXPECT_EQ(desk.Put("network-a1", kKey, "").error().code, "bad_id");
  EXPECT_EQ(desk.Put("c0ffee112233", kKey, std::string(65, 'x')).error().code, "bad_name");
  for (size_t i = 0; i < victron::kMaxKeys; ++i) ASSERT_TRUE(desk.Put(FormatKeyId({false, i, 0}), kKey, ""));
  EXPECT_EQ(desk.Put("c0ffee112233", kKey, "").error().code, "full");
  EXPECT_TRUE(desk.Put(FormatKeyId({false, 5, 0}), kOther, ""));
}

class KeyCheckTest : public testing::Test {
 protected:
  KeyCheckTest() {
    victron::Key stale = victron::kKeyForTest;
    stale[0] ^= 0xFF;
    for (uint64_t i = 0; i < 3; ++i) {
      datagrams_.push_back(
          victron::SolarAdvertForTest(0xC0FFEE112230 + i, i == 1 ? victron::kKeyForTest : stale, 7, 1320));
    }
    for (uint64_t i = 0; i < 3; ++i) heard_.push_back({0xC0FFEE112230 + i, datagrams_[i]});
  }
  std::vector<std::vector<uint8_t>> datagrams_;
  std::vector<HeardAdvert> heard_;
};

TEST_F(KeyCheckTest, SaysAtOnceWhatAKeyOpens) {
  const KeyCheck check = CheckKey(kKey, "", heard_);
  EXPECT_EQ(check.code, "opens");
  EXPECT_THAT(check.opens, ElementsAre(0xC0FFEE112231u));
  EXPECT_EQ(check.tried, 3u);
  EXPECT_THAT(check.text, HasSubstr("c0:ff:ee:11:22:31"));
  EXPECT_THAT(check.text, HasSubstr("MPPT"));
  EXPECT_EQ(CheckKey(kKey, "c0ffee112231", heard_).code, "opens");
}

TEST_F(KeyCheckTest, ForTheWrongDeviceItNamesTheRightOne) {
  const KeyCheck check = CheckKey(kKey, "c0:ff:ee:11:22:30", heard_);
  EXPECT_EQ(check.code, "opens_other");
  EXPECT_THAT(check.text, HasSubstr("It does not open"));
  EXPECT_THAT(check.text, HasSubstr("(c0:ff:ee:11:22:31)"));
  EXPECT_THAT(CheckKey(kKey, "c0ffee000000", heard_).text, HasSubstr("is not heard"));
}

TEST_F(KeyCheckTest, AKeyThatOpensNothingIsStaleOrOfADeviceNotHeard) {
  const KeyCheck check = CheckKey("deadbeefdeadbeefdeadbeefdeadbeef", "", heard_);
  EXPECT_EQ(check.code, "opens_nothing");
  EXPECT_THAT(check.text, HasSubstr("none of the 3 devices heard"));
  EXPECT_THAT(check.text, HasSubstr("PIN"));
  EXPECT_EQ(CheckKey("deadbeefdeadbeefdeadbeefdeadbeef", "c0ffee112230", heard_).code, "opens_nothing");
  EXPECT_EQ(CheckKey(kKey, "", {}).code, "nothing_heard");
}

TEST_F(KeyCheckTest, AKeyTextThatIsWrongIsNotTried) {
  EXPECT_EQ(CheckKey(kKey.substr(0, 31), "", heard_).code, "too_short");
  EXPECT_THAT(CheckKey(kKey.substr(0, 31), "", heard_).text, HasSubstr("31"));
  EXPECT_EQ(CheckKey("x", "", heard_).code, "bad_character");
  EXPECT_EQ(CheckKey(kKey, "nobody", heard_).code, "bad_id");
}

}  // namespace
}  // namespace vesta::hub
