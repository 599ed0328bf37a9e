// Peers, sessions and their frames. Joining and resuming are in hub_join.cc, messages in hub_messages.cc.
#include "protocols/link/hub.h"

#include <algorithm>
#include <cstring>

#include "protocols/little_endian.h"

namespace vesta::link {

namespace {

// Answers to hellos: nodes with a secret that the hub knows, strangers, and joins, which cost two key agreements.
constexpr int64_t kHellosPerSecond = 50;
constexpr int64_t kStrangersPerSecond = 10;
constexpr int64_t kJoinsPerSecond = 20;
constexpr int64_t kBurst = 20;

constexpr int64_t kTick_us = 250 * kUsPerMs;
constexpr int64_t kPendingLife_us = 120 * kUsPerSecond;
constexpr int64_t kRetry_us = 300 * kUsPerMs;  // doubles
constexpr uint8_t kMaxTries = 6;
constexpr int64_t kAwake_us = 120 * kUsPerSecond;  // silent for longer: wait until it says something

constexpr const char* kDropNames[] = {"short",   "long",      "magic",        "version", "flags",   "type",
                                      "network", "direction", "unknown_node", "address", "session", "replay",
                                      "tag",     "body",      "limited",      "cookie",  "refused"};
static_assert(std::size(kDropNames) == static_cast<size_t>(Drop::kCount));

}  // namespace

const char* NameOf(Drop drop) { return kDropNames[static_cast<size_t>(drop)]; }

Hub::Hub(const HubOptions& options, RandomSource& random)
    : options_(options),
      random_(random),
      peers_(options.max_nodes),
      hello_bucket_(kHellosPerSecond, kBurst),
      stranger_bucket_(kStrangersPerSecond, kBurst),
      join_bucket_(kJoinsPerSecond, kBurst) {
  random_.Fill(cookie_key_);
}

void Hub::SetGateway(uint8_t gateway, const Address& address, uint8_t channel) {
  if (gateway < kMaxGateways) gateways_[gateway] = {address, channel};
}

Peer* Hub::FindPeer(uint16_t node) {
  if (node == 0 || node > peers_.size() || !peers_[node - 1u].is_used) return nullptr;
  return &peers_[node - 1u];
}

const Peer* Hub::Find(uint16_t node) const {
  if (node == 0 || node > peers_.size() || !peers_[node - 1u].is_used) return nullptr;
  return &peers_[node - 1u];
}

bool Hub::Restore(const PeerRecord& record) {
  if (record.node == 0 || record.node > peers_.size()) return false;
  Peer& peer = peers_[record.node - 1u];
  peer = {};
  peer.is_used = true;
  peer.address = record.address;
  peer.pair_key = record.pair_key;
  peer.epoch = record.epoch;
  peer.kept = record.kept;
  peer.reports.Set(record.kept, ~uint64_t{0});
  peer.command_version = record.command_version;
  return true;
}

PeerRecord Hub::RecordOf(uint16_t node) const {
  const Peer* peer = Find(node);
  if (peer == nullptr) return {};
  return {node, peer->address, peer->pair_key, peer->epoch, peer->kept, peer->command_version};
}

bool Hub::Forget(uint16_t node) {
  Peer* peer = FindPeer(node);
  if (peer == nullptr) return false;
  crypto::Wipe(peer->pair_key);
  *peer = {};
  return true;
}

Header Hub::HeaderFor(Type type, uint16_t node) const { return {0, type, options_.network, node, 0, 0}; }

void Hub::RandomBits(Header* header) {
  uint8_t bits[8];
  random_.Fill(bits);
  header->session = wire::Get32(bits);
  header->counter = wire::Get32(bits + 4);
}

uint32_t Hub::NewSessionId() {
  uint8_t bits[4];
  random_.Fill(bits);
  const uint32_t id = wire::Get32(bits);
  return id == 0 ? 1 : id;
}

void Hub::Receive(const Heard& heard, const Now& now, HubEvents& events) {
  Header header;
  if (const char* reason = ReadHeader(heard.frame, &header)) {
    for (const Drop drop : {Drop::kShort, Drop::kLong, Drop::kMagic, Drop::kVersion, Drop::kFlags, Drop::kType}) {
      if (std::strcmp(reason, NameOf(drop)) == 0) Count(drop);
    }
    return;
  }
  if (heard.gateway >= kMaxGateways) return Count(Drop::kAddress);
  const bool any_network = header.type == Type::kHello && header.network == 0;
  if (header.network != options_.network && !any_network) return Count(Drop::kNetwork);
  switch (header.type) {
    case Type::kHello:
      return ReceiveHello(heard, heard.frame.subspan(kHeaderSize), now, events);
    case Type::kJoin:
      return ReceiveJoin(heard, header, now, events);
    case Type::kResume:
      return ReceiveResume(heard, header, now, events);
    case Type::kData:
    case Type::kResult:
    case Type::kDescription:
    case Type::kBlobRequest:
    case Type::kBlobStatus:
      return ReceiveSession(heard, header, now, events);
    default:
      return Count(Drop::kDirection);
  }
}

void Hub::ReceiveSession(const Heard& heard, const Header& header, const Now& now, HubEvents& events) {
  const Addresses addresses{heard.from, heard.to};
  std::array<uint8_t, kMaxBody> scratch;
  Bytes body;
  Peer* peer = FindPeer(header.node);
  SessionKeys* session = nullptr;
  Pending* pending = nullptr;
  if (peer != nullptr && peer->address == heard.from) {
    if (header.session == peer->session.id) session = &peer->session;
    if (header.session == peer->candidate.id) session = &peer->candidate;
    if (header.session == 0) session = nullptr;
  }
  if (session == nullptr) {
    for (Pending& p : pending_) {
      if (p.is_used && p.is_confirmed && p.node == header.node && p.address == heard.from &&
          p.session.id == header.session) {
        pending = &p;
        session = &p.session;
      }
    }
  }
  if (session == nullptr) {
    if (peer == nullptr) {
      Count(Drop::kUnknownNode);
      if (header.node != 0) SendRefusal(heard, Refusal::kUnknownNode, NodeInfo{}, now, events);
    } else if (peer->address != heard.from) {
      Count(Drop::kAddress);
    } else {
      Count(Drop::kSession);
      SendResumeWanted(*peer, header.node, heard, ResumeReason::kUnknownSession, now, events);
    }
    return;
  }
  if (header.counter >= kMaxCounter || !session->received.IsNew(header.counter)) return Count(Drop::kReplay);
  if (!OpenFrame(heard.frame, header, Direction::kUp, session->key, addresses, 0, scratch, &body)) {
    if (peer != nullptr) ++peer->bad_tags;
    return Count(Drop::kTag);
  }
  session->received.Mark(header.counter);
  if (pending != nullptr) {
    Promote(*pending, events);
    peer = FindPeer(header.node);
  } else if (session == &peer->candidate) {
    peer->session = peer->candidate;
    peer->candidate = {};
    peer->info = peer->candidate_info;
    if (peer->epoch != peer->info.epoch) {
      peer->epoch = peer->info.epoch;
      peer->reports = {};
      peer->kept = 0;
    }
    ++resumes_;
    events.OnSession(header.node, peer->info);
  }
  ++peer->frames;
  peer->heard_us = now.monotonic_us;
  peer->tries = 0;
  peer->rssi_dbm = heard.rssi_dbm;
  peer->channel = heard.channel;
  peer->gateway = heard.gateway;
  // A node that does not know the hub's address sends to all.
  peer->hub_address = (heard.to[0] & 1) != 0 ? gateways_[heard.gateway].address : heard.to;
  peer->is_sleepy = (header.flags & kFlagSleepy) != 0;

  bool is_read = false;
  bool acknowledges = true;
  uint32_t sequence = 0;
  AckResult result = AckResult::kTaken;
  switch (header.type) {
    case Type::kData: {
      Data data;
      is_read = Read(body, &data);
      if (is_read) {
        HandleData(*peer, header.node, header, data, now, events);
        acknowledges = false;
      } else if (body.size() >= 4) {
        // Genuine, but not understood: it will not get better by sending it again.
        sequence = wire::Get32(body.data());
      }
      break;
    }
    case Type::kResult: {
      Result message;
      is_read = Read(body, &message);
      if (is_read) HandleResult(*peer, header.node, message, events);
      break;
    }
    case Type::kDescription: {
      Description message;
      is_read = Read(body, &message);
      if (is_read) HandleDescription(*peer, header.node, message, events);
      break;
    }
    case Type::kBlobRequest: {
      BlobRequest message;
      is_read = Read(body, &message);
      if (is_read) HandleBlobRequest(*peer, header.node, message, events);
      acknowledges = !is_read;
      break;
    }
    default: {
      BlobStatus message;
      is_read = Read(body, &message);
      if (is_read) HandleBlobStatus(*peer, header.node, message, events);
      break;
    }
  }
  if (!is_read) {
    Count(Drop::kBody);
    result = AckResult::kRefused;
  }
  if (acknowledges) {
    SendAck(*peer, header.node, header.counter, sequence, result, now, events);
    SendNext(*peer, header.node, now, events);
  }
  if (peer->session.sent + 1 >= kMaxCounter) {
    SendResumeWanted(*peer, header.node, heard, ResumeReason::kCounter, now, events);
  }
}

void Hub::Tick(const Now& now, HubEvents& events) {
  if (now.monotonic_us < next_tick_us_) return;
  next_tick_us_ = kNoDeadline;
  for (Pending& p : pending_) {
    if (p.is_used && now.monotonic_us - p.created_us > kPendingLife_us) p = {};
    if (p.is_used) next_tick_us_ = now.monotonic_us + kTick_us;
  }
  for (size_t i = 0; i < peers_.size(); ++i) {
    Peer& peer = peers_[i];
    if (!peer.is_used || peer.is_sleepy || peer.session.id == 0 || peer.tries >= kMaxTries ||
        now.monotonic_us - peer.heard_us > kAwake_us || peer.Waiting() == 0) {
      continue;
    }
    next_tick_us_ = now.monotonic_us + kTick_us;
    if (now.monotonic_us - peer.down_us < kRetry_us << peer.tries) continue;
    ++peer.tries;
    SendNext(peer, static_cast<uint16_t>(i + 1), now, events);
  }
}

void Hub::ReportCounters(CounterSink& sink) const {
  for (size_t i = 0; i < dropped_.size(); ++i) sink.Count(kDropNames[i], dropped_[i]);
  sink.Count("reports", reports_);
  sink.Count("repeated_reports", repeated_reports_);
  sink.Count("joins", joins_);
  sink.Count("resumes", resumes_);
}

}  // namespace vesta::link
