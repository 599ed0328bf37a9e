// The look at a bus as the API gives it: exact numbers, hostile texts, and what is not known as null.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "hub/web/testing/web_fixture.h"

namespace vesta::hub {
namespace {

using Json = nlohmann::json;

class BusRouteTest : public WebFixture {};

TEST_F(BusRouteTest, TellsNodesItemsAndWhatNobodyUnderstands) {
  Start();
  const RawAnswer answer = Get("/api/v1/sources/boat/bus", "");
  ASSERT_EQ(answer.status, 200);
  const Json bus = Json::parse(answer.body);
  EXPECT_EQ(bus["source"], "boat");
  EXPECT_EQ(bus["frames"], 1730);
  EXPECT_EQ(bus["roles"]["announce"], 287);
  ASSERT_EQ(bus["nodes"].size(), 1u);
  const Json& node = bus["nodes"][0];
  EXPECT_EQ(node["address"], "6F1297");
  EXPECT_EQ(node["uid"], "31297");
  EXPECT_EQ(node["name"], "MSH \"Shunt\" <b>");
  EXPECT_EQ(node["asked"]["by"], Json::array({"50840A"}));
  EXPECT_TRUE(node["device"].is_null());
  EXPECT_EQ(node["items"][0]["value"], 12.5);
  EXPECT_TRUE(node["items"][1]["value"].is_null());
  EXPECT_TRUE(node["items"][1]["age_s"].is_null());
  EXPECT_EQ(bus["commands"][0]["commander"], "50840A");
  EXPECT_EQ(bus["unknown"][0]["id"], "01234567");
  EXPECT_EQ(bus["unknown"][0]["data"], "0102FF");
  EXPECT_EQ(bus["unknown"][0]["moved"], Json::array({2}));
}

TEST_F(BusRouteTest, ASourceThatHearsNoBusHasNone) {
  Start();
  const RawAnswer answer = Get("/api/v1/sources/meter/bus", "");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(Json::parse(answer.body)["error"]["code"], "no_bus");
}

TEST_F(BusRouteTest, ALargeBusComesWhole) {
  BusNode node = fake_.bus.nodes[0];
  node.items.assign(16, node.items[0]);
  fake_.bus.nodes.assign(128, node);
  Start();
  const RawAnswer answer = Get("/api/v1/sources/boat/bus", "");
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(Json::parse(answer.body)["nodes"].size(), 128u);
}

}  // namespace
}  // namespace vesta::hub
