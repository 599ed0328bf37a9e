// The slcan source against an adapter played by the test on a pseudo terminal.
#include "hub/sources/slcan.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "hub/sources/recording_line.h"

namespace vesta::hub {
namespace {

using namespace std::chrono_literals;

class SlcanSourceTest : public testing::Test {
 protected:
  void SetUp() override {
    master_ = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    ASSERT_GE(master_, 0);
    ASSERT_EQ(grantpt(master_), 0);
    ASSERT_EQ(unlockpt(master_), 0);
    config_.name = "bus";
    config_.type = "slcan";
    config_.port = ptsname(master_);
    slave_ = open(config_.port.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    termios settings{};
    tcgetattr(slave_, &settings);
    cfmakeraw(&settings);
    tcsetattr(slave_, TCSANOW, &settings);
    timing_.back_off_first_us = 20 * kUsPerMs;
    timing_.back_off_last_us = 40 * kUsPerMs;
    slcan_.answer_us = 30 * kUsPerMs;
    slcan_.look_us = 10 * kUsPerMs;
  }
  void TearDown() override {
    source_.reset();
    close(slave_);
    close(master_);
  }

  void Start() {
    source_ = MakeSlcanSource(io_, config_, line_, timing_, slcan_);
    source_->Start();
  }
  // Reads what the source sends and answers each command as `answer` says.
  bool Until(const std::function<bool()>& condition) {
    return RunUntil(io_, [&] {
      char bytes[256];
      const ssize_t size = read(master_, bytes, sizeof bytes);
      for (ssize_t i = 0; i < size; ++i) {
        command_ += bytes[i];
        if (bytes[i] != '\r') continue;
        commands_ += command_;
        if (answer_) Say(answer_(command_));
        command_.clear();
      }
      return condition();
    });
  }
  void Say(const std::string& text) {
    ASSERT_EQ(write(master_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  static std::string Good(const std::string& command) { return command == "V\r" ? "V1013\r" : "\r"; }
  bool Opened() {
    return Until([this] { return line_.opened == 1; });
  }

  int master_ = -1;
  int slave_ = -1;
  boost::asio::io_context io_;
  SourceConfig config_;
  StreamTiming timing_;
  SlcanTiming slcan_;
  RecordingLine line_;
  std::unique_ptr<Source> source_;
  std::string command_;
  std::string commands_;
  std::function<std::string(const std::string&)> answer_ = Good;
};

TEST_F(SlcanSourceTest, ClosesSetsTheBitRateAndOnlyListens) {
  Start();
  ASSERT_TRUE(Opened());
  EXPECT_EQ(commands_, "\rC\rV\rS5\rL\r");
}

TEST_F(SlcanSourceTest, TakesPartInTheBusWhenToldSo) {
  config_.listen_only = false;
  Start();
  ASSERT_TRUE(Opened());
  EXPECT_EQ(commands_, "\rC\rV\rS5\rO\r");
}

TEST_F(SlcanSourceTest, FramesArriveInTheirDatagramForm) {
  Start();
  ASSERT_TRUE(Opened());
  Say("T086F12976010069914B41\rt1230EA5F\r");
  ASSERT_TRUE(Until([this] { return line_.received.size() >= 16; }));
  EXPECT_EQ(line_.received, std::string("\x88\x6F\x12\x97\x06\x01\x00\x69\x91\x4B\x41\x00\x00\x01\x23\x00", 16));
}

TEST_F(SlcanSourceTest, SendsNothingOnTheBusWhileItOnlyListens) {
  line_.to_send = std::string("\x98\x6F\x12\x97\x02\x01\x00", 7);
  Start();
  ASSERT_TRUE(Opened());
  RunFor(io_, 60ms);
  Until([] { return true; });
  EXPECT_EQ(commands_.find('T'), std::string::npos);
  EXPECT_EQ(line_.to_send.size(), 7u);
}

TEST_F(SlcanSourceTest, SendsWhatTheSessionAsks) {
  config_.listen_only = false;
  line_.to_send = std::string("\x98\x6F\x12\x97\x02\x01\x00", 7);
  Start();
  ASSERT_TRUE(Until([this] { return commands_.find("T186F129720100\r") != std::string::npos; }));
  EXPECT_TRUE(line_.to_send.empty());
  line_.to_send = std::string("\x98\x6F\x12\x97\x02\x02\x00", 7);
  line_.WakeToSend();
  ASSERT_TRUE(Until([this] { return commands_.find("T186F129720200\r") != std::string::npos; }));
}

TEST_F(SlcanSourceTest, FirmwareThatNeverAnswersIsTakenForOpen) {
  answer_ = nullptr;
  Start();
  ASSERT_TRUE(Opened());
  Say("T056F12970\r");
  EXPECT_TRUE(Until([this] { return line_.received.size() == 5; }));
}

TEST_F(SlcanSourceTest, AnAdapterThatCannotOnlyListenIsAnErrorWithARemedy) {
  answer_ = [](const std::string& command) { return command == "L\r" ? std::string("\a") : Good(command); };
  Start();
  ASSERT_TRUE(Until([this] { return line_.Saw("closed: the adapter refused to listen only"); }));
  EXPECT_NE(line_.health().hint.find("listen_only"), std::string::npos);
  EXPECT_EQ(commands_.find('O'), std::string::npos);
}

TEST_F(SlcanSourceTest, ARefusedCloseOrVersionIsNoError) {
  answer_ = [](const std::string& command) {
    return command == "C\r" || command == "V\r" || command == "\r" ? std::string("\a") : std::string("\r");
  };
  Start();
  EXPECT_TRUE(Opened());
}

TEST_F(SlcanSourceTest, GarbageIsCountedAndTheNextFrameTaken) {
  Start();
  ASSERT_TRUE(Opened());
  Say("xyz\rT0000\rT056F12970\r");
  ASSERT_TRUE(Until([this] { return line_.received.size() == 5; }));
  EXPECT_EQ(line_.health().frames_discarded["slcan_unknown"], 1u);
  EXPECT_EQ(line_.health().frames_discarded["slcan_malformed"], 1u);
}

TEST_F(SlcanSourceTest, BusErrorsBecomeErrorFrames) {
  Start();
  ASSERT_TRUE(Opened());
  Say("sb256256\r");
  ASSERT_TRUE(Until([this] { return line_.received.size() == 13; }));
  EXPECT_EQ(line_.received, std::string("\x20\x00\x02\x40\x08\x00\x00\x00\x00\x00\x00\xFF\xFF", 13));
}

TEST_F(SlcanSourceTest, ABusThatFallsSilentMakesItOpenTheAdapterAnew) {
  slcan_.silence_us = 50 * kUsPerMs;
  Start();
  ASSERT_TRUE(Opened());
  // One that never had a frame may be silent.
  RunFor(io_, 120ms);
  EXPECT_EQ(line_.closed, 0);
  Say("T056F12970\r");
  ASSERT_TRUE(Until([this] { return line_.opened == 2; }));
  EXPECT_EQ(line_.closed, 1);
}

TEST_F(SlcanSourceTest, StatusFlagsAreAskedForAndShown) {
  slcan_.flags_us = 10 * kUsPerMs;
  answer_ = [](const std::string& command) { return command == "F\r" ? std::string("F84\r") : Good(command); };
  Start();
  ASSERT_TRUE(Until([this] { return line_.health().hint.find("0x84") != std::string::npos; }));
}

TEST_F(SlcanSourceTest, ClosesTheChannelWhenItStops) {
  Start();
  ASSERT_TRUE(Opened());
  commands_.clear();
  source_->Stop();
  EXPECT_TRUE(Until([this] { return commands_ == "C\r"; }));
}

}  // namespace
}  // namespace vesta::hub
