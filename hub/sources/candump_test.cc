// A log of candump as a capture, in and out.
#include <gtest/gtest.h>

#include <fstream>

#include "hub/sources/capture.h"
#include "hub/sources/capture_file.h"
#include "hub/sources/recording_line.h"

namespace vesta::hub {
namespace {

TEST(Candump, ALineIsAFrameInItsDatagramForm) {
  CaptureFrame frame;
  const auto parsed = ParseCaptureLine("(1641765623.744161) can0 086F1297#010069914B41", &frame);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, CaptureLine::kFrame);
  EXPECT_EQ(frame.time_us, 1641765623744161);
  EXPECT_EQ(frame.source, "can0");
  ASSERT_EQ(frame.bytes.size(), 11u);
  EXPECT_EQ(FormatCandumpFrame(frame.time_us, frame.source, frame.bytes),
            "(1641765623.744161) can0 086F1297#010069914B41\n");
}

TEST(Candump, NoticesAreSkippedAndDamageIsToldByLine) {
  CaptureFrame frame;
  EXPECT_EQ(*ParseCaptureLine("# a comment", &frame), CaptureLine::kBlank);
  EXPECT_EQ(*ParseCaptureLine("DROPCOUNT: dropped 3 CAN frames", &frame), CaptureLine::kBlank);
  EXPECT_FALSE(ParseCaptureLine("(1641765623.744161) can0 086F1297#0", &frame));
  EXPECT_FALSE(ParseCaptureLine("(1641765623.744161) can0 12345678##1AABB", &frame));
  EXPECT_EQ(FormatCandumpFrame(0, "can0", Bytes()), "");
}

// The captured bus, a hundred times as fast: nothing is lost on the way to the Line, and nothing comes too early.
TEST(Candump, ARecordedBusIsReplayedAtAHundredTimesWithoutLoss) {
  boost::asio::io_context io;
  SourceConfig config;
  config.name = "bus";
  config.file = VESTA_SOURCE_DIR "/tests/vectors/masterbus/boot-three-nodes.log";
  config.speed = 100;
  RecordingLine line;
  size_t frames = 0;
  line.on_received = [&frames] { ++frames; };
  const auto source = MakeCaptureSource(io, config, line);
  const auto start = std::chrono::steady_clock::now();
  source->Start();
  ASSERT_TRUE(RunUntil(io, [&line] { return line.finished == 1; }));
  EXPECT_EQ(frames, 1730u);
  ASSERT_EQ(line.times.size(), 1730u);
  const int64_t recorded_us = line.times.back().utc_us - line.times.front().utc_us;
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::microseconds(recorded_us / 100));
}

}  // namespace
}  // namespace vesta::hub
