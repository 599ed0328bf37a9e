#include "hub/keys/key_desk.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace vesta::hub {
namespace {

bool Before(const StoredKey& a, const StoredKey& b) {
  return std::tuple(a.id.is_network, a.id.address, a.id.network_id) <
         std::tuple(b.id.is_network, b.id.address, b.id.network_id);
}

}  // namespace

KeyProblem JudgeKeyText(std::string_view text, victron::Key* key) {
  const victron::KeyText parsed = victron::ParseKeyText(text);
  const char* code = "";
  switch (parsed.result) {
    case victron::KeyTextResult::kOk:
      *key = parsed.key;
      return {};
    case victron::KeyTextResult::kEmpty:
      code = "empty";
      break;
    case victron::KeyTextResult::kTooShort:
      code = "too_short";
      break;
    case victron::KeyTextResult::kTooLong:
      code = "too_long";
      break;
    case victron::KeyTextResult::kBadCharacter:
      code = "bad_character";
      break;
  }
  std::array<char, 160> words{};
  return {code, std::string(victron::DescribeKeyText(parsed, words))};
}

KeyDesk::KeyDesk(std::string given_path, std::string keys_file)
    : given_path_(std::move(given_path)), keys_file_(std::move(keys_file)) {}

std::vector<std::string> KeyDesk::Load() {
  std::vector<std::string> problems;
  const auto take = [&](const std::string& path, std::vector<StoredKey>* keys) {
    auto file = ReadKeyFile(path);
    if (!file) {
      problems.push_back(file.error());
      return;
    }
    *keys = std::move(file->keys);
    std::move(file->problems.begin(), file->problems.end(), std::back_inserter(problems));
    for (const StoredKey& stored : *keys) {
      if (!AddToRing(stored)) {
        problems.push_back(fmt::format("{}: there is no room for the key of {}", path, FormatKeyId(stored.id)));
      }
    }
  };
  if (!keys_file_.empty()) take(keys_file_, &from_file_);
  if (access(given_path_.c_str(), F_OK) == 0) take(given_path_, &given_);
  return problems;
}

bool KeyDesk::AddToRing(const StoredKey& stored) {
  return stored.id.is_network ? ring_.SetNetwork(stored.id.network_id, stored.key)
                              : ring_.SetKey(stored.id.address, stored.key);
}

const StoredKey* KeyDesk::Find(const std::vector<StoredKey>& keys, const KeyId& id) const {
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const StoredKey& one) { return one.id == id; });
  return found == keys.end() ? nullptr : &*found;
}

std::vector<KeyEntry> KeyDesk::List() const {
  std::vector<StoredKey> all = given_;
  for (const StoredKey& stored : from_file_) {
    if (Find(given_, stored.id) == nullptr) all.push_back(stored);
  }
  std::sort(all.begin(), all.end(), Before);
  std::vector<KeyEntry> entries;
  for (const StoredKey& stored : all) {
    const bool given = Find(given_, stored.id) != nullptr;
    entries.push_back({stored.id, stored.name, given ? KeyOrigin::kGiven : KeyOrigin::kFile});
  }
  return entries;
}

tl::expected<void, KeyProblem> KeyDesk::Put(std::string_view id, std::string_view key, std::string_view name) {
  const auto parsed = ParseKeyId(id);
  if (!parsed) return tl::unexpected(KeyProblem{"bad_id", parsed.error()});
  StoredKey stored{*parsed, {}, std::string(name)};
  if (KeyProblem problem = JudgeKeyText(key, &stored.key); !problem.code.empty()) return tl::unexpected(problem);
  if (name.size() > kMaxKeyNameBytes) {
    return tl::unexpected(KeyProblem{"bad_name", fmt::format("a name has at most {} bytes", kMaxKeyNameBytes)});
  }
  const bool is_new = Find(given_, stored.id) == nullptr && Find(from_file_, stored.id) == nullptr;
  const bool full =
      stored.id.is_network ? ring_.networks().size() >= victron::kMaxNetworks : ring_.key_count() >= victron::kMaxKeys;
  if (is_new && full) {
    return tl::unexpected(KeyProblem{
        "full", fmt::format("there is room for {} devices and {} networks", victron::kMaxKeys, victron::kMaxNetworks)});
  }
  std::vector<StoredKey> next;
  std::copy_if(given_.begin(), given_.end(), std::back_inserter(next),
               [&](const StoredKey& one) { return one.id != stored.id; });
  next.push_back(stored);
  if (const auto written = WriteKeyFile(given_path_, next); !written) {
    return tl::unexpected(KeyProblem{"not_stored", written.error()});
  }
  given_ = std::move(next);
  AddToRing(stored);
  if (listener_) listener_(stored.id.is_network ? 0 : stored.id.address);
  return {};
}

tl::expected<void, KeyProblem> KeyDesk::Remove(std::string_view id) {
  const auto parsed = ParseKeyId(id);
  if (!parsed) return tl::unexpected(KeyProblem{"bad_id", parsed.error()});
  const StoredKey* from_file = Find(from_file_, *parsed);
  if (Find(given_, *parsed) == nullptr) {
    if (from_file == nullptr) return tl::unexpected(KeyProblem{"no_key", "there is no such key"});
    return tl::unexpected(KeyProblem{"in_file", "this key stands in the configured keys_file: remove it there"});
  }
  std::vector<StoredKey> next;
  std::copy_if(given_.begin(), given_.end(), std::back_inserter(next),
               [&](const StoredKey& one) { return one.id != *parsed; });
  if (const auto written = WriteKeyFile(given_path_, next); !written) {
    return tl::unexpected(KeyProblem{"not_stored", written.error()});
  }
  given_ = std::move(next);
  if (from_file != nullptr) {
    AddToRing(*from_file);
  } else if (parsed->is_network) {
    ring_.RemoveNetwork(parsed->network_id);
  } else {
    ring_.RemoveKey(parsed->address);
  }
  return {};
}

}  // namespace vesta::hub
