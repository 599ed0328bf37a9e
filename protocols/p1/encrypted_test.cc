// Encrypted frames through a session: what is believed, and what is said of the rest.
#include "protocols/p1/encrypted.h"

#include <gtest/gtest.h>

#include <cstring>

#include "protocols/p1/telegram_for_test.h"

namespace vesta::p1 {
namespace {

constexpr Key kKey = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
constexpr Key kAuthenticationKey = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                    0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF};

std::string MakeFrame(const std::string& telegram, uint32_t counter, uint8_t security = kSecurityAuthenticated,
                      const std::string& title = "TST12345") {
  std::vector<uint8_t> iv(title.begin(), title.end());
  for (int shift = 24; shift >= 0; shift -= 8) iv.push_back(static_cast<uint8_t>(counter >> shift));
  std::vector<uint8_t> aad = {kSecurityAuthenticated};
  aad.insert(aad.end(), kAuthenticationKey.begin(), kAuthenticationKey.end());
  crypto::Aes128Gcm gcm;
  gcm.SetKey(kKey);
  std::vector<uint8_t> cipher(telegram.size());
  std::array<uint8_t, kEncryptedTagSize> tag;
  gcm.Encrypt(iv, aad, AsBytes(telegram), cipher.data(), tag);
  const bool tagged = security == kSecurityAuthenticated;
  const size_t length = 5 + cipher.size() + (tagged ? tag.size() : 0);
  std::string frame = "\xDB\x08" + title + "\x82";
  frame += static_cast<char>(length >> 8);
  frame += static_cast<char>(length);
  frame += static_cast<char>(security);
  frame.append(iv.begin() + 8, iv.end());
  frame.append(cipher.begin(), cipher.end());
  if (tagged) frame.append(tag.begin(), tag.end());
  return frame;
}

Options WithKeys() {
  Options options;
  options.has_key = true;
  options.key = kKey;
  options.has_authentication_key = true;
  options.authentication_key = kAuthenticationKey;
  return options;
}

const std::string kTelegram = MakeTelegram(kBasicLines);
const std::string kLater = MakeTelegram(At(kBasicLines, "240615123506S"));

TEST(Encrypted, AGoodFrameGivesReadings) {
  Bench b(WithKeys());
  const SeenFrame& frame = b.Send(MakeFrame(kTelegram, 7));
  EXPECT_EQ(frame.verdict, FrameVerdict::kAccepted);
  EXPECT_TRUE(frame.encrypted);
  EXPECT_EQ(frame.raw, MakeFrame(kTelegram, 7));
  EXPECT_EQ(frame.Find("power_import")->text, "0.512");
}

TEST(Encrypted, SaysWhichCheckFailed) {
  Bench no_key;
  EXPECT_EQ(no_key.Send(MakeFrame(kTelegram, 7)).reason, "no_key");
  Options wrong = WithKeys();
  wrong.key[15] ^= 1;
  Bench wrong_key(wrong);
  EXPECT_EQ(wrong_key.Send(MakeFrame(kTelegram, 7)).reason, "tag");
  wrong.tag_policy = TagPolicy::kIgnore;
  Bench garbage(wrong);
  EXPECT_EQ(garbage.Send(MakeFrame(kTelegram, 7)).reason, "not_a_telegram");
  Bench no_telegram(WithKeys());
  EXPECT_EQ(no_telegram.Send(MakeFrame("hello", 7)).reason, "not_a_telegram");
  std::string bad_crc = kTelegram;
  bad_crc[bad_crc.find("4321")] = '5';
  Bench inner(WithKeys());
  EXPECT_EQ(inner.Send(MakeFrame(bad_crc, 7, kSecurityEncryptedOnly)).reason, "inner_crc");
}

TEST(Encrypted, AnImpossibleLengthIsNamedAndCostsNothing) {
  Bench b(WithKeys());
  const std::string too_long = std::string("\xDB\x08") + "12345678" + std::string("\x82\xFF\xFF\x30", 4);
  const std::string too_short = std::string("\xDB\x08") + "12345678" + std::string("\x82\x00\x10\x30", 4);
  b.Send(too_long + too_short + MakeFrame(kTelegram, 7));
  ASSERT_EQ(b.recorder.frames.size(), 3u);
  EXPECT_EQ(b.recorder.frames[0].reason, "length");
  EXPECT_EQ(b.recorder.frames[1].reason, "length");
  EXPECT_EQ(b.recorder.frames[2].verdict, FrameVerdict::kAccepted);
  EXPECT_EQ(b.session.counters().rejected_length, 2u);
}

TEST(Encrypted, ARightTagOutweighsAWrongInnerChecksum) {
  std::string bad_crc = kTelegram;
  bad_crc[bad_crc.find("4321")] = '5';
  Bench b(WithKeys());
  EXPECT_EQ(b.Send(MakeFrame(bad_crc, 7)).verdict, FrameVerdict::kAccepted);
  EXPECT_EQ(b.session.counters().inner_crc_wrong_but_tag_right, 1u);
}

TEST(Encrypted, CountersMustRise) {
  Bench b(WithKeys());
  EXPECT_EQ(b.Send(MakeFrame(kTelegram, 7)).verdict, FrameVerdict::kAccepted);
  EXPECT_EQ(b.Send(MakeFrame(kLater, 7)).reason, "replay");
  EXPECT_EQ(b.Send(MakeFrame(kLater, 6)).reason, "replay");
  b.Reset();
  EXPECT_EQ(b.Send(MakeFrame(kLater, 7)).reason, "replay");
  EXPECT_EQ(b.Send(MakeFrame(kLater, 8)).verdict, FrameVerdict::kAccepted);
  // Another meter counts by itself.
  EXPECT_EQ(b.Send(MakeFrame(kTelegram, 1, kSecurityAuthenticated, "TST99999")).verdict, FrameVerdict::kAccepted);
  EXPECT_EQ(b.session.counters().rejected_replay, 3u);
}

TEST(Encrypted, AForgedCounterDoesNotLockTheMeterOut) {
  Bench b(WithKeys());
  std::string forged = MakeFrame(kTelegram, 0xFFFFFFFF);
  forged.back() = static_cast<char>(forged.back() ^ 1);
  EXPECT_EQ(b.Send(forged).reason, "tag");
  EXPECT_EQ(b.Send(MakeFrame(kTelegram, 7)).verdict, FrameVerdict::kAccepted);
}

TEST(Encrypted, IgnoringTheTagIsCounted) {
  Options options = WithKeys();
  options.tag_policy = TagPolicy::kIgnore;
  Bench b(options);
  std::string frame = MakeFrame(kTelegram, 7);
  frame.back() = static_cast<char>(frame.back() ^ 1);
  EXPECT_EQ(b.Send(frame).verdict, FrameVerdict::kAccepted);
  EXPECT_EQ(b.session.counters().tag_ignored, 1u);
}

TEST(Encrypted, ACutFrameDoesNotCostTheNextOne) {
  for (const size_t cut : {20u, 100u, 150u}) {
    Bench b(WithKeys());
    b.Send(MakeFrame(kTelegram, 7).substr(0, cut) + MakeFrame(kTelegram, 8) + MakeFrame(kLater, 9));
    ASSERT_EQ(b.recorder.frames.size(), 3u) << cut;
    EXPECT_EQ(b.recorder.frames[0].reason, "cut");
    EXPECT_EQ(b.recorder.frames[0].raw.size(), cut);
    EXPECT_EQ(b.recorder.frames[1].verdict, FrameVerdict::kAccepted);
    EXPECT_EQ(b.recorder.frames[1].offset, cut);
    EXPECT_EQ(b.recorder.frames[2].verdict, FrameVerdict::kAccepted);
  }
}

TEST(Encrypted, AFalseStartThatSwallowsAFrameGivesItBackAfterAPause) {
  Bench b(WithKeys());
  // A header that promises more than ever comes.
  const std::string false_start = std::string("\xDB\x08") + "12345678" + std::string("\x82\x20\x00\x30", 4);
  b.Send(false_start + MakeFrame(kTelegram, 7));
  EXPECT_TRUE(b.recorder.frames.empty());
  b.Pass(kCutPause_us);
  ASSERT_EQ(b.recorder.frames.size(), 2u);
  EXPECT_EQ(b.recorder.frames[0].reason, "cut");
  EXPECT_EQ(b.recorder.frames[1].verdict, FrameVerdict::kAccepted);
  EXPECT_EQ(b.session.bytes_pending(), 0u);
}

TEST(Encrypted, SlashesInAFailedFrameAreNoTelegrams) {
  Bench b;
  b.Send(MakeFrame(kTelegram, 7));
  Options wrong = WithKeys();
  wrong.key[0] ^= 1;
  Bench other(wrong);
  for (uint32_t i = 1; i < 50; ++i) other.Send(MakeFrame(kTelegram, i));
  EXPECT_EQ(other.recorder.frames.size(), 49u);
  EXPECT_EQ(other.session.counters().rejected_tag, 49u);
}

TEST(Encrypted, PlainTelegramsAreReadBesides) {
  Bench b(WithKeys());
  EXPECT_EQ(b.Send(kTelegram).verdict, FrameVerdict::kAccepted);
  EXPECT_FALSE(b.recorder.last().encrypted);
  EXPECT_EQ(b.Send(MakeFrame(kLater, 1)).verdict, FrameVerdict::kAccepted);
}

}  // namespace
}  // namespace vesta::p1
