#include "hub/sources/tcp_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "hub/sources/recording_line.h"
#include "hub/sources/tcp_socket.h"

namespace vesta::hub {
namespace {

using boost::asio::ip::tcp;
using testing::HasSubstr;

const tcp::endpoint kAnyPort(boost::asio::ip::address_v4::loopback(), 0);

class TcpClient : public testing::Test {
 protected:
  TcpClient() : acceptor_(io_, kAnyPort), peer_(io_) {
    config_.name = "garage";
    config_.type = "tcp";
    config_.host = "127.0.0.1";
    config_.tcp_port = acceptor_.local_endpoint().port();
    timing_.back_off_first_us = 10 * kUsPerMs;
    timing_.back_off_last_us = 50 * kUsPerMs;
  }

  std::unique_ptr<Source> Make() { return MakeTcpClientSource(io_, config_, line_, timing_); }
  bool Until(const std::function<bool()>& condition) { return RunUntil(io_, condition); }

  // The next connection becomes peer_.
  bool AcceptOne() {
    bool accepted = false;
    acceptor_.async_accept([&](const boost::system::error_code& error, tcp::socket socket) {
      if (error) return;
      peer_ = std::move(socket);
      accepted = true;
    });
    return Until([&] { return accepted; });
  }

  std::string Where() const { return "127.0.0.1:" + std::to_string(config_.tcp_port); }

  boost::asio::io_context io_;
  tcp::acceptor acceptor_;
  tcp::socket peer_;
  SourceConfig config_;
  StreamTiming timing_;
  RecordingLine line_;
};

TEST_F(TcpClient, ReadsAndWrites) {
  line_.to_send = "hello";
  const auto source = Make();
  source->Start();
  ASSERT_TRUE(AcceptOne());
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
  const std::string text(100000, 'x');
  size_t written = 0;
  boost::asio::async_write(peer_, boost::asio::buffer(text), [&](const auto&, size_t count) { written = count; });
  ASSERT_TRUE(Until([&] { return line_.received.size() == text.size(); }));
  EXPECT_EQ(written, text.size());
  std::string answer(5, '\0');
  boost::asio::read(peer_, boost::asio::buffer(answer));
  EXPECT_EQ(answer, "hello");
}

TEST_F(TcpClient, LooksNamesUp) {
  config_.host = "localhost";
  const auto source = Make();
  source->Start();
  ASSERT_TRUE(AcceptOne());
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
}

TEST_F(TcpClient, SaysThatANameIsNotKnown) {
  config_.host = std::string(64, 'a') + ".invalid";  // no label is so long: refused without asking a server
  const auto source = Make();
  source->Start();
  ASSERT_TRUE(Until([&] { return line_.closed >= 2; }));
  EXPECT_THAT(line_.reason, HasSubstr(".invalid is not known: "));
}

TEST_F(TcpClient, ConnectsAgainWhenTheOtherSideCloses) {
  const auto source = Make();
  source->Start();
  for (int i = 1; i <= 3; ++i) {
    ASSERT_TRUE(AcceptOne());
    boost::asio::write(peer_, boost::asio::buffer(std::string("x")));
    ASSERT_TRUE(Until([&] { return line_.received.size() == static_cast<size_t>(i); }));
    peer_.close();
    ASSERT_TRUE(Until([&] { return line_.Saw("closed: " + Where() + " has closed the connection"); }));
  }
  EXPECT_EQ(line_.opened, 3);
}

TEST_F(TcpClient, KeepsTryingUntilSomebodyListens) {
  acceptor_.close();
  const auto source = Make();
  source->Start();
  ASSERT_TRUE(Until([&] { return line_.closed >= 3; }));
  EXPECT_EQ(line_.reason, Where() + ": Connection refused");
  acceptor_ = tcp::acceptor(io_, tcp::endpoint(kAnyPort.address(), config_.tcp_port));
  ASSERT_TRUE(AcceptOne());
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
}

TEST_F(TcpClient, GivesUpOnAPeerThatFallsSilent) {
  timing_.silence_unknown_us = 150 * kUsPerMs;
  const auto source = Make();
  source->Start();
  ASSERT_TRUE(AcceptOne());
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
  // The peer is there, says nothing and closes nothing: a half-open connection looks like this.
  const auto silent_since = std::chrono::steady_clock::now();
  ASSERT_TRUE(Until([&] { return line_.closed == 1; }));
  EXPECT_GE(std::chrono::steady_clock::now() - silent_since, std::chrono::milliseconds(140));
  EXPECT_THAT(line_.reason, HasSubstr("nothing came for"));
  ASSERT_TRUE(AcceptOne());
  ASSERT_TRUE(Until([&] { return line_.opened == 2; }));
}

TEST_F(TcpClient, TheLearnedIntervalSaysHowLongSilenceMayLast) {
  timing_.silence_unknown_us = 60 * kUsPerMs;
  timing_.silence_least_us = 20 * kUsPerMs;
  line_.health().interval_us = 100 * kUsPerMs;
  const auto source = Make();
  source->Start();
  ASSERT_TRUE(AcceptOne());
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
  const auto silent_since = std::chrono::steady_clock::now();
  ASSERT_TRUE(Until([&] { return line_.closed == 1; }));
  EXPECT_GE(std::chrono::steady_clock::now() - silent_since, std::chrono::milliseconds(290));
}

TEST_F(TcpClient, DataKeepsTheConnection) {
  timing_.silence_unknown_us = 1000 * kUsPerMs;
  const auto source = Make();
  source->Start();
  ASSERT_TRUE(AcceptOne());
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
  for (size_t i = 1; i <= 6; ++i) {
    RunFor(io_, std::chrono::milliseconds(200));
    boost::asio::write(peer_, boost::asio::buffer(std::string("x")));
    ASSERT_TRUE(Until([&] { return line_.received.size() == i; }));
  }
  EXPECT_EQ(line_.closed, 0);
}

TEST_F(TcpClient, AConfiguredSilenceComesFirst) {
  timing_.silence_unknown_us = 10 * kUsPerMs;
  config_.silence_timeout_s = 3600;
  const auto source = Make();
  source->Start();
  ASSERT_TRUE(AcceptOne());
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
  RunFor(io_, std::chrono::milliseconds(100));
  EXPECT_EQ(line_.closed, 0);
}

TEST_F(TcpClient, GivesUpOnAPeerThatDoesNotAnswer) {
  // A listener whose queue is full: the kernel leaves further connections without an answer.
  acceptor_.close();
  tcp::acceptor deaf(io_, tcp::v4());
  deaf.bind(kAnyPort);
  deaf.listen(0);
  config_.tcp_port = deaf.local_endpoint().port();
  std::vector<tcp::socket> fillers;
  for (int i = 0; i < 4; ++i) {
    fillers.emplace_back(io_);
    fillers.back().async_connect(deaf.local_endpoint(), [](const auto&) {});
  }
  RunFor(io_, std::chrono::milliseconds(50));
  timing_.connect_us = 100 * kUsPerMs;
  const auto source = Make();
  source->Start();
  ASSERT_TRUE(Until([&] { return line_.closed >= 2; }));
  EXPECT_EQ(line_.reason, Where() + " does not answer");
  EXPECT_EQ(line_.opened, 0);
}

TEST_F(TcpClient, ProbesAPeerThatSaysNothing) {
  tcp::socket socket(io_, tcp::v4());
  SetKeepAlive(socket);
  const auto option = [&](int level, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    getsockopt(socket.native_handle(), level, name, &value, &size);
    return value;
  };
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), 60);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPINTVL), 10);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPCNT), 3);
}

TEST_F(TcpClient, StopsInAnyState) {
  {
    const auto source = Make();  // while it connects
    source->Start();
    source->Stop();
    RunFor(io_, std::chrono::milliseconds(50));
    EXPECT_THAT(line_.events, testing::ElementsAre("opening"));
  }
  config_.host = "localhost";  // while it looks up
  {
    const auto source = Make();
    source->Start();
    source->Stop();
    RunFor(io_, std::chrono::milliseconds(50));
    EXPECT_EQ(line_.opened + line_.closed, 0);
  }
  const auto source = Make();  // while it is open
  source->Start();
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
  source->Stop();
  source->Stop();
  RunFor(io_, std::chrono::milliseconds(50));
  EXPECT_EQ(line_.closed, 0);
}

TEST(EndpointText, ShowsMappedAddressesAsIpv4) {
  const auto text = [](const char* address) { return EndpointText({boost::asio::ip::make_address(address), 80}); };
  EXPECT_EQ(text("10.0.0.1"), "10.0.0.1:80");
  EXPECT_EQ(text("::ffff:10.0.0.1"), "10.0.0.1:80");
  EXPECT_EQ(text("fe80::1"), "[fe80::1]:80");
  EXPECT_TRUE(IsLoopback(ToAddressBytes(boost::asio::ip::make_address("::ffff:127.0.0.1"))));
}

}  // namespace
}  // namespace vesta::hub
