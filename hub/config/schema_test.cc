#include "hub/config/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "hub/config/check.h"
#include "model/calendar.h"

namespace vesta::hub {
namespace {

using Json = nlohmann::ordered_json;

// Calls back for each schema inside a schema.
template <typename Visit>
void Walk(const Json& schema, const std::string& where, const Visit& visit) {
  if (!schema.is_object()) return;
  visit(schema, where);
  for (const char* group : {"properties", "definitions"}) {
    if (!schema.contains(group)) continue;
    for (const auto& [key, inner] : schema[group].items()) Walk(inner, where + "/" + key, visit);
  }
  if (schema.contains("items")) Walk(schema["items"], where + "/items", visit);
}

TEST(Schema, EveryTextAndListHasABoundAndEveryPropertyAMeaning) {
  Walk(Schema(), "", [](const Json& schema, const std::string& where) {
    const std::string type = schema.value("type", "");
    const bool numeric = type == "integer" || type == "number";
    EXPECT_TRUE(type != "string" || schema.contains("maxLength")) << where;
    EXPECT_TRUE(type != "array" || schema.contains("maxItems")) << where;
    EXPECT_TRUE(!numeric || (schema.contains("minimum") && schema.contains("maximum"))) << where;
    EXPECT_TRUE(!schema.contains("pattern") || schema.contains("x-allowed")) << where;
    if (!schema.contains("properties")) return;
    EXPECT_TRUE(schema.contains("allOf") || !schema.value("additionalProperties", true)) << where;
    for (const auto& [key, property] : schema["properties"].items()) {
      const bool described = property.contains("description") || ResolveSchema(property).contains("description");
      EXPECT_TRUE(described) << where << "/" << key;
    }
  });
}

TEST(Schema, UsesOnlyTheWordsThatTheCheckerKnows) {
  const std::set<std::string> known = {
      "$schema", "$ref",     "title",     "description", "default",   "type",     "properties", "additionalProperties",
      "enum",    "const",    "minimum",   "maximum",     "items",     "required", "pattern",    "definitions",
      "allOf",   "maxItems", "minLength", "maxLength",   "x-allowed", "x-secret"};
  Walk(Schema(), "", [&](const Json& schema, const std::string& where) {
    for (const auto& [word, unused] : schema.items()) EXPECT_TRUE(known.contains(word)) << where << " " << word;
  });
}

TEST(Schema, EveryZoneIsKnown) {
  for (const Json& name : Schema()["definitions"]["zone"]["enum"]) {
    Zone zone;
    EXPECT_TRUE(FindZone(name.get<std::string>(), &zone)) << name;
  }
}

// An independent validator must come to the same verdict.
class FullValidator {
 public:
  FullValidator() {
    const nlohmann::json schema = nlohmann::json::parse(SchemaText());
    const valijson::adapters::NlohmannJsonAdapter adapter(schema);
    valijson::SchemaParser().populateSchema(adapter, schema_);
  }
  bool Accepts(const nlohmann::json& document) {
    const valijson::adapters::NlohmannJsonAdapter adapter(document);
    return valijson::Validator().validate(schema_, adapter, nullptr);
  }

 private:
  valijson::Schema schema_;
};

bool CheckerAccepts(const nlohmann::json& document) {
  ProblemList problems;
  JsonNode root;
  if (!ParseJsonTree(document.dump(), &root, &problems)) return false;
  CheckAndComplete(&root, &problems);
  return problems.Take().empty();
}

TEST(Schema, TheCheckerAgreesWithAFullValidator) {
  const nlohmann::json good = nlohmann::json::parse(R"({
    "hub": {"id": "boat", "zone": "Europe/Berlin", "log_level": "debug"},
    "storage": {"commit_s": 0.5, "keep_days": 0},
    "http": {"enabled": true, "port": 80, "allowed_hosts": ["boat.local"], "password_hash": "",
             "tokens": [{"name": "t", "hash": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]},
    "sources": [
      {"name": "a", "type": "serial", "protocol": "p1", "port": "/dev/a", "baud": 9600, "p1": {"zone": "UTC"}},
      {"name": "b", "type": "tcp", "protocol": "p1", "host": "h", "port": 1},
      {"name": "c", "type": "tcp-listen", "protocol": "p1", "port": 65535, "allow": ["::1"], "exposed": false},
      {"name": "d", "type": "capture", "protocol": "p1", "file": "f", "speed": 2.5},
      {"name": "e", "type": "udp", "protocol": "victron", "port": 1, "allow": ["::1"]},
      {"name": "f", "type": "bluetooth", "protocol": "victron", "adapters": ["hci0"], "mode": "passive"}],
    "outputs": [{"name": "m", "type": "mqtt", "version": "5", "base": "a/b", "password_env": "A"}],
    "devices": [{"key": "d", "name": "D", "place": ""}]})");
  FullValidator full;
  ASSERT_TRUE(full.Accepts(good));
  ASSERT_TRUE(CheckerAccepts(good));

  // Each value in turn is replaced by each of these, and removed.
  const nlohmann::json replacements[] = {nlohmann::json(nullptr),
                                         true,
                                         0,
                                         -1,
                                         9600,
                                         70000,
                                         0.05,
                                         "",
                                         "x",
                                         "Big Text",
                                         "/a/",
                                         "serial",
                                         "p1",
                                         std::string(300, 'a'),
                                         nlohmann::json::array(),
                                         nlohmann::json::object(),
                                         nlohmann::json::array({1, "a"}),
                                         nlohmann::json({{"unknown", 1}})};
  int rejected = 0;
  int accepted = 0;
  const nlohmann::json flat = good.flatten();
  for (const auto& [pointer, value] : flat.items()) {
    for (nlohmann::json::json_pointer at(pointer);; at = at.parent_pointer()) {
      for (const nlohmann::json& replacement : replacements) {
        nlohmann::json changed = good;
        changed[at] = replacement;
        const bool expected = full.Accepts(changed);
        ASSERT_EQ(CheckerAccepts(changed), expected) << changed.dump(1);
        ++(expected ? accepted : rejected);
      }
      if (at.empty()) break;
      nlohmann::json without = good;
      nlohmann::json& parent = without[at.parent_pointer()];
      if (parent.is_object()) parent.erase(at.back());
      ASSERT_EQ(CheckerAccepts(without), full.Accepts(without)) << without.dump(1);
      if (parent.is_object()) parent["unknown"] = 1;
      ASSERT_EQ(CheckerAccepts(without), full.Accepts(without)) << without.dump(1);
    }
  }
  EXPECT_GT(rejected, 500);
  EXPECT_GT(accepted, 50);
}

// With VESTA_WRITE_DOCS=1 in the environment the page is brought up to date instead.
TEST(Schema, TheDocsPageIsTrue) {
  const std::string path = VESTA_SOURCE_DIR "/docs/configuration.md";
  constexpr std::string_view kMark = "<!-- Made from hub/config/schema.json; do not edit below. -->\n";
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  std::string page = text.str();
  const size_t mark = page.find(kMark);
  ASSERT_NE(mark, std::string::npos);
  const std::string expected = page.substr(0, mark) + std::string(kMark) + "\n" + DescribeConfigMarkdown();
  if (std::getenv("VESTA_WRITE_DOCS") != nullptr) std::ofstream(path) << (page = expected);
  EXPECT_EQ(page, expected) << "run this test with VESTA_WRITE_DOCS=1";
}

TEST(Schema, TheEmbeddedTextIsTheFile) {
  std::stringstream text;
  text << std::ifstream(VESTA_SOURCE_DIR "/hub/config/schema.json").rdbuf();
  EXPECT_EQ(SchemaText(), text.str());
}

}  // namespace
}  // namespace vesta::hub
