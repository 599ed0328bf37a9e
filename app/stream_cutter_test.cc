#include "app/stream_cutter.h"

#include <gtest/gtest.h>

#include <string>

#include "hub/intake/make_session.h"
#include "simulators/p1_feed.h"

namespace vesta::app {
namespace {

struct Piece {
  std::string bytes;
  UtcUs time_us;
  bool frame;
};

std::vector<std::string> Telegrams(int count) {
  simulators::P1FeedOptions options;
  options.start_us = 1746957600 * kUsPerSecond;
  simulators::P1Feed feed(options);
  std::vector<std::string> telegrams;
  for (int i = 0; i < count; ++i) telegrams.push_back(feed.Next());
  return telegrams;
}

std::unique_ptr<Session> P1() {
  hub::SourceConfig config;
  config.protocol = "p1";
  return hub::MakeSession(config);
}

Now At(int64_t ms) { return {ms * kUsPerMs, ms * kUsPerMs, ClockQuality::kSynchronised}; }

Bytes BytesOf(const std::string& text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

class StreamCutterTest : public testing::Test {
 protected:
  std::string All() const {
    std::string all;
    for (const Piece& piece : pieces_) all += piece.bytes;
    return all;
  }

  std::vector<Piece> pieces_;
  StreamCutter cutter_{P1(), [this](Bytes piece, UtcUs time_us, bool frame) {
                         pieces_.push_back({std::string(piece.begin(), piece.end()), time_us, frame});
                       }};
};

TEST_F(StreamCutterTest, ATelegramIsAPieceWithItsLineEnd) {
  const auto telegrams = Telegrams(3);
  int64_t ms = 0;
  for (const std::string& telegram : telegrams) cutter_.Receive(BytesOf(telegram), At(ms += 1000));
  cutter_.Finish(At(ms));
  ASSERT_EQ(pieces_.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(pieces_[i].bytes, telegrams[i]);
    EXPECT_EQ(pieces_[i].time_us, static_cast<int64_t>(i + 1) * kUsPerSecond);
    EXPECT_TRUE(pieces_[i].frame);
  }
}

TEST_F(StreamCutterTest, SeveralTelegramsInOneChunkComeApart) {
  const auto telegrams = Telegrams(3);
  cutter_.Receive(BytesOf(telegrams[0] + telegrams[1] + telegrams[2]), At(1000));
  ASSERT_EQ(pieces_.size(), 3u);
  EXPECT_EQ(pieces_[1].bytes, telegrams[1]);
}

TEST_F(StreamCutterTest, NoByteIsLostWhateverTheChunks) {
  const auto telegrams = Telegrams(3);
  std::string stream = "tail of one)\r\n!1234\r\n" + telegrams[0] + std::string("\0\xFFnoise\n", 8) + telegrams[1] +
                       telegrams[2].substr(0, 200) + telegrams[2];
  stream[stream.size() - 100] ^= 4;
  for (const size_t chunk : {1, 13, 700}) {
    pieces_.clear();
    StreamCutter cutter(P1(), [this](Bytes piece, UtcUs time_us, bool frame) {
      pieces_.push_back({std::string(piece.begin(), piece.end()), time_us, frame});
    });
    for (size_t at = 0; at < stream.size(); at += chunk) {
      const std::string part = stream.substr(at, chunk);
      cutter.Receive(BytesOf(part), At(1));
    }
    cutter.Finish(At(2));
    EXPECT_EQ(All(), stream) << chunk;
    EXPECT_EQ(cutter.accepted(), 2u) << chunk;
    EXPECT_GE(pieces_.size(), 3u) << chunk;
  }
}

TEST_F(StreamCutterTest, NoiseIsHandedOnAfterAPauseAndNeverPilesUp) {
  cutter_.Receive(BytesOf("noise"), At(0));
  EXPECT_TRUE(pieces_.empty());
  cutter_.Tick(At(2000));
  ASSERT_EQ(pieces_.size(), 1u);
  EXPECT_FALSE(pieces_[0].frame);
  const std::string flood(10000, 'x');
  for (int i = 0; i < 100; ++i) cutter_.Receive(BytesOf(flood), At(2001));
  cutter_.Finish(At(2002));
  EXPECT_EQ(All().size(), 1000005u);
  for (const Piece& piece : pieces_) EXPECT_LE(piece.bytes.size(), 160000u);
}

}  // namespace
}  // namespace vesta::app
