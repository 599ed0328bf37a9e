#include "node_linux/wifi_radio.h"

#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "protocols/espnow/udp_air.h"

namespace vesta::node_linux {

namespace {

constexpr int64_t kLookForInterface_ms = 1000;

int64_t MonotonicMs() {
  timespec t;
  clock_gettime(CLOCK_BOOTTIME, &t);
  return int64_t{t.tv_sec} * 1000 + t.tv_nsec / 1000000;
}

}  // namespace

void WifiRadio::Close() {
  if (socket_.fd >= 0) close(socket_.fd);
  socket_.fd = -1;
}

void WifiRadio::Fail(const std::string& what) {
  problem_ = what;
  Close();
  next_open_ms_ = MonotonicMs() + kLookForInterface_ms;
}

bool WifiRadio::Open() {
  if (socket_.fd >= 0) return true;
  if (MonotonicMs() < next_open_ms_) return false;
  if (const auto fault = linux_radio::OpenMonitor(interface_name_, &socket_)) {
    Fail(fault->what);
    return false;
  }
  // A node keeps the address that it began with.
  if (address_ == link::Address{}) address_ = socket_.address;
  problem_.clear();
  is_tuned_ = false;
  Tune(channel_);
  return true;
}

void WifiRadio::Tune(uint8_t channel) {
  if (channel == 0 || (channel == channel_ && is_tuned_)) return;
  channel_ = channel;
  if (socket_.fd < 0) return;
  const std::string why = control_.SetChannel(socket_.interface_index, channel);
  is_tuned_ = why.empty();
  problem_ = is_tuned_ ? "" : interface_name_ + " does not take channel " + std::to_string(channel) + ": " + why;
}

bool WifiRadio::Send(const link::Address& to, link::Bytes body) {
  if (!Open()) return false;
  espnow::SendOptions options;
  options.receiver = to;
  options.sender = address_;
  options.sequence = ++sequence_;
  random_.Fill(options.random);
  std::array<uint8_t, espnow::kMaxSentSize> packet;
  const size_t size = espnow::WritePacket(options, body, packet);
  if (size == 0) return false;
  if (send(socket_.fd, packet.data(), size, 0) >= 0) return true;
  // A full queue empties by itself; anything else: anew.
  if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR) Fail(interface_name_ + ": " + std::strerror(errno));
  return false;
}

bool WifiRadio::Next(node::RadioFrame* out) {
  if (!Open()) return false;
  for (;;) {
    const ssize_t size = recv(socket_.fd, captured_.data(), captured_.size(), 0);
    if (size < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) Fail(interface_name_ + ": " + std::strerror(errno));
      return false;
    }
    const espnow::Packet packet =
        espnow::ReadPacket(std::span<const uint8_t>(captured_).first(static_cast<size_t>(size)));
    const bool is_good = packet.verdict == espnow::Verdict::kEspNow && packet.element_count == 1 &&
                         packet.sender != address_ && (packet.receiver == address_ || (packet.receiver[0] & 1) != 0) &&
                         espnow::IsHeardOn(channel_, packet.radiotap.channel);
    if (is_good) {
      *out = {packet.sender, packet.receiver, packet.radiotap.signal_dbm, packet.elements[0].body};
      return true;
    }
    ++dropped_;
  }
}

}  // namespace vesta::node_linux
