#include "hub/keys/key_file.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "hub/keys/private_file.h"

namespace vesta::hub {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kNetworkPrefix = "network-";

std::string KeyText(const victron::Key& key) {
  std::string text;
  for (const uint8_t byte : key) text += fmt::format("{:02x}", byte);
  return text;
}

const std::string* FindText(const Json& entry, const char* key) {
  const auto found = entry.find(key);
  return found != entry.end() && found->is_string() ? found->get_ptr<const std::string*>() : nullptr;
}

// What is wrong with an entry, "" when nothing is.
std::string ReadEntry(const Json& entry, bool is_network, StoredKey* stored) {
  const char* id_key = is_network ? "id" : "address";
  if (!entry.is_object()) return "this is no object";
  const std::string* id = FindText(entry, id_key);
  if (id == nullptr) return fmt::format("\"{}\" is missing", id_key);
  stored->id.is_network = is_network;
  if (is_network && !victron::ParseNetworkId(*id, &stored->id.network_id)) return "the id is not 4 hex digits";
  if (!is_network && !victron::ParseAddress(*id, &stored->id.address)) return "the address is not 12 hex digits";
  const std::string* key = FindText(entry, "key");
  if (key == nullptr) return "\"key\" is missing";
  const victron::KeyText parsed = victron::ParseKeyText(*key);
  if (parsed.result != victron::KeyTextResult::kOk) {
    std::array<char, 160> words{};
    return std::string(victron::DescribeKeyText(parsed, words));
  }
  stored->key = parsed.key;
  if (const std::string* name = FindText(entry, "name")) stored->name = name->substr(0, kMaxKeyNameBytes);
  return "";
}

void ReadList(const std::string& path, const Json& root, const char* list, bool is_network, KeyFile* file) {
  const auto found = root.find(list);
  if (found == root.end()) return;
  if (!found->is_array()) {
    file->problems.push_back(fmt::format("{}: \"{}\" is no list", path, list));
    return;
  }
  for (size_t i = 0; i < found->size(); ++i) {
    StoredKey stored;
    const std::string problem = ReadEntry((*found)[i], is_network, &stored);
    if (problem.empty()) {
      file->keys.push_back(std::move(stored));
    } else {
      file->problems.push_back(fmt::format("{}: {}[{}]: {}", path, list, i, problem));
    }
  }
}

}  // namespace

std::string FormatKeyId(const KeyId& id) {
  if (id.is_network) return fmt::format("{}{:04x}", kNetworkPrefix, id.network_id);
  return fmt::format("{:012x}", id.address);
}

tl::expected<KeyId, std::string> ParseKeyId(std::string_view text) {
  KeyId id;
  if (text.starts_with(kNetworkPrefix)) {
    id.is_network = true;
    if (victron::ParseNetworkId(text.substr(kNetworkPrefix.size()), &id.network_id)) return id;
    return tl::unexpected(std::string("a network is named by its id of 4 hex digits: network-a1b2"));
  }
  if (victron::ParseAddress(text, &id.address)) return id;
  return tl::unexpected(std::string(
      "a device is named by its address of 12 hex digits (c0:ff:ee:11:22:33), a network by network- and its id"));
}

tl::expected<KeyFile, std::string> ReadKeyFile(const std::string& path) {
  const auto text = ReadPrivateFile(path, kMaxKeyFileBytes);
  if (!text) return tl::unexpected(text.error());
  const Json root = Json::parse(*text, nullptr, false);
  if (root.is_discarded() || !root.is_object()) {
    return tl::unexpected(fmt::format("{}: this is no JSON object, see docs/keys.md", path));
  }
  KeyFile file;
  ReadList(path, root, "keys", false, &file);
  ReadList(path, root, "networks", true, &file);
  return file;
}

tl::expected<void, std::string> WriteKeyFile(const std::string& path, const std::vector<StoredKey>& keys) {
  Json root = {{"keys", Json::array()}, {"networks", Json::array()}};
  for (const StoredKey& stored : keys) {
    Json entry = {{"key", KeyText(stored.key)}, {"name", stored.name}};
    if (stored.id.is_network) {
      entry["id"] = fmt::format("{:04x}", stored.id.network_id);
      root["networks"].push_back(std::move(entry));
    } else {
      entry["address"] = fmt::format("{:012x}", stored.id.address);
      root["keys"].push_back(std::move(entry));
    }
  }
  // A name that is no UTF-8 must not keep the key from being stored.
  const std::string text = root.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  return WritePrivateFile(path, text);
}

}  // namespace vesta::hub
