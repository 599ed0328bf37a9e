// Framing as seen through a session: what is dropped, when, and with which word.
#include "protocols/p1/framer.h"

#include <gtest/gtest.h>

#include "protocols/p1/telegram_for_test.h"

namespace vesta::p1 {
namespace {

const std::string kFramedTelegram = MakeTelegram(kBasicLines);
const std::string kWhole = kFramedTelegram.substr(0, kFramedTelegram.size() - 2);  // without the last CR LF

TEST(Framer, NeedsNoLineEndBehindFourDigits) {
  Bench b;
  b.Send(kWhole);
  ASSERT_EQ(b.recorder.frames.size(), 1u);
  EXPECT_EQ(b.recorder.last().raw, kWhole);
  EXPECT_EQ(b.session.next_deadline_us(), kNoDeadline);
}

TEST(Framer, AShortChecksumEndsAfterAPause) {
  Bench b;
  const std::string bare = MakeTelegram({"1-0:1.8.1(00001.000*kWh)"}, kTestHeader, false);
  b.session.Receive(AsBytes(bare.substr(0, bare.size() - 2)), b.now, b.recorder);
  EXPECT_TRUE(b.recorder.frames.empty());
  EXPECT_EQ(b.session.next_deadline_us(), b.now.monotonic_us + kEndPause_us);
  b.Pass(kEndPause_us - 1);
  EXPECT_TRUE(b.recorder.frames.empty());
  b.Pass(1);
  ASSERT_EQ(b.recorder.frames.size(), 1u);
  EXPECT_EQ(b.recorder.last().verdict, FrameVerdict::kAccepted);
  EXPECT_EQ(b.session.counters().telegrams_without_crc, 1u);
}

TEST(Framer, APauseInsideATelegramCutsIt) {
  Bench b;
  b.session.Receive(AsBytes(kWhole.substr(0, 40)), b.now, b.recorder);
  EXPECT_EQ(b.session.next_deadline_us(), b.now.monotonic_us + kCutPause_us);
  b.Pass(kCutPause_us);
  ASSERT_EQ(b.recorder.frames.size(), 1u);
  EXPECT_EQ(b.recorder.last().verdict, FrameVerdict::kDiscarded);
  EXPECT_EQ(b.recorder.last().reason, "cut");
  EXPECT_EQ(b.session.bytes_pending(), 0u);
  // The rest of it belongs to nothing.
  b.Send(kWhole.substr(40));
  EXPECT_EQ(b.recorder.frames.size(), 1u);
  EXPECT_GT(b.session.bytes_outside_telegrams(), 0u);
  b.Send(kFramedTelegram);
  EXPECT_EQ(b.recorder.last().verdict, FrameVerdict::kAccepted);
}

TEST(Framer, ALatePauseIsSeenWhenTheNextByteComes) {
  Bench b;
  b.Send(kWhole.substr(0, 40));
  b.now.monotonic_us += 2 * kCutPause_us;
  b.Send(kWhole.substr(40, 1));
  ASSERT_EQ(b.recorder.frames.size(), 1u);
  EXPECT_EQ(b.recorder.last().reason, "cut");
}

TEST(Framer, AnOverlongTelegramIsDroppedAndTheNextOneRead) {
  Options options;
  options.max_telegram = kMinMaxTelegram;
  Bench b(options);
  std::string endless = "/TST5x\r\n\r\n";
  endless += std::string(3 * kMinMaxTelegram, 'x');
  b.Send(endless + "\r\n" + kFramedTelegram);
  ASSERT_EQ(b.recorder.frames.size(), 2u);
  EXPECT_EQ(b.recorder.frames[0].reason, "overlong");
  EXPECT_EQ(b.recorder.frames[0].raw.size(), kMinMaxTelegram);
  EXPECT_EQ(b.recorder.frames[1].verdict, FrameVerdict::kAccepted);
  EXPECT_EQ(b.session.counters().discarded_overlong, 1u);
}

TEST(Framer, ATelegramOfExactlyTheLimitIsRead) {
  Options options;
  options.max_telegram = kMinMaxTelegram;
  for (const size_t size : {kMinMaxTelegram - 4, kMinMaxTelegram - 3}) {
    Bench b(options);
    const std::string frame = "0-0:96.13.0()";
    const size_t around = MakeTelegram({frame}).size() - 2;
    const std::string telegram = MakeTelegram({"0-0:96.13.0(" + std::string(size + 3 - around, 'x') + ")"});
    b.Send(telegram);
    ASSERT_EQ(b.recorder.frames.size(), 1u);
    EXPECT_EQ(b.recorder.last().verdict, FrameVerdict::kAccepted) << size;
  }
}

TEST(Framer, AnExclamationMarkInsideALineEndsNothing) {
  Bench b;
  const SeenFrame& frame = b.Send(MakeTelegram(With(kBasicLines, {"0-0:96.13.0(a!b)"})));
  EXPECT_EQ(frame.verdict, FrameVerdict::kAccepted);
  EXPECT_EQ(frame.Find("message")->text, "a!b");
}

TEST(Framer, ABitErrorAtALineStartDoesNotEndATelegram) {
  Bench b;
  std::string telegram =
      MakeTelegram({"0-0:1.0.0(210217184019W)", "1-0:1.8.0(00006678.394*kWh)", "1-0:1.7.0(0001.727*kW)"});
  telegram[telegram.find("1-0:1.7.0")] = '!';
  EXPECT_EQ(b.Send(telegram).reason, "crc");
  EXPECT_EQ(b.recorder.frames.size(), 1u);
  // With nothing in it, it proves nothing.
  EXPECT_EQ(b.Send("/TST5x\r\n!\r\n").reason, "missing_crc");
}

TEST(Framer, TelegramsFollowWithoutSeparator) {
  Bench b;
  b.Send(kWhole + kWhole + kWhole);
  EXPECT_EQ(b.recorder.frames.size(), 3u);
  EXPECT_EQ(b.recorder.frames[2].offset, 2 * kWhole.size());
}

TEST(Framer, ACutTelegramWithoutChecksumIsNotMixedWithTheNext) {
  Bench b;
  const std::vector<std::string> lines = {"1-0:1.8.1(00001.000*kWh)", "1-0:1.8.2(00002.000*kWh)"};
  const std::string whole = MakeTelegram(lines, "/ISk5\\2MT382-1004", false);
  const size_t cut = whole.find("1.000");
  b.Send(whole.substr(0, cut) + whole);
  ASSERT_EQ(b.recorder.frames.size(), 2u);
  EXPECT_EQ(b.recorder.frames[0].reason, "cut");
  EXPECT_EQ(b.recorder.frames[0].raw.size(), cut);
  EXPECT_EQ(b.recorder.frames[1].Find("energy_import_t1")->text, "1.000");
}

TEST(Framer, NoiseWithASlashDelaysNothing) {
  Bench b;
  b.Send(std::string(5000, '/') + "\r\n" + kFramedTelegram);
  EXPECT_EQ(b.recorder.last().verdict, FrameVerdict::kAccepted);
}

TEST(Framer, LinkResetVoidsWhatWasHalfReceived) {
  Bench b;
  b.Send(kWhole.substr(0, 50));
  b.Reset();
  ASSERT_EQ(b.recorder.frames.size(), 1u);
  EXPECT_EQ(b.recorder.last().reason, "incomplete");
  EXPECT_EQ(b.session.counters().discarded_incomplete, 1u);
  b.Send(kFramedTelegram);
  EXPECT_EQ(b.recorder.last().verdict, FrameVerdict::kAccepted);
  EXPECT_EQ(b.recorder.last().offset, 50u);
}

TEST(Repairs, AreOffByDefaultAndCounted) {
  const std::string no_crc = MakeTelegram(kBasicLines, kTestHeader, false);
  Bench strict;
  EXPECT_EQ(strict.Send(no_crc).reason, "missing_crc");
  Options options;
  options.accept_missing_crc = true;
  Bench lenient(options);
  EXPECT_EQ(lenient.Send(no_crc).verdict, FrameVerdict::kAccepted);
  EXPECT_EQ(lenient.session.counters().repaired_missing_crc, 1u);
  EXPECT_EQ(lenient.recorder.last().readings[0].flags, kReadingRepaired);
}

TEST(Repairs, LineEndsOnlyWhenTheChecksumProvesThem) {
  const auto replaced = [](std::string text, const std::string& from, const std::string& to) {
    for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
      text.replace(at, from.size(), to);
    return text;
  };
  std::string with_nuls = kFramedTelegram;
  with_nuls.insert(30, 2, '\0');
  std::string blank_line = kFramedTelegram;
  blank_line.insert(blank_line.find("1-0:1.8.1"), "\r\n");
  for (const std::string& damaged :
       {replaced(kFramedTelegram, "\r\n", "\n"), replaced(kFramedTelegram, "\r\n", "\r\r\n"), with_nuls, blank_line}) {
    Bench strict;
    EXPECT_EQ(strict.Send(damaged).reason, "crc");
    Options options;
    options.repair_line_ends = true;
    Bench lenient(options);
    EXPECT_EQ(lenient.Send(damaged).verdict, FrameVerdict::kAccepted) << damaged;
    EXPECT_EQ(lenient.session.counters().repaired_line_ends, 1u);
    EXPECT_NE(lenient.recorder.last().Find("power_import"), nullptr);
    // A wrong value stays wrong.
    std::string wrong = damaged;
    wrong[wrong.find("4321")] = '5';
    EXPECT_EQ(lenient.Send(wrong).reason, "crc");
  }
}

TEST(Repairs, ATelegramWithoutEndMarkClosesAtTheNext) {
  Options options;
  options.lenient_end_mark = true;
  Bench b(options);
  const std::string open = "/ISk5\\2MT382-1004\r\n\r\n1-0:1.8.1(00001.000*kWh)\r\n";
  b.Send(open + open);
  ASSERT_EQ(b.recorder.frames.size(), 1u);
  EXPECT_EQ(b.recorder.last().Find("energy_import_t1")->text, "1.000");
  b.Pass(kNoEndMarkSilence_us);
  EXPECT_EQ(b.recorder.frames.size(), 2u);
  EXPECT_EQ(b.session.counters().repaired_end_mark, 2u);
  // One with a version object has an end mark, which got lost.
  b.Send(kFramedTelegram.substr(0, 60));
  b.Pass(kNoEndMarkSilence_us);
  EXPECT_EQ(b.recorder.last().reason, "cut");
}

TEST(Checksum, CanBeIgnoredPerMeter) {
  std::string wrong = kFramedTelegram;
  wrong[wrong.find("4321")] = '5';
  Options options;
  options.crc = CrcVariant::kIgnore;
  Bench b(options);
  EXPECT_EQ(b.Send(wrong).verdict, FrameVerdict::kAccepted);
  EXPECT_EQ(b.session.counters().crc_ignored, 1u);
}

}  // namespace
}  // namespace vesta::p1
