// The node's end of the node link: joining, sessions, the sending of its outbox, commands, images.
//
// No I/O, no clock, no heap, no threads: frames and times come in, frames and events go out through NodeEvents, from
// inside the call. Which channel to try and when is the caller's: it calls Probe for each channel of its search. Times
// are microseconds of one monotonic clock that runs through sleep. Format and reasons: docs/formats/link.md.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "model/session.h"
#include "protocols/link/blob.h"
#include "protocols/link/outbox.h"
#include "protocols/link/random_source.h"
#include "protocols/link/seal.h"

namespace vesta::link {

struct NodeOptions {
  Address address = {};
  uint16_t network = 0;  // 0 = whichever hub takes it
  bool has_secret = false;
  Secret secret = {};
  // Whether an operator with a code may let this node in. A node with a secret should say no: the secret proves the
  // hub.
  bool joins_by_window = true;
  bool is_sleepy = false;
  BlobLimits blobs;
  NodeInfo info;  // without channel and epoch
};

inline constexpr size_t kNodeItems = 16;  // writable items, system items included

// The last command for an item and what came of it, so that a repeated command is answered and not applied.
struct AppliedItem {
  uint32_t version = 0;  // 0 = free
  uint8_t index = 0;
  Outcome outcome = Outcome::kApplied;
  ValueType type = ValueType::kNone;
  float real = 0;
  int64_t integer = 0;
};

// What a node keeps. The session part may only be kept where it is always the newest (RTC memory, written before each
// sleep): an old copy would seal two frames with one nonce. ForFlash() leaves it out.
struct NodeRecord {
  bool is_joined = false;
  uint8_t channel = 0;
  uint16_t network = 0;
  uint16_t node = 0;
  Address hub_address = {};
  Key pair_key = {};
  uint32_t epoch = 0;
  SessionKeys session;
  int64_t session_since_us = 0;
  std::array<AppliedItem, kNodeItems> items = {};
  BlobProgress blob;

  NodeRecord ForFlash() const {
    NodeRecord copy = *this;
    copy.session = {};
    return copy;
  }
};

class NodeEvents : public BlobStore {
 public:
  virtual void Send(const Address& to, Bytes frame) = 0;
  virtual void OnChannel(uint8_t channel) = 0;        // the hub's: tune to it
  virtual void OnSave(const NodeRecord& record) = 0;  // joined, left, a command was applied: to be kept
  virtual void OnLinked() = 0;
  virtual void OnLinkLost() = 0;  // search
  virtual void OnRefused(Refusal reason) = 0;
  virtual void OnCode(uint32_t code) = 0;
  // UTC now; round_trip_us bounds the error.
  virtual void OnTime(UtcUs utc_us, bool is_synchronised, int64_t round_trip_us) = 0;
  // Applies a value; the item may be changed to what now holds.
  virtual Outcome OnCommand(Item* item) = 0;
  // A piece of the description; returns how many bytes there are altogether.
  virtual size_t ReadDescription(size_t offset, std::span<uint8_t> out) = 0;
};

struct NodeCounters {
  uint32_t sent = 0;
  uint32_t received = 0;
  uint32_t bad_tags = 0;
  uint32_t replays = 0;
  uint32_t not_ours = 0;
  uint32_t refused_reports = 0;
  uint32_t link_losses = 0;
};

class Node {
 public:
  enum class State : uint8_t { kAlone, kJoining, kWaiting, kUnlinked, kLinked };

  Node(const NodeOptions& options, std::span<uint8_t> outbox_memory, RandomSource& random);
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  void Restore(const NodeRecord& record);
  const NodeRecord& record() const { return record_; }

  // Queues a report; false when it is empty or too long.
  bool Report(Bytes items, int64_t measured_us) { return outbox_.Add(items, measured_us); }
  // While held, reports stay in the outbox and the node only asks: until it knows what their times mean.
  void HoldReports(bool is_held) { is_held_ = is_held; }
  // Asks the hub for messages, without a report. Happens by itself while reports wait for the word that they are safe.
  void Poll() { wants_poll_ = true; }

  // Looks for a hub on the channel that the radio is tuned to.
  void Probe(uint8_t channel, int64_t now_us, NodeEvents& events);
  void Receive(const Address& from, const Address& to, Bytes frame, int64_t now_us, NodeEvents& events);
  void Tick(int64_t now_us, NodeEvents& events);
  int64_t next_deadline_us() const;
  void Leave(NodeEvents& events);

  State state() const { return state_; }
  const Outbox& outbox() const { return outbox_; }
  Outbox& outbox() { return outbox_; }
  // Of the hub, as it was heard last; 0 = never.
  int64_t heard_us() const { return heard_us_; }
  const NodeCounters& counters() const { return counters_; }
  bool MaySleep(int64_t now_us) const;

 private:
  enum class Sent : uint8_t { kNothing, kData, kResult, kDescription, kBlobStatus, kPoll };
  struct Flight {
    Sent what = Sent::kNothing;
    uint32_t counter = 0;
    uint32_t key = 0;  // report number, item
    int64_t at_us = 0;
  };
  struct WaitingResult {
    bool is_used = false;
    uint8_t index = 0;
    uint32_t version = 0;
    Outcome outcome = Outcome::kApplied;
  };

  void SendHello(int64_t now_us, NodeEvents& events);
  void SendResume(const Address& to, int64_t now_us, NodeEvents& events);
  void SendJoin(int64_t now_us, NodeEvents& events);
  void ReceiveOffer(const Address& from, const Header& header, Bytes body, int64_t now_us, NodeEvents& events);
  void ReceiveAccept(const Address& from, const Header& header, Bytes frame, int64_t now_us, NodeEvents& events);
  void ReceiveResumed(const Address& from, const Address& to, const Header& header, Bytes frame, int64_t now_us,
                      NodeEvents& events);
  void ReceiveResumeWanted(const Address& from, const Address& to, const Header& header, Bytes frame, int64_t now_us,
                           NodeEvents& events);
  void ReceiveSession(const Address& from, const Address& to, const Header& header, Bytes frame, int64_t now_us,
                      NodeEvents& events);
  void HandleAck(const Ack& ack, int64_t now_us, NodeEvents& events);
  void HandleCommand(const Command& command, NodeEvents& events);
  void HandleBlob(const BlobManifest& manifest, int64_t now_us, NodeEvents& events);
  void FinishBlob(const BlobManifest& manifest, BlobResult result, NodeEvents& events);

  bool HasUplink() const;
  void Pump(int64_t now_us, NodeEvents& events);
  bool SendSealed(Type type, Bytes body, Sent what, uint32_t key, int64_t now_us, NodeEvents& events);
  void SendBlobRequest(int64_t now_us, NodeEvents& events);
  void BeginSession(int64_t now_us, NodeEvents& events);
  void LoseLink(NodeEvents& events);
  void AbandonJoin(int64_t now_us);
  NodeInfo InfoNow() const;

  NodeOptions options_;
  RandomSource& random_;
  Outbox outbox_;
  NodeRecord record_;
  BlobReceiver blob_;
  State state_ = State::kAlone;
  NodeCounters counters_;
  uint8_t channel_ = 0;

  // Joining. The key pair lasts for one search; it is new after each join message.
  bool has_join_key_ = false;
  bool is_tentative_ = false;  // joined, not yet acknowledged by the hub
  Key join_private_ = {};
  JoinHead join_head_;
  Commit commit_ = {};
  uint16_t join_network_ = 0;
  Address join_hub_ = {};
  JoinKeys join_keys_;
  Address failed_hub_ = {};  // gave an offer and then no answer: others first for a while
  int64_t failed_until_us_ = INT64_MIN;
  uint8_t unknown_hints_ = 0;
  int64_t join_until_us_ = 0;
  NodeRecord before_;  // the pairing that a tentative one replaces

  // Resuming.
  bool is_resuming_ = false;
  Random16 resume_random_ = {};

  // Sending.
  int64_t retry_at_us_ = kNoDeadline;
  uint8_t tries_ = 0;
  bool is_held_ = false;
  bool wants_poll_ = false;
  bool in_flight_ = false;
  std::array<Flight, 8> flights_ = {};
  std::array<std::array<uint8_t, kTagSize>, 4> tags_ = {};
  uint8_t next_flight_ = 0;
  uint8_t next_tag_ = 0;
  std::array<WaitingResult, kNodeItems> results_ = {};
  bool has_chunk_ = false;
  uint8_t chunk_ = 0;
  bool has_blob_status_ = false;
  BlobStatus blob_status_;
  int64_t blob_at_us_ = kNoDeadline;
  uint8_t blob_tries_ = 0;
  uint8_t blob_due_ = 0;  // blocks asked for and not yet here
  uint8_t waiting_ = 0;
  int64_t heard_us_ = 0;
  int64_t listen_until_us_ = 0;
};
static_assert(sizeof(Node) <= 4096, "a quarter of a node's memory");

}  // namespace vesta::link
