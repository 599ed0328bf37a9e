// The SocketCAN source on a pair of local sockets that keep message borders as a CAN socket does. The real interface is
// tested on a machine that has one.
#include "hub/sources/can.h"

#include <gtest/gtest.h>
#include <linux/can/netlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "hub/sources/can_interface.h"
#include "hub/sources/recording_line.h"
#include "protocols/can_text.h"

namespace vesta::hub {
namespace {

class CanSourceTest : public testing::Test {
 protected:
  void SetUp() override {
    config_.name = "bus";
    config_.type = "can";
    config_.can_interface = "no-such-can";
    timing_.back_off_first_us = 10 * kUsPerMs;
    timing_.back_off_last_us = 20 * kUsPerMs;
    timing_.missing_port_us = 10 * kUsPerMs;
  }
  void TearDown() override {
    source_.reset();
    if (peer_ >= 0) close(peer_);
  }
  void Start() {
    source_ = MakeCanSource(io_, config_, line_, timing_,
                            [this](const SourceConfig&) -> tl::expected<int, CanSocketError> { return OpenPair(); });
    source_->Start();
  }
  tl::expected<int, CanSocketError> OpenPair() {
    if (missing_) return tl::unexpected<CanSocketError>(CanSocketError{"can0 is down", "bring it up", true});
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) std::abort();
    if (peer_ >= 0) close(peer_);
    peer_ = pair[1];
    return pair[0];
  }
  void Say(const char* text) {
    std::array<uint8_t, can::kKernelFrameSize> bytes;
    can::WriteKernelFrame(*can::ClassicFrame(*can::ParseFrameText(text)), 0, bytes);
    ASSERT_EQ(send(peer_, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  }

  boost::asio::io_context io_;
  SourceConfig config_;
  StreamTiming timing_;
  RecordingLine line_;
  std::unique_ptr<Source> source_;
  int peer_ = -1;
  bool missing_ = false;
};

TEST_F(CanSourceTest, FramesAndErrorFramesArrive) {
  Start();
  ASSERT_EQ(line_.opened, 1);
  Say("086F1297#010069914B41");
  Say("20000004#0010000000000000");
  ASSERT_TRUE(RunUntil(io_, [this] { return line_.received.size() == 24; }));
  EXPECT_EQ(line_.received.substr(0, 11), std::string("\x88\x6F\x12\x97\x06\x01\x00\x69\x91\x4B\x41", 11));
  EXPECT_EQ(line_.received[11], '\x20');
}

TEST_F(CanSourceTest, ABurstIsTakenWhole) {
  Start();
  size_t sent = 0;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 20; ++i) {
      Say("0550840A#");
      ++sent;
    }
    ASSERT_TRUE(RunUntil(io_, [&] { return line_.received.size() == 5 * sent; }));
  }
}

TEST_F(CanSourceTest, AReadOfAnotherSizeIsCounted) {
  Start();
  ASSERT_EQ(send(peer_, "short", 5, 0), 5);
  std::array<char, 72> fd_frame{};
  ASSERT_EQ(send(peer_, fd_frame.data(), fd_frame.size(), 0), 72);
  Say("0550840A#");
  ASSERT_TRUE(RunUntil(io_, [this] { return line_.received.size() == 5; }));
  EXPECT_EQ(line_.health().frames_discarded["can_read_size"], 2u);
}

TEST_F(CanSourceTest, AnInterfaceThatIsDownIsLookedForUntilItIsUp) {
  missing_ = true;
  Start();
  ASSERT_TRUE(RunUntil(io_, [this] { return line_.Saw("closed: can0 is down"); }));
  EXPECT_EQ(line_.health().hint, "bring it up");
  missing_ = false;
  EXPECT_TRUE(RunUntil(io_, [this] { return line_.opened == 1; }));
}

TEST_F(CanSourceTest, AnInterfaceThatGoesAwayIsOpenedAgain) {
  Start();
  close(peer_);
  peer_ = -1;
  EXPECT_TRUE(RunUntil(io_, [this] { return line_.opened == 2; }));
  EXPECT_EQ(line_.closed, 1);
}

TEST_F(CanSourceTest, SendsOnlyWhenItMay) {
  line_.to_send = std::string("\x98\x6F\x12\x97\x02\x01\x00", 7);
  Start();
  RunFor(io_, std::chrono::milliseconds(30));
  EXPECT_EQ(line_.to_send.size(), 7u);
  source_.reset();
  config_.listen_only = false;
  Start();
  std::array<uint8_t, 32> bytes;
  ssize_t size = 0;
  ASSERT_TRUE(RunUntil(io_, [&] { return (size = recv(peer_, bytes.data(), bytes.size(), 0)) > 0; }));
  ASSERT_EQ(size, 16);
  const auto frame = can::ReadKernelFrame(std::span<const uint8_t, 16>(bytes.data(), 16));
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->id, 0x186F1297u);
  EXPECT_EQ(frame->size, 2);
  EXPECT_TRUE(line_.to_send.empty());
  line_.to_send = std::string("\x98\x6F\x12\x97\x02\x02\x00", 7);
  line_.WakeToSend();
  EXPECT_EQ(recv(peer_, bytes.data(), bytes.size(), 0), 16);
}

TEST(CanSocket, ANameThatIsNoInterfaceIsMissing) {
  SourceConfig config;
  config.can_interface = "no-such-can";
  const auto opened = OpenCanSocket(config);
  ASSERT_FALSE(opened);
  EXPECT_FALSE(opened.error().what.empty());
  EXPECT_FALSE(opened.error().hint.empty());
}

TEST(CanSocket, FiltersAreReadAsCandumpReadsThem) {
  const auto standard = ParseCanFilter("123:7FF");
  ASSERT_TRUE(standard);
  EXPECT_EQ(standard->id, 0x123u);
  EXPECT_EQ(standard->mask, 0xC00007FFu);
  const auto extended = ParseCanFilter("086F1297:1FFFFFFF");
  ASSERT_TRUE(extended);
  EXPECT_EQ(extended->id, 0x886F1297u);
  EXPECT_EQ(extended->mask, 0xDFFFFFFFu);
  for (const char* text : {"", "123", "123:", "800:7FF", "12345678:7FF", "086F1297:FFFFFFFF", "xyz:7FF"}) {
    EXPECT_FALSE(ParseCanFilter(text)) << text;
  }
}

// An answer of rtnetlink about an interface, put together as the kernel does.
class LinkMessage {
 public:
  LinkMessage(unsigned type, unsigned flags) {
    Put(nlmsghdr{0, RTM_NEWLINK, 0, 0, 0});
    ifinfomsg info{};
    info.ifi_type = static_cast<unsigned short>(type);
    info.ifi_flags = flags;
    Put(info);
  }
  template <typename T>
  void Put(const T& value) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(&value);
    bytes_.insert(bytes_.end(), bytes, bytes + sizeof value);
  }
  size_t Begin(uint16_t type) {
    const size_t at = bytes_.size();
    Put(rtattr{0, type});
    return at;
  }
  void End(size_t at) {
    const auto size = static_cast<uint16_t>(bytes_.size() - at);
    std::memcpy(&bytes_[at], &size, sizeof size);
    bytes_.resize((bytes_.size() + 3) / 4 * 4);
  }
  template <typename T>
  void Attribute(uint16_t type, const T& value) {
    const size_t at = Begin(type);
    Put(value);
    End(at);
  }
  std::vector<uint8_t> Finish() {
    const auto size = static_cast<uint32_t>(bytes_.size());
    std::memcpy(bytes_.data(), &size, sizeof size);
    return bytes_;
  }

 private:
  std::vector<uint8_t> bytes_;
};

constexpr unsigned kTypeCan = 280;
constexpr unsigned kUp = 1;

TEST(CanInterface, BitRateModeAndStateAreRead) {
  LinkMessage message(kTypeCan, kUp);
  const size_t link = message.Begin(IFLA_LINKINFO);
  const size_t data = message.Begin(IFLA_INFO_DATA);
  can_bittiming timing{};
  timing.bitrate = 250000;
  message.Attribute(IFLA_CAN_BITTIMING, timing);
  message.Attribute(IFLA_CAN_CTRLMODE, can_ctrlmode{0xFF, CAN_CTRLMODE_LISTENONLY});
  message.Attribute(IFLA_CAN_STATE, uint32_t{2});
  message.Attribute(IFLA_CAN_BERR_COUNTER, can_berr_counter{3, 130});
  message.End(data);
  message.End(link);
  const auto facts = ParseLinkMessage(message.Finish());
  ASSERT_TRUE(facts);
  EXPECT_EQ(DescribeCanInterface("can0", *facts),
            "can0: 250000 bit/s, listen only, passive, error counters rx 130 tx 3");
}

TEST(CanInterface, DamagedAnswersAreSurvived) {
  LinkMessage message(kTypeCan, 0);
  const size_t link = message.Begin(IFLA_LINKINFO);
  message.Attribute(IFLA_INFO_DATA, uint64_t{0xFFFFFFFFFFFFFFFF});
  message.End(link);
  const std::vector<uint8_t> bytes = message.Finish();
  for (size_t size = 0; size < bytes.size(); ++size) {
    ParseLinkMessage(std::span<const uint8_t>(bytes).first(size));
  }
  const auto facts = ParseLinkMessage(bytes);
  ASSERT_TRUE(facts);
  EXPECT_EQ(DescribeCanInterface("can0", *facts), "can0: down");
}

TEST(CanInterface, TheLoopbackInterfaceIsNoCan) {
  const auto facts = ReadCanInterface("lo");
  ASSERT_TRUE(facts);
  EXPECT_FALSE(facts->is_can);
}

}  // namespace
}  // namespace vesta::hub
