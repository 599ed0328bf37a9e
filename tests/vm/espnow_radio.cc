// An ESP-NOW radio on a monitor interface: says what the product's own filter and reader make of each captured packet,
// and puts frames on the air that the product's writer made, or that are given as they are.
//
//   vesta_espnow_radio INTERFACE [OWN_ADDRESS]
//
// Standard output, one JSON object a line: {"verdict","reason","sender","receiver","sequence","retry","body",
// "channel","signal","sent"}; "sent": a frame of this machine, handed back by the kernel. Standard input, one line
// each:
//   send RECEIVER SENDER VERSION BODY    addresses and body in hex digits
//   raw FRAME                            an 802.11 frame in hex digits, without checksum
//   end                                  prints {"captured","dropped"} as the kernel counted them, and ends
#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>
#include <vector>

#include "protocols/espnow/filter.h"
#include "protocols/espnow/frame.h"

namespace {

using vesta::espnow::Address;

// A burst of a thousand frames while nobody reads.
constexpr int kSocketBuffer = 8 * 1024 * 1024;

std::string Hex(vesta::espnow::Bytes bytes) {
  std::string text;
  for (const uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

std::vector<uint8_t> FromHex(const std::string& text) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(std::strtoul(text.substr(i, 2).c_str(), nullptr, 16)));
  }
  return bytes;
}

Address AddressOf(const std::string& text) {
  Address address = {};
  const std::vector<uint8_t> bytes = FromHex(text);
  std::copy_n(bytes.begin(), std::min(bytes.size(), address.size()), address.begin());
  return address;
}

int OpenRadio(const char* name, const vesta::espnow::Filter& filter) {
  const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  const sock_fprog program = {filter.size,
                              reinterpret_cast<sock_filter*>(const_cast<vesta::espnow::Instruction*>(  // NOLINT
                                  filter.program.data()))};
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(if_nametoindex(name));
  // The filter before the first packet.
  const bool good = fd >= 0 && address.sll_ifindex != 0 &&
                    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0 &&
                    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kSocketBuffer, sizeof kSocketBuffer) == 0 &&
                    bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  return good ? fd : -1;
}

void Tell(vesta::espnow::Bytes bytes) {
  const vesta::espnow::Packet packet = vesta::espnow::ReadPacket(bytes);
  std::array<uint8_t, vesta::espnow::kMaxBody2> scratch;
  const vesta::espnow::Bytes body = vesta::espnow::JoinBody(packet, scratch);
  static constexpr const char* kVerdicts[] = {"espnow", "encrypted", "dropped", "malformed", "not-espnow"};
  fmt::print(
      "{{\"verdict\":\"{}\",\"reason\":\"{}\",\"sender\":\"{}\",\"receiver\":\"{}\",\"sequence\":{},\"retry\":{},"
      "\"body\":\"{}\",\"channel\":{},\"signal\":{},\"sent\":{}}}\n",
      kVerdicts[static_cast<size_t>(packet.verdict)], packet.reason, Hex(packet.sender), Hex(packet.receiver),
      packet.sequence, packet.retry, Hex(body), packet.radiotap.channel,
      packet.radiotap.has_signal ? std::to_string(packet.radiotap.signal_dbm) : "null", packet.radiotap.has_tx_flags);
  std::fflush(stdout);
}

void Put(int fd, vesta::espnow::Bytes packet) {
  if (send(fd, packet.data(), packet.size(), 0) < 0) fmt::print(stderr, "not sent: {}\n", std::strerror(errno));
}

// False: the end.
bool Obey(int fd, const std::string& line) {
  std::istringstream words(line);
  std::string what;
  words >> what;
  if (what == "send") {
    std::string receiver;
    std::string sender;
    std::string body;
    int version = 1;
    words >> receiver >> sender >> version >> body;
    vesta::espnow::SendOptions options;
    options.receiver = AddressOf(receiver);
    options.sender = AddressOf(sender);
    options.version = static_cast<uint8_t>(version);
    std::array<uint8_t, vesta::espnow::kMaxSentSize> packet;
    const size_t size = vesta::espnow::WritePacket(options, FromHex(body), packet);
    Put(fd, {packet.data(), size});
  } else if (what == "raw") {
    std::string frame;
    words >> frame;
    std::vector<uint8_t> packet(vesta::espnow::kTransmitRadiotapSize);
    vesta::espnow::WriteTransmitRadiotap(
        1000, false, std::span<uint8_t, vesta::espnow::kTransmitRadiotapSize>(packet.data(), packet.size()));
    const std::vector<uint8_t> bytes = FromHex(frame);
    packet.insert(packet.end(), bytes.begin(), bytes.end());
    Put(fd, packet);
  } else if (what == "end") {
    tpacket_stats counts{};
    socklen_t size = sizeof counts;
    getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &counts, &size);
    fmt::print("{{\"captured\":{},\"dropped\":{}}}\n", counts.tp_packets, counts.tp_drops);
    std::fflush(stdout);
    return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  vesta::espnow::FilterOptions options;
  options.pass_encrypted = true;
  if (argc > 2) {
    options.drop_own = true;
    options.own = AddressOf(argv[2]);
  }
  const int fd = OpenRadio(argv[1], vesta::espnow::MakeFilter(options));
  if (fd < 0) {
    fmt::print(stderr, "{}: {}\n", argv[1], std::strerror(errno));
    return 3;
  }
  fmt::print("{{\"open\":\"{}\"}}\n", argv[1]);
  std::fflush(stdout);
  std::string input;
  std::array<uint8_t, 4096> packet;
  while (true) {
    pollfd ready[] = {{fd, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    poll(ready, 2, -1);
    if ((ready[0].revents & (POLLIN | POLLERR)) != 0) {
      const ssize_t size = recv(fd, packet.data(), packet.size(), MSG_DONTWAIT);
      if (size > 0) Tell({packet.data(), static_cast<size_t>(size)});
      // An interface that went down says so once and goes on when it is up.
      if (size < 0 && errno != EAGAIN) fmt::print(stderr, "{}\n", std::strerror(errno));
      if (size > 0) continue;  // what was heard before comes before the next command
    }
    if (ready[1].revents == 0) continue;
    std::array<char, 65536> text;
    const ssize_t size = read(STDIN_FILENO, text.data(), text.size());
    if (size <= 0) return 0;
    input.append(text.data(), static_cast<size_t>(size));
    for (size_t end = input.find('\n'); end != std::string::npos; end = input.find('\n')) {
      if (!Obey(fd, input.substr(0, end))) return 0;
      input.erase(0, end + 1);
    }
  }
}
