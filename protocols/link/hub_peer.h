// What the hub remembers of a node, and what it stores of it durably.
#pragma once

#include <array>
#include <cstdint>

#include "model/time.h"
#include "protocols/link/seal.h"

namespace vesta::link {

// Survives a restart of the hub. A secret: never in a log. `kept` must be stored together with the readings that it
// speaks of: then no report is lost and none comes twice, whenever the hub stops.
struct PeerRecord {
  uint16_t node = 0;
  Address address = {};
  Key pair_key = {};
  uint32_t epoch = 0;
  uint32_t kept = 0;
  uint32_t command_version = 0;
};

struct MailboxSlot {
  uint32_t version = 0;  // 0 = free
  int64_t sent_us = 0;   // 0 = not yet
  uint8_t index = 0;
  ValueType type = ValueType::kNone;  // never bytes
  float real = 0;
  int64_t integer = 0;
};
// Writable things of a node: twelve set-points of a thermostat board and some system commands.
inline constexpr size_t kMailboxSlots = 16;

struct Peer {
  bool is_used = false;
  bool is_sleepy = false;
  bool wants_description = false;
  uint8_t describe_chunk = 0;
  uint8_t blob_offers = 0;  // a bit for each blob of the hub
  uint8_t gateway = 0;
  uint8_t tries = 0;  // of a waiting message since the node was last heard
  int8_t rssi_dbm = 0;
  uint8_t channel = 0;
  Address address = {};
  Address hub_address = {};  // that the node sends to
  Key pair_key = {};
  SessionKeys session;
  SessionKeys candidate;  // offered to the node; takes over with the first genuine frame under it
  Random16 candidate_node_random = {};
  Random16 candidate_hub_random = {};
  NodeInfo info;
  NodeInfo candidate_info;
  uint32_t epoch = 0;
  ReplayWindow reports;
  uint32_t kept = 0;
  uint32_t command_version = 0;
  int64_t heard_us = INT64_MIN / 2;
  int64_t down_us = INT64_MIN / 2;     // last message for it
  int64_t resumed_us = INT64_MIN / 2;  // last answer to a resume
  int64_t wanted_us = INT64_MIN / 2;   // last word on an unknown session
  uint32_t frames = 0;
  uint32_t repeated_reports = 0;
  uint32_t bad_tags = 0;
  std::array<MailboxSlot, kMailboxSlots> mailbox = {};

  size_t CommandCount() const {
    size_t count = 0;
    for (const MailboxSlot& s : mailbox) count += s.version != 0 ? 1 : 0;
    return count;
  }
  size_t Waiting() const {
    size_t count = CommandCount() + (wants_description ? 1 : 0);
    for (unsigned bit = 0; bit < 8; ++bit) count += blob_offers >> bit & 1;
    return count;
  }
};
static_assert(sizeof(Peer) <= 1024, "10,000 nodes shall fit into 10 MB");

}  // namespace vesta::link
