#include "app/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/exit_code.h"

namespace vesta::app {
namespace {

using testing::HasSubstr;

template <typename Options>
Options Parse(const std::vector<std::string>& arguments) {
  const ParsedCommandLine parsed = ParseCommandLine(arguments);
  EXPECT_TRUE(parsed.run) << parsed.error;
  EXPECT_EQ(parsed.error, "");
  const Options* options = std::get_if<Options>(&parsed.command);
  EXPECT_NE(options, nullptr);
  return options == nullptr ? Options{} : *options;
}

void ExpectWrong(const std::vector<std::string>& arguments, const std::string& says) {
  const ParsedCommandLine parsed = ParseCommandLine(arguments);
  EXPECT_FALSE(parsed.run);
  EXPECT_EQ(parsed.exit_code, kExitWrongUsage);
  EXPECT_THAT(parsed.error, HasSubstr(says));
  EXPECT_THAT(parsed.error, HasSubstr("--help"));
}

TEST(CommandLine, EveryCommandTeaches) {
  for (const char* command :
       {"run", "demo", "check", "decode", "capture", "replay", "simulate", "doctor", "passwd", "export", "import"}) {
    const ParsedCommandLine parsed = ParseCommandLine({command, "--help"});
    EXPECT_FALSE(parsed.run);
    EXPECT_EQ(parsed.exit_code, kExitOk);
    EXPECT_THAT(parsed.out, HasSubstr(std::string("  vesta ") + command)) << "an example";
    EXPECT_THAT(parsed.out, HasSubstr(std::string("Usage: vesta ") + command));
    EXPECT_THAT(parsed.out, HasSubstr("Exit codes"));
    EXPECT_THAT(ParseCommandLine({"--help"}).out, HasSubstr(command));
  }
}

TEST(CommandLine, Version) {
  const ParsedCommandLine parsed = ParseCommandLine({"--version"});
  EXPECT_FALSE(parsed.run);
  EXPECT_EQ(parsed.exit_code, kExitOk);
  EXPECT_THAT(parsed.out, HasSubstr("vesta 0."));
}

TEST(CommandLine, RunAndDemo) {
  const auto run = Parse<RunOptions>({"run", "--config", "a.json", "--strict", "--data", "d", "--http", "[::1]:80"});
  EXPECT_EQ(run.config, "a.json");
  EXPECT_TRUE(run.strict);
  EXPECT_EQ(run.directory, "d");
  EXPECT_EQ(run.http, "[::1]:80");
  EXPECT_EQ(Parse<RunOptions>({"run"}).config, "/etc/vesta/vesta.json");
  EXPECT_EQ(Parse<DemoOptions>({"demo", "--speed", "10"}).speed, 10);
}

TEST(CommandLine, DecodeKeys) {
  const auto decode = Parse<DecodeOptions>(
      {"decode", "--json", "--key-file", "k", "--repair", "bit7", "--repair", "line-ends", "in.jsonl"});
  EXPECT_TRUE(decode.json);
  EXPECT_EQ(decode.file, "in.jsonl");
  EXPECT_EQ(decode.p1.key_file, "k");
  EXPECT_EQ(decode.p1.repairs, (std::vector<std::string>{"bit7", "line-ends"}));
  ExpectWrong({"decode", "--key", "00", "--key-file", "k"}, "--key");
}

TEST(CommandLine, Simulate) {
  const auto simulate = Parse<SimulateOptions>({"simulate", "p1", "--kind", "belgian", "--tcp", "127.0.0.1:0",
                                                "--fault", "noise:5", "--fault", "silence", "--seed", "7"});
  EXPECT_EQ(simulate.kind, "belgian");
  EXPECT_EQ(simulate.faults, (std::vector<std::string>{"noise:5", "silence"}));
  EXPECT_EQ(simulate.seed, 7u);
  EXPECT_TRUE(Parse<SimulateOptions>({"simulate", "--list"}).list);
  ExpectWrong({"simulate", "p1"}, "--pty PATH");
  ExpectWrong({"simulate", "p1", "--stdout", "--fault", "fire"}, "noise");
  ExpectWrong({"simulate", "p1", "--stdout", "--fault", "noise:0"}, "not allowed");
  ExpectWrong({"simulate", "p1", "--stdout", "--pty", "x"}, "--pty");
  ExpectWrong({"simulate", "p1", "--kind", "dsmr9", "--stdout"}, "dsmr5-three-phase");
}

TEST(CommandLine, WrongUsageIsNamed) {
  ExpectWrong({}, "doctor");
  ExpectWrong({"fly"}, "fly");
  ExpectWrong({"replay"}, "required");
  ExpectWrong({"capture", "--out", "x"}, "--source");
  ExpectWrong({"passwd", "--token", "a", "--scope", "all"}, "operate");
  ExpectWrong({"doctor", "--seconds", "many"}, "--seconds");
}

}  // namespace
}  // namespace vesta::app
