// The kernel-side filter of a monitor interface: a classic BPF program that lets ESP-NOW frames pass and little else,
// so that the hub is not woken by every beacon.
//
// Written as data, without the kernel's header: an Instruction has the layout of `struct sock_filter`. The program
// passes every valid frame, and also some that are not (checksum, lengths, versions): ReadPacket still judges each.
// Facts: Linux Documentation/networking/filter.rst.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "protocols/espnow/frame.h"

namespace vesta::espnow {

struct Instruction {
  uint16_t code;
  uint8_t jump_true;
  uint8_t jump_false;
  uint32_t k;
};
static_assert(sizeof(Instruction) == 8, "as struct sock_filter");

struct FilterOptions {
  bool pass_encrypted = false;  // action frames with the protected bit, to count them
  bool pass_acknowledgements = false;
  bool drop_own = false;  // frames that bear `own` as their sender: the kernel hands sent frames back
  Address own = {};
};

inline constexpr size_t kMaxFilterSize = 32;

struct Filter {
  std::array<Instruction, kMaxFilterSize> program = {};
  uint16_t size = 0;
};

Filter MakeFilter(const FilterOptions& options);

}  // namespace vesta::espnow
