#include "protocols/radio_serial/frame.h"

#include <gtest/gtest.h>

#include <vector>

namespace vesta::radio_serial {
namespace {

std::vector<uint8_t> Wired(size_t size, const std::array<uint8_t, kMaxOnWire>& wire) {
  return {wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(size)};
}

// Messages that came out, with their bodies.
std::vector<std::vector<uint8_t>> ReadAll(Reader& reader, const std::vector<uint8_t>& bytes) {
  std::vector<std::vector<uint8_t>> bodies;
  Message message;
  for (const uint8_t byte : bytes) {
    if (reader.Take(byte, &message)) bodies.emplace_back(message.body.begin(), message.body.end());
  }
  return bodies;
}

TEST(RadioSerial, TheExampleOfTheFormatPage) {
  std::array<uint8_t, kMaxOnWire> wire;
  const uint8_t body[] = {0x01, 0x02};
  const Send send{0x0102, {0x02, 0xBB, 0, 0, 0, 1}, body};
  EXPECT_EQ(Wired(Write(7, send, wire), wire),
            (std::vector<uint8_t>{0x07, 0x03, 0x07, 0x02, 0x01, 0x02, 0xBB, 0x01, 0x01, 0x08, 0x01, 0x01, 0x02, 0x1F,
                                  0xE3, 0x7E, 0xA0, 0x00}));
}

TEST(RadioSerial, EveryBodyComesBackWhateverZerosItHas) {
  Reader reader;
  std::array<uint8_t, kMaxOnWire> wire;
  for (const size_t size : {0u, 1u, 240u, 244u, 246u, 247u, 248u, 253u, 254u, 255u, 500u, 1470u}) {
    for (const int pattern : {0, 1, 2}) {
      std::vector<uint8_t> body(size);
      for (size_t i = 0; i < size; ++i) {
        body[i] = static_cast<uint8_t>(pattern == 0 ? 0 : pattern == 1 ? 0xAA : i % 7);
      }
      const Received received{{1, 2, 3, 4, 5, 6}, {6, 5, 4, 3, 2, 1}, 6, -70, 3, body};
      Message message;
      bool is_read = false;
      for (const uint8_t byte : Wired(Write(0, received, wire), wire)) is_read = reader.Take(byte, &message) || is_read;
      ASSERT_TRUE(is_read) << size << " " << pattern;
      Received out;
      ASSERT_TRUE(Read(message, &out));
      EXPECT_EQ(out.from, received.from);
      EXPECT_EQ(out.to, received.to);
      EXPECT_EQ(out.rssi_dbm, -70);
      EXPECT_EQ(std::vector<uint8_t>(out.body.begin(), out.body.end()), body);
    }
  }
  EXPECT_EQ(reader.bad(), 0u);
  const std::vector<uint8_t> too_long(kMaxAirBody + 17);
  EXPECT_EQ(Write(0, Received{{}, {}, 1, 0, 0, too_long}, wire), 0u);
}

TEST(RadioSerial, DamageCostsOneMessageAndIsCounted) {
  std::array<uint8_t, kMaxOnWire> wire;
  const std::vector<uint8_t> good = Wired(Write(1, Sent{5, SendResult::kFull}, wire), wire);
  for (size_t i = 0; i < good.size(); ++i) {
    for (const uint8_t change : std::array<uint8_t, 3>{0x01, 0x80, 0xFF}) {
      Reader reader;
      std::vector<uint8_t> bytes = good;
      bytes[i] ^= change;
      bytes.push_back(0);  // when the end itself was damaged
      for (const uint8_t byte : Wired(Write(2, Sent{6, SendResult::kAcknowledged}, wire), wire)) bytes.push_back(byte);
      const auto bodies = ReadAll(reader, bytes);
      ASSERT_EQ(bodies.size(), 1u) << i;
      EXPECT_EQ(bodies[0], (std::vector<uint8_t>{6, 0, 0}));
      EXPECT_GE(reader.bad(), 1u);
    }
  }
}

TEST(RadioSerial, GapsOfTheSequenceAreCounted) {
  Reader reader;
  std::array<uint8_t, kMaxOnWire> wire;
  for (const uint8_t sequence : std::array<uint8_t, 4>{254, 255, 0, 3})
    ReadAll(reader, Wired(Write(sequence, Sent{}, wire), wire));
  EXPECT_EQ(reader.lost(), 2u);
}

}  // namespace
}  // namespace vesta::radio_serial
