#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "protocols/espnow/filter.h"
#include "protocols/espnow/foreign.h"
#include "protocols/espnow/frame.h"
#include "protocols/espnow/legacy_gateway.h"
#include "protocols/espnow/legacy_log.h"
#include "protocols/espnow/repeats.h"
#include "protocols/little_endian.h"

namespace vesta::espnow {
namespace {

constexpr Address kNode = {0x5C, 0xCF, 0x7F, 0xA0, 0, 3};
constexpr Address kHub = {0x24, 0x6F, 0x28, 0x10, 0x20, 0x31};

std::vector<uint8_t> Bodied(size_t size) {
  std::vector<uint8_t> body(size);
  for (size_t i = 0; i < size; ++i) body[i] = static_cast<uint8_t>(i * 31);
  return body;
}

std::vector<uint8_t> Sent(const SendOptions& options, Bytes body) {
  std::vector<uint8_t> out(kMaxSentSize);
  out.resize(WritePacket(options, body, out));
  return out;
}

// As a receiver's radiotap has it, with the checksum.
std::vector<uint8_t> AsReceived(const std::vector<uint8_t>& sent) {
  constexpr uint8_t kRadiotap[] = {0, 0, 9, 0, 2, 0, 0, 0, kFlagFcsAtEnd};
  std::vector<uint8_t> out;
  out.reserve(kMaxSentSize);
  out.assign(std::begin(kRadiotap), std::end(kRadiotap));
  out.insert(out.end(), sent.begin() + kTransmitRadiotapSize, sent.end());
  const uint32_t fcs = FrameChecksum(Bytes(out).subspan(9));
  uint8_t bytes[4];
  wire::Put32(bytes, fcs);
  out.insert(out.end(), bytes, bytes + 4);
  return out;
}

// Runs a classic BPF program as the kernel does: a load outside the packet ends it with 0.
uint32_t RunFilter(const Filter& filter, Bytes packet) {
  uint32_t a = 0;
  uint32_t x = 0;
  const auto load = [&packet](uint64_t at, size_t size, uint32_t* out) {
    if (at + size > packet.size()) return false;
    *out = 0;
    for (size_t i = 0; i < size; ++i) *out = *out << 8 | packet[at + i];
    return true;
  };
  for (size_t pc = 0; pc < filter.size; ++pc) {
    const Instruction& in = filter.program[pc];
    switch (in.code) {
      case 0x30:
        if (!load(in.k, 1, &a)) return 0;
        break;
      case 0x40:
        if (!load(uint64_t{x} + in.k, 4, &a)) return 0;
        break;
      case 0x48:
        if (!load(uint64_t{x} + in.k, 2, &a)) return 0;
        break;
      case 0x50:
        if (!load(uint64_t{x} + in.k, 1, &a)) return 0;
        break;
      case 0x64:
        a <<= in.k;
        break;
      case 0x4C:
        a |= x;
        break;
      case 0x07:
        x = a;
        break;
      case 0x15:
        pc += a == in.k ? in.jump_true : in.jump_false;
        break;
      case 0x45:
        pc += (a & in.k) != 0 ? in.jump_true : in.jump_false;
        break;
      case 0x06:
        return in.k;
      default:
        ADD_FAILURE() << "unknown instruction " << in.code;
        return 0;
    }
  }
  ADD_FAILURE() << "the program runs over its end";
  return 0;
}

TEST(EspNowFrame, WhatIsWrittenIsRead) {
  for (const uint8_t version : {uint8_t{1}, uint8_t{2}}) {
    for (const size_t size : {0u, 1u, 249u, 250u, 251u, 500u, 1469u, 1470u, 1471u}) {
      SendOptions options;
      options.receiver = kHub;
      options.sender = kNode;
      options.sequence = 77;
      options.random = {1, 2, 3, 4};
      options.version = version;
      const std::vector<uint8_t> body = Bodied(size);
      const std::vector<uint8_t> sent = Sent(options, body);
      if (size > (version == 1 ? kMaxBody1 : kMaxBody2)) {
        EXPECT_TRUE(sent.empty()) << size;
        continue;
      }
      for (const auto& bytes : {sent, AsReceived(sent)}) {
        const Packet p = ReadPacket(bytes);
        ASSERT_EQ(p.verdict, Verdict::kEspNow) << p.reason << " " << size;
        EXPECT_EQ(p.receiver, kHub);
        EXPECT_EQ(p.sender, kNode);
        EXPECT_EQ(p.sequence, 77);
        EXPECT_EQ(p.random, options.random);
        EXPECT_EQ(p.trailing_bytes, 0u);
        std::array<uint8_t, kMaxBody2> scratch;
        const Bytes joined = JoinBody(p, scratch);
        EXPECT_EQ(std::vector<uint8_t>(joined.begin(), joined.end()), body);
        EXPECT_NE(RunFilter(MakeFilter({}), bytes), 0u);
      }
      if (size == 1470) {
        EXPECT_EQ(AsReceived(sent).size() - 9, 1548u) << "as the reference says";
      }
    }
  }
}

TEST(EspNowFrame, EveryTruncationAndBitFlipOfACheckedFrameIsRefused) {
  SendOptions options;
  options.receiver = kHub;
  options.sender = kNode;
  options.version = 2;
  const std::vector<uint8_t> good = AsReceived(Sent(options, Bodied(300)));
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_NE(ReadPacket(Bytes(good).first(size)).verdict, Verdict::kEspNow) << size;
    EXPECT_NE(ReadPacket(Bytes(good).first(size), good.size()).verdict, Verdict::kEspNow) << size;
  }
  for (size_t bit = 9 * 8; bit < good.size() * 8; ++bit) {
    std::vector<uint8_t> bad = good;
    bad[bit / 8] = static_cast<uint8_t>(bad[bit / 8] ^ 1 << bit % 8);
    EXPECT_NE(ReadPacket(bad).verdict, Verdict::kEspNow) << bit;
  }
}

TEST(EspNowFrame, GarbageIsReadWithinBounds) {
  std::mt19937 random(1);
  SendOptions options;
  options.version = 2;
  const std::vector<uint8_t> good = Sent(options, Bodied(700));
  for (int i = 0; i < 20000; ++i) {
    std::vector<uint8_t> bytes = good;
    for (int n = 0; n < 4; ++n) bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    bytes.resize(random() % (bytes.size() + 1));
    const Packet p = ReadPacket(bytes);
    if (p.verdict != Verdict::kEspNow) continue;
    EXPECT_LE(p.body_size, kMaxBody2);
    EXPECT_NE(RunFilter(MakeFilter({}), bytes), 0u) << "the filter keeps back what is valid";
  }
}

TEST(EspNowFrame, ChainsThatChangeVersionOrNeverEndAreMalformed) {
  SendOptions options;
  options.version = 2;
  std::vector<uint8_t> bytes = Sent(options, Bodied(300));
  const size_t second = kTransmitRadiotapSize + 32 + 257;
  ASSERT_EQ(bytes[second], 221);
  bytes[second + 6] = 1;
  EXPECT_STREQ(ReadPacket(bytes).reason, "version-changes");
  // Seventeen empty elements that each promise another.
  bytes.resize(kTransmitRadiotapSize + 32);
  for (int i = 0; i < 17; ++i) bytes.insert(bytes.end(), {221, 5, 0x18, 0xFE, 0x34, 4, 0x12});
  EXPECT_STREQ(ReadPacket(bytes).reason, "too-many-elements");
  bytes.resize(kTransmitRadiotapSize + 32);
  for (int i = 0; i < 7; ++i) {
    bytes.insert(bytes.end(), {221, 255, 0x18, 0xFE, 0x34, 4, 0x12});
    bytes.resize(bytes.size() + 250);
  }
  EXPECT_STREQ(ReadPacket(bytes).reason, "body-length");
}

TEST(EspNowFilter, IsWhatLibpcapMakesOfTheExpression) {
  const Filter filter = MakeFilter({});
  EXPECT_EQ(filter.size, 16u);
  std::vector<uint8_t> beacon = Sent({}, Bodied(10));
  EXPECT_EQ(RunFilter(filter, beacon), 262144u);
  beacon[kTransmitRadiotapSize] = 0x80;
  EXPECT_EQ(RunFilter(filter, beacon), 0u);
  EXPECT_EQ(RunFilter(filter, Bytes(beacon).first(3)), 0u);
}

TEST(EspNowFilter, OptionsPassAndDropWhatTheySay) {
  SendOptions own;
  own.sender = kHub;
  SendOptions other;
  other.sender = kHub;
  other.sender[5] ^= 1;
  FilterOptions options;
  options.drop_own = true;
  options.own = kHub;
  options.pass_encrypted = true;
  options.pass_acknowledgements = true;
  const Filter filter = MakeFilter(options);
  EXPECT_LE(filter.size, kMaxFilterSize);
  EXPECT_EQ(RunFilter(filter, Sent(own, Bodied(10))), 0u);
  EXPECT_NE(RunFilter(filter, Sent(other, Bodied(10))), 0u);
  other.sender = kNode;
  EXPECT_NE(RunFilter(filter, Sent(other, Bodied(10))), 0u);
  std::vector<uint8_t> encrypted = Sent(other, Bodied(10));
  encrypted[kTransmitRadiotapSize + 1] = 0x40;
  encrypted[kTransmitRadiotapSize + 24] = 0x99;
  EXPECT_NE(RunFilter(filter, encrypted), 0u);
  EXPECT_EQ(RunFilter(MakeFilter({}), encrypted), 0u);
  EXPECT_EQ(ReadPacket(encrypted).verdict, Verdict::kEncrypted);
  std::vector<uint8_t> ack = {0, 0, 8, 0, 0, 0, 0, 0, 0xD4, 0, 0, 0};
  ack.insert(ack.end(), kHub.begin(), kHub.end());
  EXPECT_NE(RunFilter(filter, ack), 0u);
  EXPECT_EQ(ReadAcknowledgement(ack), kHub);
  ack.pop_back();
  EXPECT_EQ(ReadAcknowledgement(ack), std::nullopt);
}

TEST(EspNowRepeats, OnlyRetriesWithinASecondAreRepeats) {
  RepeatFilter filter;
  Packet p;
  p.sender = kNode;
  p.sequence = 5;
  p.random = {1, 2, 3, 4};
  EXPECT_FALSE(filter.IsRepeat(p, 0));
  p.retry = true;
  EXPECT_TRUE(filter.IsRepeat(p, 500000));
  Packet next = p;  // after a deep sleep: the same number, another random value
  next.random = {4, 3, 2, 1};
  EXPECT_FALSE(filter.IsRepeat(next, 500000));
  EXPECT_FALSE(filter.IsRepeat(p, 3000000));
  Packet again = p;
  again.retry = false;
  EXPECT_FALSE(filter.IsRepeat(again, 3000001));
}

TEST(EspNowForeign, NamesOthers) {
  const std::vector<uint8_t> wiz = {0x91, 5, 2, 0, 0, 0x20, 1, 1, 0x5A, 0xD5, 0x67, 0x27, 0xAD};
  EXPECT_STREQ(ForeignName(wiz, kNode), "wiz_remote");
  const std::vector<uint8_t> wled = {'W', 0, 2, 9};
  EXPECT_STREQ(ForeignName(wled, kNode), "wled_sync");
  EXPECT_STREQ(ForeignName({}, kNode), "");
}

class Names : public legacy::GatewayEvents {
 public:
  void OnEvent(const legacy::GatewayEvent& e) override { events.push_back(e); }
  std::vector<legacy::GatewayEvent> events;
};

TEST(EspNowLegacy, OtherNetworksUnlistedNodesAndSecondClaimsGetNoAnswer) {
  legacy::Peer peer;
  peer.id = 3;
  peer.device_count = 1;
  peer.devices[0] = {1, 1, 0};
  legacy::Gateway gateway({10, kHub, 6}, {&peer, 1});
  Names names;
  legacy::Pairing request;
  uint8_t body[legacy::kPairingSize];
  const auto ask = [&](uint8_t network, uint8_t id, const Address& from, int64_t now_us) {
    request.network = network;
    request.id = id;
    legacy::WritePairing(request, body);
    gateway.Receive(from, body, now_us, names);
    return names.events.back();
  };
  EXPECT_STREQ(ask(42, 3, kNode, 0).reason, "other_network");
  EXPECT_STREQ(ask(10, 7, kNode, 0).reason, "not_listed");
  EXPECT_TRUE(ask(10, 3, kNode, 0).is_answered);
  EXPECT_STREQ(ask(10, 3, kHub, 1000).reason, "duplicate_id");
  EXPECT_TRUE(ask(10, 3, kHub, 1000000000).is_answered) << "the first one is long silent";
  legacy::Data data;
  data.device_id = 9;
  uint8_t reading[legacy::kDataSize];
  legacy::WriteData(data, false, reading);
  gateway.Receive(kHub, reading, 1000000001, names);
  EXPECT_EQ(names.events.back().kind, legacy::GatewayEvent::Kind::kBadDevice);
  gateway.Receive({1, 2, 3, 4, 5, 6}, reading, 1000000002, names);
  EXPECT_EQ(names.events.back().kind, legacy::GatewayEvent::Kind::kUnknownSender);
}

TEST(EspNowLegacy, EachMessageNeedsItsExactLength) {
  for (size_t size = 0; size <= 250; ++size) {
    for (int type = 0; type <= 9; ++type) {
      std::vector<uint8_t> body(size, 0);
      if (size > 0) body[0] = static_cast<uint8_t>(type);
      const legacy::Message m = legacy::ReadMessage(body);
      const bool any_type = size == 44 || size == 168 || size == 196;
      const bool known = (size == 46 && type == 0) || (size == 36 && (type == 1 || type == 2)) ||
                         (size == 8 && type == 3) || (size == 2 && type == 4) || (size == 9 && type == 0) ||
                         (size == 16 && type == 1) || any_type;
      EXPECT_EQ(m.kind != legacy::Kind::kUnknown, known) << size << " " << type;
    }
  }
}

TEST(EspNowLegacy, AFullLogSaysSo) {
  legacy::DayLog log;
  for (size_t i = 0; i < legacy::DayLog::kMaxKeys; ++i) EXPECT_TRUE(log.Add("F1_" + std::to_string(i), -1e13));
  EXPECT_FALSE(log.Add("F2", 1));
  EXPECT_FALSE(log.Add("", 1));
  EXPECT_FALSE(log.Add("a_key_that_is_much_too_long", 1));
  std::vector<char> row(legacy::DayLog::kRowSize);
  const size_t n = log.WriteRow(0, std::span<char, legacy::DayLog::kRowSize>(row));
  EXPECT_GT(n, 1000u);
  EXPECT_EQ(row[n - 1], '}');
  EXPECT_EQ(log.WriteRow(0, std::span<char, legacy::DayLog::kRowSize>(row)), 0u);
}

}  // namespace
}  // namespace vesta::espnow
