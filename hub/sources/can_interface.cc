#include "hub/sources/can_interface.h"

#include <fmt/format.h>
#include <linux/can/netlink.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace vesta::hub {
namespace {

// One answer about one interface.
constexpr size_t kAnswerBytes = 16 * 1024;
constexpr int kAnswerWait_ms = 500;
// ARPHRD_CAN: its header and net/if.h exclude one another.
constexpr unsigned kLinkTypeCan = 280;

using Bytes = std::span<const uint8_t>;

template <typename T>
bool Take(Bytes bytes, T* out) {
  if (bytes.size() < sizeof(T)) return false;
  std::memcpy(out, bytes.data(), sizeof(T));
  return true;
}

// Calls for each attribute with type and payload; stops at damage.
template <typename Call>
void ForEachAttribute(Bytes bytes, const Call& call) {
  rtattr header;
  while (Take(bytes, &header) && header.rta_len >= sizeof header && header.rta_len <= bytes.size()) {
    call(static_cast<int>(header.rta_type & NLA_TYPE_MASK),
         bytes.subspan(sizeof header, header.rta_len - sizeof header));
    const size_t step = RTA_ALIGN(static_cast<size_t>(header.rta_len));
    bytes = bytes.subspan(std::min(step, bytes.size()));
  }
}

const char* StateName(uint32_t state) {
  static constexpr const char* kNames[] = {"active", "warning", "passive", "bus_off", "stopped", "sleeping"};
  return state < std::size(kNames) ? kNames[state] : "";
}

void ReadCanData(Bytes data, CanInterface* facts) {
  ForEachAttribute(data, [facts](int type, Bytes value) {
    can_bittiming timing;
    can_ctrlmode mode;
    can_berr_counter errors;
    uint32_t number = 0;
    switch (type) {
      case IFLA_CAN_BITTIMING:
        if (Take(value, &timing)) facts->bitrate = timing.bitrate;
        break;
      case IFLA_CAN_CTRLMODE:
        if (Take(value, &mode)) facts->listen_only = (mode.flags & CAN_CTRLMODE_LISTENONLY) != 0;
        break;
      case IFLA_CAN_STATE:
        if (Take(value, &number)) facts->state = StateName(number);
        break;
      case IFLA_CAN_RESTART_MS:
        if (Take(value, &number)) facts->restart_ms = number;
        break;
      case IFLA_CAN_BERR_COUNTER:
        if (Take(value, &errors)) {
          facts->has_counters = true;
          facts->tx_errors = errors.txerr;
          facts->rx_errors = errors.rxerr;
        }
        break;
      default:
        break;
    }
  });
}

class NetlinkSocket {
 public:
  NetlinkSocket() : fd_(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)) {
    timeval wait{0, kAnswerWait_ms * 1000};
    if (fd_ >= 0) setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  }
  ~NetlinkSocket() {
    if (fd_ >= 0) close(fd_);
  }
  NetlinkSocket(const NetlinkSocket&) = delete;
  NetlinkSocket& operator=(const NetlinkSocket&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

std::optional<CanInterface> ParseLinkMessage(std::span<const uint8_t> message) {
  nlmsghdr header;
  ifinfomsg info;
  if (!Take(message, &header) || header.nlmsg_type != RTM_NEWLINK || header.nlmsg_len > message.size() ||
      header.nlmsg_len < NLMSG_HDRLEN) {
    return std::nullopt;
  }
  const Bytes body = message.subspan(NLMSG_HDRLEN, header.nlmsg_len - NLMSG_HDRLEN);
  if (!Take(body, &info)) return std::nullopt;
  CanInterface facts;
  facts.is_can = info.ifi_type == kLinkTypeCan;
  facts.is_up = (info.ifi_flags & IFF_UP) != 0;
  const size_t start = std::min(NLMSG_ALIGN(sizeof info), body.size());
  ForEachAttribute(body.subspan(start), [&facts](int type, Bytes value) {
    rtnl_link_stats64 statistics;
    if (type == IFLA_STATS64 && Take(value, &statistics)) {
      facts.rx_packets = statistics.rx_packets;
      facts.rx_dropped = statistics.rx_dropped;
      facts.rx_errors_total = statistics.rx_errors;
    }
    if (type != IFLA_LINKINFO) return;
    ForEachAttribute(value, [&facts](int inner, Bytes content) {
      if (inner == IFLA_INFO_KIND) {
        facts.is_virtual = content.size() >= 4 && std::memcmp(content.data(), "vcan", 4) == 0;
      } else if (inner == IFLA_INFO_DATA) {
        ReadCanData(content, &facts);
      }
    });
  });
  return facts;
}

std::optional<CanInterface> ReadCanInterface(const std::string& name) {
  const unsigned index = if_nametoindex(name.c_str());
  const NetlinkSocket netlink;
  if (index == 0 || netlink.get() < 0) return std::nullopt;
  struct {
    nlmsghdr header;
    ifinfomsg info;
  } question{};
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = RTM_GETLINK;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  question.info.ifi_index = static_cast<int>(index);
  if (send(netlink.get(), &question, sizeof question, 0) != static_cast<ssize_t>(sizeof question)) return std::nullopt;
  std::array<uint8_t, kAnswerBytes> answer;
  const ssize_t size = recv(netlink.get(), answer.data(), answer.size(), 0);
  if (size <= 0) return std::nullopt;
  return ParseLinkMessage({answer.data(), static_cast<size_t>(size)});
}

std::string DescribeCanInterface(const std::string& name, const CanInterface& facts) {
  if (!facts.is_can) return fmt::format("{} is no CAN interface", name);
  std::string text = name + ": ";
  if (!facts.is_up) return text + "down";
  if (facts.is_virtual) return text + "virtual, up";
  text += facts.bitrate > 0 ? fmt::format("{} bit/s", facts.bitrate) : "bit rate not told";
  if (facts.listen_only) text += ", listen only";
  if (!facts.state.empty()) text += ", " + facts.state;
  if (facts.has_counters) text += fmt::format(", error counters rx {} tx {}", facts.rx_errors, facts.tx_errors);
  return text;
}

}  // namespace vesta::hub
