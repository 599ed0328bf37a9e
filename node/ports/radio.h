// The radio of a node: frames of at most link::kMaxFrame bytes to an address or to all, on one channel at a time.
//
// Sending is over when Send returns or soon after; nothing is told of its success, since only the link's own
// acknowledgement counts. What was received is taken one by one; the driver keeps a few (kRadioQueue at least) and
// counts what it had to drop. RSSI in dBm, 0 = not known.
#pragma once

#include "protocols/link/wire.h"

namespace vesta::node {

using link::Address;
using link::Bytes;

inline constexpr size_t kRadioQueue = 8;
inline constexpr int64_t kDwell_us = 20000;

struct RadioFrame {
  Address from = {};
  Address to = {};
  int8_t rssi_dbm = 0;
  Bytes body;  // valid until the next call
};

class Radio {
 public:
  virtual ~Radio() = default;
  virtual Address address() const = 0;
  virtual void Tune(uint8_t channel) = 0;                // 1..13; 0 leaves it as it is
  virtual bool Send(const Address& to, Bytes body) = 0;  // false: not possible now
  virtual bool Next(RadioFrame* out) = 0;
  virtual uint32_t dropped() const = 0;
  // How long to stay on a channel when looking for a hub: changing to it, a question, its answer.
  virtual int64_t dwell_us() const { return kDwell_us; }
};

}  // namespace vesta::node
