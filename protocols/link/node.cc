// Sessions and what goes up and down in them. Joining and resuming are in node_join.cc.
#include "protocols/link/node.h"

#include <algorithm>

#include "protocols/little_endian.h"

namespace vesta::link {

namespace {

constexpr int64_t kRetry_us = 60 * kUsPerMs;  // doubles up to kMaxRetry_us
constexpr int64_t kMaxRetry_us = kUsPerSecond;
constexpr uint8_t kMaxTries = 8;
constexpr int64_t kBusy_us = kUsPerSecond;
constexpr int64_t kListen_us = 300 * kUsPerMs;
// A hub writes to its disk every ten seconds or so.
constexpr int64_t kAskKept_us = 10 * kUsPerSecond;
constexpr int64_t kBlobRetry_us = 100 * kUsPerMs;
constexpr uint8_t kMaxBlobTries = 10;
// New keys long before a counter or anybody's patience ends.
constexpr int64_t kSessionLife_us = 7 * 24 * 3600 * kUsPerSecond;

}  // namespace

Node::Node(const NodeOptions& options, std::span<uint8_t> outbox_memory, RandomSource& random)
    : options_(options), random_(random), outbox_(outbox_memory, [&random] {
        uint8_t bytes[4];
        random.Fill(bytes);
        const uint32_t epoch = wire::Get32(bytes);
        return epoch == 0 ? 1u : epoch;
      }()) {
  record_.epoch = outbox_.epoch();
}

void Node::Restore(const NodeRecord& record) {
  record_ = record;
  // Without the old outbox its numbers begin anew: the hub must hear of that before the next report.
  if (record_.epoch != outbox_.epoch()) record_.session = {};
  record_.epoch = outbox_.epoch();
  blob_.Restore(record.blob);
  channel_ = record.channel;
  state_ = !record.is_joined ? State::kAlone : record_.session.id != 0 ? State::kLinked : State::kUnlinked;
}

NodeInfo Node::InfoNow() const {
  NodeInfo info = options_.info;
  info.epoch = outbox_.epoch();
  info.channel = channel_;
  info.hardware = options_.blobs.hardware;
  info.firmware = options_.blobs.firmware;
  info.configuration = options_.blobs.configuration;
  return info;
}

bool Node::SendSealed(Type type, Bytes body, Sent what, uint32_t key, int64_t now_us, NodeEvents& events) {
  const uint32_t counter = record_.session.NextCounter();
  if (counter == 0) return false;
  Header header;
  header.flags = options_.is_sleepy ? kFlagSleepy : uint8_t{0};
  header.type = type;
  header.network = record_.network;
  header.node = record_.node;
  header.session = record_.session.id;
  header.counter = counter;
  FrameBuffer frame;
  const size_t size =
      SealFrame(header, Direction::kUp, record_.session.key, {options_.address, record_.hub_address}, {}, body, &frame);
  if (size == 0) return false;
  if (what != Sent::kNothing) {
    flights_[next_flight_] = {what, counter, key, now_us};
    next_flight_ = static_cast<uint8_t>((next_flight_ + 1) % flights_.size());
  }
  const Bytes tag = TagOf(Bytes(frame).first(size));
  std::copy(tag.begin(), tag.end(), tags_[next_tag_].begin());
  next_tag_ = static_cast<uint8_t>((next_tag_ + 1) % tags_.size());
  ++counters_.sent;
  events.Send(record_.hub_address, Bytes(frame).first(size));
  return true;
}

bool Node::HasUplink() const {
  Outbox::Entry entry;
  const bool has_result = std::any_of(results_.begin(), results_.end(), [](const auto& r) { return r.is_used; });
  return has_result || has_blob_status_ || has_chunk_ || wants_poll_ || (!is_held_ && outbox_.Next(&entry));
}

// Sends what is due: one message at a time, in this order: results, the end of an image, description, reports.
void Node::Pump(int64_t now_us, NodeEvents& events) {
  if (state_ != State::kLinked || !HasUplink()) {
    retry_at_us_ = kNoDeadline;
    in_flight_ = false;
    tries_ = 0;
    return;
  }
  if (in_flight_ && now_us < retry_at_us_) return;
  if (tries_ >= kMaxTries) return LoseLink(events);
  const bool is_used_up = record_.session.sent + 1 >= kMaxCounter;
  if (is_used_up || now_us - record_.session_since_us > kSessionLife_us) {
    SendResume(record_.hub_address, now_us, events);
    if (is_used_up) {
      in_flight_ = true;
      retry_at_us_ = now_us + std::min(kRetry_us << tries_++, kMaxRetry_us);
      return;
    }
  }
  std::array<uint8_t, kMaxBody> body;
  Outbox::Entry entry;
  const auto result = std::find_if(results_.begin(), results_.end(), [](const auto& r) { return r.is_used; });
  if (result != results_.end()) {
    Result message;
    message.version = result->version;
    message.outcome = result->outcome;
    message.item.index = result->index;
    for (const AppliedItem& item : record_.items) {
      if (item.version == 0 || item.index != result->index) continue;
      message.item = {item.index, item.type, Status::kOk, item.integer, item.real, {}};
    }
    SendSealed(Type::kResult, Bytes(body).first(Write(message, body)), Sent::kResult, result->version, now_us, events);
  } else if (has_blob_status_) {
    SendSealed(Type::kBlobStatus, Bytes(body).first(Write(blob_status_, body)), Sent::kBlobStatus, blob_status_.version,
               now_us, events);
  } else if (has_chunk_) {
    std::array<uint8_t, kDescriptionChunk> text;
    const size_t at = chunk_ * kDescriptionChunk;
    const size_t total = events.ReadDescription(at, text);
    Description message;
    message.hash = options_.info.description_hash;
    message.chunk = chunk_;
    message.count = static_cast<uint8_t>(std::min<size_t>((total + kDescriptionChunk - 1) / kDescriptionChunk, 255));
    if (at >= total || chunk_ >= message.count) {
      has_chunk_ = false;
      return Pump(now_us, events);
    }
    message.bytes = Bytes(text).first(std::min(kDescriptionChunk, total - at));
    SendSealed(Type::kDescription, Bytes(body).first(Write(message, body)), Sent::kDescription, chunk_, now_us, events);
  } else {
    Data data;
    if (!is_held_ && outbox_.Next(&entry)) {
      data.sequence = entry.sequence;
      const bool has_time = entry.measured_us != Outbox::kUnknownTime;
      const int64_t age_ms = has_time ? std::max<int64_t>(now_us - entry.measured_us, 0) / kUsPerMs : kAgeUnknown;
      data.age_ms = static_cast<uint32_t>(std::min<int64_t>(age_ms, kAgeUnknown));
      data.items = entry.items;
    }
    const Sent what = data.sequence != 0 ? Sent::kData : Sent::kPoll;
    SendSealed(Type::kData, Bytes(body).first(Write(data, body)), what, data.sequence, now_us, events);
  }
  in_flight_ = true;
  retry_at_us_ = now_us + std::min(kRetry_us << tries_++, kMaxRetry_us);
}

void Node::SendBlobRequest(int64_t now_us, NodeEvents& events) {
  std::array<uint8_t, kMaxBody> body;
  const BlobRequest wanted = blob_.Wanted();
  SendSealed(Type::kBlobRequest, Bytes(body).first(Write(wanted, body)), Sent::kNothing, 0, now_us, events);
  blob_due_ = static_cast<uint8_t>(std::min(__builtin_popcount(wanted.wanted), static_cast<int>(kBlocksPerRequest)));
  blob_at_us_ = now_us + kBlobRetry_us;
  listen_until_us_ = now_us + kListen_us;
}

void Node::LoseLink(NodeEvents& events) {
  ++counters_.link_losses;
  tries_ = 0;
  in_flight_ = false;
  retry_at_us_ = kNoDeadline;
  is_resuming_ = false;
  if (is_tentative_) {
    // The hub never confirmed: what was before holds.
    is_tentative_ = false;
    record_ = before_;
  }
  record_.session = {};
  state_ = record_.is_joined ? State::kUnlinked : State::kAlone;
  events.OnLinkLost();
}

void Node::Leave(NodeEvents& events) {
  crypto::Wipe(record_.pair_key);
  record_ = {};
  record_.epoch = outbox_.epoch();
  is_tentative_ = false;
  state_ = State::kAlone;
  events.OnSave(record_);
}

void Node::Tick(int64_t now_us, NodeEvents& events) {
  if (state_ == State::kJoining || state_ == State::kWaiting) {
    if (now_us >= join_until_us_) {
      AbandonJoin(now_us);
      events.OnLinkLost();
    } else if (now_us >= retry_at_us_) {
      SendJoin(now_us, events);
    }
    return;
  }
  if (state_ != State::kLinked) return;
  if (blob_.is_active() && now_us >= blob_at_us_) {
    if (blob_tries_++ < kMaxBlobTries) {
      SendBlobRequest(now_us, events);
    } else {
      blob_at_us_ = kNoDeadline;  // goes on when the hub offers it again
    }
  }
  if (outbox_.size() > 0 && now_us - heard_us_ >= kAskKept_us) wants_poll_ = true;
  Pump(now_us, events);
}

int64_t Node::next_deadline_us() const {
  if (state_ == State::kJoining || state_ == State::kWaiting) return std::min(retry_at_us_, join_until_us_);
  if (state_ != State::kLinked) return kNoDeadline;
  int64_t at = blob_.is_active() ? blob_at_us_ : kNoDeadline;
  if (HasUplink()) return std::min(at, in_flight_ ? retry_at_us_ : int64_t{0});
  if (outbox_.size() > 0) at = std::min(at, heard_us_ + kAskKept_us);
  return at;
}

bool Node::MaySleep(int64_t now_us) const {
  if (state_ == State::kJoining || state_ == State::kWaiting || is_resuming_) return false;
  if (state_ != State::kLinked) return true;
  const bool is_loading = blob_.is_active() && blob_at_us_ != kNoDeadline;
  return !HasUplink() && !is_loading && (waiting_ == 0 || now_us >= listen_until_us_);
}

void Node::Receive(const Address& from, const Address& to, Bytes frame, int64_t now_us, NodeEvents& events) {
  Header header;
  if (ReadHeader(frame, &header) != nullptr || to != options_.address) {
    ++counters_.not_ours;
    return;
  }
  const Bytes body = frame.subspan(kHeaderSize);
  switch (header.type) {
    case Type::kOffer:
      return ReceiveOffer(from, header, body, now_us, events);
    case Type::kAccept:
      return ReceiveAccept(from, header, frame, now_us, events);
    case Type::kResumed:
      return ReceiveResumed(from, to, header, frame, now_us, events);
    case Type::kResumeWanted:
      return ReceiveResumeWanted(from, to, header, frame, now_us, events);
    case Type::kRefuse: {
      Refuse refuse;
      if (!Read(body, &refuse)) return;
      // A hint for people: anybody can send it.
      if (refuse.reason == Refusal::kUnknownNode && state_ == State::kUnlinked && unknown_hints_ < 255) {
        ++unknown_hints_;
      }
      return events.OnRefused(refuse.reason);
    }
    case Type::kAck:
    case Type::kCommand:
    case Type::kDescribe:
    case Type::kBlobOffer:
    case Type::kBlobBlock:
      return ReceiveSession(from, to, header, frame, now_us, events);
    default:
      ++counters_.not_ours;
      return;
  }
}

void Node::ReceiveSession(const Address& from, const Address& to, const Header& header, Bytes frame, int64_t now_us,
                          NodeEvents& events) {
  if (state_ != State::kLinked || header.session != record_.session.id || header.node != record_.node ||
      header.network != record_.network) {
    ++counters_.not_ours;
    return;
  }
  if (header.counter >= kMaxCounter || !record_.session.received.IsNew(header.counter)) {
    ++counters_.replays;
    return;
  }
  std::array<uint8_t, kMaxBody> scratch;
  Bytes body;
  if (!OpenFrame(frame, header, Direction::kDown, record_.session.key, {from, to}, 0, scratch, &body)) {
    ++counters_.bad_tags;
    return;
  }
  record_.session.received.Mark(header.counter);
  ++counters_.received;
  heard_us_ = now_us;
  if (is_tentative_) {
    is_tentative_ = false;
    before_ = {};
    events.OnSave(record_);
  }
  unknown_hints_ = 0;
  switch (header.type) {
    case Type::kAck: {
      Ack ack;
      if (Read(body, &ack)) HandleAck(ack, now_us, events);
      break;
    }
    case Type::kCommand: {
      Command command;
      if (Read(body, &command)) HandleCommand(command, events);
      break;
    }
    case Type::kDescribe: {
      Describe describe;
      if (!Read(body, &describe)) break;
      has_chunk_ = true;
      chunk_ = describe.chunk;
      break;
    }
    case Type::kBlobOffer: {
      BlobManifest manifest;
      if (Read(body, &manifest)) HandleBlob(manifest, now_us, events);
      break;
    }
    default: {
      BlobBlock block;
      if (!Read(body, &block) || !blob_.is_active()) break;
      const BlobProgress before = blob_.progress();
      const std::optional<BlobResult> result = blob_.Take(block, events);
      record_.blob = blob_.progress();
      blob_tries_ = 0;
      if (result) {
        FinishBlob(before.manifest, *result, events);
        break;
      }
      if (blob_.progress().first == before.first && blob_.progress().have == before.have) break;  // a repeated one
      blob_at_us_ = now_us + kBlobRetry_us;
      if (blob_due_ > 0 && --blob_due_ == 0) SendBlobRequest(now_us, events);
      break;
    }
  }
  if (header.type != Type::kAck) listen_until_us_ = now_us + kListen_us;
  // A message from the hub may have made something to send; what is in flight keeps its time.
  if (!in_flight_) Pump(now_us, events);
}

void Node::HandleAck(const Ack& ack, int64_t now_us, NodeEvents& events) {
  const auto flight = std::find_if(flights_.begin(), flights_.end(), [&ack](const Flight& f) {
    return f.what != Sent::kNothing && f.counter == ack.counter;
  });
  outbox_.Release(ack.kept);
  waiting_ = ack.waiting;
  if (waiting_ > 0) listen_until_us_ = now_us + kListen_us;
  if (ack.channel != 0 && ack.channel != record_.channel) {
    record_.channel = ack.channel;
    events.OnChannel(ack.channel);
  }
  if (flight == flights_.end()) return;
  const Flight done = *flight;
  *flight = {};
  if (ack.time_ms != 0) {
    const int64_t round_trip_us = now_us - done.at_us;
    events.OnTime(static_cast<int64_t>(ack.time_ms) * kUsPerMs + round_trip_us / 2,
                  (ack.flags & kAckTimeSynchronised) != 0, round_trip_us);
  }
  in_flight_ = false;
  tries_ = 0;
  switch (done.what) {
    case Sent::kData:
      if (ack.result == AckResult::kTaken) {
        outbox_.Acknowledge(done.key);
        outbox_.Release(ack.kept);
      } else if (ack.result == AckResult::kRefused) {
        ++counters_.refused_reports;
        outbox_.Drop(done.key);
      } else {
        in_flight_ = true;
        retry_at_us_ = now_us + kBusy_us;
      }
      break;
    case Sent::kResult:
      for (WaitingResult& r : results_) {
        if (r.is_used && r.version == done.key) r = {};
      }
      break;
    case Sent::kDescription:
      if (has_chunk_ && chunk_ == done.key) has_chunk_ = false;
      break;
    case Sent::kBlobStatus:
      if (blob_status_.version == done.key) has_blob_status_ = false;
      break;
    default:
      wants_poll_ = false;
      break;
  }
}

void Node::HandleCommand(const Command& command, NodeEvents& events) {
  WaitingResult answer{true, command.item.index, command.version, Outcome::kApplied};
  AppliedItem* item = nullptr;
  for (AppliedItem& i : record_.items) {
    if (i.version != 0 && i.index == command.item.index) {
      item = &i;
      break;
    }
    if (i.version == 0 && item == nullptr) item = &i;
  }
  if (item == nullptr) {
    answer.outcome = Outcome::kRefused;
  } else if (command.version > item->version) {
    Item value = command.item;
    answer.outcome = events.OnCommand(&value);
    const ValueType type = value.type == ValueType::kBytes ? ValueType::kNone : value.type;
    *item = {command.version, command.item.index, answer.outcome, type, value.real, value.integer};
    events.OnSave(record_);
  } else if (command.version == item->version) {
    answer.outcome = item->outcome;  // its result was lost
  } else {
    answer.outcome = Outcome::kOlder;
    answer.version = item->version;
  }
  WaitingResult* slot = &results_[0];
  for (WaitingResult& r : results_) {
    if (!r.is_used) slot = &r;
  }
  for (WaitingResult& r : results_) {
    if (r.is_used && r.index == answer.index) slot = &r;
  }
  *slot = answer;
}

void Node::HandleBlob(const BlobManifest& manifest, int64_t now_us, NodeEvents& events) {
  if (has_blob_status_ && blob_status_.version == manifest.version) return;  // the hub has not heard of it yet
  const std::optional<BlobResult> result = blob_.Offer(manifest, options_.blobs, events);
  record_.blob = blob_.progress();
  if (result) return FinishBlob(manifest, *result, events);
  blob_tries_ = 0;
  SendBlobRequest(now_us, events);
}

void Node::FinishBlob(const BlobManifest& manifest, BlobResult result, NodeEvents& events) {
  blob_status_ = {manifest.kind, manifest.version, result};
  has_blob_status_ = true;
  if (result == BlobResult::kComplete) {
    uint32_t* running = manifest.kind == BlobKind::kConfiguration ? &options_.blobs.configuration : nullptr;
    if (running != nullptr) *running = manifest.version;
  }
  events.OnSave(record_);
}

}  // namespace vesta::link
