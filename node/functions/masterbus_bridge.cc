#include "node/functions/masterbus_bridge.h"

#include "protocols/link/relay.h"

namespace vesta::node {

namespace {

constexpr int64_t kBus_us = 20000;

uint32_t HashOf(uint32_t hash, Bytes bytes) {
  for (const uint8_t b : bytes) hash = (hash ^ b) * 16777619u;
  return hash;
}

}  // namespace

bool MasterbusBridge::Start(Board& board, Problem* problem) {
  tell_us_ = next_us_ = board.now_us;
  if (board.ports.can->Open(static_cast<uint32_t>(config_.baud), true)) return true;
  problem->Add("masterbus '").Add(config_.name.view()).Add("': the CAN controller does not open");
  next_us_ = kNever;
  return false;
}

bool MasterbusBridge::IsNews(const can::Frame& frame, int64_t now_us, Known** place) {
  const Bytes data = Bytes(frame.data).first(frame.is_remote ? 0 : frame.size);
  const uint32_t key = HashOf(2166136261u ^ frame.id, data.first(data.size() < 2 ? data.size() : 2)) | 1;
  const uint32_t hash = HashOf(key, data);
  Known* oldest = &known_[0];
  for (Known& k : known_) {
    if (k.key == key) {
      *place = &k;
      const bool is_news = k.hash != hash || now_us - k.sent_us >= period_us();
      k.hash = hash;
      return is_news;
    }
    if (k.sent_us < oldest->sent_us) oldest = &k;
  }
  *oldest = {key, hash, INT64_MIN / 2};
  *place = oldest;
  return true;
}

void MasterbusBridge::Run(Board& board) {
  can::Frame frame;
  Known* known = nullptr;
  while (board.ports.can->Next(&frame)) {
    if (!IsNews(frame, board.now_us, &known)) continue;
    std::array<uint8_t, can::kMaxFrameSize> bytes;
    const size_t size = can::WriteFrame(frame, bytes);
    const uint8_t flags = has_dropped_ ? link::kRelayDropped : 0;
    has_dropped_ = !board.EmitFrame(item(0), Bytes(bytes).first(size), board.now_us, flags);
    if (has_dropped_) {
      ++dropped_;
      known->hash = 0;  // its next one is news
    } else {
      known->sent_us = board.now_us;
    }
  }
  const uint32_t dropped = dropped_ + board.ports.can->dropped();
  if (dropped != told_dropped_ && board.now_us >= tell_us_) {
    board.EmitInteger(item(1), told_dropped_ = dropped);
    tell_us_ = board.now_us + kTellDroppedEvery_us;
  }
  next_us_ = board.now_us + kBus_us;
}

void MasterbusBridge::Describe(ItemSink& sink) const {
  ItemDescription d = Described(0, "frames", "frames");
  d.protocol = "masterbus";
  sink.Add(d);
  sink.Add(Described(1, "frames_dropped", "counter"));
}

}  // namespace vesta::node
