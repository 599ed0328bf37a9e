#include "protocols/link/relay.h"

#include <gtest/gtest.h>

#include <vector>

namespace vesta::link {
namespace {

RelayPiece Piece(uint8_t flags, uint16_t lag_ms, Bytes bytes) { return {flags, lag_ms, bytes}; }

TEST(Relay, PiecesAreWrittenAndRead) {
  constexpr uint8_t kBytes[] = {1, 2, 3};
  std::array<uint8_t, 6> out;
  ASSERT_EQ(WriteRelayPiece(Piece(kRelayFirst | kRelayLast, 258, kBytes), out), 6u);
  EXPECT_EQ(out, (std::array<uint8_t, 6>{3, 2, 1, 1, 2, 3}));
  RelayPiece piece;
  ASSERT_TRUE(ReadRelayPiece(out, &piece));
  EXPECT_EQ(piece.lag_ms, 258);
  EXPECT_EQ(piece.bytes.size(), 3u);
  EXPECT_FALSE(ReadRelayPiece(Bytes(out).first(2), &piece));
  out[0] = 0x10;
  EXPECT_FALSE(ReadRelayPiece(out, &piece));
  EXPECT_EQ(WriteRelayPiece(piece, std::span<uint8_t>(out).first(5)), 0u);
}

TEST(Relay, FramesAreWholeOrCounted) {
  std::vector<uint8_t> memory(4);
  RelayJoiner joiner(memory);
  RelayJoiner::Frame frame;
  constexpr uint8_t kBytes[] = {7, 8};
  EXPECT_FALSE(joiner.Take(Piece(kRelayLast, 0, kBytes), 1, &frame)) << "nothing before it";
  EXPECT_EQ(joiner.broken(), 1u);
  EXPECT_FALSE(joiner.Take(Piece(kRelayFirst | kRelaySent, 5, kBytes), 10, &frame));
  ASSERT_TRUE(joiner.Take(Piece(kRelayLast, 0, kBytes), 20, &frame));
  EXPECT_EQ(frame.bytes.size(), 4u);
  EXPECT_TRUE(frame.is_sent);
  EXPECT_EQ(frame.lag_ms, 5);
  EXPECT_EQ(frame.first_us, 10) << "the time is that of the first piece";

  joiner.Take(Piece(kRelayFirst, 0, kBytes), 30, &frame);
  ASSERT_TRUE(joiner.Take(Piece(kRelayFirst | kRelayLast | kRelayDropped, 0, kBytes), 40, &frame));
  EXPECT_EQ(joiner.broken(), 2u) << "another began before it ended";
  EXPECT_EQ(joiner.dropped_at_node(), 1u);

  joiner.Take(Piece(kRelayFirst, 0, kBytes), 50, &frame);
  joiner.Take(Piece(0, 0, kBytes), 50, &frame);
  EXPECT_FALSE(joiner.Take(Piece(kRelayLast, 0, kBytes), 50, &frame)) << "longer than the memory";
  EXPECT_EQ(joiner.broken(), 3u);
}

}  // namespace
}  // namespace vesta::link
