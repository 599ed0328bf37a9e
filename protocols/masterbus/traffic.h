// Who talks on the bus and what is not understood: the part of a bus view that is no device model.
//
// Commands of others (writes), questions to devices that are not there, frames of unknown kinds with the bytes that
// change, and frame rates. Rings and tables of a fixed size; the oldest gives way.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "model/time.h"
#include "protocols/masterbus/frame.h"
#include "protocols/masterbus/rate.h"

namespace vesta::masterbus {

inline constexpr size_t kMaxCommands = 32;
inline constexpr size_t kMaxAbsent = 32;
inline constexpr size_t kMaxUnknown = 64;

// A write that somebody sent to a device. Never a reading: the device's own value tells what became of it.
struct Command {
  UtcUs time_us = 0;
  uint32_t address = 0;  // of the device that was commanded
  Menu menu = Menu::kNone;
  uint16_t item = 0;
  float real = 0;
  bool has_commander = false;
  uint32_t commander = 0;  // address, when the write was followed by one that names it
};

// Somebody asks a device that never spoke.
struct Absentee {
  uint32_t address = 0;
  uint64_t requests = 0;
  UtcUs last_us = 0;
};

struct UnknownFrame {
  can::Frame frame;  // the last one
  bool used = false;
  uint64_t count = 0;
  uint8_t changed = 0;  // bit i: byte i was not always the same
  bool size_changed = false;
  UtcUs first_us = 0;
  UtcUs last_us = 0;
};

class Traffic {
 public:
  void Count(const Frame& frame, int64_t now_us) {
    ++roles_[static_cast<size_t>(frame.role)];
    rate_.Add(now_us);
  }
  void AddCommand(const Frame& frame, UtcUs now_us);
  void AddAbsent(uint32_t address, UtcUs now_us);
  void AddUnknown(const can::Frame& frame, UtcUs now_us);
  // It spoke after all.
  void Forget(uint32_t address);

  uint64_t role(Role role) const { return roles_[static_cast<size_t>(role)]; }
  uint64_t frames() const;
  const Rate& rate() const { return rate_; }
  // Oldest first.
  size_t command_count() const { return command_total_ < kMaxCommands ? command_total_ : kMaxCommands; }
  const Command& command(size_t i) const { return commands_[(command_total_ - command_count() + i) % kMaxCommands]; }
  uint64_t commands_seen() const { return command_total_; }
  std::span<const Absentee> absent() const { return {absent_.data(), absent_count_}; }
  std::span<const UnknownFrame> unknown() const { return {unknown_.data(), unknown_count_}; }
  uint64_t unknown_forgotten() const { return unknown_forgotten_; }

 private:
  std::array<uint64_t, static_cast<size_t>(Role::kCountOfRoles)> roles_{};
  Rate rate_;
  std::array<Command, kMaxCommands> commands_{};
  size_t command_total_ = 0;
  std::array<Absentee, kMaxAbsent> absent_{};
  size_t absent_count_ = 0;
  std::array<UnknownFrame, kMaxUnknown> unknown_{};
  size_t unknown_count_ = 0;
  uint64_t unknown_forgotten_ = 0;
};

}  // namespace vesta::masterbus
