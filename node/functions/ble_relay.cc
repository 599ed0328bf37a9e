#include "node/functions/ble_relay.h"

#include "protocols/link/relay.h"

namespace vesta::node {

namespace {

constexpr int64_t kScan_us = 100000;

}  // namespace

bool BleRelayFunction::Start(Board& board, Problem* problem) {
  tell_us_ = next_us_ = board.now_us;
  listen_until_us_ = board.now_us + period_us();
  if (board.ports.ble->Start()) return true;
  problem->Add("the Bluetooth scanner does not start");
  next_us_ = kNever;
  return false;
}

bool BleRelayFunction::IsDue(uint64_t address, int64_t now_us, Sender** place) {
  Sender* oldest = &senders_[0];
  for (Sender& s : senders_) {
    if (s.address == address) {
      *place = &s;
      return now_us - s.sent_us >= period_us();
    }
    if (s.sent_us < oldest->sent_us) oldest = &s;
  }
  *place = oldest;
  return true;
}

void BleRelayFunction::Run(Board& board) {
  ble::Advert advert;
  while (board.ports.ble->Next(&advert)) {
    const bool is_wanted =
        config_.company == 0 || ble::FindManufacturerData(advert.data, static_cast<uint16_t>(config_.company));
    Sender* sender = nullptr;
    if (!is_wanted || !IsDue(advert.address, board.now_us, &sender)) continue;
    std::array<uint8_t, ble::kMaxAdvertSize> bytes;
    const size_t size = ble::WriteAdvert(advert, bytes);
    if (size == 0 || !board.EmitFrame(item(0), Bytes(bytes).first(size), board.now_us, 0)) {
      ++dropped_;
      continue;
    }
    *sender = {advert.address, board.now_us};
  }
  const uint32_t dropped = dropped_ + board.ports.ble->dropped();
  if (dropped != told_dropped_ && board.now_us >= tell_us_) {
    board.EmitInteger(item(1), told_dropped_ = dropped);
    tell_us_ = board.now_us + kTellDroppedEvery_us;
  }
  next_us_ = board.now_us + kScan_us;
}

void BleRelayFunction::Describe(ItemSink& sink) const {
  ItemDescription d = Described(0, "frames", "frames");
  d.protocol = "ble-advert";
  sink.Add(d);
  sink.Add(Described(1, "frames_dropped", "counter"));
}

}  // namespace vesta::node
