#include "formats/json_writer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "model/time.h"

namespace vesta {
namespace {

TEST(JsonWriter, PutsCommasAndNesting) {
  char buffer[200];
  JsonWriter json(buffer, sizeof buffer);
  json.BeginObject().Key("a").Integer(1).Key("b").BeginArray().Integer(2).Null().Boolean(true).EndArray();
  json.Key("c").BeginObject().EndObject().Key("d").Number(Decimal{-24, -3}).EndObject();
  EXPECT_EQ(json.view(), R"({"a":1,"b":[2,null,true],"c":{},"d":-0.024})");
  EXPECT_TRUE(json.ok());
}

TEST(JsonWriter, EscapesHostileTexts) {
  char buffer[200];
  JsonWriter json(buffer, sizeof buffer);
  json.Text(std::string_view("\"\\\n\x01\xFF\xC0\x80\xED\xA0\x80\xC3\xA9", 12));
  EXPECT_EQ(
      json.view(),
      "\"\\\"\\\\\\u000a\\u0001\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xC3\xA9\"");
}

TEST(JsonWriter, StopsAtItsBound) {
  char buffer[8];
  JsonWriter json(buffer, sizeof buffer);
  json.Text("123456");
  EXPECT_TRUE(json.ok());
  json.Integer(1);
  EXPECT_FALSE(json.ok());
}

TEST(JsonWriter, RealsReadBackInFewDigits) {
  char buffer[100];
  JsonWriter json(buffer, sizeof buffer);
  json.BeginArray().Number(0.1).Number(13.21).Number(1.0 / 3).Number(HUGE_VAL).EndArray();
  EXPECT_EQ(json.view(), "[0.1,13.21,0.3333333333333333,null]");
}

TEST(JsonWriter, ValuesByKind) {
  char buffer[200];
  JsonWriter json(buffer, sizeof buffer);
  json.BeginArray();
  WriteJsonValue(json, Value::OfState(1), FieldKind::kFlag, {});
  WriteJsonValue(json, Value::OfState(3), FieldKind::kState, "bulk");
  WriteJsonValue(json, Value::OfState(42), FieldKind::kState, {});
  WriteJsonValue(json, Value::None(), FieldKind::kGauge, {});
  WriteJsonValue(json, Value::OfDecimal(230100, -3), FieldKind::kGauge, {});
  json.Time(kNoTime).Time(0).EndArray();
  EXPECT_EQ(json.view(), R"json([true,"bulk","unknown(0x2A)",null,230.100,null,"1970-01-01T00:00:00Z"])json");
}

}  // namespace
}  // namespace vesta
