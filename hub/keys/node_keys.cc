#include "hub/keys/node_keys.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <utility>

#include "hub/keys/private_file.h"
#include "model/hex_digit.h"

namespace vesta::hub {
namespace {

using Json = nlohmann::json;

std::string HexOf(std::span<const uint8_t> bytes) {
  std::string text;
  for (const uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

template <size_t n>
bool FromHex(const Json& entry, const char* key, std::array<uint8_t, n>* out) {
  const auto found = entry.find(key);
  if (found == entry.end() || !found->is_string()) return false;
  const std::string& text = found->get_ref<const std::string&>();
  if (text.size() != 2 * n) return false;
  for (size_t i = 0; i < n; ++i) {
    const int high = HexDigitValue(text[2 * i]);
    const int low = HexDigitValue(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    (*out)[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

template <typename Number>
bool NumberOf(const Json& entry, const char* key, Number* out) {
  const auto found = entry.find(key);
  if (found == entry.end() || !found->is_number_integer()) return false;
  const int64_t value = found->get<int64_t>();
  if (!std::in_range<Number>(value)) return false;
  *out = static_cast<Number>(value);
  return true;
}

std::string TextOf(const Json& entry, const char* key) {
  const auto found = entry.find(key);
  return found != entry.end() && found->is_string() ? found->get<std::string>() : "";
}

std::optional<NodeSecret> SecretOf(const Json& entry) {
  NodeSecret secret;
  if (!entry.is_object() || !FromHex(entry, "secret", &secret.secret)) return std::nullopt;
  secret.name = TextOf(entry, "name");
  return secret;
}

std::optional<link::PeerRecord> PeerOf(const Json& entry) {
  link::PeerRecord peer;
  if (!entry.is_object() || !NumberOf(entry, "node", &peer.node) || peer.node == 0) return std::nullopt;
  if (!FromHex(entry, "address", &peer.address) || !FromHex(entry, "key", &peer.pair_key)) return std::nullopt;
  NumberOf(entry, "epoch", &peer.epoch);
  NumberOf(entry, "kept", &peer.kept);
  NumberOf(entry, "command_version", &peer.command_version);
  return peer;
}

std::optional<NodeWish> WishOf(const Json& entry) {
  NodeWish wish;
  if (!entry.is_object() || !NumberOf(entry, "item", &wish.item) || !NumberOf(entry, "mantissa", &wish.mantissa) ||
      !NumberOf(entry, "exponent", &wish.exponent)) {
    return std::nullopt;
  }
  NumberOf(entry, "at_us", &wish.at_us);
  wish.node = TextOf(entry, "node");
  wish.who = TextOf(entry, "who");
  return wish;
}

std::optional<LegacyAddress> LegacyOf(const Json& entry) {
  LegacyAddress legacy;
  if (!entry.is_object() || !FromHex(entry, "address", &legacy.address)) return std::nullopt;
  legacy.node = TextOf(entry, "node");
  return legacy;
}

std::optional<NodeConfigured> ConfiguredOf(const Json& entry) {
  NodeConfigured one;
  if (!entry.is_object() || !NumberOf(entry, "version", &one.version)) return std::nullopt;
  one.node = TextOf(entry, "node");
  one.digest = TextOf(entry, "digest");
  return one;
}

std::optional<KeptDescription> DescriptionOf(const Json& entry) {
  if (!entry.is_object()) return std::nullopt;
  KeptDescription kept;
  kept.node = TextOf(entry, "node");
  const std::string text = TextOf(entry, "cbor");
  if (text.size() % 2 != 0) return std::nullopt;
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = HexDigitValue(text[i]);
    const int low = HexDigitValue(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    kept.cbor.push_back(static_cast<uint8_t>(high << 4 | low));
  }
  return kept;
}

std::optional<NodeUpdateOrder> UpdateOf(const Json& entry) {
  NodeUpdateOrder order;
  if (!entry.is_object() || !NumberOf(entry, "target", &order.target) || !NumberOf(entry, "version", &order.version)) {
    return std::nullopt;
  }
  NumberOf(entry, "at_us", &order.at_us);
  order.node = TextOf(entry, "node");
  order.is_restarting = entry.value("restarting", Json()) == Json(true);
  return order;
}

template <typename Entry, typename ReadOne>
void ReadList(const std::string& path, const Json& root, const char* name, const ReadOne& read_one,
              std::vector<Entry>* out, std::vector<std::string>* problems) {
  const auto list = root.find(name);
  if (list == root.end() || !list->is_array()) return;
  for (size_t i = 0; i < list->size(); ++i) {
    if (auto entry = read_one((*list)[i])) {
      out->push_back(std::move(*entry));
    } else {
      problems->push_back(fmt::format("{}: {}[{}] is not what was written, and left out", path, name, i));
    }
  }
}

}  // namespace

tl::expected<NodeKeys, std::string> ReadNodeKeys(const std::string& path, std::vector<std::string>* problems) {
  NodeKeys keys;
  if (access(path.c_str(), F_OK) != 0) return keys;
  const auto text = ReadPrivateFile(path, kMaxNodeKeysBytes);
  if (!text) return tl::unexpected(text.error());
  const Json root = Json::parse(*text, nullptr, false);
  if (!root.is_object()) return tl::unexpected(fmt::format("{}: this is not a file of node keys", path));
  ReadList(path, root, "secrets", SecretOf, &keys.secrets, problems);
  ReadList(path, root, "peers", PeerOf, &keys.peers, problems);
  ReadList(path, root, "wishes", WishOf, &keys.wishes, problems);
  ReadList(path, root, "legacy", LegacyOf, &keys.legacy, problems);
  ReadList(path, root, "configured", ConfiguredOf, &keys.configured, problems);
  ReadList(path, root, "descriptions", DescriptionOf, &keys.descriptions, problems);
  ReadList(path, root, "updates", UpdateOf, &keys.updates, problems);
  NumberOf(root, "schedules_run_us", &keys.schedules_run_us);
  return keys;
}

tl::expected<void, std::string> WriteNodeKeys(const std::string& path, const NodeKeys& keys) {
  Json root = {{"secrets", Json::array()}, {"peers", Json::array()}, {"wishes", Json::array()}};
  for (const NodeSecret& one : keys.secrets) {
    root["secrets"].push_back({{"secret", HexOf(one.secret)}, {"name", one.name}});
  }
  for (const link::PeerRecord& peer : keys.peers) {
    root["peers"].push_back({{"node", peer.node},
                             {"address", HexOf(peer.address)},
                             {"key", HexOf(peer.pair_key)},
                             {"epoch", peer.epoch},
                             {"kept", peer.kept},
                             {"command_version", peer.command_version}});
  }
  for (const NodeWish& wish : keys.wishes) {
    root["wishes"].push_back({{"node", wish.node},
                              {"item", wish.item},
                              {"mantissa", wish.mantissa},
                              {"exponent", wish.exponent},
                              {"at_us", wish.at_us},
                              {"who", wish.who}});
  }
  for (const LegacyAddress& one : keys.legacy) {
    root["legacy"].push_back({{"node", one.node}, {"address", HexOf(one.address)}});
  }
  for (const NodeConfigured& one : keys.configured) {
    root["configured"].push_back({{"node", one.node}, {"digest", one.digest}, {"version", one.version}});
  }
  for (const KeptDescription& one : keys.descriptions) {
    root["descriptions"].push_back({{"node", one.node}, {"cbor", HexOf(one.cbor)}});
  }
  for (const NodeUpdateOrder& one : keys.updates) {
    root["updates"].push_back({{"node", one.node},
                               {"target", one.target},
                               {"version", one.version},
                               {"at_us", one.at_us},
                               {"restarting", one.is_restarting}});
  }
  root["schedules_run_us"] = keys.schedules_run_us;
  return WritePrivateFile(path, root.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

bool ParseNodeSecret(std::string_view text, link::Secret* out) {
  size_t digits = 0;
  bool all_same = true;
  int first = -1;
  for (const char c : text) {
    if (c == '-' || c == ':' || c == ' ') continue;
    const int value = HexDigitValue(c);
    if (value < 0 || digits >= 2 * out->size()) return false;
    if (first < 0) first = value;
    all_same = all_same && value == first;
    uint8_t& byte = (*out)[digits / 2];
    byte = static_cast<uint8_t>(digits % 2 == 0 ? value << 4 : byte | value);
    ++digits;
  }
  return digits == 2 * out->size() && !all_same;
}

}  // namespace vesta::hub
