// What a CAN controller says of its bus: Linux error frames taken apart.
//
// Never data: counted and shown as health. Facts: linux/can/error.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "protocols/can_frame.h"

namespace vesta::can {

enum ErrorClass : uint16_t {
  kTxTimeout = 0x001,
  kLostArbitration = 0x002,
  kController = 0x004,
  kProtocolViolation = 0x008,
  kTransceiver = 0x010,
  kNoAcknowledge = 0x020,
  kBusOff = 0x040,
  kBusError = 0x080,
  kRestarted = 0x100,
  kCountersValid = 0x200,
};
inline constexpr size_t kErrorClasses = 10;

enum ControllerBit : uint8_t {
  kRxOverflow = 0x01,
  kTxOverflow = 0x02,
  kRxWarning = 0x04,
  kTxWarning = 0x08,
  kRxPassive = 0x10,
  kTxPassive = 0x20,
  kActive = 0x40,
};
inline constexpr size_t kControllerBits = 7;

struct ErrorReport {
  uint16_t classes = 0;
  uint8_t controller = 0;  // 0 when the controller class is not set
  uint8_t tx_errors = 0;   // with kCountersValid
  uint8_t rx_errors = 0;
};

// Of a frame with is_error.
ErrorReport ReadErrorFrame(const Frame& frame);

// "tx_timeout", "lost_arbitration", ... by bit number below kErrorClasses; stable words.
const char* ErrorClassName(size_t bit);
// "rx_overflow", ... by bit number below kControllerBits.
const char* ControllerBitName(size_t bit);

// What the error frames of one bus add up to.
struct BusHealth {
  uint64_t error_frames = 0;
  uint64_t warnings = 0;
  uint64_t passives = 0;
  uint64_t overflows = 0;
  uint64_t bus_offs = 0;
  uint64_t restarts = 0;
  uint64_t no_acknowledges = 0;
  void Add(const ErrorReport& report);
};

}  // namespace vesta::can
