#include "node/config.h"

#include <gtest/gtest.h>

#include <string>

#include "node/app.h"
#include "node/functions/make.h"
#include "node/json.h"
#include "node/ports_for_test.h"

namespace vesta::node {
namespace {

std::string Tokens(const std::string& text) {
  TextView view(text);
  JsonReader json(view);
  std::string out;
  for (int i = 0; i < 1000; ++i) {
    const Token token = json.Next();
    out += "{}[]:tnTFN.!"[static_cast<int>(token)];
    if (token == Token::kKey || token == Token::kText) out += json.text();
    if (token == Token::kEnd || token == Token::kError) break;
  }
  return out;
}

TEST(Json, IsReadTokenByToken) {
  EXPECT_EQ(Tokens(R"({"a":[1,-2.5,true,false,null],"b":{"c":"d"}})"), "{:a[nnTFN]:b{:ctd}}.");
  EXPECT_EQ(Tokens("[]"), "[].");
  EXPECT_EQ(Tokens(" { } "), "{}.");
  EXPECT_EQ(Tokens(R"("\u00e9\ud83d\ude00\n")"), "t\xC3\xA9\xF0\x9F\x98\x80\n.");
}

TEST(Json, WhatIsWrongIsAnErrorForEver) {
  for (const char* text : {"",
                           "{",
                           "[1,]",
                           "{\"a\"}",
                           "{\"a\":1,}",
                           "[1 2]",
                           "01",
                           "1.",
                           "-",
                           "1e5",
                           "tru",
                           "\"a",
                           "\"\\x\"",
                           "[1]x",
                           "\"\\ud83d\"",
                           "\"\\ud83dx\"",
                           "\"\\ude00\"",
                           "[[[[[[[1]]]]]]]",
                           "1234567890123456789012345",
                           "\"0123456789012345678901234567890123456789012345678901234567890123456789\"",
                           "{1:2}",
                           "\"\x01\"",
                           "}"}) {
    EXPECT_EQ(Tokens(text).back(), '!') << text;
  }
  TextView view("[1,\n  x]");
  JsonReader json(view);
  while (json.Next() != Token::kError) {
  }
  EXPECT_EQ(json.Next(), Token::kError);
  EXPECT_EQ(json.line(), 2);
  EXPECT_EQ(json.column(), 3);
}

std::string ProblemOf(const std::string& text) {
  TextView view(text);
  NodeConfig config;
  Problem problem;
  return ReadConfig(view, &config, &problem) ? "" : std::string(problem.view());
}

TEST(NodeConfig, IsRead) {
  TextView view(R"({"version":7,"name":"Kelder","sleep_s":300,"functions":[
    {"type":"thermometer","pin":4,"period_s":15,"sensors":[{"id":"2811223344556656","name":"Tank"}]},
    {"type":"relay","name":"Burner","pin":5,"active_low":true,"power_on":"last"},
    {"type":"thermostat","name":"Tank","sensor":"2811223344556656","relay":"Burner","set_point":20.5,"hysteresis":0.25},
    {"type":"display","screens":["status","meter"]}]})");
  NodeConfig config;
  Problem problem;
  ASSERT_TRUE(ReadConfig(view, &config, &problem)) << problem.view();
  EXPECT_EQ(config.version, 7u);
  EXPECT_EQ(config.sleep_s, 300);
  ASSERT_EQ(config.function_count, 4);
  EXPECT_EQ(config.functions[0].period_s, 15);
  EXPECT_EQ(config.sensors[0].name.view(), "Tank");
  EXPECT_EQ(config.functions[1].power_on, PowerOn::kLast);
  EXPECT_EQ(config.functions[2].set_point, 20500);
  EXPECT_EQ(config.functions[2].hysteresis, 250);
  EXPECT_EQ(config.functions[3].screens, 0x06);
}

TEST(NodeConfig, WhatIsWrongIsSaidWithItsPlace) {
  const auto with = [](const std::string& f) { return R"({"version":1,"functions":[)" + f + "]}"; };
  EXPECT_EQ(ProblemOf(R"({"functions":[]})"), "line 1, column 17: version is missing");
  EXPECT_NE(ProblemOf(with(R"({"type":"relay","pim":4})")).find("unknown key 'pim'"), std::string::npos);
  EXPECT_NE(ProblemOf(with(R"({"type":"toaster"})")).find("unknown type 'toaster'"), std::string::npos);
  EXPECT_NE(ProblemOf(with(R"({"pin":4})")).find("the first key must be type, not 'pin'"), std::string::npos);
  EXPECT_NE(ProblemOf(with(R"({"type":"relay","pin":256})")).find("out of range: 'pin'"), std::string::npos);
  EXPECT_NE(ProblemOf(with(R"({"type":"relay","pin":1,"pin":1})")).find("given twice: 'pin'"), std::string::npos);
  EXPECT_NE(ProblemOf(with(R"({"type":"relay"})")).find("either pin or i2c"), std::string::npos);
  EXPECT_NE(ProblemOf(with(R"({"type":"relay","pin":1},{"type":"relay","pin":2})")).find("has this name"),
            std::string::npos);
  EXPECT_NE(ProblemOf(with(R"({"type":"thermostat","sensor":"2811223344556656","relay":"x"})")).find("no relay"),
            std::string::npos);
  EXPECT_NE(ProblemOf(with(R"({"type":"thermostat","sensor":"2811223344556657"})")).find("right checksum"),
            std::string::npos);
  EXPECT_NE(ProblemOf(with(R"({"type":"thermostat","hysteresis":0.0001})")).find("too many digits"), std::string::npos);
  EXPECT_NE(ProblemOf("{\"version\":1}x").find("something behind the end"), std::string::npos);
  EXPECT_EQ(ProblemOf(with("")), "");
}

TEST(NodeConfig, EveryCutAndEveryChangedByteIsReadWithinBounds) {
  const std::string good =
      R"({"version":7,"name":"K","functions":[{"type":"thermometer","pin":4,"sensors":[{"id":"2811223344556656"}]}]})";
  ASSERT_EQ(ProblemOf(good), "");
  for (size_t size = 0; size < good.size(); ++size) EXPECT_NE(ProblemOf(good.substr(0, size)), "") << size;
  for (size_t at = 0; at < good.size(); ++at) {
    for (const char c : {'{', '"', ',', '\0', '9', '\\', '\xFF'}) {
      std::string bad = good;
      bad[at] = c;
      ProblemOf(bad);
    }
  }
}

TEST(NodeConfig, WhatDoesNotFitIsRefusedWithTheSum) {
  NodeConfig config;
  config.function_count = 12;
  for (size_t i = 0; i < 12; ++i) {
    config.functions[i].type = FunctionType::kCounter;
    config.functions[i].pin = static_cast<int32_t>(i);
  }
  test::TestPorts all;
  Ports ports = all.ports();
  ports.can = nullptr;
  Problem problem;
  const size_t each = MemoryOf(config.functions[0]);
  EXPECT_TRUE(CheckFits(config, ports, 12 * each, &problem)) << problem.view();
  EXPECT_FALSE(CheckFits(config, ports, 12 * each - 1, &problem));
  EXPECT_EQ(problem.view(), "the functions need " + std::to_string(12 * each) + " bytes of memory, there are " +
                                std::to_string(12 * each - 1));
  problem.Clear();
  config.functions[3].type = FunctionType::kMasterbus;
  config.functions[3].name.Set("boat");
  EXPECT_FALSE(CheckFits(config, ports, kArenaSize, &problem));
  EXPECT_EQ(problem.view(), "masterbus 'boat': this node has no CAN");
}

// The numbers of docs/nodes.md; a bridge must fit beside a thermometer, a relay and a display.
TEST(NodeMemory, IsWhatTheDocumentSays) {
  RecordProperty("application", static_cast<int>(sizeof(App)));
  RecordProperty("arena", static_cast<int>(kArenaSize));
  FunctionConfig f;
  size_t small = 0;
  for (const FunctionType type :
       {FunctionType::kThermometer, FunctionType::kRelay, FunctionType::kThermostat, FunctionType::kDisplay}) {
    f.type = type;
    small += MemoryOf(f);
  }
  for (const FunctionType type : {FunctionType::kMedibus, FunctionType::kMasterbus, FunctionType::kP1,
                                  FunctionType::kVedirect, FunctionType::kBle}) {
    f.type = type;
    std::printf("%s %zu bytes\n", std::string(NameOf(type)).c_str(), MemoryOf(f));
    EXPECT_LE(MemoryOf(f), kArenaSize);
    if (type != FunctionType::kMedibus) {
      EXPECT_LE(MemoryOf(f) + small, kArenaSize);
    }
  }
  std::printf("application %zu, of it arena %zu; with sleep memory %zu of 16384 bytes\n", sizeof(App), kArenaSize,
              sizeof(App) + kUsualSleepMemory);
}

}  // namespace
}  // namespace vesta::node
