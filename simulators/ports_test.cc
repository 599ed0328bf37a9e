// The ports and the pace, with real terminals and sockets.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <chrono>
#include <filesystem>

#include "simulators/paced_feed.h"
#include "simulators/pty_port.h"
#include "simulators/tcp_port.h"

namespace vesta::simulators {
namespace {

using boost::asio::ip::tcp;

std::string TestPath(const char* name) { return testing::TempDir() + "vesta-" + std::to_string(getpid()) + "-" + name; }

// Runs the loop until the condition holds; false when it does not within ten seconds.
template <typename Condition>
bool RunUntil(boost::asio::io_context& io, Condition holds) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    io.restart();
    io.run_for(std::chrono::milliseconds(2));
  }
  return true;
}

std::string ReadAvailable(int fd) {
  char buffer[4096];
  std::string all;
  for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0;) all.append(buffer, static_cast<size_t>(n));
  return all;
}

TEST(PtyPort, EveryByteValueArrivesUnchanged) {
  boost::asio::io_context io;
  std::string error;
  const std::string path = TestPath("raw");
  auto port = PtyPort::Open(io, path, &error);
  ASSERT_TRUE(port) << error;
  const int reader = open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  std::string sent;
  for (int i = 0; i < 256; ++i) sent += static_cast<char>(i);
  port->Send(sent);
  std::string got;
  EXPECT_TRUE(RunUntil(io, [&] { return (got += ReadAvailable(reader)).size() >= sent.size(); }));
  EXPECT_EQ(got, sent);
  close(reader);
}

TEST(PtyPort, BytesWithoutReaderAreLostAndCounted) {
  boost::asio::io_context io;
  std::string error;
  const std::string path = TestPath("late");
  auto port = PtyPort::Open(io, path, &error);
  ASSERT_TRUE(port) << error;
  port->Send("before anybody listens");
  EXPECT_EQ(port->counts().lost_bytes, 22u);
  const int reader = open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  port->Send("now");
  std::string got;
  EXPECT_TRUE(RunUntil(io, [&] { return (got += ReadAvailable(reader)).size() >= 3; }));
  EXPECT_EQ(got, "now");
  close(reader);
  EXPECT_FALSE(port->has_reader());
}

TEST(PtyPort, ASlowReaderLosesWholeSendsAtTheBound) {
  boost::asio::io_context io;
  std::string error;
  auto port = PtyPort::Open(io, "", &error);
  ASSERT_TRUE(port) << error;
  const int reader = open(port->device().c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  const std::string send(1000, 'x');
  for (int i = 0; i < 200; ++i) port->Send(send);
  EXPECT_GT(port->counts().lost_bytes, 0u);
  EXPECT_EQ(port->counts().lost_bytes % 1000, 0u);
  std::string got;
  EXPECT_TRUE(RunUntil(io, [&] {
    got += ReadAvailable(reader);
    return port->backlog() == 0;
  }));
  EXPECT_EQ(port->counts().sent_bytes + port->counts().lost_bytes, 200000u);
  close(reader);
}

TEST(PtyPort, LeavesFilesOfTheUserAlone) {
  boost::asio::io_context io;
  std::string error;
  const std::string path = TestPath("file");
  close(open(path.c_str(), O_CREAT | O_WRONLY, 0600));
  EXPECT_FALSE(PtyPort::Open(io, path, &error));
  EXPECT_NE(error.find(path), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_regular_file(path));
  std::filesystem::remove(path);
}

TEST(PtyPort, TakesOverAStaleLinkAndRemovesItsOwn) {
  boost::asio::io_context io;
  std::string error;
  const std::string path = TestPath("stale");
  ASSERT_EQ(symlink("/dev/pts/99999", path.c_str()), 0);
  auto port = PtyPort::Open(io, path, &error);
  ASSERT_TRUE(port) << error;
  EXPECT_EQ(std::filesystem::read_symlink(path), port->device());
  port.reset();
  EXPECT_FALSE(std::filesystem::is_symlink(path));
}

class CountingFeed final : public Feed {
 public:
  explicit CountingFeed(int count) : count_(count) {}
  std::optional<UtcUs> next_us() const override {
    if (sent_ == count_) return std::nullopt;
    return sent_ * kUsPerSecond;
  }
  std::string Next() override { return std::to_string(sent_++) + "\n"; }

 private:
  int count_;
  int sent_ = 0;
};

std::string Counted(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += std::to_string(i) + "\n";
  return text;
}

TEST(TcpPort, AllClientsHearAllBytesAtTheFeedsPace) {
  boost::asio::io_context io;
  std::string error;
  auto port = TcpPort::Open(io, "127.0.0.1:0", &error);
  ASSERT_TRUE(port) << error;
  tcp::socket a(io), b(io);
  const tcp::endpoint there(boost::asio::ip::address_v4::loopback(), port->tcp_port());
  a.connect(there);
  b.connect(there);
  // The acceptor needs the loop to notice both.
  std::string heard_a, heard_b;
  int arrived = 0;
  const auto listen = [&](tcp::socket& socket, std::string* into) {
    boost::asio::async_read(socket, boost::asio::dynamic_buffer(*into),
                            [&arrived](const boost::system::error_code&, size_t) { ++arrived; });
  };
  listen(a, &heard_a);
  listen(b, &heard_b);
  io.run_for(std::chrono::milliseconds(20));

  CountingFeed feed(21);
  PacedFeed pace(io, feed, *port, 100);
  const auto started = std::chrono::steady_clock::now();
  bool ended = false;
  pace.Start(0, [&] { ended = true; });
  ASSERT_TRUE(RunUntil(io, [&] { return ended; }));
  const auto took = std::chrono::steady_clock::now() - started;
  EXPECT_GE(took, std::chrono::milliseconds(200));  // 20 s at a hundred times real time
  port->DropClients();
  ASSERT_TRUE(RunUntil(io, [&] { return arrived == 2; }));
  EXPECT_EQ(heard_a, Counted(21));
  EXPECT_EQ(heard_b, Counted(21));
}

// Says something once an hour, and an echo of what it is told a second later.
class EchoFeed final : public Feed {
 public:
  std::optional<UtcUs> next_us() const override { return told_.empty() ? hour_us_ : echo_us_; }
  std::string Next() override {
    if (told_.empty()) hour_us_ += 3600 * kUsPerSecond;
    return told_.empty() ? "hour" : std::exchange(told_, "");
  }
  void Tell(std::string_view what, UtcUs now_us) {
    told_ = what;
    echo_us_ = now_us + kUsPerSecond;
  }

 private:
  UtcUs hour_us_ = 3600 * kUsPerSecond;
  UtcUs echo_us_ = 0;
  std::string told_;
};

TEST(PacedFeed, AnAnswerDoesNotWaitForWhatTheFeedHadInMind) {
  boost::asio::io_context io;
  std::string error;
  auto port = PtyPort::Open(io, "", &error);
  ASSERT_TRUE(port) << error;
  EchoFeed feed;
  PacedFeed pace(io, feed, *port, 100);
  port->OnReceived([&](std::string_view bytes) {
    feed.Tell(bytes, pace.now_us());
    pace.LeavesEarlier();
  });
  pace.Start(0);
  const int reader = open(port->device().c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  ASSERT_EQ(write(reader, "ping", 4), 4);
  std::string got;
  ASSERT_TRUE(RunUntil(io, [&] { return (got += ReadAvailable(reader)).size() >= 4; }));  // the hour takes 36 s
  EXPECT_EQ(got, "ping");
  EXPECT_LT(pace.now_us(), 3600 * kUsPerSecond);
  close(reader);
}

TEST(TcpPort, UnpacedFeedWaitsForItsReaderAndLosesNothing) {
  boost::asio::io_context io;
  std::string error;
  auto port = TcpPort::Open(io, "127.0.0.1:0", &error);
  ASSERT_TRUE(port) << error;
  CountingFeed feed(100000);
  PacedFeed pace(io, feed, *port, 0);
  bool ended = false;
  pace.Start(0, [&] { ended = true; });
  io.run_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(ended);
  tcp::socket socket(io);
  socket.connect({boost::asio::ip::address_v4::loopback(), port->tcp_port()});
  std::string heard;
  bool closed = false;
  boost::asio::async_read(socket, boost::asio::dynamic_buffer(heard),
                          [&](const boost::system::error_code&, size_t) { closed = true; });
  ASSERT_TRUE(RunUntil(io, [&] { return ended; }));
  port->DropClients();
  ASSERT_TRUE(RunUntil(io, [&] { return closed; }));
  EXPECT_EQ(heard, Counted(100000));
  EXPECT_EQ(port->counts().lost_bytes, 0u);
}

TEST(TcpPort, SaysWhatIsWrongWithAnAddress) {
  boost::asio::io_context io;
  std::string error;
  for (const char* wrong : {"", "2323", "localhost:2323", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:12x"}) {
    EXPECT_FALSE(TcpPort::Open(io, wrong, &error)) << wrong;
    EXPECT_NE(error.find("ADDRESS:PORT"), std::string::npos) << error;
  }
  auto port = TcpPort::Open(io, "127.0.0.1:0", &error);
  ASSERT_TRUE(port);
  EXPECT_FALSE(TcpPort::Open(io, port->where(), &error));
  EXPECT_NE(error.find("cannot listen on"), std::string::npos) << error;
}

}  // namespace
}  // namespace vesta::simulators
