// The calls that a ward adds: traces, gaps, beds and the audit log, through a running server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "hub/audit/audit_verify.h"
#include "hub/web/testing/web_fixture.h"

namespace vesta::hub {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kMeter[] = "p1_e0044007382246019";

class WardTest : public WebFixture {
 protected:
  Json Ask(const std::string& target) const { return Json::parse(Get(target).body); }
  RawAnswer Post(const std::string& path, const std::string& body) const {
    RawClient client(port_);
    return client.Ask(Request("POST", path, Origin(), body));
  }
  // A reading a second from 06:00:00 on, but for the seconds left out.
  void OneASecond(int seconds, int gap_from, int gap_to) {
    fake_.reader.history.clear();
    for (int i = 0; i < seconds; ++i) {
      if (i > gap_from && i < gap_to) continue;
      Record record;
      record.number = static_cast<JournalNumber>(i + 1);
      record.series = 1;
      record.time_us = record.received_us = kBegin_us + i * kUsPerSecond;
      record.value = Value::OfInteger(i);
      fake_.reader.history.push_back(record);
    }
    fake_.clock().StepUtc(kBegin_us + seconds * kUsPerSecond - kFakeNow_us);
  }
  std::string Audit() {
    fake_.audit.Close();
    return *ReadAuditFile(fake_.folder.File("audit.jsonl"));
  }
  static constexpr UtcUs kBegin_us = 1786428000000000;
};

TEST_F(WardTest, ATraceTellsFrameDecoderExactValueAndBed) {
  fake_.reader.frames.clear();
  ArchivedFrame frame;
  frame.id = 3;
  frame.source = "meter";
  frame.received_us = kFakeNow_us;
  frame.bytes = {0x01, 0xFF};
  fake_.reader.frames.push_back(frame);
  fake_.decoders.Begin("meter", "vesta 1 p1", "fields/aa", 1, kFakeNow_us);
  fake_.decoders.Begin("meter", "vesta 2 p1", "fields/bb", 11, kFakeNow_us);
  ASSERT_TRUE(fake_.places.Begin(fake_.meter_id, "Bed 1", kFakeNow_us - 60 * kUsPerSecond, "local", kFakeNow_us));
  Start();
  const Json kept = Ask("/api/v1/trace?number=9");
  EXPECT_EQ(kept["reading"]["mantissa"], 1080);
  EXPECT_EQ(kept["reading"]["exponent"], -3);
  EXPECT_EQ(kept["frame"]["hex"], "01ff");
  EXPECT_EQ(kept["frame"]["readings"], 4);
  EXPECT_EQ(kept["decoder"]["decoder"], "vesta 1 p1");
  EXPECT_EQ(kept["decoder"]["source_known_by"], "frame");
  EXPECT_EQ(kept["bed"]["bed"], "Bed 1");
  const Json gone = Ask("/api/v1/trace?number=17");
  EXPECT_EQ(gone["frame"]["state"], "gone");
  EXPECT_EQ(gone["decoder"]["tables"], "fields/bb");
  EXPECT_EQ(gone["decoder"]["source_known_by"], "device");
  // By the time that the API shows, which has milliseconds.
  EXPECT_EQ(Ask("/api/v1/trace?series=1&time=" +
                std::to_string((kFakeNow_us - 12 * kUsPerSecond) / 1000))["reading"]["number"],
            9);
  EXPECT_EQ(Get("/api/v1/trace?number=4000").status, 404);
}

TEST_F(WardTest, AGapIsToldWithItsReasons) {
  OneASecond(3600, 1000, 1600);
  fake_.clock().StepUtc(-2000 * kUsPerSecond);  // to 06:26:40
  fake_.audit.Record("hub", "port_closed", {{"source", "meter"}, {"why", "cable <out>"}});
  fake_.audit.Record("hub", "port_closed", {{"source", "another"}, {"why", "not ours"}});
  fake_.clock().StepUtc(2000 * kUsPerSecond);
  ASSERT_TRUE(WebFixture::port_ == 0);
  Start();
  ASSERT_TRUE(Eventually([&] { return fake_.audit.health().entries == 2; }));
  const Json report = Ask("/api/v1/gaps?device=" + std::string(kMeter) + "&from=" + std::to_string(kBegin_us / 1000) +
                          "&longer_than_s=60");
  ASSERT_EQ(report["gaps"].size(), 1u) << report.dump();
  const Json& gap = report["gaps"][0];
  EXPECT_EQ(gap["from"], "2026-08-11T06:16:40Z");
  EXPECT_EQ(gap["to"], "2026-08-11T06:26:40Z");
  EXPECT_EQ(gap["seconds"], 600.0);
  EXPECT_FALSE(gap["goes_on"].get<bool>());
  ASSERT_EQ(gap["reasons"].size(), 2u) << gap.dump();
  EXPECT_EQ(gap["reasons"][0]["reason"], "port_closed");
  EXPECT_THAT(gap["reasons"][0]["text"].get<std::string>(), HasSubstr("cable <out>"));
  EXPECT_EQ(gap["reasons"][1]["reason"], "frames_rejected");  // those of the fake archive came in that time
}

TEST_F(WardTest, AnotherSeriesFillsAGapAndTheEndsOfTheSpanAreGapsToo) {
  OneASecond(3600, 1000, 1600);
  Record other;
  other.number = 9000;
  other.series = 2;
  other.time_us = other.received_us = kBegin_us + 1300 * kUsPerSecond;
  other.value = Value::OfInteger(1);
  auto& history = fake_.reader.history;
  history.insert(
      std::find_if(history.begin(), history.end(), [&](const Record& r) { return r.time_us > other.time_us; }), other);
  fake_.clock().StepUtc(900 * kUsPerSecond);
  Start();
  const Json report = Ask("/api/v1/gaps?device=" + std::string(kMeter) +
                          "&from=" + std::to_string(kBegin_us / 1000 - 120000) + "&longer_than_s=60");
  ASSERT_EQ(report["gaps"].size(), 4u) << report.dump();
  EXPECT_TRUE(report["gaps"][0]["begins_before"].get<bool>());
  EXPECT_EQ(report["gaps"][0]["seconds"], 120.0);
  EXPECT_EQ(report["gaps"][1]["seconds"], 300.0);
  EXPECT_EQ(report["gaps"][2]["seconds"], 300.0);
  EXPECT_TRUE(report["gaps"][3]["goes_on"].get<bool>());
  EXPECT_EQ(report["gaps"][3]["seconds"], 901.0);
}

TEST_F(WardTest, BedsBeginAndEnd) {
  Start();
  const std::string device = R"({"device":")" + std::string(kMeter) + "\"";
  EXPECT_EQ(Post("/api/v1/beds/begin", device + R"(,"bed":"Bed 1","time":"2026-08-11T05:00:00Z"})").status, 200);
  EXPECT_EQ(Ask("/api/v1/devices/" + std::string(kMeter))["bed"], "Bed 1");
  EXPECT_EQ(Post("/api/v1/beds/begin", device + R"(,"bed":"Bed 2","time":"2026-08-11T04:00:00Z"})").status, 409);
  EXPECT_EQ(Post("/api/v1/beds/end", device + R"(,"time":"2026-08-11T06:00:00Z"})").status, 200);
  EXPECT_EQ(Post("/api/v1/beds/end", device + "}").status, 409);
  EXPECT_EQ(Ask("/api/v1/beds?time=2026-08-11T05:30:00Z")["stays"].size(), 1u);
  EXPECT_EQ(Ask("/api/v1/beds?time=2026-08-11T06:00:00Z")["stays"].size(), 0u);
}

TEST_F(WardTest, LoginsAreInTheAuditLogWithoutAnySecret) {
  config_.tokens = {{"wall", Sha256Hex("tell-nobody"), "read"}};
  Start();
  RawClient(port_).Ask(Request("POST", "/api/v1/login", Origin(), R"({"token":"nearly-right"})"));
  RawClient(port_).Ask(Request("POST", "/api/v1/login", Origin(), R"({"token":"tell-nobody"})"));
  EXPECT_EQ(Get("/api/v1/devices", "Authorization: Bearer guessed-one\r\n").status, 401);
  EXPECT_EQ(Get("/api/v1/audit", "Authorization: Bearer tell-nobody\r\n").status, 403) << "scope read is not enough";
  const std::string log = Main([&] { return Audit(); });
  EXPECT_THAT(log, HasSubstr(R"("action":"login_wrong","details":{"address":"127.0.0.1","by":"token"})"));
  EXPECT_THAT(log, HasSubstr(R"("action":"login","details")"));
  EXPECT_THAT(log, HasSubstr(R"("actor":"session:)"));
  EXPECT_THAT(log, HasSubstr(R"("by":"bearer")"));
  for (const char* secret : {"nearly-right", "tell-nobody", "guessed-one"}) EXPECT_THAT(log, Not(HasSubstr(secret)));
  EXPECT_THAT(log, Not(HasSubstr(Sha256Hex("tell-nobody").substr(0, 16))));
}

TEST_F(WardTest, KeysAndExportsAreInTheAuditLog) {
  Start();
  constexpr const char* kKey = "adeccb947395801a4dd45a2eaa44bf17";
  const std::string body = R"({"key":")" + std::string(kKey) + R"(","name":"Roof"})";
  EXPECT_EQ(RawClient(port_).Ask(Request("PUT", "/api/v1/keys/c0ffee112233", Origin(), body)).status, 200);
  EXPECT_EQ(RawClient(port_).Ask(Request("DELETE", "/api/v1/keys/c0ffee112233", Origin(), "")).status, 204);
  EXPECT_EQ(Get("/api/v1/export?format=csv").status, 200);
  const std::string log = Main([&] { return Audit(); });
  EXPECT_THAT(log, HasSubstr(R"("action":"key_given","details":{"id":"c0ffee112233"})"));
  EXPECT_THAT(log, HasSubstr(R"("action":"key_removed","details":{"id":"c0ffee112233"})"));
  EXPECT_THAT(log, HasSubstr(R"("action":"export","details":{"format":"csv")"));
  EXPECT_THAT(log, Not(HasSubstr(kKey)));
}

TEST_F(WardTest, CountsTellWhatBecameOfADevicesReadings) {
  Start();
  const Json counts = Ask("/api/v1/counts");
  ASSERT_EQ(counts["devices"].size(), 2u);
  EXPECT_EQ(counts["devices"][0]["received"], 13);
  EXPECT_EQ(counts["devices"][0]["stored"], 12);
}

}  // namespace
}  // namespace vesta::hub
