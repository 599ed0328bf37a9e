// The live stream without sockets: what a client of any speed gets.
#include "hub/web/events.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "hub/web/testing/fake_hub.h"

namespace vesta::hub {
namespace {

class EventsTest : public testing::Test {
 protected:
  EventsTest() : fake_(io_), context_(fake_.Context()), hub_(context_, limits_) {}

  std::shared_ptr<BodyPieces> Open(std::string_view after = "") {
    return hub_.Open(after, [this] { return allowed_; });
  }
  // All that the client would be sent now.
  static std::string Drain(BodyPieces& stream, bool* ended = nullptr) {
    std::string text;
    BodyPieces::State state = BodyPieces::State::kMore;
    while (state == BodyPieces::State::kMore) state = stream.Next(&text);
    if (ended != nullptr) *ended = state == BodyPieces::State::kEnd;
    return text;
  }
  std::string LastId(const std::string& text) {
    const size_t at = text.rfind("id: ") + 4;
    return text.substr(at, text.find('\n', at) - at);
  }
  static size_t Count(const std::string& text, std::string_view what) {
    size_t count = 0;
    for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; ++at) ++count;
    return count;
  }

  boost::asio::io_context io_;
  FakeHub fake_;
  WebLimits limits_;
  ApiContext context_;
  EventHub hub_;
  bool allowed_ = true;
};

TEST_F(EventsTest, BeginsWithASnapshotAndThenSendsChanges) {
  const auto stream = Open();
  std::string text = Drain(*stream);
  EXPECT_TRUE(text.starts_with("retry: 3000\n\nevent: snapshot\ndata: {\"devices\":[\ndata: {\"key\":")) << text;
  EXPECT_EQ(Count(text, "event: snapshot"), 1u);
  EXPECT_EQ(Count(text, "event: sources"), 1u);
  EXPECT_EQ(Count(text, "event: outputs"), 1u);
  EXPECT_EQ(LastId(text), hub_.Position());
  EXPECT_EQ(Drain(*stream), "");
  fake_.Hear(2, Value::OfDecimal(2345, -1));
  text = Drain(*stream);
  EXPECT_NE(text.find("event: values\ndata: {\"values\":[{\"series\":2,"), std::string::npos) << text;
  EXPECT_NE(text.find("\"value\":234.5,"), std::string::npos) << text;
  EXPECT_EQ(LastId(text), hub_.Position());
}

TEST_F(EventsTest, SendsChangesAtMostFourTimesASecondAndTheNewestValue) {
  const auto stream = Open();
  Drain(*stream);
  std::string text;
  size_t bursts = 0;
  for (int i = 0; i < 100; ++i) {  // one second of a hundred changes
    fake_.Hear(2, Value::OfDecimal(i, 0));
    fake_.clock().Advance(kUsPerSecond / 100);
    const std::string piece = Drain(*stream);
    bursts += Count(piece, "event: values");
    text += piece;
  }
  fake_.clock().Advance(kUsPerSecond);
  text += Drain(*stream);
  EXPECT_LE(bursts, 5u);
  EXPECT_GE(bursts, 4u);
  EXPECT_NE(text.find("\"value\":99,"), std::string::npos);
  // Nothing is lost in silence: sent and replaced make all.
  size_t replaced = 0;
  for (size_t at = 0; (at = text.find("{\"count\":", at)) != std::string::npos; ++at) {
    replaced += std::stoul(text.substr(at + 9));
  }
  EXPECT_EQ(Count(text, "\"series\":2,") + replaced, 100u);
}

TEST_F(EventsTest, ASleepingClientCostsNothingAndWakesToTheNewest) {
  const auto stream = Open();
  const std::string before = LastId(Drain(*stream));
  for (int i = 0; i < 100000; ++i) fake_.Hear(1 + static_cast<SeriesId>(i % 2), Value::OfDecimal(i, 0));
  fake_.clock().Advance(60 * kUsPerSecond);
  const std::string text = Drain(*stream);
  EXPECT_EQ(Count(text, "\"series\":"), 2u) << text;
  EXPECT_NE(text.find("\"value\":99999,"), std::string::npos);
  EXPECT_NE(text.find("\"count\":99998}"), std::string::npos) << text;
}

TEST_F(EventsTest, ResumesWhereTheClientWas) {
  auto stream = Open();
  const std::string id = LastId(Drain(*stream));
  stream.reset();
  fake_.Hear(1, Value::OfDecimal(1, 0));
  fake_.Hear(2, Value::OfDecimal(2, 0));
  fake_.Hear(1, Value::OfDecimal(3, 0));
  const std::string text = Drain(*Open(id));
  EXPECT_EQ(Count(text, "event: snapshot"), 0u);
  EXPECT_EQ(Count(text, "\"series\":"), 2u) << text;
  EXPECT_NE(text.find("\"value\":3,"), std::string::npos);
  for (const std::string& bad : {std::string("0-1"), std::string("x"), id + "9999", id.substr(0, id.find('-')) + "-",
                                 id.substr(0, id.find('-')) + "--1", std::string(5000, '-')}) {
    EXPECT_EQ(Count(Drain(*Open(bad)), "event: snapshot"), 1u) << bad;
  }
}

TEST_F(EventsTest, TellsOfStaleValuesNewDevicesAndSilence) {
  const auto stream = Open();
  Drain(*stream);
  fake_.clock().Advance(5 * 3600 * kUsPerSecond);
  fake_.live.Tick();
  std::string text = Drain(*stream);
  EXPECT_NE(text.find("\"stale\":true"), std::string::npos) << text;
  EXPECT_NE(text.find("event: availability\ndata: {\"device\":\"p1_e0044007382246019\",\"availability\":\"offline\"}"),
            std::string::npos)
      << text;
  fake_.clock().Advance(kUsPerSecond);
  fake_.directory.SetName(fake_.meter_id, "Meter", "");
  fake_.live.AnnounceDevice(fake_.meter_id);
  text = Drain(*stream);
  EXPECT_NE(text.find("event: device\ndata: {\"key\":\"p1_e0044007382246019\""), std::string::npos) << text;
}

TEST_F(EventsTest, TellsOfSourcesOnlyWhenSomethingHappened) {
  const auto stream = Open();
  Drain(*stream);
  const auto second = [&] {
    fake_.clock().Advance(kUsPerSecond);
    hub_.Tick();
    return Drain(*stream);
  };
  EXPECT_EQ(second(), "");
  fake_.sources[0].state = SourceState::kWaiting;
  EXPECT_NE(second().find("\"state\":\"waiting\""), std::string::npos);
  EXPECT_EQ(second(), "");
  fake_.outputs[0].connected = false;
  EXPECT_NE(second().find("event: outputs"), std::string::npos);
}

TEST_F(EventsTest, PingsAndEndsWhenTheSessionEnded) {
  const auto stream = Open();
  Drain(*stream);
  size_t woken = 0;
  stream->wake = [&] { ++woken; };
  hub_.Tick();
  EXPECT_EQ(woken, 0u);
  fake_.clock().Advance(15 * kUsPerSecond);
  hub_.Tick();
  EXPECT_EQ(woken, 1u);
  bool ended = false;
  EXPECT_EQ(Drain(*stream, &ended), ": ping\n\n");
  EXPECT_FALSE(ended);
  allowed_ = false;
  fake_.clock().Advance(15 * kUsPerSecond);
  EXPECT_EQ(Drain(*stream, &ended), "");
  EXPECT_TRUE(ended);
}

TEST_F(EventsTest, ClientsAreBounded) {
  std::vector<std::shared_ptr<BodyPieces>> streams;
  for (size_t i = 0; i < limits_.event_clients; ++i) streams.push_back(Open());
  EXPECT_EQ(Open(), nullptr);
  streams.pop_back();
  EXPECT_NE(Open(), nullptr);
}

TEST_F(EventsTest, ASnapshotOfManySeriesComesInSmallPieces) {
  static constexpr Field kField = {"x", Quantity::kPower, Unit::kWatt, 0, FieldKind::kGauge, Pace::kFast, false, {}};
  for (int i = 0; i < 2000; ++i) {
    DeviceInfo info;
    const std::string identity = "many" + std::to_string(i);
    info.identity = identity;
    const DeviceId device = fake_.directory.Resolve("p1", "meter", info, 0);
    fake_.Hear(fake_.directory.ResolveSeries(device, kField), Value::OfDecimal(i, 0));
  }
  const auto stream = Open();
  std::string text;
  BodyPieces::State state = BodyPieces::State::kMore;
  while (state == BodyPieces::State::kMore) {
    std::string piece;
    state = stream->Next(&piece);
    EXPECT_LT(piece.size(), 64u * 1024);
    text += piece;
    // Values go on changing while a slow client takes its snapshot.
    fake_.Hear(2, Value::OfDecimal(7, 0));
  }
  EXPECT_EQ(Count(text, "{\"key\":"), 2002u);
  fake_.clock().Advance(kUsPerSecond);
  EXPECT_NE(Drain(*stream).find("\"value\":7,"), std::string::npos);
}

}  // namespace
}  // namespace vesta::hub
