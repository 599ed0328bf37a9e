// Looks at every byte that a host sends: is it one of the few messages that only read? Written apart from the code that
// makes them, with its own list, so that the two can be held against each other.
#pragma once

#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>

namespace vesta::medibus {

class ReadOnlyCheck {
 public:
  void Take(std::span<const uint8_t> bytes) {
    for (const uint8_t byte : bytes) Take(byte);
  }
  bool ok() const { return wrong_.empty(); }
  const std::string& wrong() const { return wrong_; }  // the first message that is not allowed, in hex
  uint64_t messages() const { return messages_; }

 private:
  void Take(uint8_t byte) {
    message_ += static_cast<char>(byte);
    if (static_cast<uint8_t>(message_[0]) == 0xD0) {
      if (message_.size() < 5) return;
      const auto mask = static_cast<uint8_t>(message_[2]);
      const bool enable = message_[1] == '\xC1' && mask >= 0xC0 && mask <= 0xCF && message_.substr(3) == "\xC0\xC0";
      return End(enable);
    }
    if (message_[0] != 0x1B && message_[0] != 0x01) return End(false);
    if (byte == '\r') return End(message_[0] == 0x1B ? IsAllowedCommand() : IsAllowedAnswer());
    if (message_.size() > 300) End(false);
  }

  bool IsAllowedCommand() const {
    constexpr std::string_view kReading = "$%&'()*+,-.0QRSU";
    if (!HasChecksum()) return false;
    const char code = message_[1];
    const std::string argument = message_.substr(2, message_.size() - 5);
    if (code == 'T') return IsSelection(argument);
    return kReading.find(code) != std::string_view::npos && argument.empty();
  }

  // Realtime streams to be sent to us: code and "01" each, four at the most.
  static bool IsSelection(const std::string& argument) {
    if (argument.empty() || argument.size() % 4 != 0 || argument.size() > 16) return false;
    for (size_t i = 0; i < argument.size(); i += 4) {
      if (argument.substr(i).find_first_not_of("0123456789ABCDEF") < 2 || argument.substr(i + 2, 2) != "01")
        return false;
    }
    return true;
  }

  bool IsAllowedAnswer() const {
    if (!HasChecksum()) return false;
    const auto code = static_cast<uint8_t>(message_[1]);
    if (code != 0x15 && (code < 0x20 || code > 0x7F)) return false;
    const std::string payload = message_.substr(2, message_.size() - 5);
    if (payload.empty()) return true;
    const std::string tail = "'01.00:06.00";
    return code == 'R' && payload.substr(0, 5) == "0161'" && payload.size() > 5 + tail.size() &&
           payload.substr(payload.size() - tail.size()) == tail &&
           payload.find('\'', 5) == payload.size() - tail.size();
  }

  bool HasChecksum() const {
    if (message_.size() < 5) return false;
    unsigned sum = 0;
    for (size_t i = 0; i + 3 < message_.size(); ++i) sum += static_cast<uint8_t>(message_[i]);
    char digits[3];
    std::snprintf(digits, sizeof(digits), "%02X", sum & 0xFF);
    return message_.substr(message_.size() - 3, 2) == digits;
  }

  void End(bool allowed) {
    ++messages_;
    if (!allowed && wrong_.empty()) {
      for (const char c : message_) {
        char hex[4];
        std::snprintf(hex, sizeof(hex), "%02X ", static_cast<unsigned>(static_cast<uint8_t>(c)));
        wrong_ += hex;
      }
    }
    message_.clear();
  }

  std::string message_;
  std::string wrong_;
  uint64_t messages_ = 0;
};

}  // namespace vesta::medibus
