// The serial radio over a pseudo terminal, whose other end plays the ESP32 with the product's own messages.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <utility>
#include <vector>

#include "hub/sources/nodes.h"
#include "hub/sources/recording_line.h"
#include "protocols/espnow/udp_air.h"
#include "protocols/radio_serial/frame.h"

namespace vesta::hub {
namespace {

namespace radio = radio_serial;

constexpr StreamTiming kFastTiming = {
    .back_off_first_us = 10 * kUsPerMs, .back_off_last_us = 50 * kUsPerMs, .missing_port_us = 10 * kUsPerMs};
constexpr AirAddress kRadio = {0x24, 0, 0, 0, 0, 1};
constexpr AirAddress kNode = {0x02, 0xBB, 0, 0, 0, 1};

class Esp32 {
 public:
  Esp32() : master_(posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)) {
    grantpt(master_);
    unlockpt(master_);
    std::array<char, 128> name{};
    EXPECT_EQ(ptsname_r(master_, name.data(), name.size()), 0);
    path_ = name.data();
  }
  ~Esp32() { Unplug(); }
  void Unplug() {
    if (master_ >= 0) close(std::exchange(master_, -1));
  }
  template <typename What>
  void Say(const What& what) {
    std::array<uint8_t, radio::kMaxOnWire> wire;
    const size_t size = radio::Write(sequence_++, what, wire);
    EXPECT_EQ(write(master_, wire.data(), size), static_cast<ssize_t>(size));
  }
  // Answers hellos, notes the rest.
  void Listen() {
    std::array<uint8_t, 4096> bytes;
    const ssize_t size = read(master_, bytes.data(), bytes.size());
    for (ssize_t i = 0; i < size; ++i) {
      radio::Message message;
      if (!reader_.Take(bytes[static_cast<size_t>(i)], &message)) continue;
      if (message.type == radio::Type::kHello) Say(welcome);
      if (message.type == radio::Type::kSetChannel) channel_asked = message.body[0];
      radio::Send send;
      if (radio::Read(message, &send)) sent.push_back({send.id, {send.body.begin(), send.body.end()}});
    }
  }
  const std::string& path() const { return path_; }

  radio::Welcome welcome{radio::kVersion, kRadio, 1, 2, 250};
  uint8_t channel_asked = 0;
  std::vector<std::pair<uint16_t, std::vector<uint8_t>>> sent;

 private:
  int master_;
  std::string path_;
  radio::Reader reader_;
  uint8_t sequence_ = 0;
};

class RadioSerial : public testing::Test {
 protected:
  void Start() {
    SourceConfig config;
    config.name = "home";
    config.type = "nodes";
    config.air = "serial";
    config.radio_port = esp_.path();
    config.channel = 6;
    source_ = MakeSerialRadio(
        io_, config, line_,
        [this](const AirAddress& address, uint8_t channel) {
          address_ = address;
          channel_ = channel;
        },
        kFastTiming);
    source_->Start();
  }
  bool Until(const std::function<bool()>& is_done) {
    return RunUntil(io_, [&] {
      esp_.Listen();
      return is_done();
    });
  }
  static std::string Datagram(const std::vector<uint8_t>& body) {
    espnow::SendOptions options;
    options.sender = kRadio;
    options.receiver = kNode;
    std::array<uint8_t, espnow::kMaxUdpAirSize> out;
    const size_t size = espnow::WriteUdpAir(options, 6, 0, body, out);
    return {out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size)};
  }

  boost::asio::io_context io_;
  Esp32 esp_;
  RecordingLine line_;
  std::unique_ptr<Source> source_;
  AirAddress address_{};
  uint8_t channel_ = 0;
};

TEST_F(RadioSerial, HearsAndSendsAndKeepsToTheWindow) {
  Start();
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
  EXPECT_EQ(address_, kRadio);
  EXPECT_EQ(channel_, 1);  // where it is, not where it should be
  ASSERT_TRUE(Until([&] { return esp_.channel_asked == 6; }));
  esp_.Say(radio::Status{6, 0, 0, 3});
  ASSERT_TRUE(Until([&] { return channel_ == 6; }));
  EXPECT_EQ(line_.health().counters["radio_dropped"], 3u);

  const std::vector<uint8_t> body = {1, 0, 2};
  esp_.Say(radio::Received{kNode, kRadio, 6, -70, 0, body});
  ASSERT_TRUE(Until([&] { return !line_.received.empty(); }));
  espnow::Packet packet;
  const Bytes heard(reinterpret_cast<const uint8_t*>(line_.received.data()), line_.received.size());
  ASSERT_TRUE(espnow::ReadUdpAir(heard, &packet));
  EXPECT_EQ(packet.sender, kNode);
  EXPECT_EQ(packet.receiver, kRadio);
  EXPECT_EQ(packet.radiotap.signal_dbm, -70);
  std::array<uint8_t, espnow::kMaxBody2> scratch;
  const Bytes got = espnow::JoinBody(packet, scratch);
  EXPECT_EQ(std::vector<uint8_t>(got.begin(), got.end()), body);

  // Two may be on their way; the third waits for an answer.
  for (uint8_t i = 1; i <= 3; ++i) {
    ASSERT_TRUE(Until([&] { return line_.to_send.empty(); }));
    line_.to_send = Datagram({i});
    esp_.Say(radio::Status{6, 0, 0, 3});  // something heard makes it look
    if (i == 3) break;
    ASSERT_TRUE(Until([&] { return esp_.sent.size() == i; }));
  }
  esp_.Say(radio::Status{6, 0, 0, 4});
  ASSERT_TRUE(Until([&] { return line_.health().counters["radio_dropped"] == 4; }));
  EXPECT_EQ(esp_.sent.size(), 2u);
  esp_.Say(radio::Sent{esp_.sent[0].first, radio::SendResult::kNotAcknowledged});
  ASSERT_TRUE(Until([&] { return esp_.sent.size() == 3; }));
  EXPECT_EQ(esp_.sent[2].second, (std::vector<uint8_t>{3}));
  EXPECT_EQ(line_.health().counters["radio_not_acknowledged"], 1u);
}

TEST_F(RadioSerial, IsFoundAgainAfterItWasUnplugged) {
  Start();
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
  esp_.Unplug();
  EXPECT_TRUE(RunUntil(io_, [&] { return line_.closed >= 1; }));
}

TEST_F(RadioSerial, AnotherVersionIsRefusedWithWords) {
  esp_.welcome.version = 9;
  Start();
  ASSERT_TRUE(Until([&] { return line_.closed == 1; }));
  EXPECT_NE(line_.reason.find("version 9"), std::string::npos) << line_.reason;
}

}  // namespace
}  // namespace vesta::hub
