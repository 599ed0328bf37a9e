#include "simulators/air.h"

#include <algorithm>

#include "protocols/espnow/frame.h"

namespace vesta::simulators {

namespace {

constexpr int64_t kPreamble_us = 192;
constexpr int64_t kByte_us = 8;
constexpr int64_t kSlot_us = 20;
constexpr int64_t kQuiet_us = 50;
constexpr int64_t kAnswerGap_us = 10;
constexpr int64_t kAnswer_us = 304;
constexpr unsigned kWindow = 31;
constexpr unsigned kMaxWindow = 1023;
constexpr uint8_t kMaxTries = 8;

uint64_t KeyOf(const link::Address& address) {
  uint64_t key = 0;
  for (const uint8_t b : address) key = key << 8 | b;
  return key;
}

int64_t AirTime_us(size_t body) {
  const size_t bytes =
      espnow::kMacHeaderSize + espnow::kActionHeaderSize + espnow::kElementHeaderSize + body + espnow::kFcsSize;
  return kPreamble_us + kByte_us * static_cast<int64_t>(bytes);
}

}  // namespace

void Air::Events::Push(const Event& event) {
  const int64_t slot = SlotOf(event);
  if (slot <= slot_) {
    near_.push_back(event);
    std::push_heap(near_.begin(), near_.end());
  } else if (slot - slot_ < static_cast<int64_t>(kSlots)) {
    ring_[static_cast<size_t>(slot) % kSlots].push_back(event);
    ++in_ring_;
  } else {
    far_.push_back(event);
    std::push_heap(far_.begin(), far_.end());
  }
}

const Air::Event* Air::Events::Next() {
  while (near_.empty()) {
    if (in_ring_ == 0 && far_.empty()) return nullptr;
    slot_ = in_ring_ == 0 ? SlotOf(far_.front()) : slot_ + 1;
    std::vector<Event>& due = ring_[static_cast<size_t>(slot_) % kSlots];
    in_ring_ -= due.size();
    near_.swap(due);
    while (!far_.empty() && SlotOf(far_.front()) - slot_ < static_cast<int64_t>(kSlots)) {
      std::pop_heap(far_.begin(), far_.end());
      const Event event = far_.back();
      far_.pop_back();
      if (SlotOf(event) <= slot_) {
        near_.push_back(event);
      } else {
        ring_[static_cast<size_t>(SlotOf(event)) % kSlots].push_back(event);
        ++in_ring_;
      }
    }
    std::make_heap(near_.begin(), near_.end());
  }
  return &near_.front();
}

void Air::Events::Pop() {
  std::pop_heap(near_.begin(), near_.end());
  near_.pop_back();
}

uint64_t SeededRandom::Next() {
  uint64_t z = state_ += 0x9E3779B97F4A7C15u;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

void SeededRandom::Fill(std::span<uint8_t> out) {
  for (size_t i = 0; i < out.size();) {
    uint64_t bits = Next();
    for (int n = 0; n < 8 && i < out.size(); ++n, bits >>= 8) out[i++] = static_cast<uint8_t>(bits);
  }
}

Air::Air(const AirRules& rules) : rules_(rules), random_(rules.seed) {}

Air::Station Air::Add(const link::Address& address, AirListener& listener, bool hears_all, bool acknowledges) {
  StationState s;
  s.address = address;
  s.listener = &listener;
  s.hears_all = hears_all;
  s.acknowledges = acknowledges;
  stations_.push_back(std::move(s));
  const Station station = stations_.size() - 1;
  by_address_[KeyOf(address)] = station;
  if (hears_all) gateways_.push_back(station);
  return station;
}

void Air::SetOn(Station station, bool is_on) {
  StationState& s = stations_[station];
  s.is_on = is_on;
  if (!is_on && !s.is_sending) s.queue.clear();
  s.last_sequence = 0xFFFF;
}

void Air::Push(int64_t at_us, Kind kind, Station station, uint64_t what) {
  events_.Push({at_us, order_++, kind, station, what});
}

void Air::SetTimer(Station station, int64_t at_us, uint64_t what) {
  Push(std::max(at_us, now_us_), Kind::kTimer, station, what);
}

void Air::Send(Station station, const link::Address& to, link::Bytes body) {
  StationState& s = stations_[station];
  if (s.queue.size() >= kQueue || body.size() > link::kMaxFrame) {
    ++counters_.lost;
    return;
  }
  Outgoing out;
  out.to = to;
  out.size = static_cast<uint8_t>(body.size());
  out.sequence = s.next_sequence = static_cast<uint16_t>((s.next_sequence + 1) & 0x0FFF);
  std::copy(body.begin(), body.end(), out.body.begin());
  s.queue.push_back(out);
  if (!s.waits && !s.is_sending) WantToSend(station, kWindow);
}

void Air::WantToSend(Station station, unsigned window) {
  StationState& s = stations_[station];
  s.waits = true;
  const int64_t from_us = std::max(now_us_, busy_until_us_[s.channel]);
  Push(from_us + kQuiet_us + static_cast<int64_t>(random_.Below(window + 1)) * kSlot_us, Kind::kAttempt, station);
}

void Air::Attempt(Station station) {
  StationState& s = stations_[station];
  s.waits = false;
  if (s.queue.empty()) return;
  if (!s.is_on) return s.queue.clear();
  bool collides = false;
  for (Flying& f : flying_) {
    if (f.channel != s.channel || f.end_us <= now_us_) continue;
    // One that began within this slot could not be heard yet.
    if (now_us_ - f.start_us >= kSlot_us) return WantToSend(station, kWindow);
    f.is_lost = collides = true;
  }
  // Its acknowledgement keeps the channel as well.
  if (!collides && busy_until_us_[s.channel] > now_us_) return WantToSend(station, kWindow);
  const int64_t end_us = now_us_ + AirTime_us(s.queue.front().size);
  ++(s.queue.front().tries == 0 ? counters_.sent : counters_.repeated);
  counters_.collided += collides ? 1 : 0;
  counters_.busy_us += static_cast<uint64_t>(end_us - now_us_);
  flying_.push_back({station, now_us_, end_us, s.channel, collides});
  s.is_sending = true;
  const bool is_unicast = (s.queue.front().to[0] & 1) == 0;
  busy_until_us_[s.channel] =
      std::max(busy_until_us_[s.channel], end_us + (is_unicast ? kAnswerGap_us + kAnswer_us : 0));
  Push(end_us, Kind::kEnd, station);
}

bool Air::Reaches(uint8_t sent_on, uint8_t tuned) {
  const int distance = sent_on > tuned ? sent_on - tuned : tuned - sent_on;
  if (distance == 0) return true;
  if (distance > 2) return false;
  if (!random_.Chance(distance == 1 ? rules_.one_away_percent : rules_.two_away_percent)) return false;
  ++counters_.adjacent;
  return true;
}

// True when the receiver's radio acknowledges it.
bool Air::Deliver(const Flying& flight, const Outgoing& frame, Station to, bool is_unicast) {
  StationState& s = stations_[to];
  if (!s.is_on || s.is_sending || to == flight.station || flight.is_lost) return false;
  if (!Reaches(flight.channel, s.channel)) return false;
  if (random_.Chance(rules_.loss_percent)) {
    ++counters_.lost;
    return false;
  }
  const link::Address from = stations_[flight.station].address;
  const uint64_t key = KeyOf(from);
  const bool is_repeat = s.last_from == key && s.last_sequence == frame.sequence;
  s.last_from = key;
  s.last_sequence = frame.sequence;
  const bool acknowledges = is_unicast && s.acknowledges;
  if (is_repeat) return acknowledges;
  const bool is_late = random_.Chance(rules_.late_percent);
  if (is_late || random_.Chance(rules_.twice_percent)) {
    ++(is_late ? counters_.late : counters_.twice);
    HandOnLate({to, from, flight.channel, frame});
  }
  if (!is_late) s.listener->OnFrame(from, frame.to, flight.channel, link::Bytes(frame.body).first(frame.size));
  return acknowledges;
}

void Air::HandOnLate(const Late& late) {
  size_t place = late_.size();
  if (free_late_.empty()) {
    late_.push_back(late);
  } else {
    place = free_late_.back();
    free_late_.pop_back();
    late_[place] = late;
  }
  Push(now_us_ + 1 + static_cast<int64_t>(random_.Below(kMostLate_us)), Kind::kLate, late.to, place);
}

void Air::End(Station station) {
  const auto place =
      std::find_if(flying_.begin(), flying_.end(), [station](const Flying& f) { return f.station == station; });
  const Flying flight = *place;
  *place = flying_.back();
  flying_.pop_back();
  // The listeners may send in turn: a copy.
  Outgoing frame = stations_[station].queue.front();
  stations_[station].is_sending = false;
  const bool is_unicast = (frame.to[0] & 1) == 0;
  bool is_done = !is_unicast;
  if (is_unicast) {
    const auto found = by_address_.find(KeyOf(frame.to));
    if (found != by_address_.end()) is_done = Deliver(flight, frame, found->second, true);
    // The acknowledgement can be lost like any frame.
    is_done = is_done && !random_.Chance(rules_.loss_percent);
  } else {
    for (const Station gateway : gateways_) Deliver(flight, frame, gateway, false);
  }
  StationState& s = stations_[station];
  if (!s.is_on) return s.queue.clear();
  if (is_done || ++s.queue.front().tries >= kMaxTries) s.queue.erase(s.queue.begin());
  if (s.queue.empty() || s.waits) return;
  WantToSend(station, std::min(((kWindow + 1) << s.queue.front().tries) - 1, kMaxWindow));
}

void Air::RunUntil(int64_t until_us) {
  for (const Event* next; (next = events_.Next()) != nullptr && next->at_us <= until_us;) {
    const Event event = *next;
    events_.Pop();
    now_us_ = event.at_us;
    switch (event.kind) {
      case Kind::kAttempt:
        Attempt(event.station);
        break;
      case Kind::kEnd:
        End(event.station);
        break;
      case Kind::kTimer:
        stations_[event.station].listener->OnTimer(event.what);
        break;
      case Kind::kLate: {
        const Late late = late_[event.what];
        free_late_.push_back(event.what);
        const StationState& s = stations_[late.to];
        if (!s.is_on) break;
        s.listener->OnFrame(late.from, late.frame.to, late.channel,
                            link::Bytes(late.frame.body).first(late.frame.size));
        break;
      }
    }
  }
  now_us_ = std::max(now_us_, until_us);
}

bool Air::RunUntil(const std::function<bool()>& is_done, int64_t until_us) {
  while (!is_done()) {
    if (now_us_ >= until_us) return false;
    const Event* next = events_.Next();
    const int64_t next_us = next == nullptr ? until_us : std::min(next->at_us, until_us);
    RunUntil(next_us);
  }
  return true;
}

}  // namespace vesta::simulators
