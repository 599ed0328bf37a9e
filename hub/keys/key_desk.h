// All keys that the hub has: those of the configured file and those given on the page or by command, in one ring that
// the sessions look into.
//
// What is given here is kept in a file of its own in the data folder. A key that stands in both is the given one. Key
// bytes go in and never out. Main thread only; Put and Remove wait for the disk, which is rare and short.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "hub/keys/key_file.h"
#include "protocols/victron/keys.h"

namespace vesta::hub {

enum class KeyOrigin : uint8_t { kGiven = 0, kFile = 1 };

struct KeyEntry {
  KeyId id;
  std::string name;
  KeyOrigin origin = KeyOrigin::kGiven;
};

struct KeyProblem {
  std::string code;  // stable word: "bad_id", "too_short", "full", "in_file", "not_stored", ...
  std::string text;  // for people, without any part of the key
};

class KeyDesk {
 public:
  // given_path: in the data folder. keys_file: as configured, "" = none.
  KeyDesk(std::string given_path, std::string keys_file);

  // Reads both files; what is wrong with them, in words for people.
  std::vector<std::string> Load();

  const victron::KeyRing& ring() const { return ring_; }
  std::vector<KeyEntry> List() const;  // devices by address, then networks

  // The same key again is fine, and still tells the listener.
  tl::expected<void, KeyProblem> Put(std::string_view id, std::string_view key, std::string_view name);
  tl::expected<void, KeyProblem> Remove(std::string_view id);

  // Called when a key came: with the device's address, 0 for a network's.
  void OnKey(std::function<void(uint64_t sender)> listener) { listener_ = std::move(listener); }

 private:
  bool AddToRing(const StoredKey& stored);
  const StoredKey* Find(const std::vector<StoredKey>& keys, const KeyId& id) const;

  const std::string given_path_;
  const std::string keys_file_;
  std::vector<StoredKey> given_;
  std::vector<StoredKey> from_file_;
  victron::KeyRing ring_;
  std::function<void(uint64_t)> listener_;
};

// What is wrong with the text of a key; code "" when nothing is.
KeyProblem JudgeKeyText(std::string_view text, victron::Key* key);

}  // namespace vesta::hub
