// The air between nodes and gateways in virtual time, with the times that frames of 802.11 take at 1 Mb/s.
//
// A frame lasts 192 us of preamble and 8 us a byte. A station waits until its channel is quiet for 50 us and some slots
// of 20 us more; two that begin within one slot collide and both frames are lost. A frame to one station is
// acknowledged 10 us behind its end (304 us) by a radio that does so, and repeated up to 7 times by the sender else, in
// a doubling window. A strong frame is also heard one or two channels away, with the chances below. Every receiver
// loses frames with a chance of its own; some it hands on late, so that others overtake them, or twice (a wired air, or
// a radio that forgot what it heard). Everything comes from one seed: a run repeats exactly.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "protocols/link/random_source.h"
#include "protocols/link/wire.h"

namespace vesta::simulators {

inline constexpr int64_t kMostLate_us = 40000;

struct AirRules {
  unsigned loss_percent = 0;
  unsigned one_away_percent = 35;  // heard on the next channel
  unsigned two_away_percent = 10;
  uint64_t seed = 1;
  unsigned late_percent = 0;  // handed on up to kMostLate_us after it came
  unsigned twice_percent = 0;
};

class SeededRandom final : public link::RandomSource {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}
  uint64_t Next();
  uint64_t Below(uint64_t n) { return Next() % n; }
  bool Chance(unsigned percent) { return percent > 0 && Below(100) < percent; }
  void Fill(std::span<uint8_t> out) override;

 private:
  uint64_t state_;
};

// What a station hears of.
class AirListener {
 public:
  virtual ~AirListener() = default;
  virtual void OnFrame(const link::Address& from, const link::Address& to, uint8_t sent_on, link::Bytes body) = 0;
  virtual void OnTimer(uint64_t what) = 0;
};

class Air {
 public:
  using Station = size_t;

  explicit Air(const AirRules& rules);

  // hears_all: a gateway, which takes broadcasts; nodes do not look at them. acknowledges: its radio answers frames to
  // it.
  Station Add(const link::Address& address, AirListener& listener, bool hears_all, bool acknowledges);
  void Tune(Station station, uint8_t channel) { stations_[station].channel = channel; }
  void SetOn(Station station, bool is_on);
  void Send(Station station, const link::Address& to, link::Bytes body);
  // Calls the listener's OnTimer at this time.
  void SetTimer(Station station, int64_t at_us, uint64_t what);

  int64_t now_us() const { return now_us_; }
  void RunUntil(int64_t until_us);
  bool RunUntil(const std::function<bool()>& is_done, int64_t until_us);
  SeededRandom& random() { return random_; }
  AirRules& rules() { return rules_; }

  struct Counters {
    uint64_t sent = 0;
    uint64_t repeated = 0;
    uint64_t collided = 0;
    uint64_t lost = 0;
    uint64_t adjacent = 0;  // heard away from their channel
    uint64_t late = 0;
    uint64_t twice = 0;
    uint64_t busy_us = 0;
  };
  const Counters& counters() const { return counters_; }

 private:
  static constexpr size_t kQueue = 16;  // frames that a radio keeps; one more is dropped
  enum class Kind : uint8_t { kAttempt, kEnd, kTimer, kLate };
  struct Outgoing {
    link::Address to = {};
    uint8_t size = 0;
    uint8_t tries = 0;
    uint16_t sequence = 0;
    std::array<uint8_t, link::kMaxFrame> body = {};
  };
  struct StationState {
    link::Address address = {};
    AirListener* listener = nullptr;
    bool hears_all = false;
    bool acknowledges = false;
    bool is_on = true;
    bool is_sending = false;
    bool waits = false;  // an attempt is due
    uint8_t channel = 1;
    uint16_t next_sequence = 0;
    std::vector<Outgoing> queue;
    // The last frame that came, to drop what the sender repeats.
    uint64_t last_from = 0;
    uint16_t last_sequence = 0xFFFF;
  };
  struct Event {
    int64_t at_us;
    uint64_t order;
    Kind kind;
    Station station;
    uint64_t what;
    bool operator<(const Event& other) const {
      return at_us != other.at_us ? at_us > other.at_us : order > other.order;
    }
  };
  // Events in the order of their time, then of their making. Those of the next second or so lie in a heap, later ones
  // in a ring of slots, the rest in a heap of their own: with 10,000 nodes most wait for long, and the heap at hand
  // stays small.
  class Events {
   public:
    Events() : ring_(kSlots) {}
    void Push(const Event& event);
    // nullptr: there is none.
    const Event* Next();
    void Pop();

   private:
    static constexpr size_t kSlots = 256;
    static constexpr int kSlotBits = 20;  // of a microsecond: some 1.05 s
    static int64_t SlotOf(const Event& event) { return event.at_us >> kSlotBits; }

    std::vector<Event> near_;  // heaps
    std::vector<Event> far_;
    std::vector<std::vector<Event>> ring_;
    size_t in_ring_ = 0;
    int64_t slot_ = 0;  // up to here all is near
  };
  struct Late {
    Station to;
    link::Address from;
    uint8_t channel;
    Outgoing frame;
  };
  struct Flying {
    Station station;
    int64_t start_us;
    int64_t end_us;
    uint8_t channel;
    bool is_lost = false;
  };

  void Push(int64_t at_us, Kind kind, Station station, uint64_t what = 0);
  void Attempt(Station station);
  void End(Station station);
  bool Deliver(const Flying& flight, const Outgoing& frame, Station to, bool is_unicast);
  void HandOnLate(const Late& late);
  void WantToSend(Station station, unsigned window);
  bool Reaches(uint8_t sent_on, uint8_t tuned);

  AirRules rules_;
  SeededRandom random_;
  int64_t now_us_ = 1000000;
  uint64_t order_ = 0;
  Events events_;
  std::vector<Late> late_;  // by Event::what
  std::vector<size_t> free_late_;
  std::vector<StationState> stations_;
  std::vector<Flying> flying_;
  std::array<int64_t, 15> busy_until_us_ = {};
  std::unordered_map<uint64_t, Station> by_address_;
  std::vector<Station> gateways_;
  Counters counters_;
};

}  // namespace vesta::simulators
