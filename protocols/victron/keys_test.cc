#include "protocols/victron/keys.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "protocols/crypto.h"

namespace vesta::victron {
namespace {

constexpr char kText[] = "adeccb947395801a4dd45a2eaa44bf17";
// A real solar charger's advert for that key.
const std::vector<uint8_t> kAdvert = {0x10, 0x02, 0x42, 0xa0, 0x01, 0x62, 0x07, 0xad, 0xce, 0xb3,
                                      0x7b, 0x60, 0x5d, 0x7e, 0x0e, 0xe2, 0x1b, 0x24, 0xdf, 0x5c};

Key KeyOf(const std::string& text) { return ParseKeyText(text).key; }

TEST(KeyText, TakesWhatPeoplePaste) {
  const Key plain = KeyOf(kText);
  EXPECT_EQ(plain[0], 0xad);
  EXPECT_EQ(plain[15], 0x17);
  for (const char* text : {"ADECCB947395801A4DD45A2EAA44BF17", "  adeccb947395801a4dd45a2eaa44bf17\r\n",
                           "ad:ec:cb:94:73:95:80:1a:4d:d4:5a:2e:aa:44:bf:17", "adeccb94-7395801a-4dd45a2e-aa44bf17",
                           "adec cb94 7395 801a 4dd4 5a2e aa44 bf17"}) {
    EXPECT_EQ(ParseKeyText(text).result, KeyTextResult::kOk) << text;
    EXPECT_EQ(KeyOf(text), plain) << text;
  }
}

TEST(KeyText, SaysWhatIsWrongWithoutTellingTheKey) {
  char room[160];
  const KeyText empty = ParseKeyText("  ");
  EXPECT_EQ(empty.result, KeyTextResult::kEmpty);
  const KeyText cut = ParseKeyText(std::string(kText).substr(1));
  EXPECT_EQ(cut.result, KeyTextResult::kTooShort);
  EXPECT_EQ(cut.digits, 31u);
  EXPECT_EQ(cut.key, Key{});
  EXPECT_NE(DescribeKeyText(cut, room).find("31"), std::string_view::npos);
  const KeyText twice = ParseKeyText(std::string(kText) + kText);
  EXPECT_EQ(twice.result, KeyTextResult::kTooLong);
  EXPECT_NE(DescribeKeyText(twice, room).find("64"), std::string_view::npos);
  const KeyText odd = ParseKeyText(std::string("g") + kText);
  EXPECT_EQ(odd.result, KeyTextResult::kBadCharacter);
  EXPECT_EQ(odd.bad_position, 0u);
  for (const KeyText& text : {empty, cut, twice, odd}) {
    EXPECT_EQ(DescribeKeyText(text, room).find("deccb9"), std::string_view::npos);
  }
}

TEST(Addresses, AreReadInTheUsualForms) {
  uint64_t address = 0;
  EXPECT_TRUE(ParseAddress("C0:FF:EE:11:22:33", &address));
  EXPECT_EQ(address, 0xC0FFEE112233u);
  EXPECT_TRUE(ParseAddress("c0ffee112233", &address));
  EXPECT_TRUE(ParseAddress("c0-ff-ee-11-22-34", &address));
  char text[kAddressTextSize];
  FormatAddress(address, text);
  EXPECT_EQ(std::string(text, sizeof(text)), "c0ffee112234");
  for (const char* bad : {"", "c0ffee11223", "c0ffee1122334", "c0ffee11223g", "c0 ff ee 11 22 33"}) {
    EXPECT_FALSE(ParseAddress(bad, &address)) << bad;
  }
  uint16_t network = 0;
  EXPECT_TRUE(ParseNetworkId("A1b2", &network));
  EXPECT_EQ(network, 0xA1B2);
  EXPECT_FALSE(ParseNetworkId("a1b", &network));
  EXPECT_FALSE(ParseNetworkId("a1b2c", &network));
  EXPECT_FALSE(ParseNetworkId("a1bx", &network));
}

TEST(KeyRing, KeepsKeysByAddressUpToItsBound) {
  KeyRing ring;
  const Key key = KeyOf(kText);
  for (uint64_t i = 0; i < kMaxKeys; ++i) {
    Key own = key;
    own[15] = static_cast<uint8_t>(i);
    EXPECT_TRUE(ring.SetKey(i * 7919 % 1009, own));
  }
  EXPECT_EQ(ring.key_count(), kMaxKeys);
  for (uint64_t i = 0; i < kMaxKeys; ++i) {
    ASSERT_NE(ring.FindKey(i * 7919 % 1009), nullptr);
    EXPECT_EQ((*ring.FindKey(i * 7919 % 1009))[15], i);
  }
  EXPECT_FALSE(ring.SetKey(5000, key));
  EXPECT_TRUE(ring.SetKey(0, key));  // replaced
  EXPECT_TRUE(ring.RemoveKey(0));
  EXPECT_FALSE(ring.RemoveKey(0));
  EXPECT_EQ(ring.FindKey(0), nullptr);
  EXPECT_TRUE(ring.SetKey(5000, key));
  EXPECT_EQ(ring.FindKey(4999), nullptr);
}

TEST(KeyRing, EveryChangeIsSeenInItsRevision) {
  KeyRing ring;
  const Key key = KeyOf(kText);
  uint64_t last = ring.revision();
  const auto changed = [&ring, &last] {
    const bool grew = ring.revision() > last;
    last = ring.revision();
    return grew;
  };
  ring.SetKey(1, key);
  EXPECT_TRUE(changed());
  ring.SetNetwork(0xA1B2, key);
  EXPECT_TRUE(changed());
  ring.RemoveKey(2);
  EXPECT_FALSE(changed());
  ring.RemoveKey(1);
  EXPECT_TRUE(changed());
  for (uint16_t id = 1; id < kMaxNetworks; ++id) EXPECT_TRUE(ring.SetNetwork(id, key));
  EXPECT_FALSE(ring.SetNetwork(kMaxNetworks, key));
  EXPECT_TRUE(ring.RemoveNetwork(3));
  EXPECT_FALSE(ring.RemoveNetwork(3));
  EXPECT_EQ(ring.networks().size(), kMaxNetworks - 1);
}

TEST(KeyTrial, TellsARightKeyFromOthers) {
  const Key right = KeyOf(kText);
  EXPECT_EQ(TryKey(right, kAdvert), KeyTrial::kOpens);
  Key other = right;
  other[0] ^= 1;
  EXPECT_EQ(TryKey(other, kAdvert), KeyTrial::kOtherKey);
  EXPECT_EQ(TryKey(right, {}), KeyTrial::kNothingToOpen);
  EXPECT_EQ(TryKey(right, {kAdvert.data(), 4}), KeyTrial::kNothingToOpen);
  std::vector<uint8_t> advert = kAdvert;
  advert[0] = 0x02;
  EXPECT_EQ(TryKey(right, advert), KeyTrial::kNothingToOpen);
  advert = kAdvert;
  advert[4] = 0x0E;
  EXPECT_EQ(TryKey(right, advert), KeyTrial::kUnknownContent);
  advert[4] = 0xFF;
  EXPECT_EQ(TryKey(right, advert), KeyTrial::kNotEncrypted);
}

TEST(KeyTrial, SeesNoiseWhenOnlyTheFirstByteFits) {
  Key wrong = KeyOf(kText);
  int implausible = 0;
  constexpr int kTrials = 200;
  for (int i = 0; i < kTrials; ++i) {
    wrong[1] = static_cast<uint8_t>(i);
    wrong[2] = static_cast<uint8_t>(i * 7 + 1);
    if (TryKey(wrong, kAdvert) == KeyTrial::kImplausible) ++implausible;
  }
  EXPECT_GT(implausible, kTrials * 9 / 10);
}

}  // namespace
}  // namespace vesta::victron
