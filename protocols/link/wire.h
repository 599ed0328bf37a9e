// The messages of the node link as bytes: header, bodies, values. Reading and writing only; what they mean for a peer
// is the business of the endpoints (hub.h, node.h). The format, with offsets, is docs/formats/link.md.
//
// All numbers are little-endian. A frame has at most 250 bytes, the body of an ESP-NOW v1 message. Readers check every
// length and give views into the bytes they were given; a false means that the bytes are not that message.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "protocols/crypto_link.h"

namespace vesta::link {

using Bytes = std::span<const uint8_t>;
using Address = std::array<uint8_t, 6>;
using crypto::Key;
using crypto::kTagSize;

inline constexpr Address kBroadcast = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
inline constexpr uint16_t kFrameMark = 0x4C56;  // "VL" on the air
inline constexpr uint8_t kLinkVersion = 1;
inline constexpr size_t kMaxFrame = 250;
inline constexpr size_t kHeaderSize = 16;
inline constexpr size_t kMaxBody = kMaxFrame - kHeaderSize - kTagSize;
inline constexpr uint32_t kMaxCounter = 1u << 31;  // a session ends before its counters get there

enum class Type : uint8_t {
  kHello = 0x01,
  kOffer = 0x02,
  kRefuse = 0x03,
  kJoin = 0x04,
  kAccept = 0x05,
  kResume = 0x06,
  kResumed = 0x07,
  kResumeWanted = 0x08,
  kData = 0x10,
  kAck = 0x11,
  kCommand = 0x12,
  kResult = 0x13,
  kDescribe = 0x14,
  kDescription = 0x15,
  kBlobOffer = 0x16,
  kBlobRequest = 0x17,
  kBlobBlock = 0x18,
  kBlobStatus = 0x19,
};

inline constexpr uint8_t kFlagSealed = 0x10;
inline constexpr uint8_t kFlagSleepy = 0x20;  // the sender listens only for a moment after its own message

struct Header {
  uint8_t flags = 0;
  Type type = Type::kHello;
  uint16_t network = 0;
  uint16_t node = 0;  // 0 = not joined
  uint32_t session = 0;
  uint32_t counter = 0;
};

// nullptr, or why it is no frame of ours: "short", "long", "magic", "version", "flags", "type".
const char* ReadHeader(Bytes frame, Header* out);
void WriteHeader(const Header& header, uint8_t* out);
// Types of a running session: 0x10 and above.
constexpr bool IsSessionType(Type type) { return static_cast<uint8_t>(type) >= 0x10; }

inline constexpr size_t kCommitSize = 16;
inline constexpr size_t kCookieSize = 16;
inline constexpr size_t kRandomSize = 16;
inline constexpr size_t kSecretSize = 16;
inline constexpr size_t kMaxName = 24;
using Commit = std::array<uint8_t, kCommitSize>;
using Cookie = std::array<uint8_t, kCookieSize>;
using Random16 = std::array<uint8_t, kRandomSize>;
using Secret = std::array<uint8_t, kSecretSize>;

// What a node says of itself whenever it meets the hub.
struct NodeInfo {
  uint32_t firmware = 0;
  uint32_t description_hash = 0;
  uint32_t configuration = 0;  // version that it runs
  uint32_t epoch = 0;          // of its outbox: report numbers are unique within it
  uint32_t hardware = 0;
  uint16_t capabilities = 0;
  uint8_t channel = 0;  // it is tuned to
  uint8_t name_size = 0;
  std::array<char, kMaxName> name = {};  // hostile text
};
inline constexpr size_t kNodeInfoSize = 24;  // without the name

struct Hello {
  Commit commit = {};
  uint32_t secret_id = 0;  // 0 = the node has no secret
  NodeInfo info;
};

enum class OfferMode : uint8_t { kSecret = 1, kWindow = 2 };
struct Offer {
  Cookie cookie = {};
  Key hub_key = {};
  Address hub_address = {};  // where to send to
  uint8_t channel = 0;
  OfferMode mode = OfferMode::kSecret;
  Commit commit = {};
};

// Why a hub does not take a node. Not authenticated: for people, never a reason to forget a hub.
enum class Refusal : uint8_t {
  kWindowClosed = 1,
  kUnknownNode = 2,
  kTableFull = 3,
  kDuplicate = 4,
  kDenied = 5,
  kOtherChannel = 6,
  kBusy = 7,
};
struct Refuse {
  Refusal reason = Refusal::kDenied;
  uint8_t channel = 0;
};

// The clear part of a join message; the node's info is sealed behind it.
struct JoinHead {
  Key node_key = {};
  Random16 node_random = {};
  Cookie cookie = {};
};
inline constexpr size_t kJoinHeadSize = 64;

enum class AcceptResult : uint8_t { kAccepted = 0, kWait = 1 };
struct Accept {
  AcceptResult result = AcceptResult::kAccepted;
  uint16_t node = 0;
  uint8_t channel = 0;
};

struct Resume {
  Random16 node_random = {};
  NodeInfo info;
};

struct Resumed {
  Random16 node_random = {};
  Random16 hub_random = {};
  Address hub_address = {};
  uint32_t session = 0;
  uint8_t channel = 0;
  uint32_t received = 0;  // highest report of this epoch that the hub has; 0 = none
};

enum class ResumeReason : uint8_t { kUnknownSession = 1, kCounter = 2 };
struct ResumeWanted {
  std::array<uint8_t, kTagSize> tag = {};  // of the frame that it answers
  ResumeReason reason = ResumeReason::kUnknownSession;
};

struct Data {
  uint32_t sequence = 0;  // 0: no report, the node only asks
  uint32_t age_ms = 0;    // since it was measured; kAgeUnknown
  Bytes items;
};
inline constexpr uint32_t kAgeUnknown = 0xFFFFFFFF;
inline constexpr size_t kDataHeadSize = 8;
inline constexpr size_t kMaxReport = kMaxBody - kDataHeadSize;

enum class AckResult : uint8_t { kTaken = 0, kBusy = 1, kRefused = 2 };
inline constexpr uint8_t kAckTimeSynchronised = 0x01;
struct Ack {
  uint32_t counter = 0;   // of the frame
  uint32_t sequence = 0;  // of its report, 0 = none
  uint32_t kept = 0;      // received reports up to this one are safe on the hub's disk
  uint64_t time_ms = 0;   // UTC, 48 bits; 0 = the hub does not know it
  AckResult result = AckResult::kTaken;
  uint8_t flags = 0;
  uint8_t channel = 0;
  uint8_t waiting = 0;  // messages for the node
};
inline constexpr size_t kAckSize = 22;

enum class ValueType : uint8_t {
  kNone = 0,
  kInt8 = 1,
  kInt16 = 2,
  kInt32 = 3,
  kInt64 = 4,
  kFloat = 5,
  kBytes = 6,
  kState = 7,
};
enum class Status : uint8_t { kOk = 0, kStale = 1, kOutOfRange = 2, kFault = 3 };

// One value of one item of a node. What the item is stands in the node's description.
struct Item {
  uint8_t index = 0;
  ValueType type = ValueType::kNone;
  Status status = Status::kOk;
  int64_t integer = 0;  // integers and states
  float real = 0;
  Bytes bytes;
};
inline constexpr size_t kMaxSmallItem = 10;  // any but bytes

// Appends to `out` at `*at`; false when it does not fit (`*at` stays).
bool WriteItem(const Item& item, std::span<uint8_t> out, size_t* at);
// The smallest integer type that holds the value.
Item IntegerItem(uint8_t index, int64_t value);

class ItemReader {
 public:
  explicit ItemReader(Bytes items) : rest_(items) {}
  bool Next(Item* out);  // false at the end or at a malformed item
  bool is_malformed() const { return is_malformed_; }

 private:
  Bytes rest_;
  bool is_malformed_ = false;
};
bool AreItems(Bytes items);

// Items that every node has.
inline constexpr uint8_t kFirstSystemItem = 0xF0;
inline constexpr uint8_t kItemPing = 0xF0;
inline constexpr uint8_t kItemRestart = 0xF1;
inline constexpr uint8_t kItemIdentify = 0xF2;  // blink
inline constexpr uint8_t kItemLeave = 0xF3;     // forget this hub

struct Command {
  uint32_t version = 0;
  Item item;
};

enum class Outcome : uint8_t { kApplied = 0, kClamped = 1, kRefused = 2, kOlder = 3 };
struct Result {
  uint32_t version = 0;  // of the command; for kOlder the version that the node has
  Outcome outcome = Outcome::kApplied;
  Item item;  // with the value that now holds
};

struct Describe {
  uint8_t chunk = 0;
};
inline constexpr size_t kDescriptionChunk = 200;
struct Description {
  uint32_t hash = 0;
  uint8_t chunk = 0;
  uint8_t count = 0;
  Bytes bytes;
};

enum class BlobKind : uint8_t { kFirmware = 1, kConfiguration = 2 };
inline constexpr size_t kBlockSize = 192;
inline constexpr size_t kBlocksAhead = 32;      // bits of a request
inline constexpr size_t kBlocksPerRequest = 8;  // that the hub sends: some 20 ms of air at 1 Mb/s
struct BlobManifest {
  BlobKind kind = BlobKind::kFirmware;
  uint32_t target = 0;  // hardware that it is for
  uint32_t version = 0;
  uint32_t size = 0;
  crypto::Digest digest = {};
  crypto::Signature signature = {};  // firmware only
};
inline constexpr size_t kManifestSize = 109;
inline constexpr uint32_t kMaxBlobSize = 65535 * kBlockSize;

struct BlobRequest {
  BlobKind kind = BlobKind::kFirmware;
  uint32_t version = 0;
  uint16_t first = 0;
  uint32_t wanted = 0;  // bit i: block first + i
};
struct BlobBlock {
  BlobKind kind = BlobKind::kFirmware;
  uint32_t version = 0;
  uint16_t block = 0;
  Bytes bytes;
};
enum class BlobResult : uint8_t {
  kComplete = 0,
  kBadSignature = 1,
  kBadDigest = 2,
  kOlder = 3,
  kOtherTarget = 4,
  kTooBig = 5,
  kWriteFailed = 6,
};
struct BlobStatus {
  BlobKind kind = BlobKind::kFirmware;
  uint32_t version = 0;
  BlobResult result = BlobResult::kComplete;
};

bool Read(Bytes body, Hello* out);
bool Read(Bytes body, Offer* out);
bool Read(Bytes body, Refuse* out);
bool Read(Bytes body, JoinHead* out);  // the first bytes of the body
bool Read(Bytes body, NodeInfo* out);
bool Read(Bytes body, Accept* out);
bool Read(Bytes body, Resume* out);
bool Read(Bytes body, Resumed* out);
bool Read(Bytes body, ResumeWanted* out);
bool Read(Bytes body, Data* out);
bool Read(Bytes body, Ack* out);
bool Read(Bytes body, Command* out);
bool Read(Bytes body, Result* out);
bool Read(Bytes body, Describe* out);
bool Read(Bytes body, Description* out);
bool Read(Bytes body, BlobManifest* out);
bool Read(Bytes body, BlobRequest* out);
bool Read(Bytes body, BlobBlock* out);
bool Read(Bytes body, BlobStatus* out);

// All return the size; `out` has kMaxBody bytes. Bytes members must have been checked against their bounds.
using Body = std::span<uint8_t, kMaxBody>;
size_t Write(const Hello& in, Body out);
size_t Write(const Offer& in, Body out);
size_t Write(const Refuse& in, Body out);
size_t Write(const JoinHead& in, Body out);
size_t Write(const NodeInfo& in, Body out);
size_t Write(const Accept& in, Body out);
size_t Write(const Resume& in, Body out);
size_t Write(const Resumed& in, Body out);
size_t Write(const ResumeWanted& in, Body out);
size_t Write(const Data& in, Body out);
size_t Write(const Ack& in, Body out);
size_t Write(const Command& in, Body out);
size_t Write(const Result& in, Body out);
size_t Write(const Describe& in, Body out);
size_t Write(const Description& in, Body out);
size_t Write(const BlobManifest& in, Body out);
size_t Write(const BlobRequest& in, Body out);
size_t Write(const BlobBlock& in, Body out);
size_t Write(const BlobStatus& in, Body out);

}  // namespace vesta::link
