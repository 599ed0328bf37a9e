// Nodes that want to join and may not, with the reason, for the page: so that nobody has to guess why one does not
// come.
//
// Anybody can fill it from the air, so it is bounded: the one that asked longest ago gives way and is counted.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/time.h"
#include "protocols/link/wire.h"

namespace vesta::hub {

inline constexpr size_t kMaxWaitingNodes = 64;

struct WaitingNode {
  link::Address address = {};
  std::string name;
  const char* reason = "";
  uint32_t code = 0;
  bool has_code = false;
  int16_t rssi_dbm = 0;
  uint8_t channel = 0;
  uint8_t node_channel = 0;
  uint64_t requests = 0;
  UtcUs first_us = 0;
  UtcUs last_us = 0;
};

class WaitingNodes {
 public:
  // The entry of this address, made when it is new; its times and count are moved on.
  WaitingNode& Touch(const link::Address& address, UtcUs now_us) {
    WaitingNode* entry = Find(address);
    if (entry == nullptr) {
      if (entries_.size() < kMaxWaitingNodes) {
        entry = &entries_.emplace_back();
      } else {
        entry = &entries_[0];
        for (WaitingNode& one : entries_) {
          if (one.last_us < entry->last_us) entry = &one;
        }
        ++forgotten_;
      }
      *entry = {};
      entry->address = address;
      entry->first_us = now_us;
    }
    entry->last_us = now_us;
    ++entry->requests;
    return *entry;
  }
  WaitingNode* Find(const link::Address& address) {
    for (WaitingNode& one : entries_) {
      if (one.address == address) return &one;
    }
    return nullptr;
  }
  void Remove(const link::Address& address) {
    std::erase_if(entries_, [&](const WaitingNode& one) { return one.address == address; });
  }
  const std::vector<WaitingNode>& all() const { return entries_; }
  uint64_t forgotten() const { return forgotten_; }

 private:
  std::vector<WaitingNode> entries_;
  uint64_t forgotten_ = 0;
};

}  // namespace vesta::hub
