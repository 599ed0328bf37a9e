// How nodes join and how their sessions begin.
//
// Up to a node's join message the hub keeps nothing of it: the cookie that the node sends back proves that the hub made
// an offer to this address for this commitment. The hub's key pair changes with the cookie's time slot.
#include <algorithm>

#include "protocols/link/cursor.h"
#include "protocols/link/hub.h"

namespace vesta::link {

namespace {

constexpr int64_t kSlot_us = 60 * kUsPerSecond;  // a cookie is good for this one and the next
constexpr int64_t kAnswerInterval_us = 100 * kUsPerMs;
constexpr int64_t kRefusalInterval_us = kUsPerSecond;
constexpr int64_t kHandshakeInterval_us = 20 * kUsPerMs;
constexpr int64_t kDuplicateAlive_us = 120 * kUsPerSecond;

int64_t SlotOf(const Now& now) { return now.monotonic_us / kSlot_us; }

}  // namespace

const Hub::HubKey* Hub::KeyOfSlot(int64_t slot) {
  HubKey& key = hub_keys_[static_cast<size_t>(slot & 1)];
  if (key.slot == slot) return &key;
  return nullptr;
}

Cookie Hub::CookieOf(const Address& address, const Commit& commit, OfferMode mode, int64_t slot) const {
  std::array<uint8_t, 6 + kCommitSize + 1 + 4> text;
  Putter(text).Array(address).Array(commit).U8(static_cast<uint8_t>(mode)).U32(static_cast<uint32_t>(slot));
  const crypto::Digest digest = crypto::HmacSha256(cookie_key_, text);
  Cookie cookie;
  std::copy_n(digest.begin(), cookie.size(), cookie.begin());
  return cookie;
}

void Hub::OpenWindow(const Now& now, int64_t duration_us) {
  window_until_us_ = now.monotonic_us + duration_us;
  window_offers_ = kWindowOffers;
}

void Hub::SendRefusal(const Heard& heard, Refusal reason, const NodeInfo& info, const Now& now, HubEvents& events) {
  if (!refused_.Take(heard.from, now.monotonic_us, kRefusalInterval_us) || !stranger_bucket_.Take(now.monotonic_us)) {
    return Count(Drop::kLimited);
  }
  events.OnRefused(heard.from, reason, info);
  std::array<uint8_t, kMaxBody> body;
  const Refuse refuse{reason, gateways_[heard.gateway].channel};
  FrameBuffer frame;
  const size_t size = ClearFrame(HeaderFor(Type::kRefuse, 0), Bytes(body).first(Write(refuse, body)), &frame);
  events.Send(heard.gateway, gateways_[heard.gateway].address, heard.from, Bytes(frame).first(size));
}

void Hub::ReceiveHello(const Heard& heard, Bytes body, const Now& now, HubEvents& events) {
  Hello hello;
  if (!Read(body, &hello)) return Count(Drop::kBody);
  if (!sources_.Take(heard.from, now.monotonic_us, kAnswerInterval_us)) return Count(Drop::kLimited);
  const JoinPolicy policy = events.OnJoinRequest({heard.from, hello.secret_id, false, &hello.info});
  Offer offer;
  switch (policy.rule) {
    case JoinPolicy::Rule::kDeny:
      Count(Drop::kRefused);
      return SendRefusal(heard, Refusal::kDenied, hello.info, now, events);
    case JoinPolicy::Rule::kBySecret:
      if (!hello_bucket_.Take(now.monotonic_us)) return Count(Drop::kLimited);
      offer.mode = OfferMode::kSecret;
      break;
    case JoinPolicy::Rule::kByWindow:
      if (!is_window_open(now)) {
        Count(Drop::kRefused);
        return SendRefusal(heard, Refusal::kWindowClosed, hello.info, now, events);
      }
      if (window_offers_ == 0 || !stranger_bucket_.Take(now.monotonic_us)) return Count(Drop::kLimited);
      --window_offers_;
      offer.mode = OfferMode::kWindow;
      break;
    case JoinPolicy::Rule::kListed:
      if (!stranger_bucket_.Take(now.monotonic_us)) return Count(Drop::kLimited);
      offer.mode = OfferMode::kWindow;
      break;
  }
  const int64_t slot = SlotOf(now);
  HubKey& key = hub_keys_[static_cast<size_t>(slot & 1)];
  if (key.slot != slot) {
    random_.Fill(key.private_key);
    if (!crypto::X25519PublicKey(key.private_key, &key.public_key)) return;
    key.slot = slot;
  }
  offer.cookie = CookieOf(heard.from, hello.commit, offer.mode, slot);
  offer.hub_key = key.public_key;
  offer.hub_address = gateways_[heard.gateway].address;
  offer.channel = gateways_[heard.gateway].channel;
  offer.commit = hello.commit;
  std::array<uint8_t, kMaxBody> out;
  FrameBuffer frame;
  const size_t size = ClearFrame(HeaderFor(Type::kOffer, 0), Bytes(out).first(Write(offer, out)), &frame);
  events.Send(heard.gateway, gateways_[heard.gateway].address, heard.from, Bytes(frame).first(size));
}

uint16_t Hub::ChooseNumber(const Address& address, uint16_t wanted, int64_t now_us, Refusal* refusal) const {
  for (size_t i = 0; i < peers_.size(); ++i) {
    const auto number = static_cast<uint16_t>(i + 1);
    if (peers_[i].is_used && peers_[i].address == address && (wanted == 0 || wanted == number)) return number;
  }
  *refusal = Refusal::kTableFull;
  if (wanted > peers_.size()) return 0;
  if (wanted != 0) {
    const Peer& peer = peers_[wanted - 1u];
    *refusal = Refusal::kDuplicate;
    return peer.is_used && now_us - peer.heard_us < kDuplicateAlive_us ? 0 : wanted;
  }
  for (size_t i = 0; i < peers_.size(); ++i) {
    const auto number = static_cast<uint16_t>(i + 1);
    const bool is_reserved = std::any_of(pending_.begin(), pending_.end(),
                                         [number](const Pending& p) { return p.is_used && p.node == number; });
    if (!peers_[i].is_used && !is_reserved) return number;
  }
  return 0;
}

Hub::Pending* Hub::FreePending(int64_t now_us) {
  for (Pending& p : pending_) {
    if (!p.is_used) return &p;
  }
  // A join that goes well needs a moment; only what waits for the operator may stay.
  for (Pending& p : pending_) {
    if (p.is_confirmed && now_us - p.created_us > 2 * kUsPerSecond) return &p;
  }
  return nullptr;
}

void Hub::SendAccept(Pending& pending, const Now& now, HubEvents& events) {
  Accept accept;
  accept.result = pending.is_confirmed ? AcceptResult::kAccepted : AcceptResult::kWait;
  accept.node = pending.node;
  accept.channel = gateways_[pending.gateway].channel;
  Header header = HeaderFor(Type::kAccept, 0);
  RandomBits(&header);
  // The header names the session that begins; the other 32 bits keep the nonce new.
  if (pending.is_confirmed) {
    if (pending.session.id == 0) {
      pending.session.id = NewSessionId();
      pending.session.key = pending.keys.SessionKey(pending.session.id);
    }
    header.session = pending.session.id;
  }
  std::array<uint8_t, kMaxBody> body;
  FrameBuffer frame;
  const size_t size = SealFrame(header, Direction::kDown, pending.keys.join, {pending.hub_address, pending.address}, {},
                                Bytes(body).first(Write(accept, body)), &frame);
  pending.sent_us = now.monotonic_us;
  events.Send(pending.gateway, pending.hub_address, pending.address, Bytes(frame).first(size));
}

void Hub::ReceiveJoin(const Heard& heard, const Header& header, const Now& now, HubEvents& events) {
  JoinHead head;
  if (!Read(heard.frame.subspan(kHeaderSize), &head)) return Count(Drop::kBody);
  const Commit commit = CommitOf(head.node_key, head.node_random);
  for (Pending& p : pending_) {
    if (!p.is_used || p.address != heard.from || p.commit != commit) continue;
    if (now.monotonic_us - p.sent_us < kAnswerInterval_us) return Count(Drop::kLimited);
    // The same answer in the same session as long as the node has not used it.
    return SendAccept(p, now, events);
  }
  const int64_t slot = SlotOf(now);
  OfferMode mode = OfferMode::kSecret;
  const HubKey* key = nullptr;
  for (const int64_t s : {slot, slot - 1}) {
    for (const OfferMode m : {OfferMode::kSecret, OfferMode::kWindow}) {
      if (!crypto::SameBytes(CookieOf(heard.from, commit, m, s), head.cookie)) continue;
      mode = m;
      key = KeyOfSlot(s);
    }
  }
  if (key == nullptr) return Count(Drop::kCookie);
  if (!join_bucket_.Take(now.monotonic_us)) return Count(Drop::kLimited);

  Key shared;
  if (!crypto::X25519(key->private_key, head.node_key, &shared)) return Count(Drop::kTag);
  JoinTranscript transcript{options_.network, heard.from,    gateways_[heard.gateway].address,
                            head.cookie,      head.node_key, key->public_key,
                            head.node_random};
  // Which secret it is stands sealed, under a key that needs the secret: the policy goes by the address and what the
  // hello said, which the header repeats.
  const JoinPolicy policy = events.OnJoinRequest({heard.from, header.session, false, nullptr});
  const bool by_secret = policy.rule == JoinPolicy::Rule::kBySecret && mode == OfferMode::kSecret;
  const bool by_window =
      policy.rule == JoinPolicy::Rule::kByWindow && mode == OfferMode::kWindow && is_window_open(now);
  const bool is_listed = policy.rule == JoinPolicy::Rule::kListed && mode == OfferMode::kWindow;
  if (!by_secret && !by_window && !is_listed) return Count(Drop::kRefused);
  const JoinKeys keys = DeriveJoinKeys(transcript, shared, by_secret ? policy.secret : Secret{});
  crypto::Wipe(shared);
  std::array<uint8_t, kMaxBody> scratch;
  Bytes body;
  if (!OpenFrame(heard.frame, header, Direction::kUp, keys.join, {heard.from, heard.to}, kJoinHeadSize, scratch,
                 &body)) {
    return Count(Drop::kTag);
  }
  NodeInfo info;
  if (!Read(body, &info)) return Count(Drop::kBody);
  Refusal refusal = Refusal::kTableFull;
  const uint16_t node = ChooseNumber(heard.from, policy.node, now.monotonic_us, &refusal);
  Pending* pending = FreePending(now.monotonic_us);
  if (pending == nullptr) refusal = Refusal::kBusy;
  if (node == 0 || pending == nullptr) {
    Count(Drop::kRefused);
    return SendRefusal(heard, refusal, info, now, events);
  }
  *pending = {};
  pending->is_used = true;
  pending->is_confirmed = by_secret || is_listed;
  pending->gateway = heard.gateway;
  pending->node = node;
  pending->address = heard.from;
  pending->hub_address = (heard.to[0] & 1) != 0 ? gateways_[heard.gateway].address : heard.to;
  pending->commit = commit;
  pending->keys = keys;
  pending->info = info;
  pending->created_us = now.monotonic_us;
  next_tick_us_ = std::min(next_tick_us_, now.monotonic_us + kUsPerSecond);
  SendAccept(*pending, now, events);
  if (by_window) events.OnCode(heard.from, keys.code, info);
}

bool Hub::ConfirmJoin(const Address& address, const Now& now, HubEvents& events) {
  for (Pending& p : pending_) {
    if (!p.is_used || p.is_confirmed || p.address != address) continue;
    p.is_confirmed = true;
    SendAccept(p, now, events);
    return true;
  }
  return false;
}

void Hub::Promote(Pending& pending, HubEvents& events) {
  for (size_t i = 0; i < peers_.size(); ++i) {
    // It may have had another number before.
    if (peers_[i].address == pending.address && i + 1u != pending.node) Forget(static_cast<uint16_t>(i + 1));
  }
  Peer& peer = peers_[pending.node - 1u];
  const Peer before = peer;
  peer = {};
  peer.is_used = true;
  peer.address = pending.address;
  peer.pair_key = pending.keys.pair;
  peer.session = pending.session;
  peer.info = pending.info;
  peer.epoch = pending.info.epoch;
  if (before.is_used) peer.command_version = before.command_version;
  if (before.is_used && before.address == peer.address && before.epoch == peer.epoch) {
    // The same outbox: what it sent before joining again is not new.
    peer.reports = before.reports;
    peer.kept = before.kept;
  }
  const uint16_t node = pending.node;
  pending = {};
  ++joins_;
  events.OnJoined(RecordOf(node), peer.info);
  events.OnSession(node, peer.info);
}

void Hub::ReceiveResume(const Heard& heard, const Header& header, const Now& now, HubEvents& events) {
  Peer* peer = FindPeer(header.node);
  if (peer == nullptr) {
    Count(Drop::kUnknownNode);
    return SendRefusal(heard, Refusal::kUnknownNode, NodeInfo{}, now, events);
  }
  if (peer->address != heard.from) return Count(Drop::kAddress);
  if (now.monotonic_us - peer->resumed_us < kHandshakeInterval_us) return Count(Drop::kLimited);
  const Key key = ResumeKey(peer->pair_key);
  std::array<uint8_t, kMaxBody> scratch;
  Bytes body;
  if (!OpenFrame(heard.frame, header, Direction::kUp, key, {heard.from, heard.to}, 0, scratch, &body)) {
    ++peer->bad_tags;
    return Count(Drop::kTag);
  }
  Resume resume;
  if (!Read(body, &resume)) return Count(Drop::kBody);
  peer->resumed_us = now.monotonic_us;
  if (peer->candidate.id == 0 || peer->candidate_node_random != resume.node_random) {
    peer->candidate = {};
    peer->candidate.id = NewSessionId();
    peer->candidate_node_random = resume.node_random;
    random_.Fill(peer->candidate_hub_random);
    peer->candidate.key =
        ResumedSessionKey(peer->pair_key, resume.node_random, peer->candidate_hub_random, peer->candidate.id);
    peer->candidate_info = resume.info;
  }
  Resumed resumed;
  resumed.node_random = resume.node_random;
  resumed.hub_random = peer->candidate_hub_random;
  resumed.hub_address = gateways_[heard.gateway].address;
  resumed.session = peer->candidate.id;
  resumed.channel = gateways_[heard.gateway].channel;
  resumed.received = peer->epoch == resume.info.epoch ? peer->reports.highest() : 0;
  // The session's number goes sealed; the header holds the random part of the nonce.
  Header out = HeaderFor(Type::kResumed, header.node);
  RandomBits(&out);
  std::array<uint8_t, kMaxBody> text;
  FrameBuffer frame;
  const Address& from = gateways_[heard.gateway].address;
  const size_t size =
      SealFrame(out, Direction::kDown, key, {from, heard.from}, {}, Bytes(text).first(Write(resumed, text)), &frame);
  events.Send(heard.gateway, gateways_[heard.gateway].address, heard.from, Bytes(frame).first(size));
}

void Hub::SendResumeWanted(Peer& peer, uint16_t node, const Heard& heard, ResumeReason reason, const Now& now,
                           HubEvents& events) {
  if (now.monotonic_us - peer.wanted_us < kAnswerInterval_us) return Count(Drop::kLimited);
  peer.wanted_us = now.monotonic_us;
  ResumeWanted wanted;
  wanted.reason = reason;
  const Bytes tag = TagOf(heard.frame);
  std::copy(tag.begin(), tag.end(), wanted.tag.begin());
  Header header = HeaderFor(Type::kResumeWanted, node);
  RandomBits(&header);
  std::array<uint8_t, kMaxBody> body;
  FrameBuffer frame;
  const size_t size =
      SealFrame(header, Direction::kDown, ResumeKey(peer.pair_key), {gateways_[heard.gateway].address, heard.from}, {},
                Bytes(body).first(Write(wanted, body)), &frame);
  events.Send(heard.gateway, gateways_[heard.gateway].address, heard.from, Bytes(frame).first(size));
}

}  // namespace vesta::link
