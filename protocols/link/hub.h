// The hub's end of the node link: joining, sessions, reports and their acknowledgement, waiting messages, images.
//
// No I/O, no clock, no threads: frames and times come in, frames and events go out through HubEvents, from inside the
// call. All memory is taken in the constructor, but for what the cipher library takes while a node joins. Nodes are
// numbered 1..max_nodes. Times are `Now`: timers use the monotonic part, the acknowledgement carries UTC. Format and
// reasons: docs/formats/link.md.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "model/session.h"
#include "model/time.h"
#include "protocols/link/hub_peer.h"
#include "protocols/link/limits.h"
#include "protocols/link/random_source.h"
#include "protocols/link/seal.h"

namespace vesta::link {

// A frame as an air delivered it.
struct Heard {
  uint8_t gateway = 0;
  Address from = {};
  Address to = {};
  uint8_t channel = 0;  // the gateway is tuned to; 0 = none
  int8_t rssi_dbm = 0;  // 0 = not known
  Bytes frame;
};

struct JoinRequest {
  Address address = {};
  uint32_t secret_id = 0;
  bool is_authentic = false;  // the info is proven to come from the holder of the agreed key
  const NodeInfo* info = nullptr;
};

struct JoinPolicy {
  // kListed: its address stands in the network's description, so no window has to be open and nobody compares digits.
  // An address proves nothing: only for one that has no pair key yet.
  enum class Rule : uint8_t { kBySecret, kByWindow, kListed, kDeny };
  Rule rule = Rule::kByWindow;
  Secret secret = {};
  uint16_t node = 0;  // number that the network's description gives it; 0 = any
};

struct Report {
  uint32_t epoch = 0;
  uint32_t sequence = 0;
  // When it was measured; kNoTime when the node does not know its age.
  UtcUs time_us = kNoTime;
  bool is_late = false;  // it waited at the node
  Bytes items;
  int8_t rssi_dbm = 0;
  uint8_t channel = 0;
};

class HubEvents {
 public:
  virtual ~HubEvents() = default;
  virtual void Send(uint8_t gateway, const Address& from, const Address& to, Bytes frame) = 0;
  // How to meet a node that wants to join. Called for every hello that passes the limits: must be quick.
  virtual JoinPolicy OnJoinRequest(const JoinRequest& request) = 0;
  virtual void OnRefused(const Address& address, Refusal reason, const NodeInfo& info) = 0;
  // A node without secret waits for ConfirmJoin: the operator compares the six digits with those that the node shows.
  virtual void OnCode(const Address& address, uint32_t code, const NodeInfo& info) = 0;
  // To be stored before it returns.
  virtual void OnJoined(const PeerRecord& record, const NodeInfo& info) = 0;
  virtual void OnSession(uint16_t node, const NodeInfo& info) = 0;
  // False: no room now; the node sends it again.
  virtual bool OnReport(uint16_t node, const Report& report) = 0;
  virtual void OnResult(uint16_t node, const Result& result) = 0;
  virtual void OnDescription(uint16_t node, const Description& description) = 0;
  // Bytes of a blob; returns how many, fewer than asked only at the end.
  virtual size_t ReadBlob(size_t blob, uint32_t offset, std::span<uint8_t> out) = 0;
  // All blocks before this one are written: how far it is.
  virtual void OnBlobRequested(uint16_t /*node*/, const BlobManifest& /*manifest*/, uint32_t /*first_block*/) {}
  virtual void OnBlobStatus(uint16_t node, const BlobStatus& status) = 0;
};

// Why a frame was not taken.
enum class Drop : uint8_t {
  kShort,
  kLong,
  kMagic,
  kVersion,
  kFlags,
  kType,
  kNetwork,
  kDirection,
  kUnknownNode,
  kAddress,
  kSession,
  kReplay,
  kTag,
  kBody,
  kLimited,
  kCookie,
  kRefused,
  kCount,
};
const char* NameOf(Drop drop);

struct HubOptions {
  uint16_t network = 1;
  uint16_t max_nodes = 256;
  // A report counts as safe as soon as OnReport took it; else the caller tells with SetKept.
  bool keeps_at_once = false;
};

inline constexpr size_t kMaxGateways = 8;
inline constexpr size_t kMaxBlobs = 8;  // bits of Peer::blob_offers
inline constexpr size_t kMaxPending = 8;
inline constexpr uint32_t kWindowOffers = 64;  // a stranger's chance to guess a code: 64 in a million a window

class Hub {
 public:
  Hub(const HubOptions& options, RandomSource& random);
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  void SetGateway(uint8_t gateway, const Address& address, uint8_t channel);
  // A node from the last run; false when the number is out of range.
  bool Restore(const PeerRecord& record);
  bool Forget(uint16_t node);
  const Peer* Find(uint16_t node) const;
  PeerRecord RecordOf(uint16_t node) const;

  void Receive(const Heard& heard, const Now& now, HubEvents& events);
  void Tick(const Now& now, HubEvents& events);
  int64_t next_deadline_us() const { return next_tick_us_; }

  void OpenWindow(const Now& now, int64_t duration_us);
  void CloseWindow() { window_until_us_ = INT64_MIN; }
  bool is_window_open(const Now& now) const { return now.monotonic_us < window_until_us_; }
  // The operator says that the codes are the same.
  bool ConfirmJoin(const Address& address, const Now& now, HubEvents& events);

  // The newest value per item wins; returns the version by which OnResult will name it, 0 when it can't be taken.
  uint32_t SetItem(uint16_t node, const Item& item, const Now& now, HubEvents& events);
  bool CancelItem(uint16_t node, uint8_t index);
  bool AskDescription(uint16_t node);
  // Reports of this node up to `sequence` are on the disk.
  void SetKept(uint16_t node, uint32_t epoch, uint32_t sequence);

  bool SetBlob(size_t blob, const BlobManifest& manifest);
  bool OfferBlob(uint16_t node, size_t blob);

  uint64_t dropped(Drop reason) const { return dropped_[static_cast<size_t>(reason)]; }
  void ReportCounters(CounterSink& sink) const;

 private:
  struct Pending {
    bool is_used = false;
    bool is_confirmed = false;
    uint8_t gateway = 0;
    uint16_t node = 0;
    Address address = {};
    Address hub_address = {};
    Commit commit = {};
    JoinKeys keys;
    SessionKeys session;
    NodeInfo info;
    int64_t created_us = 0;
    int64_t sent_us = 0;
  };
  struct HubKey {
    int64_t slot = -1;
    Key private_key = {};
    Key public_key = {};
  };
  struct GatewayState {
    Address address = {};
    uint8_t channel = 0;
  };

  void Count(Drop reason) { ++dropped_[static_cast<size_t>(reason)]; }
  Peer* FindPeer(uint16_t node);
  Header HeaderFor(Type type, uint16_t node) const;
  void RandomBits(Header* header);
  uint32_t NewSessionId();

  void ReceiveHello(const Heard& heard, Bytes body, const Now& now, HubEvents& events);
  void ReceiveJoin(const Heard& heard, const Header& header, const Now& now, HubEvents& events);
  void ReceiveResume(const Heard& heard, const Header& header, const Now& now, HubEvents& events);
  void ReceiveSession(const Heard& heard, const Header& header, const Now& now, HubEvents& events);
  void Promote(Pending& pending, HubEvents& events);

  const HubKey* KeyOfSlot(int64_t slot);
  Cookie CookieOf(const Address& address, const Commit& commit, OfferMode mode, int64_t slot) const;
  uint16_t ChooseNumber(const Address& address, uint16_t wanted, int64_t now_us, Refusal* refusal) const;
  Pending* FreePending(int64_t now_us);
  void SendRefusal(const Heard& heard, Refusal reason, const NodeInfo& info, const Now& now, HubEvents& events);
  void SendAccept(Pending& pending, const Now& now, HubEvents& events);
  void SendResumeWanted(Peer& peer, uint16_t node, const Heard& heard, ResumeReason reason, const Now& now,
                        HubEvents& events);

  void HandleData(Peer& peer, uint16_t node, const Header& header, const Data& data, const Now& now, HubEvents& events);
  void HandleResult(Peer& peer, uint16_t node, const Result& result, HubEvents& events);
  void HandleDescription(Peer& peer, uint16_t node, const Description& description, HubEvents& events);
  void HandleBlobRequest(Peer& peer, uint16_t node, const BlobRequest& request, HubEvents& events);
  void HandleBlobStatus(Peer& peer, uint16_t node, const BlobStatus& status, HubEvents& events);

  bool SendSealed(Peer& peer, uint16_t node, Type type, Bytes body, HubEvents& events);
  void SendAck(Peer& peer, uint16_t node, uint32_t counter, uint32_t sequence, AckResult result, const Now& now,
               HubEvents& events);
  void SendNext(Peer& peer, uint16_t node, const Now& now, HubEvents& events);

  HubOptions options_;
  RandomSource& random_;
  std::vector<Peer> peers_;
  std::array<Pending, kMaxPending> pending_;
  std::array<GatewayState, kMaxGateways> gateways_ = {};
  std::array<BlobManifest, kMaxBlobs> blobs_ = {};
  std::array<HubKey, 2> hub_keys_;
  crypto::Digest cookie_key_ = {};
  int64_t window_until_us_ = INT64_MIN;
  uint32_t window_offers_ = 0;
  int64_t next_tick_us_ = kNoDeadline;
  TokenBucket hello_bucket_;
  TokenBucket stranger_bucket_;
  TokenBucket join_bucket_;
  RecentSources sources_;
  RecentSources refused_;
  std::array<uint64_t, static_cast<size_t>(Drop::kCount)> dropped_ = {};
  uint64_t reports_ = 0;
  uint64_t repeated_reports_ = 0;
  uint64_t joins_ = 0;
  uint64_t resumes_ = 0;
};

}  // namespace vesta::link
