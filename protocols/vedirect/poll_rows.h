// What the session asks a device for over HEX, and what it never asks for nor keeps.
//
// Registers of the shared Victron table that text does not carry, or not on every device; rows that text has brought
// lately are skipped. Facts: reference of Victron, section 11.
#pragma once

#include <cstdint>
#include <span>

#include "protocols/vedirect/poll.h"

namespace vesta::vedirect {

std::span<const PollRow> PollRows();

// Known to the reference, whether it gives a reading or not.
bool IsKnownRegister(uint16_t reg);
// A key or a network id: neither asked for, nor kept, nor archived.
bool IsSecretRegister(uint16_t reg);

}  // namespace vesta::vedirect
