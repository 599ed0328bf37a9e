// How a reading came about: its raw frame, the decoder and tables that read it, its exact value, its time, its bed.
//
// One description serves the API and `vesta trace`, which reads a data directory by itself. What is not known any more
// is said with the reason, never left out in silence.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "hub/devices/decoders.h"
#include "hub/devices/directory.h"
#include "hub/places/places.h"
#include "hub/store/store.h"

namespace vesta::hub {

struct TraceQuery {
  JournalNumber number = 0;  // or, when 0:
  SeriesId series = 0;       // the reading of this series at a time, else the newest before it
  UtcUs time_us = 0;
};

struct Trace {
  RecordBatch reading;  // one record; none: there is no such reading
  std::optional<ArchivedFrame> frame;
  size_t frame_readings = 0;  // of the frame, this one included
};

// On a reading thread.
tl::expected<Trace, StoreError> FindTrace(StoreReader& reader, const TraceQuery& query);

// What the description needs of the hub; the parts outlive it.
struct TraceNames {
  const Directory& directory;
  const Places* places = nullptr;
  const Decoders* decoders = nullptr;
  std::function<std::string(std::string_view protocol, std::string_view field)> field_name;
};

// A JSON object. The trace holds a reading.
std::string TraceJson(const Trace& trace, const TraceNames& names);

}  // namespace vesta::hub
