// The hub's end of the link on UDP, the real program, and the folders that stand for the kernel's, for tests.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "protocols/espnow/udp_air.h"
#include "protocols/link/hub.h"

namespace vesta::node_linux {

namespace fs = std::filesystem;

inline int64_t Now_us() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return int64_t{t.tv_sec} * 1000000 + t.tv_nsec / 1000;
}

class SystemRandom final : public link::RandomSource {
 public:
  void Fill(std::span<uint8_t> out) override {
    for (uint8_t& b : out) b = static_cast<uint8_t>(device_());
  }

 private:
  std::random_device device_;
};

// A hub at a UDP port.
class UdpHub final : private link::HubEvents {
 public:
  UdpHub() {
    fd_ = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    socklen_t size = sizeof(address);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    hub.SetGateway(0, kAddress, 6);
  }
  ~UdpHub() override { close(fd_); }

  bool RunUntil(const std::function<bool()>& is_done, int seconds) {
    const int64_t until_us = Now_us() + int64_t{seconds} * 1000000;
    while (!is_done()) {
      if (Now_us() > until_us) return false;
      pollfd p{fd_, POLLIN, 0};
      poll(&p, 1, 20);
      uint8_t bytes[2048];
      ssize_t got = 0;
      socklen_t size = sizeof(peer_);
      while ((got = recvfrom(fd_, bytes, sizeof(bytes), 0, reinterpret_cast<sockaddr*>(&peer_), &size)) > 0) {
        if (is_deaf) continue;
        espnow::Packet packet;
        if (!espnow::ReadUdpAir({bytes, static_cast<size_t>(got)}, &packet)) continue;
        if (!espnow::IsHeardOn(6, packet.radiotap.channel)) continue;
        hub.Receive({0, packet.sender, packet.receiver, 6, 0, packet.elements[0].body}, now(), *this);
      }
      if (hub.next_deadline_us() <= Now_us()) hub.Tick(now(), *this);
    }
    return true;
  }
  Now now() const { return {Now_us(), time(nullptr) * kUsPerSecond, ClockQuality::kSynchronised}; }
  void Set(uint8_t index, int64_t value) {
    const auto& [number, info] = *infos.begin();
    hub.SetItem(number, link::IntegerItem(index, value), now(), *this);
  }

  SystemRandom random;
  link::Hub hub{{1, 4, true}, random};
  uint16_t port = 0;
  std::map<uint16_t, link::NodeInfo> infos;
  std::map<uint8_t, int64_t> values;
  std::vector<link::Result> results;
  int reports = 0;
  std::string image;
  uint32_t highest_block = 0;
  int begun_anew = 0;
  std::vector<link::BlobStatus> blob_statuses;
  bool is_deaf = false;  // the air carries nothing

 private:
  static constexpr link::Address kAddress = {2, 0xAA, 0, 0, 0, 1};

  void Send(uint8_t, const link::Address& from, const link::Address& to, link::Bytes frame) override {
    espnow::SendOptions options;
    options.sender = from;
    options.receiver = to;
    uint8_t out[espnow::kMaxUdpAirSize];
    const size_t size = espnow::WriteUdpAir(options, 6, -40, frame, out);
    sendto(fd_, out, size, 0, reinterpret_cast<sockaddr*>(&peer_), sizeof(peer_));
  }
  link::JoinPolicy OnJoinRequest(const link::JoinRequest&) override {
    link::JoinPolicy policy{link::JoinPolicy::Rule::kBySecret, {}, 0};
    policy.secret.fill(0x5A);
    return policy;
  }
  void OnRefused(const link::Address&, link::Refusal, const link::NodeInfo&) override {}
  void OnCode(const link::Address&, uint32_t, const link::NodeInfo&) override {}
  void OnJoined(const link::PeerRecord& record, const link::NodeInfo& info) override { infos[record.node] = info; }
  void OnSession(uint16_t node, const link::NodeInfo& info) override { infos[node] = info; }
  bool OnReport(uint16_t, const link::Report& report) override {
    ++reports;
    link::ItemReader reader(report.items);
    link::Item item;
    while (reader.Next(&item)) {
      if (item.type != link::ValueType::kBytes && item.type != link::ValueType::kNone)
        values[item.index] = item.integer;
    }
    return true;
  }
  void OnResult(uint16_t, const link::Result& result) override { results.push_back(result); }
  void OnDescription(uint16_t, const link::Description&) override {}
  size_t ReadBlob(size_t, uint32_t offset, std::span<uint8_t> out) override {
    const size_t size = std::min<size_t>(out.size(), image.size() - std::min<size_t>(offset, image.size()));
    std::copy_n(image.begin() + offset, size, out.begin());
    return size;
  }
  void OnBlobRequested(uint16_t, const link::BlobManifest&, uint32_t first_block) override {
    if (first_block < highest_block) ++begun_anew;
    highest_block = first_block;
  }
  void OnBlobStatus(uint16_t, const link::BlobStatus& status) override { blob_statuses.push_back(status); }

  int fd_ = -1;
  sockaddr_in peer_ = {};
};

inline uint16_t FreeTcpPort() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}

// The whole answer.
inline std::string Ask(uint16_t port, const std::string& request) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  std::string answer;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
      send(fd, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size())) {
    char part[4096];
    for (ssize_t size; (size = recv(fd, part, sizeof(part), 0)) > 0;) answer.append(part, static_cast<size_t>(size));
  }
  close(fd);
  return answer;
}

inline std::string Post(uint16_t port, const std::string& path, const std::string& form) {
  return Ask(port, "POST " + path + " HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
                       std::to_string(form.size()) + "\r\n\r\n" + form);
}

inline void Put(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

class NodeProcess {
 public:
  explicit NodeProcess(const fs::path& settings, const std::string& output = "") {
    pid_ = fork();
    if (pid_ != 0) return;
    if (!output.empty() && freopen(output.c_str(), "w", stdout) == nullptr) _exit(126);
    execl(VESTA_NODE_PROGRAM, "vesta-node", "--config", settings.c_str(), nullptr);
    _exit(127);
  }
  ~NodeProcess() { Stop(); }
  int Stop() {
    if (pid_ <= 0) return status_;
    kill(pid_, SIGTERM);
    waitpid(pid_, &status_, 0);
    pid_ = -1;
    return status_;
  }

 private:
  pid_t pid_ = -1;
  int status_ = 0;
};

}  // namespace vesta::node_linux
