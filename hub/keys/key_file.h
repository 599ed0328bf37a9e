// Keys of devices and networks in a JSON file: docs/keys.md has the form.
//
// A file that other users may read is refused: the keys in it would be everybody's. No error text holds any part of a
// key. Writing is atomic and durable: the file is the old one or the new one, and it is on the disk when the call
// returns.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "protocols/victron/keys.h"

namespace vesta::hub {

// Larger than any file with all the keys that a hub takes.
inline constexpr size_t kMaxKeyFileBytes = 256 * 1024;
// Longest name that a user may give a key.
inline constexpr size_t kMaxKeyNameBytes = 64;

// Whose key it is: a device's Instant Readout, by its radio address, or a VE.Smart network's.
struct KeyId {
  bool is_network = false;
  uint64_t address = 0;  // of a device
  uint16_t network_id = 0;

  friend bool operator==(const KeyId&, const KeyId&) = default;
};

// "c0ffee112233", "network-a1b2".
std::string FormatKeyId(const KeyId& id);
// The same, and addresses with colons or dashes. The error is for people.
tl::expected<KeyId, std::string> ParseKeyId(std::string_view text);

struct StoredKey {
  KeyId id;
  victron::Key key{};
  std::string name;  // given by the user, or ""
};

struct KeyFile {
  std::vector<StoredKey> keys;
  std::vector<std::string> problems;  // entries that were left out, and why
};

// A file that is not there is an error, too: who may do without looks first.
tl::expected<KeyFile, std::string> ReadKeyFile(const std::string& path);
tl::expected<void, std::string> WriteKeyFile(const std::string& path, const std::vector<StoredKey>& keys);

}  // namespace vesta::hub
