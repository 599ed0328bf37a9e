#include "hub/config/rules.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "hub/config/network.h"

namespace vesta::hub {

// The URL is shown in health and in the log, so it must not hold a password.
void Rules::CheckStorage(const JsonNode& node, const StorageConfig& storage) {
  const std::string& url = storage.url;
  const size_t scheme = url.find("://");
  if (scheme == std::string::npos) return;
  // What stands before the @; a password may hold a slash or an @ itself.
  const size_t at = url.rfind('@');
  const bool is_in_user =
      at != std::string::npos && url.substr(scheme + 3, at - scheme - 3).find(':') != std::string::npos;
  if (is_in_user || url.find("password=") != std::string::npos) {
    Report(node, "storage", "url", "it holds a password", "a URL without one, and password_file beside it");
  }
}

void Rules::CheckHttp(const JsonNode& node, const HttpConfig& http) {
  const std::string path = "http";
  const std::optional<AddressBytes> address = ParseAddress(http.address);
  if (!address) {
    Report(node, path, "address", "this is no IP address", "an IP address such as 127.0.0.1, ::1 or 0.0.0.0");
  } else if (http.enabled && !IsLoopback(*address) && http.password_hash.empty() && http.tokens.empty()) {
    Report(node, path, "address",
           fmt::format("{} can be reached from other computers, but nobody has to log in", http.address),
           "127.0.0.1, or a password_hash (made by `vesta passwd`) or a token beside it");
  }
  CheckFilePair(node, path, http.cert_file, http.key_file);
  const JsonNode* tokens = node.Find("tokens");
  for (size_t i = 0; i < http.tokens.size() && tokens != nullptr; ++i) {
    CheckUnique(tokens->items[i], fmt::format("http.tokens[{}]", i), "name", http.tokens[i].name, "token");
  }
}

void Rules::CheckSource(const JsonNode& node, const std::string& path, const SourceConfig& source) {
  CheckUnique(node, path, "name", source.name, "source");
  if (source.type == "serial") CheckUnique(node, path, "port", source.port, "serial port");
  if (source.type == "slcan") CheckUnique(node, path, "port", source.port, "serial port");
  if (source.type == "can") CheckUnique(node, path, "interface", source.can_interface, "CAN interface");
  if (source.type == "tcp-listen") CheckListener(node, path, source, "TCP");
  if (source.type == "udp" || source.type == "can-udp") CheckListener(node, path, source, "UDP");
  if (source.type == "nodes") CheckAir(node, path, source);
  CheckProtocol(node, path, source);
  if (const JsonNode* vedirect = node.Find("vedirect"); vedirect != nullptr && vedirect->Find("select") != nullptr) {
    CheckSelect(*vedirect->Find("select"), path + ".vedirect.select", source);
  }
  if (source.type == "mqtt") {
    CheckTopics(node, path, source);
    CheckBroker(node, path, source.mqtt);
    if (source.form == "legacy" && source.protocol != "medibus") {
      Report(node, path, "form", "messages of this form hold MEDIBUS frames", "\"protocol\": \"medibus\", or raw");
    }
  }
}

void Rules::CheckAir(const JsonNode& node, const std::string& path, const SourceConfig& source) {
  if (source.air == "udp") return CheckListener(node, path, source, "UDP", "air_port");
  const bool is_serial = source.air == "serial";
  const char* key = is_serial ? "radio_port" : "radio_interface";
  const std::string& value = is_serial ? source.radio_port : source.radio_interface;
  if (value.empty()) {
    Report(node, path, key, "where the radio is stands nowhere",
           is_serial ? "a serial port such as /dev/ttyUSB0" : "a monitor interface such as mon0");
  } else {
    CheckUnique(node, path, key, value, is_serial ? "serial port" : "radio interface");
  }
  if (!is_serial && source.channel == 0) {
    Report(node, path, "channel", "a monitor interface stands on no channel of its own", "1 to 14, that of the nodes");
  }
}

void Rules::CheckTopics(const JsonNode& node, const std::string& path, const SourceConfig& source) {
  if (source.topics.empty()) Report(node, path, "topics", "there is no topic", "at least one, such as ward/+/frames");
  for (size_t i = 0; i < source.topics.size(); ++i) {
    const std::string& topic = source.topics[i];
    bool good = topic.find('\0') == std::string::npos;
    for (size_t at = topic.find_first_of("+#"); at != std::string::npos; at = topic.find_first_of("+#", at + 1)) {
      const bool begins = at == 0 || topic[at - 1] == '/';
      const bool ends = at + 1 == topic.size() || (topic[at] == '+' && topic[at + 1] == '/');
      good = good && begins && ends;
    }
    if (good) continue;
    Report(node.Find("topics")->items[i], fmt::format("{}.topics[{}]", path, i), "", "this is no topic filter",
           "+ and # stand for whole levels, # only at the end: ward/+/frames, ward/#");
  }
}

// What a transport carries: bytes in chunks of any size, adverts or CAN frames. A protocol makes sense on one of them.
void Rules::CheckProtocol(const JsonNode& node, const std::string& path, const SourceConfig& source) {
  enum class Carries { kStream, kAdverts, kCan };
  const auto of_type = [](const std::string& type) {
    if (type == "bluetooth" || type == "udp") return Carries::kAdverts;
    if (type == "slcan" || type == "can" || type == "can-udp") return Carries::kCan;
    return Carries::kStream;
  };
  const auto of_protocol = [](const std::string& protocol) {
    if (protocol == "victron") return Carries::kAdverts;
    return protocol == "masterbus" ? Carries::kCan : Carries::kStream;
  };
  constexpr const char* kTypes[] = {"the type serial, tcp, tcp-listen or capture", "the type bluetooth, udp or capture",
                                    "the type slcan, can, can-udp or capture"};
  const Carries wanted = of_protocol(source.protocol);
  if (source.type != "capture" && !source.protocol.empty() && of_type(source.type) != wanted) {
    Report(node, path, "protocol",
           fmt::format("{} does not come over a source of type {}", source.protocol, source.type),
           kTypes[static_cast<size_t>(wanted)]);
  }
  if (source.protocol != "masterbus" || !source.masterbus.read) return;
  if (source.type != "slcan" && source.type != "can") {
    Report(node, path, "masterbus", "nothing can be asked through this type of source", "\"read\": false");
  } else if (source.listen_only) {
    Report(node, path, "masterbus", "the adapter only listens, so nothing can be asked",
           "\"listen_only\": false, or \"read\": false");
  }
}

void Rules::CheckSelect(const JsonNode& node, const std::string& path, const SourceConfig& source) {
  const VedirectSelectConfig& select = source.vedirect.select;
  if (select.chip.empty()) {
    if (!select.lines.empty() || !select.channels.empty()) {
      Report(node, path, "", "lines or channels without a chip", "\"chip\" beside them, for instance /dev/gpiochip0");
    }
    return;
  }
  if (source.type != "serial" || source.protocol != "vedirect") {
    Report(node, path, "chip", "a multiplexer hangs on a serial port that speaks vedirect", "a source of type serial");
    return;
  }
  if (select.lines.empty()) Report(node, path, "lines", "no lines to choose a channel with", "1 to 4 line numbers");
  if (select.channels.empty()) Report(node, path, "channels", "no channel has a plug", "1 to 16 channel numbers");
  for (size_t i = 0; i < select.channels.size(); ++i) {
    const uint32_t channel = select.channels[i];
    const bool twice = std::count(select.channels.begin(), select.channels.end(), channel) > 1;
    if (channel >> select.lines.size() == 0 && !twice) continue;
    Report(node, path, "channels",
           twice ? fmt::format("channel {} stands there twice", channel)
                 : fmt::format("channel {} cannot be chosen with {} lines", channel, select.lines.size()),
           "each once, less than 2 to the number of lines");
    return;
  }
}

void Rules::CheckListener(const JsonNode& node, const std::string& path, const SourceConfig& source,
                          const char* transport, const char* port_key) {
  CheckUnique(node, path, port_key, fmt::format("{} {} port {}", transport, source.listen, source.tcp_port),
              "listener");
  for (size_t i = 0; i < source.allow.size(); ++i) {
    const std::optional<Network> network = ParseNetwork(source.allow[i]);
    const JsonNode& list = *node.Find("allow");
    const std::string item_path = fmt::format("{}.allow[{}]", path, i);
    if (!network) {
      Report(list.items[i], item_path, "", "this is neither an IP address nor a network",
             "for instance 192.168.1.20 or 192.168.1.0/24, no bits set behind the prefix");
    } else if (network->prefix_bits % 96 == 0) {
      Report(list.items[i], item_path, "", "this lets every computer connect", "the addresses of the senders", false);
    }
  }
  const std::optional<AddressBytes> address = ParseAddress(source.listen);
  if (!address) {
    Report(node, path, "listen", "this is no IP address", "an IP address such as 127.0.0.1, ::1 or 0.0.0.0");
    return;
  }
  if (IsLoopback(*address)) return;
  if (!source.exposed) {
    Report(node, path, "listen",
           fmt::format("{} can be reached from other computers, and the sender does not log in", source.listen),
           "127.0.0.1, or \"exposed\": true and the senders in \"allow\"");
  } else if (source.allow.empty()) {
    Report(node, path, "exposed", "the list of senders that may connect is missing",
           "\"allow\" with addresses or networks, for instance [\"192.168.1.0/24\"]");
  }
}

void Rules::CheckOutput(const JsonNode& node, const std::string& path, const OutputConfig& output) {
  CheckUnique(node, path, "name", output.name, "output");
  CheckBroker(node, path, output.mqtt);
}

void Rules::CheckBroker(const JsonNode& node, const std::string& path, const MqttConfig& mqtt) {
  CheckFilePair(node, path, mqtt.cert_file, mqtt.key_file);
  CheckReadable(node, path, "ca_file", mqtt.ca_file);
  const bool tls_file = !mqtt.ca_file.empty() || !mqtt.cert_file.empty();
  if (tls_file && !mqtt.tls) {
    Report(node, path, mqtt.ca_file.empty() ? "cert_file" : "ca_file",
           "certificates are given, but the connection is not encrypted", "\"tls\": true beside them");
  }
  if (!mqtt.password.empty() && mqtt.username.empty()) {
    Report(node, path, "", "a password without a username", "\"username\" beside it");
  }
}

void Rules::CheckMerged(const JsonNode& node, const std::string& path, const MergedConfig& merged) {
  CheckUnique(node, path, "key", merged.key, "merged device");
  const JsonNode* const members = node.Find("members");
  if (merged.members.size() < 2) {
    Report(node, path, "members", "there is nothing to merge", "at least two keys of devices");
  }
  for (size_t i = 0; i < merged.members.size() && members != nullptr; ++i) {
    CheckUnique(members->items[i], fmt::format("{}.members[{}]", path, i), "", merged.members[i], "member");
  }
  const JsonNode* const fields = node.Find("fields");
  for (size_t i = 0; i < merged.fields.size() && fields != nullptr; ++i) {
    if (merged.fields[i].from.size() == merged.members.size()) continue;
    Report(fields->items[i], fmt::format("{}.fields[{}]", path, i), "from",
           fmt::format("{} names for {} members", merged.fields[i].from.size(), merged.members.size()),
           "one for each member, an empty text where it has none");
  }
}

void Rules::CheckDevice(const JsonNode& node, const std::string& path, const DeviceConfig& device) {
  CheckUnique(node, path, "key", device.key, "device");
}

void Rules::CheckFilePair(const JsonNode& node, const std::string& path, const std::string& cert_file,
                          const std::string& key_file) {
  if (cert_file.empty() != key_file.empty()) {
    const char* given = cert_file.empty() ? "key_file" : "cert_file";
    const char* missing = cert_file.empty() ? "cert_file" : "key_file";
    Report(node, path, given, fmt::format("\"{}\" is missing beside this", missing), "both or none");
    return;
  }
  CheckReadable(node, path, "cert_file", cert_file);
  CheckReadable(node, path, "key_file", key_file);
}

// A warning only: a file may appear later, and who uses it says so again.
void Rules::CheckReadable(const JsonNode& node, const std::string& path, const std::string& key,
                          const std::string& file) {
  if (file.empty() || access(file.c_str(), R_OK) == 0) return;
  Report(node, path, key, fmt::format("{}: {}", file, std::strerror(errno)), "a file that the hub may read", false);
}

void Rules::CheckUnique(const JsonNode& node, const std::string& path, const std::string& key, const std::string& value,
                        const char* group) {
  const JsonNode* at = node.Find(key);
  const auto [first, is_new] = lines_.emplace(fmt::format("{} {}", group, value), at != nullptr ? at->line : node.line);
  if (is_new) return;
  Report(node, path, key, fmt::format("the {} \"{}\" is used twice, first in line {}", group, value, first->second),
         "each once");
}

void Rules::Report(const JsonNode& object, const std::string& path, const std::string& key, std::string what,
                   std::string allowed, bool fatal) {
  const JsonNode* at = key.empty() ? nullptr : object.Find(key);
  if (at == nullptr || at->line == 0) at = &object;  // the value is a default
  ConfigProblem problem;
  problem.line = at->line;
  problem.column = at->column;
  problem.path = key.empty() ? path : path + "." + key;
  problem.what = std::move(what);
  problem.allowed = std::move(allowed);
  problem.fatal_for_part = fatal;
  problems_->Add(std::move(problem));
}

}  // namespace vesta::hub
