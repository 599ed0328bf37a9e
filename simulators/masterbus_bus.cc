#include "simulators/masterbus_bus.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "model/calendar.h"
#include "protocols/masterbus/request.h"
#include "simulators/random.h"

namespace vesta::simulators {
namespace {

using masterbus::Ask;
using masterbus::Presentation;

constexpr int64_t kDisplayPoll_us = 30 * kUsPerSecond;
constexpr int64_t kCombiPoll_us = 20 * kUsPerSecond;
constexpr int64_t kPage_us = 1 * kUsPerSecond;
constexpr int64_t kQuestionGap_us = 5 * kUsPerMs;
constexpr int64_t kReply_us = 2 * kUsPerMs;
constexpr uint64_t kLoadNoise = 11;
constexpr int64_t kLoadStep_s = 120;

}  // namespace

const std::vector<BusFaultInfo>& AllBusFaults() {
  static const std::vector<BusFaultInfo> kFaults = {
      {BusFault::kBabble, "babble", "a node announces N invented devices a second", 100},
      {BusFault::kWrongLength, "wrong-length", "every Nth frame lacks its last byte", 20},
      {BusFault::kTwin, "twin", "a second device with the shunt's address answers every Nth question", 5},
      {BusFault::kErrorFrames, "error-frames", "the controller reports N errors a minute", 2},
      {BusFault::kSilentShunt, "silent-shunt", "the shunt says nothing any more after N seconds", 60},
      {BusFault::kNoValue, "no-value", "every Nth value is not available", 10},
      {BusFault::kUnknownKind, "unknown-kind", "every N seconds a frame of an unknown kind", 1},
      {BusFault::kGarbledText, "garbled-text", "a wrong character in every Nth frame's text (slcan)", 50},
  };
  return kFaults;
}

bool ParseBusFault(std::string_view text, BusFaultSetting* setting, std::string* error) {
  const size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  std::string names;
  for (const BusFaultInfo& info : AllBusFaults()) {
    names += std::string(names.empty() ? "" : ", ") + info.name;
    if (name != info.name) continue;
    *setting = {info.fault, info.default_amount};
    if (colon == std::string_view::npos) return true;
    const std::string_view number = text.substr(colon + 1);
    const auto [end, code] = std::from_chars(number.data(), number.data() + number.size(), setting->amount);
    if (code == std::errc() && end == number.data() + number.size() && setting->amount > 0) return true;
    *error = "fault " + std::string(text) + ": the number must be whole and above 0";
    return false;
  }
  *error = "there is no fault \"" + std::string(name) + "\"; there are " + names;
  return false;
}

// What the devices measure: a day on a boat, the same for a seed and a time.
struct MasterBusBus::World {
  uint64_t seed = 1;
  UtcUs now_us = 0;

  double Day() const { return static_cast<double>(now_us / kUsPerSecond % 86400) / 86400.0; }
  double Load_A() const { return Between(2, 18, SmoothNoise(seed, kLoadNoise, now_us / kUsPerSecond, kLoadStep_s)); }
  double Shore() const { return Day() > 0.7 || Day() < 0.3 ? 1 : 0; }
  double Charge_A() const { return Shore() * 25; }
  double Amps() const { return Charge_A() - Load_A(); }
  double Soc() const { return std::clamp(75 + 20 * std::sin(2 * 3.14159265 * (Day() + 0.45)), 0.0, 100.0); }
  double Volts() const { return 12.2 + Soc() * 0.009 + Amps() * 0.012; }
};

MasterBusBus::~MasterBusBus() = default;

MasterBusBus::MasterBusBus(const MasterBusOptions& options) : options_(options), world_(std::make_unique<World>()) {
  World* world = world_.get();
  world->seed = options.seed;
  world->now_us = options.start_us;
  const auto number = [](uint16_t item, const char* label, const char* unit, float low, float high, float step,
                         std::function<double()> value) {
    return MasterBusItem{
        item, label, unit, Presentation::kNumber, low, high, step, {}, [value] { return static_cast<float>(value()); }};
  };
  const auto list = [](uint16_t item, const char* label, std::vector<std::string> names,
                       std::function<double()> value) {
    return MasterBusItem{item,
                         label,
                         "",
                         Presentation::kDropDown,
                         0,
                         0,
                         1,
                         std::move(names),
                         [value] { return static_cast<float>(value()); }};
  };
  const auto time = [](uint16_t item, const char* label, Presentation how, std::function<double()> value) {
    return MasterBusItem{item, label, "", how, 0, 0, 1, {}, [value] { return static_cast<float>(value()); }};
  };
  nodes_.emplace_back(
      0x1B, kSimulatedShunt & masterbus::kUniqueIdMask, "MSH House shunt", "77020100", "S0131297",
      std::vector<std::vector<MasterBusItem>>{
          {number(0, "State of Charge", "%", 0, 100, 1, [world] { return world->Soc(); }),
           number(1, "Battery", "V", 0, 100, 0.01f, [world] { return world->Volts(); }),
           number(2, "Battery", "A", -1500, 1500, 0.1f, [world] { return world->Amps(); }),
           number(3, "Cap. consumed", "Ah", 0, 2000, 0.1f, [world] { return (100 - world->Soc()) * 4.4; }),
           time(4, "Remaining", Presentation::kDuration,
                [world] { return world->Amps() < 0 ? world->Soc() * 4.4 / -world->Amps() * 3600 : NAN; }),
           number(5, "Battery",
                  "\xB0"
                  "C",
                  -50, 120, 1, [world] { return 18 + 4 * std::sin(6.28 * world->Day()); }),
           time(9, "Time", Presentation::kDuration,
                [world] { return static_cast<double>(world->now_us / kUsPerSecond % 86400); }),
           time(10, "Date", Presentation::kDate, [world] {
             const CivilTime civil = CivilFromUs(world->now_us);
             return static_cast<double>(
                 masterbus::WriteDate({static_cast<uint16_t>(civil.year), civil.month, civil.day}));
           })}});
  nodes_.emplace_back(
      0x0E, kSimulatedCombi & masterbus::kUniqueIdMask, "INT Mass Combi", "38012000", "C02F412",
      std::vector<std::vector<MasterBusItem>>{
          {list(0x10, "State", {"Off", "Standby", "Charging", "Inverting"},
                [world] { return world->Shore() > 0 ? 2 : 3; }),
           list(0x3C, "Mode", {"Manual", "Auto"}, [] { return 1; }),
           list(0x38, "Power", {"Off", "On"}, [] { return 1; }),
           list(0x14, "Inverter", {"Off", "On"}, [] { return 1; }),
           list(0x3A, "Charger", {"Off", "On"}, [] { return 1; }),
           list(0x13, "Shore fuse", {"2 A", "4 A", "6 A", "10 A", "16 A"}, [] { return 4; })},
          {list(0x12, "State of charger", {"Off", "Bulk", "Absorption", "Float", "", "No shore"},
                [world] { return world->Shore() == 0 ? 5
                                 : world->Soc() < 85 ? 1
                                                     : 2; }),
           number(6, "Battery", "V", 0, 40, 0.01f, [world] { return world->Volts(); }),
           number(7, "Battery", "A", -300, 300, 1, [world] { return world->Charge_A(); })},
          {number(8, "AC Input", "V", 0, 300, 1, [world] { return world->Shore() * 231.5; }),
           number(9, "AC Input", "A", 0, 50, 0.1f, [world] { return world->Shore() * 4.2; })},
          {number(10, "AC Output", "V", 0, 300, 1, [world] { return world->Shore() > 0 ? 231.4 : 230.0; }),
           number(11, "AC Output", "A", 0, 50, 0.1f, [world] { return world->Load_A() / 20; })}});
  nodes_.emplace_back(0x0A, kSimulatedCharger & masterbus::kUniqueIdMask, "CHG Mass", "44010500", "G00A031",
                      std::vector<std::vector<MasterBusItem>>{
                          {list(0x0D, "Device state", {"Standby", "Charging"}, [world] { return world->Shore(); }),
                           list(0x12, "Charge state", {"Standby", "Bulk", "Absorption", "Float"},
                                [world] { return world->Shore() == 0 ? 0
                                                 : world->Soc() < 85 ? 1
                                                                     : 2; }),
                           number(0x0E, "Battery", "V", 0, 40, 0.01f, [world] { return world->Volts(); }),
                           number(0x0F, "Battery", "A", 0, 100, 0.1f, [world] { return world->Charge_A(); })}});
  nodes_.emplace_back(0x14, kSimulatedDisplay & masterbus::kUniqueIdMask, "DIS MasterView", "77010060", "D000840A",
                      std::vector<std::vector<MasterBusItem>>{});

  // The display finds out what each device calls itself and its items, as it does when it is switched on.
  const auto ask = [this](Ask what, uint32_t address, uint16_t of, uint8_t index = 0) {
    script_.push_back(masterbus::WriteRequest({what, address, of, index}));
  };
  for (const MasterBusNode& node : nodes_) {
    ask(Ask::kDeviceTextId, node.address(), masterbus::kStringName);
    if (node.groups().empty()) continue;
    ask(Ask::kGroups, node.address(), 0);
    for (uint16_t g = 0; g < node.groups().size(); ++g) {
      ask(Ask::kItemsInGroup, node.address(), g);
      for (uint8_t i = 0; i < node.groups()[g].size(); ++i) {
        const MasterBusItem& item = node.groups()[g][i];
        ask(Ask::kItemAt, node.address(), g, i);
        ask(Ask::kPresentation, node.address(), item.number);
        ask(Ask::kName, node.address(), item.number);
        if (item.presentation == Presentation::kNumber) ask(Ask::kUnit, node.address(), item.number);
        for (uint8_t o = 0; o < item.options.size(); ++o) ask(Ask::kOptionLabel, node.address(), item.number, o);
      }
    }
  }
  page_from_ = script_.size();
  for (const MasterBusNode& node : nodes_) {
    for (const auto& group : node.groups()) {
      for (const MasterBusItem& item : group) ask(Ask::kValue, node.address(), item.number);
    }
  }

  const UtcUs start_us = options_.start_us;
  At(start_us, Act::kCombiPoll);
  if (options_.display) {
    At(start_us + 50 * kUsPerMs, Act::kDisplayPoll);
    At(start_us + 200 * kUsPerMs, Act::kDisplayStep);
  }
  if (Amount(BusFault::kBabble) > 0) At(start_us, Act::kBabble);
  if (Amount(BusFault::kErrorFrames) > 0) At(start_us + kUsPerSecond, Act::kError);
  if (Amount(BusFault::kUnknownKind) > 0) At(start_us + kUsPerSecond, Act::kUnknown);
}

int64_t MasterBusBus::Amount(BusFault fault) const {
  for (const BusFaultSetting& one : options_.faults) {
    if (one.fault == fault) return one.amount;
  }
  return 0;
}

void MasterBusBus::At(UtcUs time_us, Act act, const can::Frame& frame) { queue_.push({time_us, order_++, act, frame}); }

void MasterBusBus::AnnounceAll(UtcUs now_us, uint32_t but) {
  int64_t after_us = kUsPerMs;
  for (const MasterBusNode& node : nodes_) {
    if (node.address() == but) continue;
    if (node.address() == kSimulatedShunt && Amount(BusFault::kSilentShunt) > 0 &&
        now_us - options_.start_us > Amount(BusFault::kSilentShunt) * kUsPerSecond) {
      continue;
    }
    At(now_us + after_us, Act::kFrame, node.Announce());
    after_us += 3 * kUsPerMs;
  }
}

void MasterBusBus::Answer(const can::Frame& frame, UtcUs now_us) {
  const masterbus::Frame question = masterbus::ReadMasterBusFrame(frame);
  const int64_t silent_s = Amount(BusFault::kSilentShunt);
  if (question.address == kSimulatedShunt && silent_s > 0 && now_us - options_.start_us > silent_s * kUsPerSecond) {
    return;
  }
  for (const MasterBusNode& node : nodes_) {
    std::optional<can::Frame> answer = node.Answer(question);
    if (!answer) continue;
    if (question.role == masterbus::Role::kValueRequest && answer->size == 6) {
      ++values_;
      const auto strikes = [this](BusFault fault) {
        return Amount(fault) > 0 && values_ % static_cast<uint64_t>(Amount(fault)) == 0;
      };
      if (strikes(BusFault::kNoValue)) {
        answer->data[2] = answer->data[3] = 0;
        answer->data[4] = 0xC0;
        answer->data[5] = 0x7F;
      }
      if (node.address() == kSimulatedShunt && strikes(BusFault::kTwin)) {
        can::Frame twin = *answer;
        twin.data[3] ^= 0x55;
        At(now_us + kReply_us + 300, Act::kFrame, twin);
      }
    }
    At(now_us + kReply_us, Act::kFrame, *answer);
  }
}

const can::Frame& MasterBusBus::DisplayQuestion() {
  if (script_at_ >= script_.size()) script_at_ = page_from_;
  return script_[script_at_++];
}

void MasterBusBus::Repeat(const Event& event) {
  switch (event.act) {
    case Act::kFrame:
      break;
    case Act::kDisplayPoll:
      AnnounceAll(event.time_us, kSimulatedDisplay);
      At(event.time_us + kDisplayPoll_us, Act::kDisplayPoll);
      break;
    case Act::kCombiPoll:
      AnnounceAll(event.time_us, 0);  // a Mass Combi announces itself next to its own poll
      At(event.time_us + kCombiPoll_us, Act::kCombiPoll);
      break;
    case Act::kDisplayStep:
      At(event.time_us + (script_at_ == script_.size() ? kPage_us : kQuestionGap_us), Act::kDisplayStep);
      break;
    case Act::kBabble:
      At(event.time_us + kUsPerSecond / Amount(BusFault::kBabble), Act::kBabble);
      break;
    case Act::kError:
      At(event.time_us + 60 * kUsPerSecond / Amount(BusFault::kErrorFrames), Act::kError);
      break;
    case Act::kUnknown:
      At(event.time_us + Amount(BusFault::kUnknownKind) * kUsPerSecond, Act::kUnknown);
      break;
  }
}

void MasterBusBus::Spoil(can::Frame* frame) {
  ++frames_;
  const int64_t every = Amount(BusFault::kWrongLength);
  if (every > 0 && frames_ % static_cast<uint64_t>(every) == 0 && frame->size > 0) --frame->size;
}

MasterBusBus::Sent MasterBusBus::Next() {
  const Event event = queue_.top();
  queue_.pop();
  world_->now_us = event.time_us;
  Sent sent{event.time_us, event.frame};
  switch (event.act) {
    case Act::kFrame:
      break;
    case Act::kDisplayPoll:
      sent.frame = nodes_[3].Poll();
      break;
    case Act::kCombiPoll:
      sent.frame = nodes_[1].Poll();
      break;
    case Act::kDisplayStep: {
      sent.frame = DisplayQuestion();
      Answer(sent.frame, event.time_us);
      // The ids of texts stand in the answers: the texts are asked for next.
      const masterbus::Frame question = masterbus::ReadMasterBusFrame(sent.frame);
      for (const MasterBusNode& node : nodes_) {
        const std::optional<can::Frame> answer = node.Answer(question);
        if (!answer || script_at_ > page_from_) continue;
        const masterbus::Frame reply = masterbus::ReadMasterBusFrame(*answer);
        const bool names_text =
            reply.has_word && (reply.op == masterbus::kPropertyStringId || reply.op >= masterbus::kOpOptionLabel);
        if (!names_text || reply.op == masterbus::kPropertyString) continue;
        std::vector<can::Frame> pieces;
        for (uint8_t segment = 0;; ++segment) {
          pieces.push_back(masterbus::WriteRequest({masterbus::Ask::kText, node.address(), reply.word, segment}));
          const auto piece = node.Answer(masterbus::ReadMasterBusFrame(pieces.back()));
          if (!piece || masterbus::ReadMasterBusFrame(*piece).text_ends) break;
        }
        script_.insert(script_.begin() + static_cast<ptrdiff_t>(script_at_), pieces.begin(), pieces.end());
        page_from_ += pieces.size();
      }
      break;
    }
    case Act::kBabble: {
      const uint32_t uid = static_cast<uint32_t>(Mix(options_.seed, 5, invented_++)) & masterbus::kUniqueIdMask;
      sent.frame = MasterBusNode(0x1C, uid, "", "", "", {}).Announce();
      break;
    }
    case Act::kError:
      sent.frame.is_error = true;
      sent.frame.id = 0x004;
      sent.frame.size = 8;
      sent.frame.data = {0, 0x10};
      break;
    case Act::kUnknown:
      sent.frame.is_extended = true;
      sent.frame.id = 0x2Bu << masterbus::kKindShift | kSimulatedCombi;
      sent.frame.size = 4;
      sent.frame.data = {0x11, static_cast<uint8_t>(unknown_), static_cast<uint8_t>(unknown_ >> 8), 0x22};
      ++unknown_;
      break;
  }
  Repeat(event);
  Spoil(&sent.frame);
  return sent;
}

}  // namespace vesta::simulators
