// A function of a node: one thing that it does, as its configuration says. And the board: what a function may use of
// the rest of the node.
//
// A function lives in the arena, made anew when the configuration changes, never destroyed. It is run when its time has
// come (next_us), emits items, and keeps what must outlive a loss of power in at most kMaxSaved bytes.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "node/config.h"
#include "node/description.h"
#include "node/ports/ports.h"
#include "node/screens/screen.h"
#include "protocols/link/wire.h"

namespace vesta::node {

inline constexpr size_t kMaxSaved = 72;  // of one function: eight addresses of sensors are the most
inline constexpr int64_t kNever = INT64_MAX;
// How often a counter of what was dropped is told at most.
inline constexpr int64_t kTellDroppedEvery_us = int64_t{60} * 1000000;
inline constexpr uint8_t kMaxFunctionItem = 223;

class RelayFunction;

// A temperature of this node, for thermostats.
struct Temperature {
  SensorId id = {};
  int32_t milli = 0;
  int64_t at_us = INT64_MIN;
  bool is_good = false;
};

// What the status screen and the portal show.
struct NodeStatus {
  Name name;
  bool is_joined = false;
  bool is_linked = false;
  bool is_waiting = false;  // for an operator who compares the code
  uint32_t code = 0;
  uint8_t channel = 0;
  int8_t rssi_dbm = 0;
  uint8_t refusal = 0;  // the hub's last, link::Refusal; 0 = none
  uint32_t backlog = 0;
  uint32_t lost = 0;
  int64_t heard_us = 0;  // the hub; 0 = never
  bool has_utc = false;
  int64_t utc_minus_clock_us = 0;
  uint32_t configuration = 0;
  std::string_view problem;
  int64_t identify_until_us = 0;
};

class Board {
 public:
  explicit Board(const Ports& p) : ports(p) {}
  virtual ~Board() = default;

  const Ports& ports;
  int64_t now_us = 0;
  ShownValues shown = {};
  std::array<Temperature, kMaxSensors> temperatures = {};
  NodeStatus status;

  virtual void Emit(const link::Item& item) = 0;
  // A frame of another protocol, in as many pieces as it needs. False: there is no room for something big now, the
  // function counts it.
  virtual bool EmitFrame(uint8_t index, Bytes frame, int64_t at_us, uint8_t flags) = 0;
  // What the function saves has changed: to be written when the flash may be, at once when `is_command`.
  virtual void Changed() = 0;
  // Whether something that a command changes can be kept over a loss of power now.
  virtual bool MayKeep() const = 0;
  virtual RelayFunction* FindRelay(std::string_view name) = 0;

  void EmitInteger(uint8_t index, int64_t value, link::Status status_of = link::Status::kOk);
  void EmitState(uint8_t index, uint8_t state, link::Status status_of = link::Status::kOk);
  void EmitNothing(uint8_t index, link::Status status_of);
  void EmitText(uint8_t index, std::string_view text);
  void Show(Shown what, int64_t milli) { shown[static_cast<size_t>(what)] = {milli, now_us}; }
  Temperature* FindTemperature(const SensorId& id);
  // The place of this sensor, made if there is room.
  Temperature* PlaceOf(const SensorId& id);
};

class Function {
 public:
  explicit Function(const FunctionConfig& config) : config_(config) {}
  virtual ~Function() = default;

  // The hardware is there: called once, before anything else but Restore. False: `problem` says why; the function
  // stays without work.
  virtual bool Start(Board& /*board*/, Problem* /*problem*/) { return true; }
  virtual void Run(Board& board) = 0;
  virtual int64_t next_us() const = 0;
  // Something is under way that a sleep would spoil.
  virtual bool is_busy() const { return false; }

  virtual uint8_t item_count() const = 0;
  virtual void Describe(ItemSink& sink) const = 0;
  // place: of the item within the function. The item may be changed to what now holds.
  virtual link::Outcome OnCommand(uint8_t /*place*/, link::Item* /*item*/, Board& /*board*/) {
    return link::Outcome::kRefused;
  }
  // Whether a command's value must outlive a loss of power.
  virtual bool KeepsCommands() const { return false; }
  virtual uint8_t writable_items() const { return 0; }

  // Returns the size.
  virtual size_t Save(std::span<uint8_t, kMaxSaved> /*out*/) const { return 0; }
  virtual void Restore(Bytes /*bytes*/) {}

  const FunctionConfig& config() const { return config_; }
  void Place(uint8_t first_item, uint8_t card) {
    first_item_ = first_item;
    card_ = card;
  }
  uint8_t first_item() const { return first_item_; }

 protected:
  uint8_t item(uint8_t place) const { return static_cast<uint8_t>(first_item_ + place); }
  ItemDescription Described(uint8_t place, std::string_view key, std::string_view kind) const;
  // When a thing that is done every period is due next: no drift, no catching up.
  int64_t After(int64_t due_us, int64_t now_us) const;
  int64_t period_us() const { return int64_t{config_.period_s} * 1000000; }

  const FunctionConfig& config_;

 private:
  uint8_t first_item_ = 0;
  uint8_t card_ = 0;
};

}  // namespace vesta::node
