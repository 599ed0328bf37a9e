// Memory that outlives the loss of power: a few small records, each replaced as a whole or not at all.
//
// Flash wears: the node counts its writes and bounds them (node/wear.h); the driver only writes. A record that was
// never written has the size 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vesta::node {

enum class StoreRecord : uint8_t {
  kState = 1,     // pairing, last commands, what the functions keep
  kOutbox = 2,    // reports that waited long when this was written
  kRestarts = 3,  // how often the node was started
  kSettings = 4,  // the board's own: node/settings.h
};

class Store {
 public:
  virtual ~Store() = default;
  // Returns the size of the record; copies as much as fits.
  virtual size_t Read(StoreRecord record, std::span<uint8_t> out) = 0;
  virtual bool Write(StoreRecord record, std::span<const uint8_t> bytes) = 0;
};

}  // namespace vesta::node
