// The figures that prove what an output did with the readings of the journal.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/time.h"

namespace vesta::hub {

// What every output shows. accepted = sent + waiting + dropped, sent >= acknowledged.
struct OutputHealth {
  std::string name;
  std::string type;            // "mqtt", ...
  std::string delivery_class;  // "every reading, at least once, original time" or "newest value only"
  std::string where;           // broker address and the like; no secrets
  bool connected = false;
  std::string error;  // why not, in words
  UtcUs state_since_us = 0;
  uint64_t accepted = 0;
  uint64_t sent = 0;
  uint64_t acknowledged = 0;
  uint64_t waiting = 0;
  std::map<std::string, uint64_t> dropped;  // by reason
  std::map<std::string, uint64_t> failed;   // attempts that failed, by reason; what they carried is tried again
  int64_t oldest_unsent_age_us = 0;
  uint64_t connects = 0;
  // By device id (0 unused), of an output that promises every reading; else empty.
  struct OfDevice {
    uint64_t acknowledged = 0;  // in this run
    uint64_t waiting = 0;       // durable here and not acknowledged there, those of earlier runs included
  };
  std::vector<OfDevice> by_device;
};

}  // namespace vesta::hub
