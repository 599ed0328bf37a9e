// How a node joins a hub and how its sessions begin.
#include <algorithm>

#include "protocols/link/node.h"
#include "protocols/little_endian.h"

namespace vesta::link {

namespace {

constexpr int64_t kJoinRetry_us = 150 * kUsPerMs;
constexpr int64_t kJoinLife_us = kUsPerSecond;
constexpr int64_t kFailedHub_us = 3 * kUsPerSecond;
constexpr int64_t kWaitRetry_us = 2 * kUsPerSecond;
constexpr int64_t kWaitLife_us = 120 * kUsPerSecond;
// Only after that many hubs' hints that they do not know it a joined node asks to join again, besides.
constexpr uint8_t kHintsToJoinAgain = 3;

}  // namespace

void Node::Probe(uint8_t channel, int64_t now_us, NodeEvents& events) {
  channel_ = channel;
  if (state_ == State::kUnlinked) {
    SendResume(kBroadcast, now_us, events);
    if (unknown_hints_ >= kHintsToJoinAgain) SendHello(now_us, events);
  } else if (state_ == State::kAlone) {
    SendHello(now_us, events);
  }
}

void Node::SendHello(int64_t /*now_us*/, NodeEvents& events) {
  if (!has_join_key_) {
    random_.Fill(join_private_);
    random_.Fill(join_head_.node_random);
    if (!crypto::X25519PublicKey(join_private_, &join_head_.node_key)) return;
    commit_ = CommitOf(join_head_.node_key, join_head_.node_random);
    has_join_key_ = true;
  }
  Hello hello;
  hello.commit = commit_;
  hello.secret_id = options_.has_secret ? SecretIdOf(options_.secret) : 0;
  hello.info = InfoNow();
  std::array<uint8_t, kMaxBody> body;
  FrameBuffer frame;
  const Header header{0, Type::kHello, options_.network, 0, 0, 0};
  const size_t size = ClearFrame(header, Bytes(body).first(Write(hello, body)), &frame);
  events.Send(kBroadcast, Bytes(frame).first(size));
}

void Node::ReceiveOffer(const Address& /*from*/, const Header& header, Bytes body, int64_t now_us, NodeEvents& events) {
  Offer offer;
  if ((state_ != State::kAlone && state_ != State::kUnlinked) || !has_join_key_ || !Read(body, &offer)) return;
  if (offer.commit != commit_ || (offer.hub_address[0] & 1) != 0) return;
  if (options_.network != 0 && header.network != options_.network) return;
  const bool by_secret = offer.mode == OfferMode::kSecret;
  if (by_secret ? !options_.has_secret : !options_.joins_by_window) return;
  if (offer.hub_address == failed_hub_ && now_us < failed_until_us_) return;
  Key shared;
  if (!crypto::X25519(join_private_, offer.hub_key, &shared)) return;
  join_head_.cookie = offer.cookie;
  join_network_ = header.network;
  join_hub_ = offer.hub_address;
  const JoinTranscript transcript{join_network_, options_.address,      join_hub_, offer.cookie, join_head_.node_key,
                                  offer.hub_key, join_head_.node_random};
  join_keys_ = DeriveJoinKeys(transcript, shared, by_secret ? options_.secret : Secret{});
  crypto::Wipe(shared);
  channel_ = offer.channel;
  events.OnChannel(offer.channel);
  state_ = State::kJoining;
  join_until_us_ = now_us + kJoinLife_us;
  SendJoin(now_us, events);
}

void Node::SendJoin(int64_t now_us, NodeEvents& events) {
  std::array<uint8_t, kMaxBody> head;
  std::array<uint8_t, kMaxBody> body;
  Header header;
  header.type = Type::kJoin;
  header.network = join_network_;
  header.session = options_.has_secret ? SecretIdOf(options_.secret) : 0;
  FrameBuffer frame;
  // The same bytes each time: the key seals nothing else upwards.
  const size_t size =
      SealFrame(header, Direction::kUp, join_keys_.join, {options_.address, join_hub_},
                Bytes(head).first(Write(join_head_, head)), Bytes(body).first(Write(InfoNow(), body)), &frame);
  retry_at_us_ = now_us + (state_ == State::kWaiting ? kWaitRetry_us : kJoinRetry_us);
  events.Send(join_hub_, Bytes(frame).first(size));
}

void Node::AbandonJoin(int64_t now_us) {
  failed_hub_ = join_hub_;
  failed_until_us_ = now_us + kFailedHub_us;
  has_join_key_ = false;
  retry_at_us_ = kNoDeadline;
  state_ = record_.is_joined ? State::kUnlinked : State::kAlone;
}

void Node::ReceiveAccept(const Address& from, const Header& header, Bytes frame, int64_t now_us, NodeEvents& events) {
  if (state_ != State::kJoining && state_ != State::kWaiting) return;
  std::array<uint8_t, kMaxBody> scratch;
  Bytes body;
  Accept accept;
  if (from != join_hub_ || header.network != join_network_) return;
  if (!OpenFrame(frame, header, Direction::kDown, join_keys_.join, {from, options_.address}, 0, scratch, &body)) {
    ++counters_.bad_tags;
    return;
  }
  if (!Read(body, &accept)) return;
  if (accept.result == AcceptResult::kWait) {
    if (state_ == State::kWaiting) return;
    state_ = State::kWaiting;
    join_until_us_ = now_us + kWaitLife_us;
    retry_at_us_ = now_us + kWaitRetry_us;
    events.OnCode(join_keys_.code);
    return;
  }
  if (accept.node == 0 || header.session == 0) return;
  before_ = record_;
  is_tentative_ = true;
  record_.is_joined = true;
  record_.network = join_network_;
  record_.node = accept.node;
  record_.hub_address = join_hub_;
  record_.pair_key = join_keys_.pair;
  record_.channel = accept.channel;
  record_.items = {};  // another hub counts its commands from elsewhere
  record_.session = {};
  record_.session.id = header.session;
  record_.session.key = join_keys_.SessionKey(header.session);
  has_join_key_ = false;
  join_private_ = {};
  channel_ = accept.channel;
  events.OnChannel(accept.channel);
  outbox_.SendAgain(0);
  BeginSession(now_us, events);
}

void Node::SendResume(const Address& to, int64_t /*now_us*/, NodeEvents& events) {
  if (!is_resuming_) {
    is_resuming_ = true;
    random_.Fill(resume_random_);
  }
  Resume resume;
  resume.node_random = resume_random_;
  resume.info = InfoNow();
  uint8_t bits[8];
  random_.Fill(bits);
  Header header;
  header.type = Type::kResume;
  header.network = record_.network;
  header.node = record_.node;
  header.session = wire::Get32(bits);
  header.counter = wire::Get32(bits + 4);
  std::array<uint8_t, kMaxBody> body;
  FrameBuffer frame;
  const size_t size = SealFrame(header, Direction::kUp, ResumeKey(record_.pair_key), {options_.address, to}, {},
                                Bytes(body).first(Write(resume, body)), &frame);
  events.Send(to, Bytes(frame).first(size));
}

void Node::ReceiveResumed(const Address& from, const Address& to, const Header& header, Bytes frame, int64_t now_us,
                          NodeEvents& events) {
  if (!record_.is_joined || is_tentative_ || !is_resuming_ || header.node != record_.node ||
      header.network != record_.network) {
    return;
  }
  std::array<uint8_t, kMaxBody> scratch;
  Bytes body;
  Resumed resumed;
  if (!OpenFrame(frame, header, Direction::kDown, ResumeKey(record_.pair_key), {from, to}, 0, scratch, &body)) {
    ++counters_.bad_tags;
    return;
  }
  if (!Read(body, &resumed) || resumed.node_random != resume_random_) return;
  record_.session = {};
  record_.session.id = resumed.session;
  record_.session.key = ResumedSessionKey(record_.pair_key, resumed.node_random, resumed.hub_random, resumed.session);
  record_.hub_address = resumed.hub_address;
  record_.channel = resumed.channel;
  channel_ = resumed.channel;
  events.OnChannel(resumed.channel);
  outbox_.SendAgain(resumed.received);
  BeginSession(now_us, events);
}

void Node::ReceiveResumeWanted(const Address& from, const Address& to, const Header& header, Bytes frame,
                               int64_t now_us, NodeEvents& events) {
  if (state_ != State::kLinked || is_tentative_ || header.node != record_.node) return;
  std::array<uint8_t, kMaxBody> scratch;
  Bytes body;
  ResumeWanted wanted;
  if (!OpenFrame(frame, header, Direction::kDown, ResumeKey(record_.pair_key), {from, to}, 0, scratch, &body)) {
    ++counters_.bad_tags;
    return;
  }
  if (!Read(body, &wanted)) return;
  // It must answer one of the last frames: an old one again can't disturb.
  const bool is_ours = std::any_of(tags_.begin(), tags_.end(),
                                   [&wanted](const auto& tag) { return crypto::SameBytes(tag, wanted.tag); });
  if (is_ours) SendResume(record_.hub_address, now_us, events);
}

void Node::BeginSession(int64_t now_us, NodeEvents& events) {
  is_resuming_ = false;
  record_.session_since_us = now_us;
  heard_us_ = now_us;
  state_ = State::kLinked;
  flights_ = {};
  tags_ = {};
  in_flight_ = false;
  tries_ = 0;
  wants_poll_ = true;  // proves the session to the hub, whether there are reports or not
  events.OnLinked();
  if (state_ == State::kLinked) Pump(now_us, events);
}

}  // namespace vesta::link
