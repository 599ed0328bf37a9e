// A node of the link on a UDP air, driven by a test: joins, reports what it is told to, takes commands. One thread; Run
// moves it on until a condition holds.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "protocols/espnow/udp_air.h"
#include "protocols/link/node.h"
#include "protocols/little_endian.h"

namespace vesta::test {

class DeviceRandom final : public link::RandomSource {
 public:
  void Fill(std::span<uint8_t> out) override {
    for (uint8_t& byte : out) byte = static_cast<uint8_t>(device_());
  }

 private:
  std::random_device device_;
};

// A thermostat: item 1 temperature in tenths, item 2 its set-point, item 3 a relay.
inline std::vector<uint8_t> ThermostatDescription() {
  using nlohmann::json;
  const auto item = [](int index, const char* function, const char* key, const char* kind) {
    return json{{"index", index}, {"card", 1}, {"function", function}, {"key", key}, {"name", "Bath"}, {"kind", kind}};
  };
  json temperature = item(1, "thermostat", "temperature", "gauge");
  temperature.update({{"quantity", "temperature"}, {"unit", "°C"}, {"exponent", -1}, {"decimals", 1}, {"period", 10}});
  json set_point = item(2, "thermostat", "set_point", "gauge");
  set_point.update({{"quantity", "temperature"},
                    {"unit", "°C"},
                    {"exponent", -1},
                    {"decimals", 1},
                    {"writable", 1},
                    {"min", 50},
                    {"max", 300},
                    {"step", 5}});
  json relay = item(3, "relay", "switch", "flag");
  relay.update({{"writable", 1}, {"card", 2}});
  return json::to_cbor(json{{"v", 1}, {"name", "Bath node"}, {"items", {temperature, set_point, relay}}});
}

class UdpNode final : private link::NodeEvents {
 public:
  UdpNode(uint16_t hub_port, uint8_t number, const link::Secret* secret, bool is_sleepy = false)
      : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
        description_(ThermostatDescription()),
        memory_(8192),
        node_(Options(number, secret, is_sleepy), memory_, random_),
        node_address_{0x02, 0xBB, 0, 0, 0, number} {
    hub_.sin_family = AF_INET;
    hub_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    hub_.sin_port = htons(hub_port);
  }
  ~UdpNode() override { close(fd_); }

  static int64_t NowUs() {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }

  // False when the time is over.
  bool Run(const std::function<bool()>& is_done, std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    const int64_t until_us = NowUs() + std::chrono::microseconds(limit).count();
    while (!is_done()) {
      if (NowUs() > until_us) return false;
      Step();
    }
    return true;
  }
  void RunFor(std::chrono::milliseconds time) {
    Run([] { return false; }, time);
  }

  // A temperature in tenths, measured so long ago.
  bool Report(int64_t tenths, int64_t age_us = 0) {
    std::array<uint8_t, 32> items;
    size_t at = 0;
    link::WriteItem(link::IntegerItem(1, tenths), items, &at);
    return node_.Report(link::Bytes(items).first(at), NowUs() - age_us);
  }
  bool is_linked() const { return node_.state() == link::Node::State::kLinked; }
  size_t unsafe_reports() const { return node_.outbox().size(); }
  const std::vector<link::Refusal>& refusals() const { return refusals_; }
  const std::vector<std::pair<uint8_t, int64_t>>& applied() const { return applied_; }
  uint32_t code() const { return code_; }
  bool is_silent = false;  // switched off: hears and says nothing
  // A node refuses what it can't do.
  int refused_item = -1;

 private:
  static link::NodeOptions Options(uint8_t number, const link::Secret* secret, bool is_sleepy) {
    link::NodeOptions options;
    options.address = {0x02, 0xBB, 0, 0, 0, number};
    options.has_secret = secret != nullptr;
    if (secret != nullptr) options.secret = *secret;
    options.joins_by_window = secret == nullptr;
    options.is_sleepy = is_sleepy;
    const std::string name = "bath";
    std::copy(name.begin(), name.end(), options.info.name.begin());
    options.info.name_size = static_cast<uint8_t>(name.size());
    options.info.firmware = 0x010203;
    options.info.description_hash = wire::Get32(crypto::Sha256(ThermostatDescription()).data());
    return options;
  }

  void Step() {
    pollfd wait{fd_, POLLIN, 0};
    poll(&wait, 1, 5);
    std::array<uint8_t, 2048> datagram;
    for (ssize_t size; (size = recv(fd_, datagram.data(), datagram.size(), 0)) > 0;) {
      espnow::Packet packet;
      if (is_silent || !espnow::ReadUdpAir({datagram.data(), static_cast<size_t>(size)}, &packet)) continue;
      std::array<uint8_t, espnow::kMaxBody2> body;
      node_.Receive(packet.sender, packet.receiver, espnow::JoinBody(packet, body), NowUs(), *this);
    }
    if (is_silent) return;
    const int64_t now_us = NowUs();
    const link::Node::State state = node_.state();
    const bool searches = state == link::Node::State::kAlone || state == link::Node::State::kUnlinked;
    if (searches && now_us >= next_probe_us_) {
      next_probe_us_ = now_us + 150000;
      node_.Probe(6, now_us, *this);
    }
    if (node_.next_deadline_us() <= now_us) node_.Tick(now_us, *this);
  }

  void Send(const link::Address& to, link::Bytes frame) override {
    espnow::SendOptions options;
    options.receiver = to;
    options.sender = node_address_;
    random_.Fill(options.random);
    std::array<uint8_t, espnow::kMaxUdpAirSize> out;
    const size_t size = espnow::WriteUdpAir(options, 6, -55, frame, out);
    sendto(fd_, out.data(), size, 0, reinterpret_cast<const sockaddr*>(&hub_), sizeof hub_);
  }
  void OnChannel(uint8_t) override {}
  void OnSave(const link::NodeRecord&) override {}
  void OnLinked() override {}
  void OnLinkLost() override {}
  void OnRefused(link::Refusal reason) override { refusals_.push_back(reason); }
  void OnCode(uint32_t code) override { code_ = code; }
  void OnTime(UtcUs, bool, int64_t) override {}
  link::Outcome OnCommand(link::Item* item) override {
    if (item->index == refused_item) return link::Outcome::kRefused;
    applied_.push_back({item->index, item->integer});
    return link::Outcome::kApplied;
  }
  size_t ReadDescription(size_t offset, std::span<uint8_t> out) override {
    for (size_t i = 0; i < out.size() && offset + i < description_.size(); ++i) out[i] = description_[offset + i];
    return description_.size();
  }
  bool Begin(const link::BlobManifest&) override { return true; }
  bool Write(const link::BlobManifest&, uint32_t, link::Bytes) override { return true; }
  bool ReadBack(const link::BlobManifest&, uint32_t, std::span<uint8_t>) override { return true; }
  link::BlobResult Complete(const link::BlobManifest&) override { return link::BlobResult::kComplete; }

  const int fd_;
  sockaddr_in hub_{};
  DeviceRandom random_;
  std::vector<uint8_t> description_;
  std::vector<uint8_t> memory_;
  link::Node node_;
  const link::Address node_address_;
  int64_t next_probe_us_ = 0;
  std::vector<link::Refusal> refusals_;
  std::vector<std::pair<uint8_t, int64_t>> applied_;
  uint32_t code_ = 0;
};

}  // namespace vesta::test
