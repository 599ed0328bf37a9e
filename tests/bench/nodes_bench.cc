// What a fleet of nodes costs the whole hub: the real program with UDP air, journal and store, and nodes of the link
// that report one temperature a minute. The nodes are joined from the start (their pair keys stand in the hub's file),
// so that only sessions begin.
//
// nodes_hub_percent: processor time of the hub in percent of a core, over a minute of reports.
// nodes_link_bytes: what the hub's end of the link keeps of a node; beside it the resident memory of everything:
// devices,
//   series, live values.
// VESTA_NODES chooses another number (10,000), VESTA_SECONDS another time (60).
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "protocols/link/hub_peer.h"
#include "tests/system/hub_process.h"
#include "tests/system/udp_node.h"

namespace vesta::test {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr double kLimit_percent = 5;
constexpr int64_t kSecond_us = 1000000;

size_t NumberOf(const char* variable, size_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : static_cast<size_t>(std::strtoul(text, nullptr, 10));
}

bool Bar(const char* name, double value, double limit) {
  std::printf("bar %s %.4g %.4g %s\n", name, value, limit, value <= limit ? "ok" : "short");
  return value <= limit;
}

link::Address AddressOf(size_t i) {
  return {0x02, 0xBB, 0, static_cast<uint8_t>(i >> 16), static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i)};
}

std::string Hex(std::span<const uint8_t> bytes) {
  std::string text;
  for (const uint8_t byte : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", byte);
    text += digits;
  }
  return text;
}

// Many nodes behind one socket.
class Fleet final : private link::NodeEvents {
 public:
  Fleet(uint16_t port, size_t count, const link::Address& hub_address, const link::Key& key)
      : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)), description_(ThermostatDescription()) {
    to_.sin_family = AF_INET;
    to_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to_.sin_port = htons(port);
    memory_.resize(count * kMemory);
    for (size_t i = 0; i < count; ++i) {
      link::NodeOptions options;
      options.address = AddressOf(i + 1);
      options.is_sleepy = true;
      options.info.firmware = 0x010000;
      options.info.description_hash = wire::Get32(crypto::Sha256(description_).data());
      nodes_.push_back(
          std::make_unique<link::Node>(options, std::span(memory_).subspan(i * kMemory, kMemory), random_));
      link::NodeRecord record;
      record.is_joined = true;
      record.channel = 6;
      record.network = 1;
      record.node = static_cast<uint16_t>(i + 1);
      record.hub_address = hub_address;
      record.pair_key = key;
      nodes_.back()->Restore(record);
    }
  }
  ~Fleet() override { close(fd_); }

  // Each node wakes up once within this time and reports; true when all reports were acknowledged.
  size_t Round(int64_t duration_us, int64_t value) {
    const int64_t begin_us = UdpNode::NowUs();
    size_t next = 0;
    while (next < nodes_.size() || UdpNode::NowUs() < begin_us + duration_us) {
      const int64_t now_us = UdpNode::NowUs();
      while (next < nodes_.size() &&
             begin_us + static_cast<int64_t>(next) * duration_us / static_cast<int64_t>(nodes_.size()) <= now_us) {
        at_ = next++;
        link::Node& node = *nodes_[at_];
        std::array<uint8_t, 32> items;
        size_t size = 0;
        link::WriteItem(link::IntegerItem(1, value), items, &size);
        node.Report(link::Bytes(items).first(size), now_us);
        if (node.state() != link::Node::State::kLinked) node.Probe(6, now_us, *this);
        node.Tick(now_us, *this);
        awake_.push_back({at_, now_us + kAwake_us});
      }
      Step();
    }
    Settle(2 * kSecond_us);
    return static_cast<size_t>(
        std::count_if(nodes_.begin(), nodes_.end(), [](const auto& n) { return n->outbox().waiting() == 0; }));
  }

 private:
  static constexpr size_t kMemory = 512;
  static constexpr int64_t kAwake_us = 3 * kSecond_us;

  void Settle(int64_t time_us) {
    const int64_t until_us = UdpNode::NowUs() + time_us;
    while (UdpNode::NowUs() < until_us) Step();
  }
  void Step() {
    pollfd wait{fd_, POLLIN, 0};
    poll(&wait, 1, 2);
    std::array<uint8_t, 2048> datagram;
    for (ssize_t size; (size = recv(fd_, datagram.data(), datagram.size(), 0)) > 0;) {
      espnow::Packet packet;
      if (!espnow::ReadUdpAir({datagram.data(), static_cast<size_t>(size)}, &packet)) continue;
      at_ = (size_t{packet.receiver[3]} << 16 | size_t{packet.receiver[4]} << 8 | packet.receiver[5]) - 1;
      if (at_ >= nodes_.size()) continue;
      nodes_[at_]->Receive(packet.sender, packet.receiver, packet.elements[0].body, UdpNode::NowUs(), *this);
    }
    const int64_t now_us = UdpNode::NowUs();
    std::erase_if(awake_, [&](const Awake& one) {
      at_ = one.node;
      if (nodes_[at_]->next_deadline_us() <= now_us) nodes_[at_]->Tick(now_us, *this);
      return now_us > one.until_us;
    });
  }
  void Send(const link::Address& to, link::Bytes frame) override {
    espnow::SendOptions options;
    options.receiver = to;
    options.sender = AddressOf(at_ + 1);
    std::array<uint8_t, espnow::kMaxUdpAirSize> out;
    const size_t size = espnow::WriteUdpAir(options, 6, -55, frame, out);
    sendto(fd_, out.data(), size, 0, reinterpret_cast<const sockaddr*>(&to_), sizeof to_);
  }
  void OnChannel(uint8_t) override {}
  void OnSave(const link::NodeRecord&) override {}
  void OnLinked() override {}
  void OnLinkLost() override {}
  void OnRefused(link::Refusal) override {}
  void OnCode(uint32_t) override {}
  void OnTime(UtcUs, bool, int64_t) override {}
  link::Outcome OnCommand(link::Item*) override { return link::Outcome::kRefused; }
  size_t ReadDescription(size_t offset, std::span<uint8_t> out) override {
    for (size_t i = 0; i < out.size() && offset + i < description_.size(); ++i) out[i] = description_[offset + i];
    return description_.size();
  }
  bool Begin(const link::BlobManifest&) override { return false; }
  bool Write(const link::BlobManifest&, uint32_t, link::Bytes) override { return false; }
  bool ReadBack(const link::BlobManifest&, uint32_t, std::span<uint8_t>) override { return false; }
  link::BlobResult Complete(const link::BlobManifest&) override { return link::BlobResult::kWriteFailed; }

  struct Awake {
    size_t node;
    int64_t until_us;
  };
  const int fd_;
  sockaddr_in to_ = {};
  DeviceRandom random_;
  std::vector<uint8_t> description_;
  std::vector<uint8_t> memory_;
  std::vector<std::unique_ptr<link::Node>> nodes_;
  std::vector<Awake> awake_;
  size_t at_ = 0;
};

void WriteFiles(const TempDirectory& directory, size_t count, const link::Key& key) {
  std::filesystem::create_directories(directory.path() + "/data");
  json keys = {{"secrets", json::array()}, {"wishes", json::array()}, {"peers", json::array()}};
  const std::string description = Hex(ThermostatDescription());
  for (size_t i = 1; i <= count; ++i) {
    keys["peers"].push_back({{"node", i},
                             {"address", Hex(AddressOf(i))},
                             {"key", Hex(key)},
                             {"epoch", 0},
                             {"kept", 0},
                             {"command_version", 0}});
    keys["descriptions"].push_back({{"node", Hex(AddressOf(i))}, {"cbor", description}});
  }
  chmod(directory.Write("data/nodes-home.json", keys.dump()).c_str(), 0600);
  const json network = {
      {"format", "vesta-network"}, {"version", 1}, {"limits", {{"max_nodes", std::max<size_t>(count, 256)}}}};
  chmod(directory.Write("data/network-home.json", network.dump()).c_str(), 0600);
}

int Main() {
  const size_t count = NumberOf("VESTA_NODES", 10000);
  const auto seconds = static_cast<int64_t>(NumberOf("VESTA_SECONDS", 60));
  link::Key key;
  key.fill(0x5A);
  double empty_kib = 0;
  for (const size_t nodes : {size_t{0}, count}) {
    const TempDirectory directory;
    WriteFiles(directory, nodes, key);
    const uint16_t air_port = FreePort();
    const json config = {{"storage", {{"directory", directory.path() + "/data"}}},
                         {"sources", {{{"name", "home"}, {"type", "nodes"}, {"channel", 6}, {"air_port", air_port}}}}};
    HubProcess hub({"run", "--config", directory.Write("vesta.json", config.dump()), "--http",
                    "127.0.0.1:" + std::to_string(FreePort())});
    if (hub.WaitForPort() == 0) {
      std::printf("%s\n", hub.Output().c_str());
      return 1;
    }
    if (nodes == 0) {
      WaitFor([] { return false; }, milliseconds(1000));
      empty_kib = static_cast<double>(hub.ResidentBytes()) / 1024;
      continue;
    }
    link::Address hub_address;
    const std::string text = hub.Api("nodes")["networks"][0]["address"];
    for (size_t i = 0; i < 6; ++i) hub_address[i] = static_cast<uint8_t>(std::stoi(text.substr(2 * i, 2), nullptr, 16));
    Fleet fleet(air_port, nodes, hub_address, key);
    // Sessions, devices and series are made in the first round.
    size_t taken = fleet.Round(60 * kSecond_us, 200);
    std::printf("first round: %zu of %zu taken\n", taken, nodes);
    const double before_s = hub.CpuSeconds();
    const int64_t begin_us = UdpNode::NowUs();
    for (int64_t at = 0; at < seconds; at += 60) taken = fleet.Round(60 * kSecond_us, 201 + at);
    const double percent =
        100 * (hub.CpuSeconds() - before_s) / (static_cast<double>(UdpNode::NowUs() - begin_us) / 1e6);
    const double kib = (static_cast<double>(hub.ResidentBytes()) / 1024 - empty_kib) / static_cast<double>(nodes);
    std::printf("reports of %zu of %zu nodes taken; the link's end keeps %zu bytes a node\n", taken, nodes,
                sizeof(link::Peer));
    // The link's own state is held to 1 KB; everything else that the hub has of a node is told beside.
    const bool ok = Bar("nodes_hub_percent", percent, kLimit_percent);
    std::printf("resident memory: %.1f KiB a node, with its devices, series and live values\n", kib);
    return Bar("nodes_link_bytes", sizeof(link::Peer), 1024) && ok && taken == nodes ? 0 : 1;
  }
  return 1;
}

}  // namespace
}  // namespace vesta::test

int main() { return vesta::test::Main(); }
