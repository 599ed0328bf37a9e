#include "hub/sources/tcp_listener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include "hub/sources/recording_line.h"

namespace vesta::hub {
namespace {

using boost::asio::ip::tcp;
using testing::ElementsAre;
using testing::HasSubstr;

class TcpListener : public testing::Test {
 protected:
  TcpListener() {
    config_.name = "meter";
    config_.type = "tcp-listen";
    timing_.back_off_first_us = 10 * kUsPerMs;
    timing_.back_off_last_us = 50 * kUsPerMs;
  }

  void Start() {
    source_ = MakeTcpListenerSource(io_, config_, line_, timing_);
    source_->Start();
  }

  bool Until(const std::function<bool()>& condition) { return RunUntil(io_, condition); }

  // The port that was free.
  uint16_t Port() {
    const std::string& where = line_.health().where;
    return static_cast<uint16_t>(std::stoi(where.substr(where.rfind(':') + 1)));
  }

  tcp::socket Connect() {
    tcp::socket socket(io_);
    socket.connect({boost::asio::ip::address_v4::loopback(), Port()});
    return socket;
  }

  static void Send(tcp::socket& socket, const std::string& text) {
    boost::asio::write(socket, boost::asio::buffer(text));
  }

  // The other side has closed it.
  bool IsClosed(tcp::socket& socket) {
    bool closed = false;
    char byte;
    socket.async_read_some(boost::asio::buffer(&byte, 1), [&](const auto& error, size_t) { closed = bool(error); });
    return Until([&] { return closed; });
  }

  boost::asio::io_context io_;
  SourceConfig config_;
  StreamTiming timing_;
  RecordingLine line_;
  std::unique_ptr<Source> source_;
};

TEST_F(TcpListener, TakesASenderAndTheNextAfterIt) {
  Start();
  EXPECT_THAT(line_.events, ElementsAre("opening"));
  EXPECT_THAT(line_.health().hint, HasSubstr("no sender has connected yet"));
  for (int i = 1; i <= 3; ++i) {
    tcp::socket sender = Connect();
    ASSERT_TRUE(Until([&] { return line_.opened == i; }));
    EXPECT_EQ(line_.health().hint, "");
    Send(sender, "x");
    ASSERT_TRUE(Until([&] { return line_.received.size() == static_cast<size_t>(i); }));
    sender.close();
    ASSERT_TRUE(Until([&] { return line_.closed == i; }));
    EXPECT_THAT(line_.reason, HasSubstr("has closed the connection"));
  }
}

TEST_F(TcpListener, RefusesASecondSenderWhileTheFirstIsSending) {
  Start();
  tcp::socket first = Connect();
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
  tcp::socket second = Connect();
  EXPECT_TRUE(IsClosed(second));
  EXPECT_EQ(line_.health().refused_connections, 1U);
  Send(first, "still here");
  ASSERT_TRUE(Until([&] { return line_.received == "still here"; }));
  EXPECT_EQ(line_.closed, 0);
}

TEST_F(TcpListener, ASilentSenderGivesWay) {
  timing_.give_way_us = 30 * kUsPerMs;
  Start();
  tcp::socket first = Connect();
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
  RunFor(io_, std::chrono::milliseconds(40));
  tcp::socket second = Connect();
  ASSERT_TRUE(Until([&] { return line_.opened == 2; }));
  EXPECT_THAT(line_.reason, HasSubstr("has taken over"));
  EXPECT_TRUE(IsClosed(first));
  Send(second, "new");
  ASSERT_TRUE(Until([&] { return line_.received == "new"; }));
  EXPECT_EQ(line_.health().refused_connections, 0U);
}

TEST_F(TcpListener, ASlowSenderIsNotTakenForSilent) {
  timing_.give_way_us = 1;
  line_.health().interval_us = 3600 * kUsPerSecond;
  Start();
  tcp::socket first = Connect();
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
  tcp::socket second = Connect();
  EXPECT_TRUE(IsClosed(second));
  EXPECT_EQ(line_.opened, 1);
}

TEST_F(TcpListener, RefusesWhoIsNotInTheList) {
  config_.allow = {"10.0.0.0/8", "192.168.1.5"};
  Start();
  tcp::socket sender = Connect();
  EXPECT_TRUE(IsClosed(sender));
  EXPECT_EQ(line_.health().refused_connections, 1U);
  EXPECT_EQ(line_.opened, 0);
}

TEST_F(TcpListener, TakesWhoIsInTheList) {
  config_.allow = {"10.0.0.0/8", "127.0.0.0/8"};
  Start();
  tcp::socket sender = Connect();
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
}

TEST_F(TcpListener, DoesNotListenBeyondLoopbackWithoutSwitchAndList) {
  config_.listen = "0.0.0.0";
  Start();
  EXPECT_THAT(line_.events, ElementsAre("opening", HasSubstr("failed: 0.0.0.0 can be reached from other computers")));

  line_.events.clear();
  config_.exposed = true;
  Start();
  EXPECT_THAT(line_.events, ElementsAre("opening", HasSubstr("failed: 0.0.0.0 can be reached")));

  line_.events.clear();
  config_.allow = {"127.0.0.1"};
  Start();
  EXPECT_THAT(line_.events, ElementsAre("opening"));
  tcp::socket sender = Connect();
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
}

TEST_F(TcpListener, TriesAgainWhenThePortIsTaken) {
  auto other = std::make_unique<tcp::acceptor>(io_, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  config_.tcp_port = other->local_endpoint().port();
  Start();
  ASSERT_TRUE(Until([&] { return line_.closed >= 2; }));
  EXPECT_EQ(line_.reason,
            "cannot listen on 127.0.0.1:" + std::to_string(config_.tcp_port) + ": Address already in use");
  other.reset();
  ASSERT_TRUE(Until([&] { return line_.health().hint == "it listens; no sender has connected yet"; }));
  tcp::socket sender = Connect();
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
}

TEST_F(TcpListener, GivesUpOnASenderThatFallsSilent) {
  timing_.silence_unknown_us = 50 * kUsPerMs;
  Start();
  tcp::socket sender = Connect();
  ASSERT_TRUE(Until([&] { return line_.closed == 1; }));
  EXPECT_THAT(line_.reason, HasSubstr("nothing came for"));
  EXPECT_TRUE(IsClosed(sender));
}

TEST_F(TcpListener, StopsInAnyState) {
  Start();
  source_->Stop();
  source_->Stop();
  RunFor(io_, std::chrono::milliseconds(20));
  EXPECT_EQ(line_.closed, 0);
  Start();
  tcp::socket sender = Connect();
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
  source_->Stop();
  EXPECT_TRUE(IsClosed(sender));
  EXPECT_EQ(line_.closed, 0);
}

}  // namespace
}  // namespace vesta::hub
