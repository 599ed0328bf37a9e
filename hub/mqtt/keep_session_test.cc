// What a connection promises that asks the broker to keep its session: nothing that was not taken is ever acknowledged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "hub/clock/clock.h"
#include "hub/mqtt/connection.h"
#include "hub/mqtt/shared_connections.h"
#include "hub/mqtt/test_broker.h"

namespace vesta::hub::mqtt {
namespace {

using testing::ElementsAre;

constexpr ConnectionTiming kQuickTiming{.back_off_first_us = 20 * kUsPerMs,
                                        .back_off_last_us = 100 * kUsPerMs,
                                        .stable_after_us = 500 * kUsPerMs,
                                        .connect_timeout_us = 1 * kUsPerSecond};

class KeepSession : public testing::TestWithParam<std::string> {
 protected:
  struct Hub {
    std::unique_ptr<Connection> connection;
    Connection::Token subscription;
    std::vector<std::string> heard;
    std::vector<int> ids;
    std::vector<std::shared_ptr<void>> receipts;  // held back
    bool hold = false;
    int answered = 0;
  };

  std::unique_ptr<Hub> MakeHub(bool hold = false) {
    auto hub = std::make_unique<Hub>();
    hub->hold = hold;
    MqttConfig config = broker_.Config();
    config.version = GetParam();
    ConnectionOptions options;
    options.default_client_id = "hub";
    options.keep_session = true;
    options.timing = kQuickTiming;
    hub->connection = std::make_unique<Connection>(io_, clock_, config, options);
    hub->subscription = hub->connection->SubscribeKept(
        "ward/+",
        [h = hub.get()](const IncomingMessage& message) {
          h->heard.emplace_back(message.payload);
          h->ids.push_back(message.id);
          if (h->hold) h->receipts.push_back(message.receipt);
        },
        [h = hub.get()](int) { ++h->answered; });
    hub->connection->Start();
    return hub;
  }
  bool WaitAnswered(Hub& hub, int times = 1) {
    return RunUntil(io_, [&] { return hub.answered >= times; });
  }
  bool WaitHeard(Hub& hub, size_t count) {
    return RunUntil(io_, [&] { return hub.heard.size() >= count; });
  }

  TestBroker broker_{TestBroker::Options{.persistence = true}};
  boost::asio::io_context io_;
  SystemClock clock_;
};

TEST_P(KeepSession, GetsWhatCameWhileItWasAway) {
  TestClient node(broker_, {"nothing"});
  auto hub = MakeHub();
  ASSERT_TRUE(WaitAnswered(*hub));
  EXPECT_FALSE(hub->connection->health().session_present);
  bool stopped = false;
  hub->subscription.reset();  // an orderly end: the broker must go on collecting
  hub->connection->Stop([&] { stopped = true; });
  ASSERT_TRUE(RunUntil(io_, [&] { return stopped; }));
  hub.reset();

  for (int i = 0; i < 50; ++i) node.Publish("ward/a", std::to_string(i));
  auto again = MakeHub();
  ASSERT_TRUE(WaitHeard(*again, 50));
  EXPECT_TRUE(again->connection->health().session_present);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(again->heard[static_cast<size_t>(i)], std::to_string(i));
}

TEST_P(KeepSession, AMessageThatWasNotLetGoComesAgain) {
  TestClient node(broker_, {"nothing"});
  auto hub = MakeHub(true);
  ASSERT_TRUE(WaitAnswered(*hub));
  node.Publish("ward/a", "first");
  node.Publish("ward/a", "second");
  ASSERT_TRUE(WaitHeard(*hub, 1));
  RunFor(io_, std::chrono::milliseconds(300));
  EXPECT_EQ(hub->heard.size(), 1u) << "nothing more before the first is let go";
  // The process dies with the first one in hand.
  hub->connection.reset();
  hub->receipts.clear();

  auto again = MakeHub();
  ASSERT_TRUE(WaitHeard(*again, 2));
  EXPECT_THAT(again->heard, ElementsAre("first", "second"));
}

TEST_P(KeepSession, ABrokenLinkBringsTheSameIdAgain) {
  TestClient node(broker_, {"nothing"});
  auto hub = MakeHub(true);
  ASSERT_TRUE(WaitAnswered(*hub));
  node.Publish("ward/a", "first");
  ASSERT_TRUE(WaitHeard(*hub, 1));
  // The broker writes its state each second; it dies with the message still in flight to us.
  RunFor(io_, std::chrono::milliseconds(2500));
  broker_.Restart();
  hub->receipts.clear();
  hub->hold = false;
  ASSERT_TRUE(WaitHeard(*hub, 2));
  EXPECT_THAT(hub->heard, ElementsAre("first", "first"));
  EXPECT_EQ(hub->ids[0], hub->ids[1]);
  EXPECT_TRUE(hub->connection->health().session_present);
}

TEST_P(KeepSession, LettingGoBringsTheNext) {
  TestClient node(broker_, {"nothing"});
  auto hub = MakeHub(true);
  ASSERT_TRUE(WaitAnswered(*hub));
  for (int i = 0; i < 200; ++i) node.Publish("ward/a", std::to_string(i));
  for (size_t i = 1; i <= 200; ++i) {
    ASSERT_TRUE(WaitHeard(*hub, i));
    EXPECT_EQ(hub->heard.size(), i);
    hub->receipts.clear();
  }
}

TEST_P(KeepSession, AHeldMessageDoesNotHoldTheEndForLong) {
  TestClient node(broker_, {"nothing"});
  auto hub = MakeHub(true);
  ASSERT_TRUE(WaitAnswered(*hub));
  node.Publish("ward/a", "first");
  ASSERT_TRUE(WaitHeard(*hub, 1));
  const auto begin = std::chrono::steady_clock::now();
  bool stopped = false;
  hub->connection->Stop([&] { stopped = true; });
  ASSERT_TRUE(RunUntil(io_, [&] { return stopped; }));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::microseconds(kStopTimeout_us));
}

INSTANTIATE_TEST_SUITE_P(Versions, KeepSession, testing::Values("5", "3.1.1"), [](const auto& version) {
  return version.param == "5" ? std::string("Mqtt5") : std::string("Mqtt311");
});

TEST(SharedConnections, OneForEachBrokerAndLogin) {
  boost::asio::io_context io;
  SystemClock clock;
  SharedConnections shared(io, clock);
  MqttConfig ward;
  MqttConfig other = ward;
  other.username = "other";
  const auto first = shared.ForSource(ward, "hub-a");
  EXPECT_EQ(shared.ForSource(ward, "hub-b"), first);
  EXPECT_NE(shared.ForSource(other, "hub-c"), first);
  EXPECT_EQ(shared.Find(ward), first);
  MqttConfig unknown = ward;
  unknown.port = 1884;
  EXPECT_EQ(shared.Find(unknown), nullptr);
  EXPECT_TRUE(first->SetStatusTopic("a/status"));
  EXPECT_FALSE(first->SetStatusTopic("b/status")) << "one will a connection";
  bool stopped = false;
  shared.Stop([&] { stopped = true; });
  EXPECT_TRUE(RunUntil(io, [&] { return stopped; }));
}

}  // namespace
}  // namespace vesta::hub::mqtt
