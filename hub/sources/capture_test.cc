#include "hub/sources/capture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <fstream>

#include "hub/sources/capture_file.h"
#include "hub/sources/recording_line.h"

namespace vesta::hub {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr UtcUs kStart = 1786429285000000;

std::string Frame(int64_t after_ms, const std::string& text) {
  return FormatCaptureFrame(kStart + after_ms * kUsPerMs, "s",
                            {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

class CaptureSource : public testing::Test {
 protected:
  CaptureSource() {
    char name[] = "replay_test_XXXXXX";
    close(mkstemp(name));
    config_.name = "day";
    config_.type = "capture";
    config_.file = name;
    config_.speed = 0;
    timing_.back_off_first_us = 10 * kUsPerMs;
    timing_.back_off_last_us = 50 * kUsPerMs;
  }
  ~CaptureSource() override { unlink(config_.file.c_str()); }

  void Start(const std::string& text) {
    std::ofstream(config_.file) << text;
    Start();
  }
  void Start() {
    source_ = MakeCaptureSource(io_, config_, line_, timing_);
    source_->Start();
  }
  bool Until(const std::function<bool()>& condition) { return RunUntil(io_, condition); }
  std::string AtEnd() const { return "finished: " + config_.file + " was replayed to its end"; }

  boost::asio::io_context io_;
  SourceConfig config_;
  StreamTiming timing_;
  RecordingLine line_;
  std::unique_ptr<Source> source_;
};

TEST_F(CaptureSource, GivesTheTimesOfTheCapture) {
  Start(FormatCaptureHeader() + Frame(0, "a") + Frame(10000, "b") + Frame(9000, "c") + Frame(11000, "d"));
  ASSERT_TRUE(Until([&] { return line_.Saw(AtEnd()); }));
  EXPECT_EQ(line_.received, "abcd");
  ASSERT_EQ(line_.times.size(), 4U);
  const Now& first = line_.times[0];
  std::vector<int64_t> utc_ms;
  std::vector<int64_t> monotonic_ms;
  for (const Now& now : line_.times) {
    EXPECT_EQ(now.clock, ClockQuality::kSynchronised);
    utc_ms.push_back((now.utc_us - kStart) / kUsPerMs);
    monotonic_ms.push_back((now.monotonic_us - first.monotonic_us) / kUsPerMs);
  }
  EXPECT_THAT(utc_ms, ElementsAre(0, 10000, 9000, 11000));
  EXPECT_THAT(monotonic_ms, ElementsAre(0, 10000, 10000, 11000));  // never backwards
  EXPECT_EQ(line_.opened, 1);
}

TEST_F(CaptureSource, CanBearThePresentTime) {
  config_.original_time = false;
  Start(Frame(0, "a") + Frame(1000, "b"));
  ASSERT_TRUE(Until([&] { return line_.Saw(AtEnd()); }));
  EXPECT_EQ(line_.received, "ab");
  EXPECT_EQ(line_.times.size(), 0U);
}

TEST_F(CaptureSource, KeepsTheGapsAtNTimesTheSpeed) {
  config_.speed = 10;
  const auto started = std::chrono::steady_clock::now();
  Start(Frame(0, "a") + Frame(1000, "b") + Frame(3000, "c"));
  ASSERT_TRUE(Until([&] { return line_.received == "a"; }));
  ASSERT_TRUE(Until([&] { return line_.received == "ab"; }));
  EXPECT_GE(std::chrono::steady_clock::now() - started, std::chrono::milliseconds(100));
  ASSERT_TRUE(Until([&] { return line_.received == "abc"; }));
  EXPECT_GE(std::chrono::steady_clock::now() - started, std::chrono::milliseconds(300));
}

TEST_F(CaptureSource, ARepeatGoesOnBehindTheLastRound) {
  config_.repeat = true;
  Start(Frame(0, "a") + Frame(1000, "b") + Frame(2000, "c"));
  ASSERT_TRUE(Until([&] { return line_.times.size() >= 9; }));
  source_->Stop();
  for (size_t i = 0; i < 9; ++i) {
    EXPECT_EQ(line_.times[i].utc_us, kStart + static_cast<int64_t>(i) * kUsPerSecond);
    EXPECT_EQ(line_.times[i].monotonic_us - line_.times[0].monotonic_us, static_cast<int64_t>(i) * kUsPerSecond);
  }
  EXPECT_EQ(line_.received.substr(0, 9), "abcabcabc");
  EXPECT_EQ(line_.closed, 0);
}

TEST_F(CaptureSource, CountsBadLinesAndGoesOn) {
  Start("nonsense\n" + Frame(0, "a") + "{\"t\":0}\n" + Frame(1, "b") + std::string(200000, 'x') + "\n" + Frame(2, "c"));
  ASSERT_TRUE(Until([&] { return line_.Saw(AtEnd()); }));
  EXPECT_EQ(line_.received, "abc");
  EXPECT_EQ(line_.health().frames_rejected["capture_line"], 3U);
}

TEST_F(CaptureSource, LeavesTheLoopToOthers) {
  std::string text;
  for (int i = 0; i < 10000; ++i) text += i % 2 == 0 ? Frame(i, "x") : "bad\n";
  Start(text);
  // Somebody else's work comes up again and again while the replay runs.
  int turns = 0;
  std::function<void()> turn = [&] {
    ++turns;
    if (line_.finished == 0) boost::asio::post(io_, turn);
  };
  boost::asio::post(io_, turn);
  ASSERT_TRUE(Until([&] { return line_.finished == 1; }));
  EXPECT_EQ(line_.received.size(), 5000U);
  EXPECT_GE(turns, 10000 / kReplayBatchLines / 2);
}

TEST_F(CaptureSource, WaitsForAFileThatIsNotThere) {
  unlink(config_.file.c_str());
  Start();
  ASSERT_TRUE(Until([&] { return line_.closed >= 2; }));
  EXPECT_EQ(line_.reason, config_.file + ": No such file or directory");
  std::ofstream(config_.file) << Frame(0, "a");
  ASSERT_TRUE(Until([&] { return line_.received == "a"; }));
}

TEST_F(CaptureSource, AFileWithoutFramesIsNoBusyLoop) {
  config_.repeat = true;
  Start(FormatCaptureHeader() + "\nbad\n");
  ASSERT_TRUE(Until([&] { return line_.closed >= 2; }));
  EXPECT_THAT(line_.reason, HasSubstr("holds no frame"));
}

TEST_F(CaptureSource, StopsWhileItWaitsAndWhileItDelivers) {
  config_.speed = 1;
  Start(Frame(0, "a") + Frame(60000, "b"));
  ASSERT_TRUE(Until([&] { return line_.received == "a"; }));
  source_->Stop();
  source_->Stop();

  config_.speed = 0;
  line_.received.clear();
  line_.on_received = [&] { source_->Stop(); };
  Start(Frame(0, "a") + Frame(1, "b"));
  RunFor(io_, std::chrono::milliseconds(50));
  EXPECT_EQ(line_.received, "a");
  EXPECT_EQ(line_.closed, 0);
}

TEST_F(CaptureSource, AbsurdTimesAreSurvived) {
  config_.repeat = true;
  Start("{\"t\":0,\"hex\":\"00\"}\n{\"t\":253402300799000000,\"hex\":\"00\"}\n");
  ASSERT_TRUE(Until([&] { return line_.times.size() > 500; }));
  for (size_t i = 1; i < line_.times.size(); ++i) {
    EXPECT_GE(line_.times[i].monotonic_us, line_.times[i - 1].monotonic_us);
  }
  config_.speed = 1e-300;
  line_.received.clear();
  Start();
  ASSERT_TRUE(Until([&] { return line_.received.size() == 1; }));
}

TEST_F(CaptureSource, EachLineIsOneDatagramAtAnySpeed) {
  std::vector<std::string> datagrams;
  line_.on_received = [&] {
    datagrams.push_back(line_.received);
    line_.received.clear();
  };
  Start(FormatCaptureHeader() + Frame(0, "one") + Frame(0, "two") + Frame(0, "") + Frame(1, "three"));
  ASSERT_TRUE(Until([&] { return line_.Saw(AtEnd()); }));
  EXPECT_THAT(datagrams, ElementsAre("one", "two", "", "three"));
}

}  // namespace
}  // namespace vesta::hub
