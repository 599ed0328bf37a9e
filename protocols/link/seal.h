// Sealing of link frames: nonce and authenticated data, the window against replay, and the keys of joining and
// sessions.
//
// Nonce: direction (0 up to the hub, 1 down), three zeros, the header's session and counter. Authenticated: the header,
// the sender's and the receiver's radio address, and what stands clear in front of the sealed part. One key seals each
// pair of session and counter once: in a session the counter rises; handshake messages carry 64 random bits there.
#pragma once

#include <cstdint>

#include "protocols/link/wire.h"

namespace vesta::link {

enum class Direction : uint8_t { kUp = 0, kDown = 1 };

// Which counters came already: rising numbers with a window of 64 for those that overtake one another. 0 never passes.
class ReplayWindow {
 public:
  bool IsNew(uint32_t counter) const;
  void Mark(uint32_t counter);  // only after the frame proved to be genuine
  uint32_t highest() const { return highest_; }
  uint64_t seen() const { return seen_; }
  void Set(uint32_t highest, uint64_t seen) {
    highest_ = highest;
    seen_ = seen;
  }

 private:
  static constexpr uint32_t kWidth = 64;
  uint32_t highest_ = 0;
  uint64_t seen_ = 0;  // bit i: highest - i
};

struct SessionKeys {
  Key key = {};
  uint32_t id = 0;  // 0 = no session
  uint32_t sent = 0;
  ReplayWindow received;

  // The next counter; 0 when the session is used up.
  uint32_t NextCounter() { return id == 0 || sent + 1 >= kMaxCounter ? 0 : ++sent; }
};

struct Addresses {
  Address sender = {};
  Address receiver = {};
};

using FrameBuffer = std::array<uint8_t, kMaxFrame>;

// Builds a whole frame; returns its size, 0 when the body is too long. `clear` stands in front of the sealed body.
size_t SealFrame(const Header& header, Direction direction, const Key& key, const Addresses& addresses, Bytes clear,
                 Bytes body, FrameBuffer* out);
size_t ClearFrame(const Header& header, Bytes body, FrameBuffer* out);

// Opens the body behind `clear_size` bytes of clear text into `scratch`. False when the tag does not fit.
bool OpenFrame(Bytes frame, const Header& header, Direction direction, const Key& key, const Addresses& addresses,
               size_t clear_size, std::span<uint8_t, kMaxBody> scratch, Bytes* body);

inline Bytes TagOf(Bytes frame) { return frame.last(kTagSize); }

// What both sides of a joining know, in the order in which it is hashed.
struct JoinTranscript {
  uint16_t network = 0;
  Address node = {};
  Address hub = {};
  Cookie cookie = {};
  Key node_key = {};
  Key hub_key = {};
  Random16 node_random = {};
};

struct JoinKeys {
  crypto::Digest root = {};
  Key join = {};      // seals the node's info and the hub's answer
  Key pair = {};      // kept by both from now on
  uint32_t code = 0;  // six digits for people to compare

  Key SessionKey(uint32_t session) const;
};

Commit CommitOf(const Key& node_key, const Random16& node_random);
// Tells which secret a node holds without telling the secret. Never 0.
uint32_t SecretIdOf(const Secret& secret);
JoinKeys DeriveJoinKeys(const JoinTranscript& transcript, const Key& shared, const Secret& secret);

Key ResumeKey(const Key& pair);
Key ResumedSessionKey(const Key& pair, const Random16& node_random, const Random16& hub_random, uint32_t session);

// What a firmware signature covers.
crypto::Digest ManifestDigest(const BlobManifest& manifest);

}  // namespace vesta::link
