#include "app/diagnose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulators/p1_feed.h"

namespace vesta::app {
namespace {

using simulators::Fault;
using simulators::FaultKind;
using simulators::P1Kind;
using testing::HasSubstr;

std::string BytesOf(P1Kind kind, std::vector<Fault> faults, uint64_t count = 3) {
  simulators::P1FeedOptions options;
  options.meter.kind = kind;
  options.start_us = 1746957600 * kUsPerSecond;
  options.count = count;
  options.faults = std::move(faults);
  simulators::P1Feed feed(options);
  std::string bytes;
  while (feed.next_us()) bytes += feed.Next();
  return bytes;
}

Diagnosis DiagnoseText(const std::string& bytes, const hub::SourceConfig& settings = {}) {
  hub::SourceConfig p1 = settings;
  p1.protocol = "p1";
  return Diagnose({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, p1);
}

TEST(Diagnose, NamesTheMeter) {
  const Diagnosis d = DiagnoseText(BytesOf(P1Kind::kDsmr5ThreePhase, {}));
  EXPECT_EQ(d.finding, LineFinding::kTelegrams);
  EXPECT_EQ(d.accepted, 3u);
  EXPECT_THAT(d.says, HasSubstr("M550T-1013"));
  EXPECT_THAT(d.says, HasSubstr("version 50"));
  EXPECT_THAT(d.says, HasSubstr("gas meter"));
  EXPECT_EQ(d.advice, "");
  ASSERT_EQ(d.devices.size(), 2u);
  EXPECT_EQ(d.devices[1].kind, "gas_meter");
}

TEST(Diagnose, UnderstandsEveryPlainKind) {
  for (const P1Kind kind : {P1Kind::kDsmr2, P1Kind::kDsmr4, P1Kind::kDsmr5SinglePhase, P1Kind::kBelgian}) {
    EXPECT_EQ(DiagnoseText(BytesOf(kind, {})).accepted, 3u) << simulators::InfoOf(kind).name;
  }
}

TEST(Diagnose, TellsTheUsualMistakesApart) {
  EXPECT_EQ(DiagnoseText("").finding, LineFinding::kNothing);
  EXPECT_EQ(DiagnoseText(BytesOf(P1Kind::kDsmr2, {{FaultKind::kParityBits, 0}})).finding, LineFinding::kBit7);
  EXPECT_EQ(DiagnoseText(BytesOf(P1Kind::kDsmr4, {{FaultKind::kInverted, 0}})).finding, LineFinding::kInverted);
  EXPECT_EQ(DiagnoseText(BytesOf(P1Kind::kDsmr4, {{FaultKind::kWrongCrc, 1}})).finding, LineFinding::kDamaged);
  EXPECT_EQ(DiagnoseText(BytesOf(P1Kind::kDsmr4, {}).substr(0, 300)).finding, LineFinding::kDamaged);
  EXPECT_EQ(DiagnoseText("$GPGGA,092750.000,5321.6802,N\r\n").finding, LineFinding::kOtherText);
  std::string noise;
  for (int i = 0; i < 500; ++i) noise += static_cast<char>(i * 197 + i / 7);
  EXPECT_EQ(DiagnoseText(noise).finding, LineFinding::kNoise);
}

TEST(Diagnose, AskForTheKeyAndTellsAWrongOne) {
  const std::string bytes = BytesOf(P1Kind::kLuxembourg, {});
  const Diagnosis without = DiagnoseText(bytes);
  EXPECT_EQ(without.finding, LineFinding::kKeyNeeded);
  EXPECT_THAT(without.advice, HasSubstr("grid operator"));

  hub::SourceConfig settings;
  settings.p1.encryption_key = hub::Secret("00000000000000000000000000000000");
  settings.p1.authentication_key = hub::Secret("00112233445566778899AABBCCDDEEFF");
  const Diagnosis wrong = DiagnoseText(bytes, settings);
  EXPECT_EQ(wrong.finding, LineFinding::kKeyNeeded);
  EXPECT_THAT(wrong.says, HasSubstr("wrong key"));

  settings.p1.encryption_key = hub::Secret("564553544100112233445566778899AA");
  const Diagnosis right = DiagnoseText(bytes, settings);
  EXPECT_EQ(right.finding, LineFinding::kTelegrams);
  EXPECT_THAT(right.says, HasSubstr("encrypted"));
}

TEST(Diagnose, TextsOfADeviceCannotTouchTheTerminal) {
  const Diagnosis d = DiagnoseText("\x1B]0;title\x07 hello, this is no meter at all, but a text\r\n");
  EXPECT_EQ(d.says.find('\x1B'), std::string::npos);
}

}  // namespace
}  // namespace vesta::app
