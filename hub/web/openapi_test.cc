// Holds the description of the API against the API: every path that it names is served, every route that is served is
// in it, and every answer fits its schema. An answer with a field that is not described fails too.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "hub/web/openapi_json.h"
#include "hub/web/testing/web_fixture.h"

namespace vesta::hub {
namespace {

using Json = nlohmann::json;

class OpenApiTest : public WebFixture {
 protected:
  OpenApiTest() : document_(Json::parse(kOpenApiJson)) {}

  // What does not fit, "" when all does.
  std::string Misfit(const Json& schema, const Json& value) const {
    const Json root = {{"allOf", Json::array({schema})}, {"components", document_["components"]}};
    valijson::Schema compiled;
    valijson::SchemaParser parser;
    const valijson::adapters::NlohmannJsonAdapter root_adapter(root);
    parser.populateSchema(root_adapter, compiled);
    valijson::Validator validator;
    valijson::ValidationResults results;
    const valijson::adapters::NlohmannJsonAdapter target(value);
    if (validator.validate(compiled, target, &results)) return "";
    std::string text;
    valijson::ValidationResults::Error error;
    while (results.popError(error)) {
      for (const std::string& part : error.context) text += part;
      text += ": " + error.description + "\n";
    }
    return text + value.dump();
  }

  // The answer's status is described for the call and its body fits.
  void Check(const std::string& path, const std::string& method, const RawAnswer& answer) {
    const std::string status = std::to_string(answer.status);
    const Json& responses = document_["paths"][path][method]["responses"];
    ASSERT_TRUE(responses.contains(status)) << path << " answered " << status << " " << answer.body;
    seen_.insert(method + " " + path + " " + status);
    if (!responses[status].contains("content")) {
      EXPECT_EQ(answer.body, "");
      return;
    }
    std::string type = answer.headers.at("content-type");
    type = type.substr(0, type.find(';'));
    ASSERT_TRUE(responses[status]["content"].contains(type)) << path << " " << type;
    if (type != "application/json") return;
    const Json body = Json::parse(answer.body, nullptr, false);
    ASSERT_FALSE(body.is_discarded()) << answer.body;
    EXPECT_EQ(Misfit(responses[status]["content"][type]["schema"], body), "") << path << " " << status;
  }

  void CheckGet(const std::string& path, const std::string& target, const std::string& headers = "") {
    Check(path, "get", Get(target, headers));
  }

  const Json document_;
  std::set<std::string> seen_;
};

TEST_F(OpenApiTest, NamesExactlyTheRoutes) {
  Start();
  std::set<std::string> described;
  for (const auto& [path, calls] : document_["paths"].items()) {
    for (const auto& call : calls.items()) described.insert(call.key() + " " + path);
  }
  std::set<std::string> served;
  for (const Route& route : server_->routes()) {
    std::string method = route.method;
    for (char& c : method) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    EXPECT_TRUE(served.insert(method + " " + route.pattern).second) << route.pattern;
    const Json& call = document_["paths"][route.pattern][method];
    EXPECT_EQ(call.contains("security"), route.scope == Scope::kNone) << route.pattern;
  }
  EXPECT_EQ(described, served);
}

TEST_F(OpenApiTest, SchemasRefuseWhatIsNotDescribed) {
  const Json session = {{"$ref", "#/components/schemas/Session"}};
  EXPECT_EQ(Misfit(session, {{"login_required", true}, {"logged_in", false}, {"scope", nullptr}}), "");
  EXPECT_NE(Misfit(session, {{"login_required", true}, {"logged_in", false}, {"scope", "all"}}), "");
  EXPECT_NE(Misfit(session, {{"login_required", true}, {"logged_in", false}}), "");
  EXPECT_NE(Misfit(session, {{"login_required", true}, {"logged_in", false}, {"scope", nullptr}, {"x", 1}}), "");
}

TEST_F(OpenApiTest, EveryAnswerFitsItsSchema) {
  Start();
  CheckGet("/api/v1/session", "/api/v1/session");
  CheckGet("/api/v1/devices", "/api/v1/devices");
  CheckGet("/api/v1/devices/{key}", "/api/v1/devices/p1_e0044007382246019");
  CheckGet("/api/v1/devices/{key}", "/api/v1/devices/nobody");
  CheckGet("/api/v1/fields", "/api/v1/fields");
  CheckGet("/api/v1/series", "/api/v1/series");
  CheckGet("/api/v1/series", "/api/v1/series?device=nobody");
  CheckGet("/api/v1/latest", "/api/v1/latest");
  CheckGet("/api/v1/latest", "/api/v1/latest?device=nobody");
  CheckGet("/api/v1/readings", "/api/v1/readings?series=1");
  CheckGet("/api/v1/readings", "/api/v1/readings?series=1&points=5&from=2026-08-11T06:21:08Z");
  CheckGet("/api/v1/readings", "/api/v1/readings");
  CheckGet("/api/v1/readings", "/api/v1/readings?series=999");
  CheckGet("/api/v1/export", "/api/v1/export?format=csv&device=a&device=b&from=2026-08-11T06:21:08Z");
  CheckGet("/api/v1/export", "/api/v1/export?format=nothing");
  CheckGet("/api/v1/export", "/api/v1/export?from=yesterday");
  CheckGet("/api/v1/sources", "/api/v1/sources");
  CheckGet("/api/v1/outputs", "/api/v1/outputs");
  CheckGet("/api/v1/health", "/api/v1/health");
  CheckGet("/api/status", "/api/status");
  CheckGet("/api/v1/unknown", "/api/v1/unknown");
  CheckGet("/api/v1/unknown", "/api/v1/unknown?limit=0");
  CheckGet("/api/v1/redecode", "/api/v1/redecode");
  CheckGet("/api/v1/frames/{id}/readings", "/api/v1/frames/2/readings");
  CheckGet("/api/v1/frames/{id}/readings", "/api/v1/frames/x/readings");
  CheckGet("/api/v1/trace", "/api/v1/trace?number=3");
  CheckGet("/api/v1/trace", "/api/v1/trace?series=1&time=2026-08-11T06:21:20Z");
  CheckGet("/api/v1/trace", "/api/v1/trace?series=1&time=1990-01-01T00:00:00Z");
  CheckGet("/api/v1/trace", "/api/v1/trace");
  CheckGet("/api/v1/gaps", "/api/v1/gaps?device=p1_e0044007382246019");
  CheckGet("/api/v1/gaps", "/api/v1/gaps?device=nobody");
  CheckGet("/api/v1/gaps", "/api/v1/gaps?device=p1_e0044007382246019&from=2027-01-01T00:00:00Z");
  CheckGet("/api/v1/counts", "/api/v1/counts");
  CheckGet("/api/v1/beds", "/api/v1/beds");
  CheckGet("/api/v1/beds", "/api/v1/beds?device=nobody");
  Main([&] { fake_.audit.Record("hub", "start", {{"version", "<1>"}}); });
  EXPECT_TRUE(Eventually([&] { return fake_.audit.health().entries >= 1; }));
  CheckGet("/api/v1/audit", "/api/v1/audit");
  CheckGet("/api/v1/audit", "/api/v1/audit?limit=0");
  CheckGet("/api/v1/metrics", "/api/v1/metrics");
  CheckGet("/metrics", "/metrics", "Accept: application/openmetrics-text; version=1.0.0\r\n");
  CheckGet("/api/v1/openapi.json", "/api/v1/openapi.json");
  const auto send = [&](const std::string& method, const std::string& target, const std::string& headers,
                        const std::string& body) {
    RawClient client(port_);
    return client.Ask(Request(method, target, headers, body));
  };
  const std::string device = "/api/v1/devices/p1_e0044007382246019";
  Check("/api/v1/devices/{key}", "patch", send("PATCH", device, Origin(), R"({"name":"Meter","place":"Hall"})"));
  Check("/api/v1/devices/{key}", "patch", send("PATCH", device, Origin(), R"({"nam":"Meter"})"));
  Check("/api/v1/devices/{key}", "patch", send("PATCH", device, "", R"({"name":"Meter"})"));
  Check("/api/v1/devices/{key}", "patch", send("PATCH", "/api/v1/devices/x", Origin(), R"({"name":"Meter"})"));
  const std::string key = R"({"key":"adeccb947395801a4dd45a2eaa44bf17","name":"Roof"})";
  Check("/api/v1/keys/{id}", "put", send("PUT", "/api/v1/keys/c0ffee112233", Origin(), key));
  Check("/api/v1/keys/{id}", "put", send("PUT", "/api/v1/keys/network-a1b2", Origin(), key));
  Check("/api/v1/keys/{id}", "put", send("PUT", "/api/v1/keys/nobody", Origin(), key));
  Check("/api/v1/keys/{id}", "put", send("PUT", "/api/v1/keys/c0ffee112233", Origin(), R"({"key":"adeccb"})"));
  Check("/api/v1/keys/check", "post", send("POST", "/api/v1/keys/check", Origin(), R"({"key":"x"})"));
  CheckGet("/api/v1/keys", "/api/v1/keys");
  CheckGet("/api/v1/heard", "/api/v1/heard");
  CheckGet("/api/v1/sources/{name}/bus", "/api/v1/sources/boat/bus");
  CheckGet("/api/v1/sources/{name}/bus", "/api/v1/sources/meter/bus");
  Check("/api/v1/keys/{id}", "delete", send("DELETE", "/api/v1/keys/c0ffee112233", Origin(), ""));
  Check("/api/v1/keys/{id}", "delete", send("DELETE", "/api/v1/keys/c0ffee112233", Origin(), ""));
  const std::string nodes = "/api/v1/nodes";
  const auto node = [&](const std::string& call, const std::string& body) {
    Check(nodes + "/" + call, "post", send("POST", nodes + "/" + call, Origin(), body));
  };
  CheckGet(nodes, nodes);
  node("window", R"({"seconds":"60"})");
  node("window", R"({"seconds":"ten"})");
  node("confirm", R"({"address":"02bb00000002","code":"012345"})");
  node("confirm", R"({"address":"02bb00000002","code":"1"})");
  node("confirm", R"({"address":"x","code":"1"})");
  node("secrets", R"({"secret":"000102030405060708090a0b0c0d0e0f"})");
  node("secrets", R"({"secret":"00"})");
  node("secrets", R"({"key":"00"})");
  node("orders", R"({"order":"ping"})");
  CheckGet(nodes + "/network", nodes + "/network?source=home");
  Check(nodes + "/network", "put", send("PUT", nodes + "/network", Origin(), fake_.nodes.network));
  const std::string item = nodes + "/{id}/items/{item}";
  Check(item, "put", send("PUT", nodes + "/02bb00000001/items/2", Origin(), R"({"value":"21.5"})"));
  Check(item, "put", send("PUT", nodes + "/02bb00000001/items/2", Origin(), R"({"value":"warm"})"));
  Check(item, "put", send("PUT", nodes + "/02bb00000001/items/256", Origin(), R"({"value":"1"})"));
  Check(item, "put", send("PUT", nodes + "/02bb00000001/items/2", "", R"({"value":"21.5"})"));
  Check(nodes + "/{id}", "delete", send("DELETE", nodes + "/02bb00000001", Origin(), ""));
  Check(nodes + "/{id}", "delete", send("DELETE", nodes + "/nobody", Origin(), ""));
  // Without a name or a token nothing was set; what was, came exactly as asked.
  EXPECT_EQ(fake_.nodes.asked, (std::vector<std::string>{"ping", "02bb00000001/2=215e-1 by local"}));
  const std::string redecode = "/api/v1/redecode";
  Check(redecode, "post", send("POST", redecode, Origin(), R"({"source":"radio"})"));
  Check(redecode, "post", send("POST", redecode, Origin(), R"({"source":"nobody"})"));
  Check(redecode, "post", send("POST", redecode, Origin(), R"({"port":"1"})"));
  Check(redecode, "post", send("POST", redecode, "", R"({"source":"meter"})"));
  // Nothing was begun without a name or a token.
  EXPECT_EQ(fake_.redecoded, (std::vector<std::string>{"radio", "nobody"}));
  const auto bed = [&](const std::string& call, const std::string& body) {
    const std::string path = "/api/v1/beds/" + call;
    Check(path, "post", send("POST", path, Origin(), body));
  };
  bed("begin", R"({"device":"p1_e0044007382246019","bed":"Bed 1"})");
  bed("begin", R"({"device":"p1_e0044007382246019","bed":"Bed 1"})");
  bed("begin", R"({"device":"p1_e0044007382246019"})");
  bed("begin", R"({"device":"nobody","bed":"Bed 1"})");
  CheckGet("/api/v1/beds", "/api/v1/beds?device=p1_e0044007382246019&time=2026-08-11T06:21:25Z");
  CheckGet("/api/v1/devices/{key}", "/api/v1/devices/p1_e0044007382246019");
  bed("end", R"({"device":"p1_e0044007382246019"})");
  bed("end", R"({"device":"p1_e0044007382246019"})");
  Check("/api/v1/login", "post", send("POST", "/api/v1/login", Origin(), R"({"password":"x"})"));
  Check("/api/v1/login", "post", send("POST", "/api/v1/login", Origin(), "{}"));
  Check("/api/v1/login", "post", send("POST", "/api/v1/login", "", R"({"password":"x"})"));
  Check("/api/v1/logout", "post", send("POST", "/api/v1/logout", Origin(), ""));

  Main([&] { fake_.journal.error = "the disk is full"; });
  CheckGet("/api/v1/health", "/api/v1/health");
  Main([&] { fake_.reader.failing = "history can't be read"; });
  CheckGet("/api/v1/readings", "/api/v1/readings?series=1");

  // Each call was seen to answer in the good way, whatever was left out above.
  for (const auto& [path, calls] : document_["paths"].items()) {
    for (const auto& [method, call] : calls.items()) {
      if (path == "/api/v1/events") continue;  // below
      const bool ok = seen_.count(method + " " + path + " 200") + seen_.count(method + " " + path + " 204") > 0;
      EXPECT_TRUE(ok || path == "/api/v1/login") << method << " " << path;
    }
  }
}

TEST_F(OpenApiTest, EveryEventFitsItsSchema) {
  limits_.event_interval_us = 10 * kUsPerMs;
  Start();
  RawClient client(port_);
  client.Send(Request("GET", "/api/v1/events"));
  ASSERT_TRUE(client.ReadUntil("event: outputs"));
  const size_t end = client.received.find("\r\n\r\n") + 4;
  EXPECT_NE(client.received.find("Content-Type: text/event-stream\r\n"), std::string::npos);
  client.received.erase(0, end);
  Main([&] {
    fake_.Hear(2, Value::OfDecimal(2311, -1));
    fake_.Hear(2, Value::OfDecimal(2312, -1));
    fake_.directory.SetName(fake_.gas_id, "Gas", "");
    fake_.live.AnnounceDevice(fake_.gas_id);
    fake_.Hear(6, Value::OfDecimal(99, -3));
    fake_.clock().Advance(2 * kUsPerSecond);
  });
  ASSERT_TRUE(client.ReadUntil("event: coalesced"));
  ASSERT_TRUE(client.ReadUntil("event: device"));
  ASSERT_TRUE(client.ReadUntil("event: availability"));
  ASSERT_TRUE(client.ReadUntil("event: values"));
  ASSERT_TRUE(client.ReadUntil("{\"count\":1}"));

  const std::map<std::string, std::string> schemas = {
      {"snapshot", "EventSnapshot"},  {"values", "EventValues"}, {"device", "Device"},
      {"sources", "Sources"},         {"outputs", "Outputs"},    {"availability", "EventAvailability"},
      {"coalesced", "EventCoalesced"}};
  std::set<std::string> seen;
  std::string name;
  std::string data;
  std::istringstream lines(client.received);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("event: ")) name = line.substr(7);
    if (line.starts_with("data: ")) data += line.substr(6) + "\n";
    if (!line.starts_with("id: ")) continue;
    ASSERT_EQ(schemas.count(name), 1u) << name;
    const Json value = Json::parse(data, nullptr, false);
    ASSERT_FALSE(value.is_discarded()) << name << " " << data;
    EXPECT_EQ(Misfit({{"$ref", "#/components/schemas/" + schemas.at(name)}}, value), "") << name;
    seen.insert(name);
    data.clear();
  }
  EXPECT_EQ(seen.size(), schemas.size());
}

}  // namespace
}  // namespace vesta::hub
