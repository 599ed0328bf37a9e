// A simulated MasterBus in virtual time: a shunt, a Mass Combi and a charger, and a display that finds out what they
// have and then reads its page every second, as on the captured boat.
//
// Gives the frames of the bus in order of time; a reader of the bus may ask, too. Faults make it misbehave on demand.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "model/time.h"
#include "simulators/masterbus_node.h"

namespace vesta::simulators {

enum class BusFault : uint8_t {
  kBabble,       // a node announces n invented devices a second
  kWrongLength,  // every n-th frame lacks its last byte
  kTwin,         // a second device with the shunt's address answers other values, every n-th time
  kErrorFrames,  // the controller reports errors, n a minute
  kSilentShunt,  // the shunt stops after n seconds
  kNoValue,      // every n-th value is not available
  kUnknownKind,  // every n seconds a frame of a kind that nobody knows, with a counter in it
  kGarbledText,  // a text form gets a wrong character in every n-th frame
  kCountOfFaults,
};

struct BusFaultInfo {
  BusFault fault;
  const char* name;
  const char* description;
  int64_t default_amount;
};
const std::vector<BusFaultInfo>& AllBusFaults();

struct BusFaultSetting {
  BusFault fault = BusFault::kBabble;
  int64_t amount = 1;
};
// "babble" or "babble:50". False: `error` says what is wrong.
bool ParseBusFault(std::string_view text, BusFaultSetting* setting, std::string* error);

struct MasterBusOptions {
  UtcUs start_us = 0;
  uint64_t seed = 1;
  bool display = true;  // without it nobody asks
  std::vector<BusFaultSetting> faults;
};

inline constexpr uint32_t kSimulatedShunt = 0x6F1297;
inline constexpr uint32_t kSimulatedCombi = 0x3AF412;
inline constexpr uint32_t kSimulatedCharger = 0x28A031;
inline constexpr uint32_t kSimulatedDisplay = 0x50840A;

class MasterBusBus {
 public:
  explicit MasterBusBus(const MasterBusOptions& options);
  ~MasterBusBus();

  struct Sent {
    UtcUs time_us;
    can::Frame frame;
  };
  UtcUs next_us() const { return queue_.top().time_us; }
  // The next frame on the bus; a bus never ends.
  Sent Next();
  // A frame that somebody else puts on the bus at this time.
  void Put(const can::Frame& frame, UtcUs now_us) { Answer(frame, now_us); }
  // The amount of a fault; 0 when it is not wanted.
  int64_t Amount(BusFault fault) const;

 private:
  struct World;
  enum class Act : uint8_t { kFrame, kDisplayPoll, kCombiPoll, kDisplayStep, kBabble, kError, kUnknown };
  struct Event {
    UtcUs time_us;
    uint64_t order;  // events of one moment keep their order
    Act act;
    can::Frame frame;
    bool operator<(const Event& other) const {
      return time_us != other.time_us ? time_us > other.time_us : order > other.order;
    }
  };

  void At(UtcUs time_us, Act act, const can::Frame& frame = {});
  void Repeat(const Event& event);
  void AnnounceAll(UtcUs now_us, uint32_t but);
  void Answer(const can::Frame& frame, UtcUs now_us);
  const can::Frame& DisplayQuestion();
  void Spoil(can::Frame* frame);

  MasterBusOptions options_;
  std::unique_ptr<World> world_;
  std::vector<MasterBusNode> nodes_;
  std::priority_queue<Event> queue_;
  std::vector<can::Frame> script_;  // what the display asks before it reads values, then its page
  size_t script_at_ = 0;
  size_t page_from_ = 0;
  uint64_t order_ = 0;
  uint64_t frames_ = 0;
  uint64_t values_ = 0;
  uint32_t invented_ = 0;
  uint32_t unknown_ = 0;
};

}  // namespace vesta::simulators
