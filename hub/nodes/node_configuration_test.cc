#include "hub/nodes/node_configuration.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace vesta::hub {
namespace {

using nlohmann::json;

TEST(NodeConfiguration, TheTypeComesFirstAndTheHubCountsTheVersion) {
  const std::string list = NodeFunctionsText(json::parse(R"([{"pin":5,"name":"Pump","type":"relay"}])"));
  EXPECT_EQ(list, R"([{"type":"relay","name":"Pump","pin":5}])");
  EXPECT_EQ(NodeConfigurationText(list, 3, "Boiler"),
            R"({"version":3,"name":"Boiler","functions":[{"type":"relay","name":"Pump","pin":5}]})");
  const std::string whole =
      NodeFunctionsText(json::parse(R"({"version":9,"sleep_s":60,"functions":[{"pin":4,"type":"thermometer"}]})"));
  const json sent = json::parse(NodeConfigurationText(whole, 4, ""));
  EXPECT_EQ(sent["version"], 4);
  EXPECT_EQ(sent["sleep_s"], 60);
  EXPECT_FALSE(sent.contains("name"));
  EXPECT_NE(whole.find(R"([{"type":"thermometer","pin":4}])"), std::string::npos) << whole;
}

TEST(NodeConfiguration, ANameIsCutBetweenCharacters) {
  const json sent = json::parse(NodeConfigurationText("[]", 1, "abcdefghijklmnopqrstuvwéxyz"));
  EXPECT_EQ(sent["name"], "abcdefghijklmnopqrstuvw");
  const json own = json::parse(NodeConfigurationText(R"({"name":"Mine"})", 1, "Theirs"));
  EXPECT_EQ(own["name"], "Mine");
}

}  // namespace
}  // namespace vesta::hub
