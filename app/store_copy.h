// vesta store copy: moves history between a data folder and a PostgreSQL database, either way.
//
// Readings go in the order of their numbers and keep them, so a copy that was cut off goes on where the other side says
// that it is, and a repeated one takes only what is new. At the end the readings of each series are counted on both
// sides. Devices and series go along; raw frames, positions of outputs and beds are the folder's alone (vesta store
// backup copies these).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <tl/expected.hpp>

#include "hub/store/store.h"
#include "model/calendar.h"

namespace vesta::app {

struct CopyPlan {
  std::string from;  // a folder, or postgresql://...
  std::string to;
  std::string schema;    // in the database
  std::string password;  // at the database
  Zone zone;             // of the days of roll-ups
};

struct CopyProgress {
  uint64_t copied = 0;  // by this run
  UtcUs time_us = 0;    // of the newest reading copied
};

struct CopyReport {
  uint64_t copied = 0;
  uint64_t already_there = 0;
  uint64_t readings = 0;  // on both sides, equal series by series
};

// tell is called now and then.
tl::expected<CopyReport, hub::StoreError> CopyStore(const CopyPlan& plan,
                                                    const std::function<void(const CopyProgress&)>& tell);

}  // namespace vesta::app
