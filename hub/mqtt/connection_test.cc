#include "hub/mqtt/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <optional>

#include "hub/mqtt/test_broker.h"

namespace vesta::hub::mqtt {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using tcp = boost::asio::ip::tcp;

constexpr ConnectionTiming kQuick{.back_off_first_us = 20 * kUsPerMs,
                                  .back_off_last_us = 100 * kUsPerMs,
                                  .stable_after_us = 500 * kUsPerMs,
                                  .connect_timeout_us = 1 * kUsPerSecond};

class MqttConnection : public testing::Test {
 protected:
  Connection& Make(const MqttConfig& config, const std::string& client_id = "hub-test") {
    connection_ = std::make_unique<Connection>(
        io_, clock_, config,
        ConnectionOptions{.default_client_id = client_id, .status_topic = "vesta/status", .timing = kQuick});
    listener_ = connection_->Listen({.up = [this] { ++ups_; }, .down = [this] { ++downs_; }});
    connection_->Start();
    return *connection_;
  }
  bool WaitUp(int times = 1) {
    return RunUntil(io_, [&] { return ups_ >= times; });
  }
  bool WaitError(const std::string& part) {
    return RunUntil(io_, [&] { return connection_->health().error.find(part) != std::string::npos; });
  }
  void Stop() {
    bool stopped = false;
    connection_->Stop([&] { stopped = true; });
    EXPECT_TRUE(RunUntil(
        io_, [&] { return stopped; }, 5s));
  }

  boost::asio::io_context io_;
  SystemClock clock_;
  std::unique_ptr<Connection> connection_;
  Connection::Token listener_;
  int ups_ = 0;
  int downs_ = 0;
};

TEST_F(MqttConnection, SpeaksMqtt5AndSaysOnlineAndOffline) {
  TestBroker broker;
  TestClient client(broker, {"vesta/#"});
  Make(broker.Config());
  ASSERT_TRUE(WaitUp());
  EXPECT_EQ(connection_->health().protocol, 5);
  EXPECT_TRUE(connection_->health().connected);
  EXPECT_EQ(connection_->health().error, "");
  ASSERT_TRUE(RunUntil(io_, [&] { return client.Newest("vesta/status") == "online"; }));
  Stop();
  ASSERT_TRUE(RunUntil(io_, [&] { return client.Newest("vesta/status") == "offline"; }));
  TestClient later(broker, {"vesta/status"});
  EXPECT_TRUE(RunUntil(io_, [&] { return later.Newest("vesta/status") == "offline"; })) << "status is not retained";
}

TEST_F(MqttConnection, LastWillTellsOfADeadHub) {
  TestBroker broker;
  TestClient client(broker, {"vesta/#"});
  Make(broker.Config());
  ASSERT_TRUE(WaitUp());
  ASSERT_TRUE(RunUntil(io_, [&] { return client.Newest("vesta/status") == "online"; }));
  connection_.reset();  // gone without goodbye
  EXPECT_TRUE(RunUntil(io_, [&] { return client.Newest("vesta/status") == "offline"; }));
}

TEST_F(MqttConnection, PublishesAndHearsBack) {
  TestBroker broker;
  Make(broker.Config());
  std::vector<std::string> heard;
  int granted = 0;
  const auto token = connection_->Subscribe(
      "a/+", 1, [&](const IncomingMessage& m) { heard.push_back(std::string(m.topic) + "=" + std::string(m.payload)); },
      [&] { ++granted; });
  ASSERT_TRUE(RunUntil(io_, [&] { return granted == 1; }));
  std::optional<PublishResult> result;
  ASSERT_EQ(connection_->Publish("a/b", "hello", 1, false, [&](const PublishResult& r) { result = r; }),
            PublishStatus::kTaken);
  ASSERT_TRUE(RunUntil(io_, [&] { return result && !heard.empty(); }));
  EXPECT_EQ(result->delivery, Delivery::kAcknowledged);
  EXPECT_THAT(heard, testing::ElementsAre("a/b=hello"));
  EXPECT_EQ(connection_->Publish("a/#", "x", 1, false), PublishStatus::kInvalid);
}

TEST_F(MqttConnection, ComesBackAfterTheBrokerWasKilledAndSubscribesAnew) {
  TestBroker broker;
  Make(broker.Config());
  int heard = 0;
  int granted = 0;
  const auto token = connection_->Subscribe(
      "a", 1, [&](const IncomingMessage&) { ++heard; }, [&] { ++granted; });
  ASSERT_TRUE(RunUntil(io_, [&] { return granted == 1; }));
  broker.Kill();
  ASSERT_TRUE(RunUntil(io_, [&] { return downs_ == 1; }));
  ASSERT_TRUE(WaitError("no broker listens there"));
  EXPECT_EQ(connection_->Publish("a", "x", 1, false), PublishStatus::kNotConnected);
  broker.Start();
  ASSERT_TRUE(RunUntil(io_, [&] { return granted == 2; }));
  EXPECT_EQ(connection_->health().connects, 2u);
  connection_->Publish("a", "x", 1, false);
  EXPECT_TRUE(RunUntil(io_, [&] { return heard == 1; }));
}

TEST_F(MqttConnection, WhatWasInFlightIsReportedLost) {
  TestBroker broker;
  Make(broker.Config());
  ASSERT_TRUE(WaitUp());
  broker.Pause();
  int lost = 0;
  for (int i = 0; i < 10; ++i) {
    connection_->Publish("a", "x", 1, false, [&](const PublishResult& r) { lost += r.delivery == Delivery::kLost; });
  }
  RunFor(io_, 100ms);
  EXPECT_EQ(lost, 0);
  broker.Kill();
  EXPECT_TRUE(RunUntil(io_, [&] { return lost == 10 && downs_ == 1; }));
}

TEST_F(MqttConnection, TakesOnlySoManyMessagesAndSaysWhenThereIsRoomAgain) {
  TestBroker broker;
  Make(broker.Config());
  int rooms = 0;
  const auto token = connection_->Listen({.room = [&] { ++rooms; }});
  ASSERT_TRUE(WaitUp());
  broker.Pause();
  size_t taken = 0;
  while (connection_->Publish("a", "x", 1, false) == PublishStatus::kTaken) ++taken;
  EXPECT_LE(taken, kMaxOutstandingMessages);
  EXPECT_EQ(connection_->Publish("a", "x", 0, false), PublishStatus::kFull);
  EXPECT_EQ(rooms, 0);
  broker.Resume();
  EXPECT_TRUE(RunUntil(io_, [&] { return rooms == 1; }));
  EXPECT_EQ(connection_->Publish("a", "x", 1, false), PublishStatus::kTaken);
}

TEST_F(MqttConnection, BytesAreBoundedToo) {
  TestBroker broker;
  Make(broker.Config());
  ASSERT_TRUE(WaitUp());
  broker.Pause();
  const std::string large(256 * 1024, 'x');
  size_t taken = 0;
  while (connection_->Publish("a", large, 0, false) == PublishStatus::kTaken && taken < kMaxOutstandingMessages) {
    ++taken;
  }
  EXPECT_LE(taken, kMaxOutstandingBytes / large.size() + 1);
  broker.Resume();
}

TEST_F(MqttConnection, NoticesABrokerThatHangs) {
  TestBroker broker;
  MqttConfig config = broker.Config();
  config.keepalive_s = 5;  // the library's least
  Make(config);
  ASSERT_TRUE(WaitUp());
  broker.Pause();
  EXPECT_TRUE(RunUntil(
      io_, [&] { return downs_ == 1; }, 15s));
  EXPECT_THAT(connection_->health().error, HasSubstr("does not answer any more"));
  EXPECT_TRUE(WaitError("no answer from"));  // the next attempts get a connection, but no welcome
  broker.Resume();
  EXPECT_TRUE(WaitUp(2));
}

TEST_F(MqttConnection, WrongPasswordIsSaidAndNeverShown) {
  TestBroker broker({.username = "vesta", .password = "right-secret"});
  MqttConfig config = broker.Config();
  config.password = Secret("wrong-secret");
  Make(config);
  ASSERT_TRUE(WaitError("refuses the login"));
  EXPECT_THAT(connection_->health().error, Not(HasSubstr("secret")));
  config.version = "3.1.1";
  Make(config);
  ASSERT_TRUE(WaitError("refuses the login"));
  Make(broker.Config());
  EXPECT_TRUE(WaitUp());
}

TEST_F(MqttConnection, TlsWithClientCertificate) {
  TestBroker broker({.tls = true, .client_certificate = true});
  Make(broker.Config());
  ASSERT_TRUE(WaitUp()) << connection_->health().error << broker.Log();
  EXPECT_EQ(connection_->health().protocol, 5);

  ups_ = 0;
  MqttConfig config = broker.Config();
  config.cert_file.clear();
  config.key_file.clear();
  Make(config);
  EXPECT_TRUE(WaitError("wants a client certificate")) << connection_->health().error;

  config.cert_file = broker.File("stranger.pem");
  config.key_file = broker.File("stranger.key");
  Make(config);
  EXPECT_TRUE(WaitError("refuses our client certificate")) << connection_->health().error;
  EXPECT_EQ(ups_, 0);
}

TEST_F(MqttConnection, TlsChecksTheBroker) {
  TestBroker broker({.tls = true});
  MqttConfig config = broker.Config();
  config.ca_file = broker.File("other-ca.pem");
  Make(config);
  EXPECT_TRUE(WaitError("not signed by the authority in ca_file")) << connection_->health().error;

  config = broker.Config();
  config.host = "127.0.0.1";  // the certificate says localhost
  Make(config);
  EXPECT_TRUE(WaitError("made out to another host name")) << connection_->health().error;
  EXPECT_EQ(ups_, 0);
  config.verify_host = false;
  Make(config);
  EXPECT_TRUE(WaitUp());

  config.ca_file = broker.File("absent.pem");
  Make(config);
  EXPECT_TRUE(WaitError("cannot be read")) << connection_->health().error;

  TestBroker plain;
  config = broker.Config();
  config.port = plain.port();
  Make(config);
  EXPECT_TRUE(WaitError("mqtts://localhost")) << connection_->health().error;
}

TEST_F(MqttConnection, UnknownHostAndClosedPort) {
  MqttConfig config;
  config.host = "no-such-host.invalid";
  Make(config);
  EXPECT_TRUE(WaitError("is not known"));
  config.host = "127.0.0.1";
  config.port = FreePort();
  Make(config);
  EXPECT_TRUE(WaitError("no broker listens there"));
  EXPECT_TRUE(RunUntil(io_, [&] { return connection_->health().attempts >= 3; })) << "it gave up";
}

TEST_F(MqttConnection, TwoClientsWithOneIdAreNoticed) {
  TestBroker broker;
  MqttConfig config = broker.Config();
  config.client_id = "same";
  for (const char* version : {"5", "3.1.1"}) {
    config.version = version;
    Make(config);
    Connection rival(io_, clock_, config, {.default_client_id = "", .status_topic = "", .timing = kQuick});
    rival.Start();
    EXPECT_TRUE(WaitError("client id \"same\"")) << connection_->health().error;
    EXPECT_GT(connection_->health().connects, kTakeOversPerMinute);
  }
}

// A server that answers every connection with fixed bytes, or hands it on to a broker.
class FakeBroker {
 public:
  using Answer = std::function<std::string(const std::string& connect_packet)>;
  FakeBroker(boost::asio::io_context& io, Answer answer)
      : acceptor_(io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)), answer_(std::move(answer)) {
    Accept();
  }
  uint16_t port() const { return acceptor_.local_endpoint().port(); }
  std::vector<int> versions;  // protocol level of each CONNECT

 private:
  void Accept() {
    acceptor_.async_accept([this](const boost::system::error_code& error, tcp::socket socket) {
      if (error) return;
      sockets_.push_back(std::make_unique<tcp::socket>(std::move(socket)));
      auto buffer = std::make_shared<std::string>(1024, '\0');
      tcp::socket& s = *sockets_.back();
      s.async_read_some(boost::asio::buffer(*buffer),
                        [this, &s, buffer](const boost::system::error_code& read_error, size_t size) {
                          if (read_error || size < 9) return;
                          versions.push_back((*buffer)[8]);
                          const std::string answer = answer_(buffer->substr(0, size));
                          boost::system::error_code ignored;
                          boost::asio::write(s, boost::asio::buffer(answer), ignored);
                          if (answer.empty()) s.close(ignored);
                        });
      Accept();
    });
  }

  tcp::acceptor acceptor_;
  Answer answer_;
  std::vector<std::unique_ptr<tcp::socket>> sockets_;
};

TEST_F(MqttConnection, FallsBackTo311WhenMqtt5IsRefused) {
  const std::string welcome("\x20\x02\x00\x00", 4);
  const std::string refused_by_old_broker("\x20\x02\x00\x01", 4);
  const std::string refused_by_new_broker("\x20\x03\x00\x84\x00", 5);
  for (const std::string& refusal : {refused_by_old_broker, refused_by_new_broker, std::string()}) {
    FakeBroker fake(io_, [&](const std::string& connect) { return connect[8] == 5 ? refusal : welcome; });
    MqttConfig config;
    config.port = fake.port();
    ups_ = 0;
    Make(config);
    ASSERT_TRUE(WaitUp());
    EXPECT_EQ(connection_->health().protocol, 4);
    EXPECT_THAT(fake.versions, testing::ElementsAre(5, 4));
    connection_.reset();
  }
}

TEST_F(MqttConnection, Speaks311OnlyWhenToldSo) {
  TestBroker broker;
  MqttConfig config = broker.Config();
  config.version = "3.1.1";
  Make(config);
  ASSERT_TRUE(WaitUp());
  EXPECT_EQ(connection_->health().protocol, 4);
  EXPECT_THAT(broker.Log(), Not(HasSubstr("(p5,")));
}

TEST_F(MqttConnection, NonsenseFromTheBrokerIsAnErrorInWords) {
  const std::vector<std::string> nonsense = {
      "HTTP/1.1 400 Bad Request\r\n\r\n",
      std::string("\x20\xFF\xFF\xFF\xFF\xFF", 6),  // length without end
      std::string("\x00\x00\x00\x00", 4),
      std::string("\x20\x02\x00\x00\xFF\xFF\xFF\xFF\xFF", 9),  // welcome (to 3.1.1), then garbage
      std::string("\x30\x05\x00\x10"
                  "abc",
                  7),                                                       // a message before the welcome, cut
      std::string("\x20\x03\x00\x00\x00\x40\x02\x12\x34\x40\x01\x00", 12),  // welcome, then PUBACKs for nothing
  };
  for (const std::string& bytes : nonsense) {
    FakeBroker fake(io_, [&](const std::string&) { return bytes; });
    MqttConfig config;
    config.port = fake.port();
    Make(config);
    EXPECT_TRUE(RunUntil(io_, [&] { return connection_->health().attempts >= 3; })) << "hangs on " << bytes;
    EXPECT_FALSE(connection_->health().error.empty());
    connection_.reset();
  }
}

TEST_F(MqttConnection, AFloodOfMessagesIsTakenWithoutLossOrGrowth) {
  TestBroker broker;
  Make(broker.Config());
  int heard = 0;
  int granted = 0;
  const auto token = connection_->Subscribe(
      "flood", 0, [&](const IncomingMessage&) { ++heard; }, [&] { ++granted; });
  ASSERT_TRUE(RunUntil(io_, [&] { return granted == 1; }));
  TestClient sender(broker, {"unused"});
  constexpr int kMany = 5 * static_cast<int>(kMaxIncomingWaiting);
  for (int i = 0; i < kMany; ++i) sender.Publish("flood", "x");
  EXPECT_TRUE(RunUntil(io_, [&] { return heard == kMany; })) << heard;
}

TEST_F(MqttConnection, StopsInTimeWhateverTheState) {
  TestBroker broker;
  Make(broker.Config());
  Stop();  // before it was up
  ups_ = 0;
  Make(broker.Config());
  ASSERT_TRUE(WaitUp());
  broker.Pause();
  Stop();  // nobody takes the goodbye
  broker.Kill();
  Make(broker.Config());
  Stop();  // waiting for a broker
}

}  // namespace
}  // namespace vesta::hub::mqtt
