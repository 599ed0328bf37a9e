#include "hub/sources/udp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/ip/udp.hpp>

#include "hub/sources/recording_line.h"
#include "protocols/ble_advert.h"

namespace vesta::hub {
namespace {

using boost::asio::ip::udp;
using testing::ElementsAre;
using testing::HasSubstr;

class Udp : public testing::Test {
 protected:
  Udp() : sender_(io_, udp::endpoint(boost::asio::ip::address_v4::loopback(), 0)) {
    config_.name = "relay";
    config_.type = "udp";
    line_.on_received = [this] { ++datagrams_; };
  }
  void Start() {
    source_ = MakeUdpSource(io_, config_, line_);
    source_->Start();
  }
  void Send(const std::string& datagram) {
    const std::string& where = line_.health().where;
    const auto port = static_cast<uint16_t>(std::stoi(where.substr(where.rfind(' ') + 1)));
    sender_.send_to(boost::asio::buffer(datagram), {boost::asio::ip::address_v4::loopback(), port});
  }
  bool Until(const std::function<bool()>& condition) { return RunUntil(io_, condition); }

  boost::asio::io_context io_;
  udp::socket sender_;
  SourceConfig config_;
  RecordingLine line_;
  size_t datagrams_ = 0;
  std::unique_ptr<Source> source_;
};

TEST_F(Udp, EachDatagramIsOneCall) {
  Start();
  EXPECT_EQ(line_.opened, 1);
  for (int i = 0; i < 200; ++i) Send("advert");
  ASSERT_TRUE(Until([&] { return datagrams_ == 200; }));
  EXPECT_EQ(line_.received.size(), 1200u);
}

TEST_F(Udp, TooLongOnesAreCounted) {
  Start();
  Send(std::string(ble::kMaxAdvertSize + 1, 'x'));
  Send(std::string(ble::kMaxAdvertSize, 'y'));
  ASSERT_TRUE(Until([&] { return datagrams_ == 1; }));
  EXPECT_EQ(line_.received.size(), ble::kMaxAdvertSize);
  EXPECT_EQ(line_.health().frames_discarded["overlong"], 1u);
}

TEST_F(Udp, OnlyThoseInTheAllowListAreHeard) {
  config_.allow = {"192.0.2.0/24"};
  Start();
  Send("stranger");
  ASSERT_TRUE(Until([&] { return line_.health().refused_connections == 1; }));
  EXPECT_EQ(datagrams_, 0u);
}

TEST_F(Udp, ItIsNotExposedWithoutBeingToldSo) {
  config_.listen = "0.0.0.0";
  config_.allow = {"192.0.2.0/24"};
  Start();
  EXPECT_THAT(line_.events, ElementsAre("opening", HasSubstr("that needs exposed and allow")));
  config_.exposed = true;
  RecordingLine open;
  auto source = MakeUdpSource(io_, config_, open);
  source->Start();
  EXPECT_EQ(open.opened, 1);
}

TEST_F(Udp, WhatTheKernelLostIsCounted) {
  Start();
  constexpr uint64_t kSent = 20000;  // far more than the buffer holds
  for (uint64_t i = 0; i < kSent; ++i) Send(std::string(200, 'x'));
  ASSERT_TRUE(Until([&] { return datagrams_ > 0; }));
  RunFor(io_, std::chrono::milliseconds(50));
  // The kernel tells it with a datagram that came afterwards.
  const size_t before = datagrams_;
  Send("last");
  ASSERT_TRUE(Until([&] { return datagrams_ > before; }));
  EXPECT_GT(line_.health().frames_discarded["socket_full"], 0u);
  EXPECT_EQ(line_.health().frames_discarded["socket_full"] + datagrams_, kSent + 1);
}

TEST_F(Udp, AfterAStopNothingIsHandedOver) {
  Start();
  Send("one");
  source_->Stop();
  RunFor(io_, std::chrono::milliseconds(20));
  EXPECT_EQ(datagrams_, 0u);
}

}  // namespace
}  // namespace vesta::hub
