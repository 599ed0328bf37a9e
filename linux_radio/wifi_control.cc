#include "linux_radio/wifi_control.h"

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/nl80211.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "protocols/espnow/radiotap.h"

namespace vesta::linux_radio {
namespace {

constexpr timeval kPatience{2, 0};
constexpr int kMaxParts = 4096;  // of a dump that does not end

struct Attribute {
  uint16_t type = 0;
  const uint8_t* data = nullptr;
  size_t size = 0;
};

// Walks attributes; stops at the first that does not fit.
void ForEach(const uint8_t* data, size_t size, const std::function<void(const Attribute&)>& take) {
  while (size >= sizeof(nlattr)) {
    nlattr head;
    std::memcpy(&head, data, sizeof head);
    if (head.nla_len < sizeof head || head.nla_len > size) return;
    take({static_cast<uint16_t>(head.nla_type & NLA_TYPE_MASK), data + sizeof head, head.nla_len - sizeof head});
    const size_t step = NLA_ALIGN(head.nla_len);
    if (step >= size) return;
    data += step;
    size -= step;
  }
}

int OpenSocket() {
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
  if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  return fd;
}

}  // namespace

class WifiControl::Request {
 public:
  Request(uint16_t family, uint8_t command, uint16_t flags) {
    auto* head = reinterpret_cast<nlmsghdr*>(bytes_.data());
    head->nlmsg_len = NLMSG_LENGTH(sizeof(genlmsghdr));
    head->nlmsg_type = family;
    head->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
    auto* generic = reinterpret_cast<genlmsghdr*>(NLMSG_DATA(head));
    generic->cmd = command;
    generic->version = 1;
  }
  void Add(uint16_t type, const void* data, size_t size) {
    auto* head = reinterpret_cast<nlmsghdr*>(bytes_.data());
    const size_t at = NLMSG_ALIGN(head->nlmsg_len);
    if (at + NLA_HDRLEN + NLA_ALIGN(size) > bytes_.size()) return;
    nlattr attribute{static_cast<uint16_t>(NLA_HDRLEN + size), type};
    std::memcpy(&bytes_[at], &attribute, sizeof attribute);
    if (size > 0) std::memcpy(&bytes_[at + NLA_HDRLEN], data, size);
    head->nlmsg_len = static_cast<uint32_t>(at + NLA_HDRLEN + size);
  }
  void Add32(uint16_t type, uint32_t value) { Add(type, &value, sizeof value); }
  void SetSequence(uint32_t sequence) { reinterpret_cast<nlmsghdr*>(bytes_.data())->nlmsg_seq = sequence; }
  const uint8_t* data() const { return bytes_.data(); }
  size_t size() const { return reinterpret_cast<const nlmsghdr*>(bytes_.data())->nlmsg_len; }

 private:
  alignas(nlmsghdr) std::array<uint8_t, 256> bytes_{};
};

WifiControl::WifiControl() : fd_(OpenSocket()) {}

WifiControl::~WifiControl() {
  if (fd_ >= 0) close(fd_);
}

int WifiControl::Ask(Request request, bool wants_end, const Take& take) {
  if (fd_ < 0) return EBADF;
  request.SetSequence(++sequence_);
  if (send(fd_, request.data(), request.size(), 0) < 0) return errno;
  for (int part = 0; part < kMaxParts; ++part) {
    const ssize_t got = recv(fd_, answer_.data(), answer_.size(), 0);
    if (got < 0) return errno;
    auto left = static_cast<uint32_t>(got);
    for (auto* head = reinterpret_cast<nlmsghdr*>(answer_.data()); NLMSG_OK(head, left);
         head = NLMSG_NEXT(head, left)) {
      if (head->nlmsg_seq != sequence_) continue;  // the late answer to a question that was given up
      if (head->nlmsg_type == NLMSG_DONE) return 0;
      if (head->nlmsg_type == NLMSG_ERROR) return -reinterpret_cast<const nlmsgerr*>(NLMSG_DATA(head))->error;
      const auto* content = static_cast<const uint8_t*>(NLMSG_DATA(head)) + GENL_HDRLEN;
      if (head->nlmsg_len >= NLMSG_LENGTH(GENL_HDRLEN)) take(content, head->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN));
      if (!wants_end) return 0;
    }
  }
  return EIO;
}

// 0 when the kernel has no Wi-Fi.
uint16_t WifiControl::Family() {
  if (family_ != 0) return family_;
  Request request(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
  request.Add(CTRL_ATTR_FAMILY_NAME, NL80211_GENL_NAME, sizeof NL80211_GENL_NAME);
  Ask(request, false, [this](const uint8_t* data, size_t size) {
    ForEach(data, size, [this](const Attribute& one) {
      if (one.type == CTRL_ATTR_FAMILY_ID && one.size >= sizeof family_)
        std::memcpy(&family_, one.data, sizeof family_);
    });
  });
  return family_;
}

std::string WifiControl::SetChannel(unsigned interface_index, uint8_t channel) {
  const uint16_t family = Family();
  if (family == 0) return "the kernel has no Wi-Fi";
  Request request(family, NL80211_CMD_SET_CHANNEL, NLM_F_ACK);
  request.Add32(NL80211_ATTR_IFINDEX, interface_index);
  request.Add32(NL80211_ATTR_WIPHY_FREQ, channel == 14 ? 2484u : 2407u + 5u * channel);
  request.Add32(NL80211_ATTR_WIPHY_CHANNEL_TYPE, NL80211_CHAN_HT20);
  const int error = Ask(request, true, [](const uint8_t*, size_t) {});
  return error == 0 ? "" : std::strerror(error);
}

uint8_t WifiControl::ReadChannel(unsigned interface_index) {
  const uint16_t family = Family();
  if (family == 0) return 0;
  Request request(family, NL80211_CMD_GET_INTERFACE, 0);
  request.Add32(NL80211_ATTR_IFINDEX, interface_index);
  uint32_t frequency_mhz = 0;
  Ask(request, false, [&](const uint8_t* data, size_t size) {
    ForEach(data, size, [&](const Attribute& one) {
      if (one.type == NL80211_ATTR_WIPHY_FREQ && one.size >= sizeof frequency_mhz) {
        std::memcpy(&frequency_mhz, one.data, sizeof frequency_mhz);
      }
    });
  });
  return frequency_mhz > UINT16_MAX ? uint8_t{0} : espnow::ChannelOf(static_cast<uint16_t>(frequency_mhz));
}

std::vector<WifiRadio> ListWifiRadios(std::string* problem) {
  std::vector<WifiRadio> radios;
  WifiControl control;
  const uint16_t family = control.Family();
  if (family == 0) {
    *problem = "this computer has no Wi-Fi that the kernel knows";
    return radios;
  }
  WifiControl::Request request(family, NL80211_CMD_GET_WIPHY, NLM_F_DUMP);
  request.Add(NL80211_ATTR_SPLIT_WIPHY_DUMP, nullptr, 0);
  const int error = control.Ask(request, true, [&](const uint8_t* data, size_t size) {
    // A radio comes in several parts.
    WifiRadio* radio = nullptr;
    ForEach(data, size, [&](const Attribute& one) {
      if (one.type == NL80211_ATTR_WIPHY_NAME && one.size > 0) {
        const std::string name(reinterpret_cast<const char*>(one.data),
                               strnlen(reinterpret_cast<const char*>(one.data), one.size));
        for (WifiRadio& known : radios) {
          if (known.name == name) radio = &known;
        }
        if (radio == nullptr) radio = &radios.emplace_back(WifiRadio{name, false, false});
      }
      if (radio == nullptr) return;
      if (one.type == NL80211_ATTR_SUPPORTED_IFTYPES) {
        ForEach(one.data, one.size, [&](const Attribute& type) {
          if (type.type == NL80211_IFTYPE_MONITOR) radio->can_monitor = true;
        });
      }
      if (one.type == NL80211_ATTR_FEATURE_FLAGS && one.size >= sizeof(uint32_t)) {
        uint32_t flags = 0;
        std::memcpy(&flags, one.data, sizeof flags);
        radio->can_acknowledge = (flags & NL80211_FEATURE_ACTIVE_MONITOR) != 0;
      }
    });
  });
  if (error != 0) *problem = std::strerror(error);
  return radios;
}

}  // namespace vesta::linux_radio
