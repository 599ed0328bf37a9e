#include "node_linux/options.h"

#include <nlohmann/json.hpp>

#include "node/portal.h"
#include "node_linux/files.h"

namespace vesta::node_linux {

namespace {

using Json = nlohmann::json;

int DigitOf(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

// Hex digits, with colons or without.
template <size_t n>
std::optional<std::array<uint8_t, n>> HexOf(const std::string& text) {
  std::array<uint8_t, n> out = {};
  size_t digits = 0;
  for (const char c : text) {
    if (c == ':') continue;
    const int digit = DigitOf(c);
    if (digit < 0 || digits == 2 * n) return std::nullopt;
    out[digits / 2] = static_cast<uint8_t>(out[digits / 2] << 4 | digit);
    ++digits;
  }
  if (digits != 2 * n) return std::nullopt;
  return out;
}

class Reader {
 public:
  Reader(const Json& json, std::string* problem) : json_(json), problem_(*problem) {}

  std::optional<Options> Read() {
    for (const auto& [key, value] : json_.items()) {
      if (!Take(key, value)) {
        if (problem_.empty()) problem_ = "'" + key + "' is not known, or its value is not what it should be";
        return std::nullopt;
      }
    }
    if (out_.state.empty()) {
      problem_ = "'state' is missing: the folder in which the node keeps what it must not forget";
      return std::nullopt;
    }
    if (!out_.radio_interface.empty() && (json_.contains("gateway") || json_.contains("port") || out_.exposed)) {
      problem_ = "'radio_interface' is an air of its own: 'gateway', 'port' and 'exposed' are of the other";
      return std::nullopt;
    }
    if (!out_.radio_interface.empty() && out_.address) {
      problem_ = "'address' is that of the interface when the node has a radio";
      return std::nullopt;
    }
    if (out_.page_port != 0 && out_.page_password.empty()) {
      problem_ = "'page_password_file' is missing: the page changes nothing without a password";
      return std::nullopt;
    }
    return out_;
  }

 private:
  bool Text(const Json& value, std::string* out) {
    if (!value.is_string() || value.get_ref<const std::string&>().empty()) return false;
    *out = value.get<std::string>();
    return true;
  }
  bool Number(const Json& value, uint16_t* out) {
    if (!value.is_number_unsigned() || value.get<uint64_t>() > UINT16_MAX) return false;
    *out = value.get<uint16_t>();
    return true;
  }

  bool Take(const std::string& key, const Json& value) {
    if (key == "gateway") return Text(value, &out_.gateway);
    if (key == "port") return Number(value, &out_.port) && out_.port != 0;
    if (key == "network") return Number(value, &out_.network);
    if (key == "exposed") {
      if (value.is_boolean()) out_.exposed = value.get<bool>();
      return value.is_boolean();
    }
    if (key == "radio_interface") return Text(value, &out_.radio_interface);
    if (key == "state") return Text(value, &out_.state);
    if (key == "name") return Text(value, &out_.name) && out_.name.size() <= link::kMaxName;
    if (key == "configuration") return Text(value, &out_.configuration);
    if (key == "one_wire") return Text(value, &out_.one_wire);
    if (key == "gpio") return Text(value, &out_.gpio);
    if (key == "i2c") return Text(value, &out_.i2c);
    if (key == "can") return Text(value, &out_.can);
    if (key == "display") return Text(value, &out_.display);
    std::string text;
    if (key == "address") {
      out_.address = Text(value, &text) ? HexOf<6>(text) : std::nullopt;
      return out_.address && ((*out_.address)[0] & 1) == 0;
    }
    if (key == "secret_file") {
      // In a file of its own, so that the settings can be shown to anybody.
      if (!Text(value, &text)) return false;
      const std::optional<std::string> secret = ReadFile(text);
      if (!secret) problem_ = "the secret's file " + text + " can't be read";
      out_.secret = secret ? HexOf<16>(secret->substr(0, secret->find_last_not_of("\r\n ") + 1)) : std::nullopt;
      if (secret && !out_.secret) problem_ = "the secret's file " + text + " does not hold 32 hex digits";
      return out_.secret.has_value();
    }
    if (key == "page_port") return Number(value, &out_.page_port) && out_.page_port != 0;
    if (key == "page_exposed") {
      if (value.is_boolean()) out_.page_exposed = value.get<bool>();
      return value.is_boolean();
    }
    if (key == "page_password_file") {
      if (!Text(value, &text)) return false;
      const std::optional<std::string> password = ReadFile(text);
      if (!password) problem_ = "the password's file " + text + " can't be read";
      if (password) out_.page_password = password->substr(0, password->find_last_not_of("\r\n ") + 1);
      const size_t size = out_.page_password.size();
      const bool is_good = size >= node::kMinPassword && size <= node::kMaxPassword;
      if (password && !is_good) problem_ = "the password of the page has 8 to 64 characters";
      return password && is_good;
    }
    if (key == "trial_s") return Number(value, &out_.trial_s) && out_.trial_s != 0;
    if (key == "signer_file") {
      if (!Text(value, &text)) return false;
      const std::optional<std::string> signer = ReadFile(text);
      if (!signer) problem_ = "the signer's file " + text + " can't be read";
      out_.signer = signer ? HexOf<64>(signer->substr(0, signer->find_last_not_of("\r\n ") + 1)) : std::nullopt;
      if (signer && !out_.signer) problem_ = "the signer's file " + text + " does not hold 128 hex digits";
      return out_.signer.has_value();
    }
    if (key == "serial") {
      if (!value.is_array() || value.size() > out_.serial.size()) return false;
      for (size_t i = 0; i < value.size(); ++i) {
        if (!Text(value[i], &out_.serial[i])) return false;
      }
      return true;
    }
    return false;
  }

  const Json& json_;
  std::string& problem_;
  Options out_;
};

}  // namespace

std::optional<Options> ReadOptions(const std::string& path, std::string* problem) {
  const std::optional<std::string> text = ReadFile(path);
  if (!text) {
    *problem = path + " can't be read";
    return std::nullopt;
  }
  const Json json = Json::parse(*text, nullptr, false);
  if (!json.is_object()) {
    *problem = path + " is no JSON object";
    return std::nullopt;
  }
  std::optional<Options> options = Reader(json, problem).Read();
  if (!options) *problem = path + ": " + *problem;
  return options;
}

}  // namespace vesta::node_linux
