#include "protocols/medibus/wire.h"

#include <algorithm>
#include <cstring>

namespace vesta::medibus {
namespace {

constexpr char kDigits[] = "0123456789ABCDEF";
constexpr std::string_view kHostNumber = "0161";  // what PC programs use in the field
constexpr std::string_view kHostRevision = "01.00:06.00";

// Bytes of the realtime channel, host to device.
constexpr uint8_t kRealtimeSync = 0xD0;
constexpr uint8_t kEnableFirstFour = 0xC1;
constexpr uint8_t kEnd = 0xC0;

int HexDigit(uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

int HexByte(uint8_t high, uint8_t low) {
  const int h = HexDigit(high);
  const int l = HexDigit(low);
  return h < 0 || l < 0 ? -1 : h << 4 | l;
}

bool Outbox::Ask(Request request) {
  if (request == Request::kRealtimeSelection) return false;
  return Add(kEsc, static_cast<uint8_t>(request), {});
}

bool Outbox::AskForStreams(const RealtimeSelection& selection) {
  char argument[kMaxRealtimeStreams * 4];
  size_t n = 0;
  for (size_t i = 0; i < selection.count && i < kMaxRealtimeStreams; ++i) {
    argument[n++] = kDigits[selection.codes[i] >> 4];
    argument[n++] = kDigits[selection.codes[i] & 0xF];
    argument[n++] = '0';
    argument[n++] = '1';  // every sample
  }
  return Add(kEsc, static_cast<uint8_t>(Request::kRealtimeSelection), {argument, n});
}

bool Outbox::EnableStreams(uint8_t count) {
  const auto mask = static_cast<uint8_t>((1u << std::min<size_t>(count, kMaxRealtimeStreams)) - 1);
  const uint8_t message[] = {kRealtimeSync, kEnableFirstFour, static_cast<uint8_t>(kEnd | mask), kEnd, kEnd};
  return Append(message);
}

bool Outbox::Echo(DeviceCommand command) { return Add(kSoh, command.code(), {}); }

bool Outbox::AnswerNak() { return Add(kSoh, kNak, {}); }

bool Outbox::Identify(std::string_view host_name) {
  const auto code = static_cast<uint8_t>(Request::kIdentify);
  if (host_name.empty()) return Add(kSoh, code, {});
  char payload[kHostNumber.size() + kMaxHostName + 2 + kHostRevision.size()];
  size_t n = 0;
  const auto append = [&](std::string_view text) {
    std::memcpy(payload + n, text.data(), text.size());
    n += text.size();
  };
  append(kHostNumber);
  append("'");
  for (const char c : host_name.substr(0, kMaxHostName)) {
    payload[n++] = c >= ' ' && c <= '~' && c != '\'' ? c : '.';
  }
  append("'");
  append(kHostRevision);
  return Add(kSoh, code, {payload, n});
}

bool Outbox::Add(uint8_t start, uint8_t code, std::string_view payload) {
  uint8_t message[kMaxCommand];
  size_t n = 0;
  message[n++] = start;
  message[n++] = code;
  for (const char c : payload) message[n++] = static_cast<uint8_t>(c);
  const uint8_t sum = Checksum({message, n});
  message[n++] = static_cast<uint8_t>(kDigits[sum >> 4]);
  message[n++] = static_cast<uint8_t>(kDigits[sum & 0xF]);
  message[n++] = kCr;
  return Append({message, n});
}

bool Outbox::Append(Bytes message) {
  if (message.size() > bytes_.size() - size_) {
    std::copy(bytes_.begin() + static_cast<std::ptrdiff_t>(sent_), bytes_.begin() + static_cast<std::ptrdiff_t>(size_),
              bytes_.begin());
    size_ -= sent_;
    sent_ = 0;
    if (message.size() > bytes_.size() - size_) return false;
  }
  std::copy(message.begin(), message.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
  size_ += message.size();
  return true;
}

void Outbox::Sent(size_t count) {
  sent_ = std::min(sent_ + count, size_);
  if (sent_ == size_) Clear();
}

}  // namespace vesta::medibus
