// What the hub must keep of its nodes to talk to them after a restart: the secrets that the operator gave, the key that
// it shares with each joined node, and the wishes (set-points) that a node has not confirmed yet.
//
// One private file of JSON for each network of nodes. Key bytes go in and never out: no error, log or API holds any.
// No session is stored: after a restart each node and the hub agree on a new one, so no nonce is used twice.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "protocols/link/hub_peer.h"

namespace vesta::hub {

inline constexpr size_t kMaxNodeKeysBytes = 32u << 20;  // more than 10,000 nodes need
inline constexpr size_t kMaxNodeSecrets = 1024;
inline constexpr size_t kMaxNodeWishes = 4096;

struct NodeSecret {
  link::Secret secret = {};
  std::string name;
};

// A value that somebody asked for and the node has not answered.
struct NodeWish {
  std::string node;  // id of the node, as the API names it
  uint8_t item = 0;
  int64_t mantissa = 0;
  int8_t exponent = 0;
  UtcUs at_us = 0;
  std::string who;
};

// The radio address that a node of an original network had: it does not pair anew when the hub restarts.
struct LegacyAddress {
  std::string node;
  link::Address address = {};
};

// The configuration that a node was sent last.
struct NodeConfigured {
  std::string node;
  std::string digest;  // hex
  uint32_t version = 0;
};

// What a node said of itself, so that its entities are the same right after a restart. CBOR, as it came.
struct KeptDescription {
  std::string node;
  std::vector<uint8_t> cbor;
};

// A firmware that a node was ordered to load and does not run yet.
struct NodeUpdateOrder {
  std::string node;
  uint32_t target = 0;
  uint32_t version = 0;
  UtcUs at_us = 0;
  bool is_restarting = false;  // it has all of it
};

struct NodeKeys {
  std::vector<NodeSecret> secrets;
  std::vector<link::PeerRecord> peers;
  std::vector<NodeWish> wishes;
  std::vector<LegacyAddress> legacy;
  std::vector<NodeConfigured> configured;
  std::vector<KeptDescription> descriptions;
  std::vector<NodeUpdateOrder> updates;
  UtcUs schedules_run_us = 0;  // what was due up to here was carried out
};

// Entries that can't be read are left out and told in *problems. The error: the file is there and not to be used.
tl::expected<NodeKeys, std::string> ReadNodeKeys(const std::string& path, std::vector<std::string>* problems);
tl::expected<void, std::string> WriteNodeKeys(const std::string& path, const NodeKeys& keys);

// 32 hex digits, dashes, colons and blanks between them allowed. False for anything else and for one digit repeated.
bool ParseNodeSecret(std::string_view text, link::Secret* out);

}  // namespace vesta::hub
