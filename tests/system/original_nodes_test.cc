// Nodes of the original networks at the real hub: bytes as their programs send them, over the UDP air.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "protocols/espnow/udp_air.h"
#include "tests/system/hub_process.h"

namespace vesta::test {
namespace {

using nlohmann::json;
using Body = std::vector<uint8_t>;

// A radio that sends what it is told and shows what comes for it.
class Radio {
 public:
  Radio(uint16_t port, const espnow::Address& address) : address_(address) {
    fd_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    to_.sin_family = AF_INET;
    to_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to_.sin_port = htons(port);
  }
  ~Radio() { close(fd_); }
  Radio(const Radio&) = delete;
  Radio& operator=(const Radio&) = delete;

  void Send(const Body& body) {
    espnow::SendOptions options;
    options.sender = address_;
    options.sequence = sequence_ = static_cast<uint16_t>((sequence_ + 1) & 0xFFF);
    std::array<uint8_t, espnow::kMaxUdpAirSize> out;
    const size_t size = espnow::WriteUdpAir(options, 6, -61, body, out);
    sendto(fd_, out.data(), size, 0, reinterpret_cast<const sockaddr*>(&to_), sizeof to_);
  }
  // nullopt: nothing came in this time.
  std::optional<Body> Receive(int wait_ms = 5000) {
    pollfd wait{fd_, POLLIN, 0};
    if (poll(&wait, 1, wait_ms) <= 0) return std::nullopt;
    std::array<uint8_t, 2048> datagram;
    const ssize_t size = recv(fd_, datagram.data(), datagram.size(), 0);
    espnow::Packet packet;
    if (size <= 0 || !espnow::ReadUdpAir({datagram.data(), static_cast<size_t>(size)}, &packet)) return std::nullopt;
    EXPECT_EQ(packet.receiver, address_);
    return Body(packet.elements[0].body.begin(), packet.elements[0].body.end());
  }

 private:
  int fd_;
  sockaddr_in to_ = {};
  const espnow::Address address_;
  uint16_t sequence_ = 0;
};

void PutFloat(Body* body, float value) {
  uint8_t bytes[4];
  std::memcpy(bytes, &value, 4);
  body->insert(body->end(), bytes, bytes + 4);
}

// type 1, id, padding that is sent as it lay in memory, temperature, humidity, counter.
Body Reading2022(uint8_t id, float temperature, float humidity, uint32_t counter) {
  Body body = {1, id, 0xA5, 0x5A};
  PutFloat(&body, temperature);
  PutFloat(&body, humidity);
  for (int i = 0; i < 4; ++i) body.push_back(static_cast<uint8_t>(counter >> 8 * i));
  return body;
}

Body FromHex(const std::string& hex) {
  Body body;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    body.push_back(static_cast<uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return body;
}

class OriginalNodesTest : public testing::Test {
 protected:
  void Start(const json& nodes) {
    const std::string network =
        directory_.Write("network.json", json{{"format", "vesta-network"}, {"version", 1}, {"nodes", nodes}}.dump());
    chmod(network.c_str(), 0600);
    const json config = {
        {"storage", {{"directory", directory_.path() + "/data"}, {"commit_s", 0.2}}},
        {"sources",
         {{{"name", "home"}, {"type", "nodes"}, {"channel", 6}, {"air_port", air_port_}, {"network_file", network}}}}};
    hub_ = std::make_unique<HubProcess>(std::vector<std::string>{"run", "--config",
                                                                 directory_.Write("vesta.json", config.dump()),
                                                                 "--http", "127.0.0.1:" + std::to_string(http_port_)});
    ASSERT_NE(hub_->WaitForPort(), 0) << hub_->Output();
  }
  // Of all devices: field -> newest stored value.
  std::map<std::string, double> Stored() const {
    std::map<std::string, double> values;
    const json all = hub_->Api("series");
    if (!all.is_object()) return values;
    for (const json& series : all["series"]) {
      const json answer = hub_->Api("readings?series=" + series["id"].dump() +
                                    "&from=2020-01-01T00:00:00Z&to=2099-01-01T00:00:00Z&points=100");
      if (!answer.is_object() || answer["readings"].empty() || !answer["readings"].back()[1].is_number()) continue;
      values[series["field"]] = answer["readings"].back()[1];
    }
    return values;
  }
  int64_t Counter(const std::string& name) const {
    const json all = hub_->Api("sources");
    for (const json& source : all["sources"]) {
      if (source["name"] == "home") return source["counters"].value(name, int64_t{-1});
    }
    return -1;
  }

  TempDirectory directory_;
  uint16_t air_port_ = FreePort();
  uint16_t http_port_ = FreePort();
  std::unique_ptr<HubProcess> hub_;
};

TEST_F(OriginalNodesTest, ANodeOf2022PairsAndReports) {
  Start({{{"protocol", "vesta-2022"}, {"number", 1}, {"name", "Porch"}}});
  Radio node(air_port_, {0x24, 0x6F, 0x28, 0, 0, 1});
  // Before it has paired nothing of it is believed.
  node.Send(Reading2022(1, 99, 1, 1));
  // Pairing: type 0, id, its address, the channel that it tries.
  node.Send({0, 1, 0x24, 0x6F, 0x28, 0, 0, 1, 6});
  const auto reply = node.Receive();
  ASSERT_TRUE(reply);
  ASSERT_EQ(reply->size(), 9u);
  EXPECT_EQ((*reply)[0], 0);
  EXPECT_EQ((*reply)[1], 0) << "its server has the id 0";
  EXPECT_EQ((*reply)[8], 6) << "the channel that it stays on";
  node.Send(Reading2022(1, 21.5F, 48.25F, 7));
  ASSERT_TRUE(WaitFor([&] { return Stored().contains("humidity"); })) << hub_->Output();
  const auto stored = Stored();
  EXPECT_EQ(stored.at("temperature"), 21.5);
  EXPECT_EQ(stored.at("humidity"), 48.25);
  EXPECT_EQ(stored.at("message_counter"), 7);
  const json nodes = hub_->Api("nodes");
  const json& shown = nodes["nodes"][0];
  EXPECT_EQ(shown["name"], "Porch");
  EXPECT_EQ(shown["state"], "online");
  EXPECT_TRUE(shown["insecure"]) << "the page says that anybody can forge it";
  EXPECT_EQ(shown["rssi_dbm"], -61);
  // One that is not listed is shown with the reason; a second one with the same id, too.
  Radio stranger(air_port_, {0x24, 0x6F, 0x28, 0, 0, 2});
  stranger.Send({0, 9, 0x24, 0x6F, 0x28, 0, 0, 2, 6});
  Radio twin(air_port_, {0x24, 0x6F, 0x28, 0, 0, 3});
  twin.Send({0, 1, 0x24, 0x6F, 0x28, 0, 0, 3, 6});
  ASSERT_TRUE(WaitFor([&] { return hub_->Api("nodes")["waiting"].size() == 2; }));
  std::map<std::string, std::string> reasons;
  const json waiting = hub_->Api("nodes")["waiting"];
  for (const json& one : waiting) reasons[one["address"]] = one["reason"];
  EXPECT_EQ(reasons["246f28000002"], "not_listed");
  EXPECT_EQ(reasons["246f28000003"], "duplicate_id");
  EXPECT_FALSE(stranger.Receive(50));
}

TEST_F(OriginalNodesTest, TheVictronMonitorsSensorsAreReadAndItsStatusDocumentIsServed) {
  Start({{{"protocol", "victron"}, {"address", "782184000020"}, {"name", "Boat"}}});
  Radio sensor(air_port_, {0x78, 0x21, 0x84, 0, 0, 0x20});
  // From the vectors: a battery monitor, a solar charger, an AC charger.
  const Body messages[] = {
      FromHex("0163303a33623a39383a30303a30303a303100009a994d41333373c1ec5143c30000ae42d3ffffff32ef0000"),
      FromHex("0265383a38363a30313a30303a30303a3032000033336341000008410000f24200000000c4ffffff74ef0000"),
      FromHex("0363373a61323a63323a30303a30303a303300a59a9959416666a640a4708d4200000000c6ffffff3cf00000"),
  };
  for (const Body& message : messages) sensor.Send(message);
  const auto status = [&] { return json::parse(HttpGet(http_port_, "/api/status").body, nullptr, false); };
  ASSERT_TRUE(WaitFor([&] {
    const json now = status();
    return now.is_object() && now["bmv"]["valid"] == true && now["mppt"]["valid"] == true &&
           now["ip22"]["valid"] == true;
  })) << status().dump()
      << hub_->Api("devices").dump();
  const json shown = status();
  EXPECT_NEAR(shown["bmv"]["voltage"].get<double>(), 12.85, 0.001);
  EXPECT_NEAR(shown["bmv"]["current"].get<double>(), -15.2, 0.001);
  EXPECT_NEAR(shown["bmv"]["power"].get<double>(), -195.32, 0.001);
  EXPECT_EQ(shown["bmv"]["soc"], 87);
  EXPECT_EQ(shown["bmv"]["rssi"], -45);
  EXPECT_NEAR(shown["mppt"]["voltage"].get<double>(), 14.2, 0.001);
  EXPECT_EQ(shown["mppt"]["power"], 121);
  EXPECT_FALSE(shown["mppt"].contains("soc"));
  EXPECT_NEAR(shown["ip22"]["current"].get<double>(), 5.2, 0.001);
  EXPECT_LE(shown["bmv"]["age"], 30);

  // The packets of later versions: what is in them is not known. They are counted, archived, and not guessed at.
  const size_t devices = hub_->Api("devices")["devices"].size();
  Body packet(168, 0x11);
  sensor.Send(packet);
  packet.resize(196, 0x22);
  sensor.Send(packet);
  ASSERT_TRUE(WaitFor([&] { return Counter("victron_packets") == 2; })) << hub_->Api("sources").dump();
  EXPECT_EQ(hub_->Api("devices")["devices"].size(), devices);
  EXPECT_TRUE(WaitFor([&] {
    return hub_->Api("unknown?source=home").dump().find("victron_packet") != std::string::npos;
  })) << hub_->Api("unknown?source=home").dump();
}

TEST_F(OriginalNodesTest, ASetPointForANodeOf2025GoesOnlyWhereItsOwnerAllowsIt) {
  const json device = {{"id", 1}, {"type", "thermostat"}, {"name", "Greenhouse"}, {"control", 2}};
  Start({{{"protocol", "vesta-2025"}, {"number", 3}, {"insecure_writes", true}, {"devices", {device}}},
         {{"protocol", "vesta-2025"}, {"number", 4}, {"devices", {device}}}});
  const auto pairing = [](uint8_t id, const espnow::Address& address) {
    Body body(46, 0);
    body[1] = 1;  // the server's id
    body[2] = id;
    std::copy(address.begin(), address.end(), body.begin() + 3);
    body[9] = 6;
    std::fill(body.begin() + 10, body.begin() + 34, uint8_t{0xFF});
    return body;
  };
  const espnow::Address address = {0x84, 0xF3, 0xEB, 0, 0, 3};
  Radio node(air_port_, address);
  node.Send(pairing(3, address));
  const auto reply = node.Receive();
  ASSERT_TRUE(reply) << hub_->Api("nodes").dump() << hub_->Api("sources").dump();
  EXPECT_EQ(reply->size(), 46u);
  EXPECT_EQ((*reply)[2], 1) << "the server's id";
  const auto set = [&](const std::string& id, const std::string& value) {
    return HttpSend(http_port_, "PUT", "/api/v1/nodes/" + id + "/items/1", json{{"value", value}}.dump()).status;
  };
  EXPECT_EQ(hub_->Api("nodes")["nodes"][0]["items"][0]["name"], "Greenhouse (relay 2)");
  EXPECT_EQ(set("vesta-4", "20"), 409) << "its owner did not allow it";
  EXPECT_EQ(set("vesta-3", "20"), 204);
  const auto sent = node.Receive();
  ASSERT_TRUE(sent);
  ASSERT_EQ(sent->size(), 36u);
  EXPECT_EQ((*sent)[0], 2) << "set-points";
  EXPECT_EQ((*sent)[1], 1) << "the device";
  EXPECT_EQ((*sent)[3], 20) << "U1";
}

}  // namespace
}  // namespace vesta::test
