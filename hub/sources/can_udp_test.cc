#include "hub/sources/can_udp.h"

#include <gtest/gtest.h>

#include <boost/asio/ip/udp.hpp>

#include "hub/sources/recording_line.h"
#include "protocols/can_text.h"
#include "protocols/can_udp.h"

namespace vesta::hub {
namespace {

using boost::asio::ip::udp;

class CanUdpSourceTest : public testing::Test {
 protected:
  void SetUp() override {
    config_.name = "bus";
    config_.type = "can-udp";
    // A port that was free a moment ago.
    udp::socket probe(io_, udp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    config_.tcp_port = probe.local_endpoint().port();
    probe.close();
    source_ = MakeCanUdpSource(io_, config_, line_);
    source_->Start();
    ASSERT_EQ(line_.opened, 1) << line_.reason;
  }
  void Send(uint32_t sequence, const std::vector<const char*>& frames) {
    can::UdpWriter writer;
    writer.Begin(sequence);
    for (const char* text : frames) ASSERT_TRUE(writer.Add(*can::ClassicFrame(*can::ParseFrameText(text))));
    SendBytes(writer.datagram());
  }
  void SendBytes(Bytes bytes) {
    sender_.send_to(boost::asio::buffer(bytes.data(), bytes.size()),
                    udp::endpoint(boost::asio::ip::address_v4::loopback(), config_.tcp_port));
  }
  bool Until(size_t bytes) {
    return RunUntil(io_, [&] { return line_.received.size() >= bytes; });
  }

  boost::asio::io_context io_;
  SourceConfig config_;
  RecordingLine line_;
  std::unique_ptr<Source> source_;
  udp::socket sender_{io_, udp::endpoint(boost::asio::ip::address_v4::loopback(), 0)};
};

TEST_F(CanUdpSourceTest, EachFrameArrivesByItself) {
  Send(0, {"0550840A#", "086F1297#010069914B41"});
  ASSERT_TRUE(Until(16));
  EXPECT_EQ(line_.received.substr(5), std::string("\x88\x6F\x12\x97\x06\x01\x00\x69\x91\x4B\x41", 11));
}

TEST_F(CanUdpSourceTest, LostAndLateDatagramsAreCounted) {
  Send(7, {"0550840A#"});
  Send(10, {"0550840A#"});
  Send(9, {"0550840A#"});
  Send(10, {"0550840A#"});
  Send(11, {"0550840A#"});
  ASSERT_TRUE(Until(15));
  EXPECT_EQ(line_.health().frames_discarded["udp_lost"], 2u);
  EXPECT_EQ(line_.health().frames_discarded["udp_late"], 2u);
  EXPECT_EQ(line_.received.size(), 15u);
}

TEST_F(CanUdpSourceTest, ASenderThatBeginsAnewIsFollowed) {
  Send(4000000000u, {"0550840A#"});
  Send(0, {"0550840A#"});
  ASSERT_TRUE(Until(10));
  EXPECT_EQ(line_.health().frames_discarded["udp_lost"], 0u);
}

TEST_F(CanUdpSourceTest, ASenderThatBeginsAnewSoonIsFollowedFromItsFirstFrame) {
  for (uint32_t i = 0; i < 5; ++i) Send(i, {"0550840A#"});
  for (uint32_t i = 0; i < 3; ++i) Send(i, {"0550840A#"});
  ASSERT_TRUE(Until(40));
  EXPECT_EQ(line_.health().frames_discarded.count("udp_late"), 0u);
  EXPECT_EQ(line_.health().frames_discarded.count("udp_lost"), 0u);
}

TEST_F(CanUdpSourceTest, AnythingElseIsRejectedAsAWhole) {
  const std::string bad[] = {"",
                             "VC",
                             "hello, hello",
                             std::string("VC\x02\x00\0\0\0\0", 8),
                             std::string("VC\x01\x01\0\0\0\0\x80", 9),
                             std::string("VC\x01\x00\0\0\0\0x", 9),
                             std::string("VC\x01\x01\0\0\0\0\0\0\x01\x23\x09", 13)};
  for (const std::string& text : bad) SendBytes({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  Send(0, {"0550840A#"});
  ASSERT_TRUE(Until(5));
  EXPECT_EQ(line_.health().frames_rejected["can_udp"], std::size(bad));
}

TEST(CanUdpSource, DoesNotListenToAllWithoutAList) {
  boost::asio::io_context io;
  SourceConfig config;
  config.listen = "0.0.0.0";
  config.tcp_port = 40000;
  RecordingLine line;
  const auto source = MakeCanUdpSource(io, config, line);
  source->Start();
  EXPECT_EQ(line.opened, 0);
  EXPECT_NE(line.reason.find("exposed"), std::string::npos);
}

}  // namespace
}  // namespace vesta::hub
