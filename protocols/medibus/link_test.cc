#include "protocols/medibus/link.h"

#include <gtest/gtest.h>

#include "protocols/medibus/host_for_test.h"

namespace vesta::medibus {
namespace {

TEST(MedibusLink, PollsWhatTheModelHasAndNothingElse) {
  Host host;
  host.Connect();
  std::string asked;
  for (int i = 0; i < 7; ++i) {
    const std::string sent = host.Sent();
    ASSERT_EQ(sent.size(), 5u);
    ASSERT_EQ(sent[0], '\x1B');
    asked += sent[1];
    host.Hear(std::string("\x01") + sent[1]);
  }
  EXPECT_EQ(asked, "$+)'.*(");
  EXPECT_EQ(host.Sent(), "");
  EXPECT_TRUE(host.check.ok()) << host.check.wrong();
}

TEST(MedibusLink, KeepsAlive) {
  Host host;
  host.Connect();
  host.Idle(kUsPerSecond);
  host.Pass(kNopAfter_us);
  const std::string sent = host.Sent();
  EXPECT_TRUE(sent ==
                  "\x1B"
                  "04B\r" ||
              sent == "\x1B'42\r")
      << sent;
}

TEST(MedibusLink, OneRequestAtATime) {
  Host host;
  host.Connect();
  EXPECT_EQ(host.Sent(), "\x1B$3F\r");
  host.Pass(2 * kUsPerSecond);
  EXPECT_EQ(host.Sent(), "");
  host.Hear(
      "\x1B"
      "0");  // it lives, but does not answer
  host.Pass(2 * kUsPerSecond);
  host.Hear(
      "\x1B"
      "0");
  EXPECT_EQ(host.Sent(),
            "\x01"
            "031\r\x01"
            "031\r");
}

TEST(MedibusLink, NaksAreRepeatedThenTheLinkStartsAgain) {
  Host host;
  host.Connect();
  EXPECT_EQ(host.Sent(), "\x1B$3F\r");
  host.Hear("\x01\x15");
  EXPECT_EQ(host.Sent(), "");
  host.Pass(kNakPause_us);
  EXPECT_EQ(host.Sent(), "\x1B$3F\r");
  host.Hear("\x01\x15");
  EXPECT_EQ(host.Sent(), "\x1B+46\r");  // repeated once: the next one
  host.Hear("\x01\x15");
  EXPECT_EQ(host.session.link_state(), LinkState::kRejected);
  EXPECT_EQ(host.Sent(), "\x1BQ6C\r");
}

TEST(MedibusLink, SuspendIsObeyedForThreeSeconds) {
  Host host;
  host.Connect();
  host.HearRaw("\x11");
  EXPECT_EQ(host.Sent(), "");
  host.HearRaw("\x13");
  EXPECT_EQ(host.Sent(), "\x1B$3F\r");
  host.Hear("\x01$");
  host.HearRaw("\x11");
  EXPECT_EQ(host.Sent(), "");
  host.Pass(kMaxSuspend_us);
  EXPECT_NE(host.Sent(), "");
  EXPECT_EQ(host.session.link_counters().suspends_overrun, 1u);
}

TEST(MedibusLink, StopIsAnsweredAndRespected) {
  Host host;
  host.Connect();
  host.Sent();
  host.Hear("\x1BU");
  EXPECT_EQ(host.Sent(), "\x01U56\r");
  EXPECT_EQ(host.session.link_state(), LinkState::kStopped);
  host.Pass(kAfterStop_us - kUsPerMs);
  EXPECT_EQ(host.Sent(), "");
  host.Pass(kUsPerMs);
  EXPECT_EQ(host.Sent(), "\x1BQ6C\r");
}

TEST(MedibusLink, SaysGoodbye) {
  Host host;
  host.Connect();
  host.Sent();
  host.Hear("\x01$");
  host.Sent();
  host.session.BeginFarewell(host.now, host);
  host.Hear("\x01+");  // the open answer is waited for
  EXPECT_EQ(host.Sent(), "\x1BU70\r");
  EXPECT_FALSE(host.session.farewell_said());
  host.Hear("\x01U");
  EXPECT_TRUE(host.session.farewell_said());
  EXPECT_EQ(host.Latest("link_state").number, static_cast<int>(LinkState::kLineClosed));
  host.Pass(60 * kUsPerSecond);
  EXPECT_EQ(host.Sent(), "");
}

TEST(MedibusLink, GoodbyeDoesNotWaitForEver) {
  Host host;
  host.Connect();
  host.Sent();
  host.session.BeginFarewell(host.now, host);
  host.Pass(kStopPatience_us);
  EXPECT_EQ(host.Sent(), "\x1BU70\r");
  host.Pass(kStopPatience_us);
  EXPECT_TRUE(host.session.farewell_said());
}

TEST(MedibusLink, AClosedLineDoesNotPileUpBytes) {
  Host host;
  host.Open();
  host.Pass(600 * kUsPerSecond);
  EXPECT_EQ(host.Sent(), "\x1BQ6C\r");
  EXPECT_EQ(host.session.link_state(), LinkState::kLineClosed);
}

TEST(MedibusLink, AFloodOfCommandsIsAnsweredWithinTheRoom) {
  Host host;
  host.Connect();
  host.Sent();
  for (int i = 0; i < 1000; ++i)
    host.Hear(
        "\x1B"
        "0");
  EXPECT_LE(host.Sent().size(), kOutboxSize);
  EXPECT_GT(host.session.link_counters().unsent, 800u);
  EXPECT_TRUE(host.check.ok());
}

TEST(MedibusLink, OddCommandsGetNoOddAnswers) {
  Host host;
  host.Connect();
  host.Sent();
  host.Hear("\x1B\x05");
  EXPECT_EQ(host.Sent(),
            "\x01\x15"
            "16\r");
  host.Hear("\x1BR");
  EXPECT_EQ(host.Sent(), "\x01R53\r");
  Options named;
  named.link.host_name = "Vesta 'x'";
  Host other(named);
  other.Connect();
  other.Sent();
  other.Hear("\x1BR");
  EXPECT_NE(other.Sent().find("0161'Vesta .x.'01.00:06.00"), std::string::npos);
  EXPECT_TRUE(other.check.ok()) << other.check.wrong();
}

}  // namespace
}  // namespace vesta::medibus
