#include "protocols/vesmart/receiver.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vesta::vesmart {
namespace {

constexpr victron::Key kKey = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                               0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
constexpr uint16_t kNetwork = 0xA1B2;
const std::vector<uint8_t> kClear = {0x0F, 0x01, 0x20, 0x02, 0x90, 0x05};

std::vector<uint8_t> Seal(uint8_t op, uint8_t sequence, uint16_t serial, const std::vector<uint8_t>& clear,
                          uint8_t overflow = 1, uint16_t network = kNetwork, const victron::Key& key = kKey) {
  std::vector<uint8_t> data;
  const std::array<uint8_t, 4> serial_bytes = {static_cast<uint8_t>(serial & 0xFF), static_cast<uint8_t>(serial >> 8),
                                               7, 9};
  const std::array<uint8_t, 4> sequence_bytes = {sequence, 0, 0, 0};
  data.push_back(op);
  data.push_back(static_cast<uint8_t>(network >> 8));
  for (const uint8_t byte : serial_bytes) data.push_back(byte);
  for (const uint8_t byte : sequence_bytes) data.push_back(byte);
  if (op == kOpOverflow) {
    data.push_back(overflow);
    data.push_back(0);
  }
  crypto::Aes128Ccm ccm;
  ccm.SetKey(key);
  std::vector<uint8_t> cipher(clear.size() + 1);
  std::array<uint8_t, kTagSize> tag{};
  ccm.Encrypt(MakeNonce(op, sequence_bytes, {overflow, 0}, serial_bytes, network), {}, clear, cipher.data(), tag);
  for (size_t i = 0; i < clear.size(); ++i) data.push_back(cipher[i]);
  for (const uint8_t byte : tag) data.push_back(byte);
  return data;
}

struct Bench {
  Bench() { ring.SetNetwork(kNetwork, kKey); }
  Outcome Hear(const std::vector<uint8_t>& data) { return receiver.Receive(data, ring, &message); }
  Outcome Overflow(uint16_t serial = 1, uint8_t overflow = 1) {
    return Hear(Seal(kOpOverflow, 200, serial, {}, overflow));
  }
  Outcome Say(uint8_t sequence, uint16_t serial = 1, uint8_t overflow = 1) {
    return Hear(Seal(kOpMessage, sequence, serial, kClear, overflow));
  }
  victron::KeyRing ring;
  Receiver receiver;
  Message message;
};

TEST(VeSmartReceiver, NeedsTheAnnouncementFirst) {
  Bench bench;
  EXPECT_EQ(bench.Say(1), Outcome::kNoOverflowYet);
  EXPECT_EQ(bench.Overflow(), Outcome::kOverflowRecorded);
  EXPECT_EQ(bench.Say(1), Outcome::kDecoded);
  EXPECT_EQ(std::vector<uint8_t>(bench.message.cleartext.begin(), bench.message.cleartext.end()), kClear);
  EXPECT_EQ(bench.message.network, kNetwork);
}

TEST(VeSmartReceiver, ALateCopyOfASlowerScannerIsADuplicate) {
  Bench bench;
  bench.Overflow();
  for (uint8_t i = 1; i <= 4; ++i) EXPECT_EQ(bench.Say(i), Outcome::kDecoded);
  for (uint8_t i = 1; i <= 4; ++i) EXPECT_EQ(bench.Say(i), Outcome::kDuplicate);
  EXPECT_EQ(bench.Say(5), Outcome::kDecoded);
}

TEST(VeSmartReceiver, AFailedTagChangesNothing) {
  Bench bench;
  bench.Overflow();
  std::vector<uint8_t> forged = Seal(kOpOverflow, 201, 1, {}, 9);
  forged.back() ^= 1;
  EXPECT_EQ(bench.Hear(forged), Outcome::kAuthFailed);
  EXPECT_EQ(bench.Say(1), Outcome::kDecoded) << "the old overflow still holds";
  EXPECT_EQ(bench.Say(2, 1, 9), Outcome::kAuthFailed);
}

TEST(VeSmartReceiver, TriesEveryNetworkOfTheGroup) {
  Bench bench;
  victron::Key other = kKey;
  other[5] = 1;
  bench.ring.SetNetwork(0xA1FF, other);
  EXPECT_EQ(bench.Hear(Seal(kOpOverflow, 1, 1, {}, 1, 0xA1FF, other)), Outcome::kOverflowRecorded);
  EXPECT_EQ(bench.message.network, 0xA1FF);
  EXPECT_EQ(bench.Hear(Seal(kOpMessage, 2, 1, kClear, 1, 0xA1FF, other)), Outcome::kDecoded);
  EXPECT_EQ(bench.Hear(Seal(kOpMessage, 2, 1, kClear, 1, 0x7C00, other)), Outcome::kForeignGroup);
}

TEST(VeSmartReceiver, WhatWasHeardUnderALostKeyIsVoid) {
  Bench bench;
  bench.Overflow();
  EXPECT_EQ(bench.Say(1), Outcome::kDecoded);
  bench.ring.SetNetwork(0x7C01, kKey);  // another network comes: nothing is forgotten
  EXPECT_EQ(bench.Say(2), Outcome::kDecoded);
  bench.ring.RemoveNetwork(kNetwork);
  EXPECT_EQ(bench.Say(3), Outcome::kForeignGroup);
  bench.ring.SetNetwork(kNetwork, kKey);
  EXPECT_EQ(bench.Say(4), Outcome::kNoOverflowYet);
}

TEST(VeSmartReceiver, SendersAreBounded) {
  Bench bench;
  for (uint16_t i = 0; i < kMaxSenders; ++i) EXPECT_EQ(bench.Overflow(i), Outcome::kOverflowRecorded);
  EXPECT_EQ(bench.Overflow(kMaxSenders), Outcome::kNoRoom);
  EXPECT_EQ(bench.Say(1, 3), Outcome::kDecoded);
}

TEST(VeSmartReceiver, RefusesWrongLengths) {
  Bench bench;
  const std::vector<uint8_t> announcement = Seal(kOpOverflow, 1, 1, {});
  for (size_t size = 0; size < announcement.size(); ++size) {
    EXPECT_EQ(bench.Hear({announcement.begin(), announcement.begin() + static_cast<ptrdiff_t>(size)}),
              Outcome::kMalformed);
  }
  EXPECT_EQ(bench.Hear(Seal(kOpMessage, 1, 1, std::vector<uint8_t>(kMaxBody + 1))), Outcome::kMalformed);
  bench.Overflow();
  EXPECT_EQ(bench.Hear(Seal(kOpMessage, 1, 1, std::vector<uint8_t>(kMaxBody))), Outcome::kDecoded);
  EXPECT_EQ(bench.Hear(Seal(kOpMessage, 2, 1, {})), Outcome::kDecoded);
  EXPECT_TRUE(bench.message.cleartext.empty());
}

TEST(VeSmartReceiver, EveryOutcomeHasItsWord) {
  for (size_t i = 0; i < static_cast<size_t>(Outcome::kCountOfOutcomes); ++i) {
    EXPECT_FALSE(std::string(OutcomeName(static_cast<Outcome>(i))).empty());
  }
}

}  // namespace
}  // namespace vesta::vesmart
