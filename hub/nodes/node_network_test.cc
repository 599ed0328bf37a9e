// Original nodes at a network without an air: pairing, readings, the switch that lets them be written to, and restarts.
#include "hub/nodes/node_network.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>
#include <fstream>

#include "hub/store/temporary_store.h"
#include "protocols/espnow/udp_air.h"
#include "protocols/link/fields.h"

namespace vesta::hub {
namespace {

namespace legacy = espnow::legacy;

constexpr link::Address kNode = {0x84, 0xF3, 0xEB, 1, 2, 3};
constexpr link::Address kOther = {0x84, 0xF3, 0xEB, 9, 9, 9};

class CountingRandom final : public link::RandomSource {
 public:
  void Fill(std::span<uint8_t> out) override {
    for (uint8_t& byte : out) byte = ++next_;
  }

 private:
  uint8_t next_ = 0;
};

class NodeNetworkTest : public testing::Test, protected SessionEvents {
 protected:
  NodeNetworkTest() { Describe(false); }

  void Describe(bool insecure_writes) {
    std::ofstream(folder_.File("network.json"))
        << R"({"format": "vesta-network", "version": 1, "hub": {"id": 10}, "nodes": [
      {"protocol": "vesta-2025", "number": 3, "name": "House", "insecure_writes": )"
        << (insecure_writes ? "true" : "false") << R"(,
       "devices": [{"id": 1, "type": "thermostat", "name": "Bath", "control": 2}, {"id": 2, "type": "thermometer"}]},
      {"protocol": "victron", "address": "84f3eb090909"}]})";
    chmod(folder_.File("network.json").c_str(), 0600);
  }
  void Start() {
    session_.reset();
    NodeNetworkOptions options{
        "home", "udp", "vesta", folder_.File("nodes.json"), folder_.File("network.json"), folder_.File("firmware"),
        6,      {}};
    NodeHost host{
        clock_, directory_, live_, [](std::span<const Reading>, size_t) { return true; }, [] { return uint64_t{0}; },
        [] {},  {},         {}};
    network_ = std::make_unique<NodeNetwork>(std::move(options), std::move(host), random_);
    network_->Load();
    session_ = network_->MakeSession();
  }
  // What the network did with a frame: its reason, "" = taken.
  std::string Hear(const link::Address& from, std::span<const uint8_t> body) {
    espnow::SendOptions options;
    options.sender = from;
    std::array<uint8_t, espnow::kMaxUdpAirSize> out;
    const size_t size = espnow::WriteUdpAir(options, 6, -61, body, out);
    reason_ = "nothing";
    readings_.clear();
    session_->Receive({out.data(), size}, clock_.Read(), *this);
    return reason_;
  }
  std::string Pair(const link::Address& from, uint8_t id = 3, uint8_t server = 10, uint8_t channel = 6) {
    legacy::Pairing pairing;
    pairing.network = server;
    pairing.id = id;
    pairing.channel = channel;
    std::array<uint8_t, legacy::kPairingSize> body;
    legacy::WritePairing(pairing, body);
    return Hear(from, body);
  }
  std::string Data(float temperature, float set_point) {
    legacy::Data data;
    data.device_id = 1;
    data.f[0] = temperature;
    data.f[1] = set_point;
    std::array<uint8_t, legacy::kDataSize> body;
    legacy::WriteData(data, false, body);
    return Hear(kNode, body);
  }
  std::vector<legacy::Message> Sent() {
    std::vector<legacy::Message> all;
    for (Bytes datagram = session_->Transmit(); !datagram.empty(); datagram = session_->Transmit()) {
      espnow::Packet packet;
      EXPECT_TRUE(espnow::ReadUdpAir(datagram, &packet));
      std::array<uint8_t, espnow::kMaxBody2> body;
      all.push_back(legacy::ReadMessage(espnow::JoinBody(packet, body)));
      session_->Transmitted(datagram.size());
    }
    return all;
  }
  std::vector<WaitingView> Waiting() const {
    std::vector<WaitingView> all;
    network_->AddWaiting(&all);
    return all;
  }
  NodeView House() const {
    std::vector<NodeView> all;
    network_->AddNodes(&all);
    for (NodeView& node : all) {
      if (node.id == "vesta-3") return node;
    }
    return {};
  }

  TemporaryFolder folder_;
  ManualClock clock_{1786429285000000};
  Directory directory_;
  LiveView live_{clock_, directory_};
  CountingRandom random_;
  std::unique_ptr<NodeNetwork> network_;
  std::unique_ptr<Session> session_;
  std::string reason_;
  std::map<std::string, Value> readings_;

 private:
  void OnDevice(uint16_t slot, const DeviceInfo& device) override {
    directory_.Resolve("nodes", "home", device, 0);
    names_[slot] = device.identity;
  }
  void OnFrame(const FrameEvent& frame) override {
    reason_ = frame.reason;
    for (const Reading& reading : frame.readings) {
      readings_[names_[reading.device] + "/" + session_->fields()[reading.field].key] = reading.value;
    }
  }
  std::map<uint16_t, std::string> names_;
};

TEST_F(NodeNetworkTest, AnOriginalNodePairsReportsAndIsKnownAfterARestart) {
  Start();
  EXPECT_EQ(Pair(kNode, 3, 99), "other_network");
  EXPECT_EQ(Pair(kNode, 7), "not_listed");
  EXPECT_EQ(Data(21.5f, 20), "never_paired");
  ASSERT_EQ(Waiting().size(), 1u);
  EXPECT_EQ(Waiting()[0].reason, "never_paired");
  EXPECT_FALSE(Waiting()[0].text.empty());
  EXPECT_TRUE(Sent().empty());

  EXPECT_EQ(Pair(kNode, 3, 10, 5), "");
  const auto replies = Sent();
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].pairing.id, 10);
  EXPECT_EQ(replies[0].pairing.channel, 6);
  EXPECT_EQ(replies[0].pairing.address, network_->address());
  EXPECT_EQ(replies[0].pairing.device_ids[1], 2);
  EXPECT_TRUE(Waiting().empty());
  EXPECT_EQ(House().note, "tuned to channel 5, heard on 6");

  EXPECT_EQ(Data(21.5f, 20), "");
  EXPECT_EQ(readings_["vesta-3-1/temperature"], Value::OfReal(21.5));
  EXPECT_EQ(readings_["vesta-3-1/set_point"], Value::OfReal(20));
  EXPECT_EQ(readings_["vesta-3-1/heating"], Value::OfState(1));
  EXPECT_EQ(House().rssi_dbm, -61);
  Data(-100, 20);  // a checksum error of the sensor
  EXPECT_TRUE(readings_["vesta-3-1/temperature"].is_none());

  // Another one with its number gets no answer while it is alive.
  EXPECT_EQ(Pair(kOther), "duplicate_id");
  EXPECT_EQ(Waiting()[0].reason, "duplicate_id");
  EXPECT_TRUE(Sent().empty());

  Start();
  EXPECT_EQ(Data(22, 20), "");
}

TEST_F(NodeNetworkTest, AnOriginalNodeIsWrittenToOnlyWhenItsOwnerAllowedIt) {
  Start();
  Pair(kNode);
  Data(21, 20);
  Sent();
  EXPECT_EQ(network_->Set("vesta-3", 1, {18, 0}, "page").error().code, "insecure");
  EXPECT_EQ(network_->Order("vesta-3", kRestartItem, "page").error().code, "insecure");
  EXPECT_TRUE(Sent().empty());

  Describe(true);
  Start();
  EXPECT_EQ(network_->Set("vesta-3", 2, {18, 0}, "page").error().code, "not_writable");
  EXPECT_EQ(network_->Set("vesta-3", 1, {185, -1}, "page").error().code, "out_of_range");
  ASSERT_TRUE(network_->Set("vesta-3", 1, {18, 0}, "page"));
  auto sent = Sent();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].kind, legacy::Kind::kSetPoints);
  EXPECT_EQ(sent[0].data.u[0], 18);
  EXPECT_EQ(House().wishes[0].state, WishState::kSent);
  // It slept: what it says next brings the set-point again.
  Data(21, 20);
  EXPECT_EQ(Sent().size(), 1u);
  EXPECT_EQ(House().wishes[0].state, WishState::kSent);
  Data(21, 18);
  EXPECT_EQ(House().wishes[0].state, WishState::kConfirmed);
  EXPECT_TRUE(Sent().empty());
}

TEST_F(NodeNetworkTest, VictronSensorsAreReadAndOtherTrafficIsToldApart) {
  Start();
  std::array<uint8_t, legacy::kVictronSize> body = {};
  body[0] = 1;
  std::copy_n("c0:ff:ee:11:22:33", 17, body.begin() + 1);
  const float voltage = 12.5f;
  std::memcpy(&body[20], &voltage, sizeof voltage);
  EXPECT_EQ(Hear(kNode, body), "not_listed");
  EXPECT_EQ(Hear(kOther, body), "");
  EXPECT_EQ(readings_["84f3eb090909-victron-c0_ff_ee_11_22_33/voltage"], Value::OfReal(12.5));
  EXPECT_EQ(Hear(kOther, std::vector<uint8_t>(168)), "victron_packet");
  EXPECT_EQ(Hear(kOther, std::vector<uint8_t>{'W', 0, 1, 7}), "foreign");
  EXPECT_EQ(Hear(kOther, std::vector<uint8_t>{1, 2, 3}), "unknown_message");
  const uint8_t junk[] = {'V', 'A', 9};
  session_->Receive(junk, clock_.Read(), *this);
  EXPECT_EQ(reason_, "udp_air");
}

}  // namespace
}  // namespace vesta::hub
