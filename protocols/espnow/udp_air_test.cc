#include "protocols/espnow/udp_air.h"

#include <gtest/gtest.h>

#include <vector>

namespace vesta::espnow {
namespace {

std::vector<uint8_t> ExampleOfTheDocument() {
  SendOptions options;
  options.sender = {0x02, 0xBB, 0, 0, 0, 1};
  options.random = {0x11, 0x22, 0x33, 0x44};
  constexpr uint8_t kBody[] = {1, 2};
  std::vector<uint8_t> out(kMaxUdpAirSize);
  out.resize(WriteUdpAir(options, 6, -60, kBody, out));
  return out;
}

TEST(UdpAir, TheExampleOfTheDocument) {
  const std::vector<uint8_t> expected = {
      0x56, 0x41, 0x01, 0x06, 0xC4, 0x00, 0x00, 0x00,                                      // head
      0xD0, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02, 0xBB, 0, 0, 0, 1,  //
      0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00,                                      // MAC header
      0x7F, 0x18, 0xFE, 0x34, 0x11, 0x22, 0x33, 0x44,                                      // action header
      0xDD, 0x07, 0x18, 0xFE, 0x34, 0x04, 0x01, 0x01, 0x02,                                // element
  };
  EXPECT_EQ(ExampleOfTheDocument(), expected);
  Packet packet;
  ASSERT_TRUE(ReadUdpAir(expected, &packet));
  EXPECT_EQ(packet.verdict, Verdict::kEspNow);
  EXPECT_EQ(packet.sender, (Address{0x02, 0xBB, 0, 0, 0, 1}));
  EXPECT_EQ(packet.receiver, kBroadcast);
  EXPECT_EQ(packet.radiotap.channel, 6);
  EXPECT_EQ(packet.radiotap.signal_dbm, -60);
  EXPECT_EQ(packet.body_size, 2u);
}

TEST(UdpAir, ADamagedHeadIsRefusedAndADamagedFrameIsJudged) {
  const std::vector<uint8_t> good = ExampleOfTheDocument();
  Packet packet;
  for (size_t size = 0; size < kUdpAirHeadSize; ++size) EXPECT_FALSE(ReadUdpAir(Bytes(good).first(size), &packet));
  for (const size_t at : {0, 1, 2, 5, 6, 7}) {
    std::vector<uint8_t> bad = good;
    bad[at] ^= 0x40;
    EXPECT_FALSE(ReadUdpAir(bad, &packet)) << at;
  }
  std::vector<uint8_t> bad = good;
  bad[3] = 15;
  EXPECT_FALSE(ReadUdpAir(bad, &packet));
  for (size_t size = kUdpAirHeadSize; size < good.size(); ++size) {
    ASSERT_TRUE(ReadUdpAir(Bytes(good).first(size), &packet));
    EXPECT_NE(packet.verdict, Verdict::kEspNow) << size;
  }
}

TEST(UdpAir, WhoHearsWhom) {
  EXPECT_TRUE(IsHeardOn(6, 6));
  EXPECT_TRUE(IsHeardOn(0, 6));
  EXPECT_TRUE(IsHeardOn(6, 0));
  EXPECT_FALSE(IsHeardOn(6, 7));
}

}  // namespace
}  // namespace vesta::espnow
