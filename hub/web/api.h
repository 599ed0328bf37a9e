// The HTTP API v1 as docs/api.md describes it: what it reads from, and its routes.
//
// The handlers know the hub only through ApiContext, so a test gives them a directory, a live view and a store of its
// own. Numbers are written from the exact decimals; nothing passes through a double that was not one on the wire.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hub/clock/clock.h"
#include "hub/devices/directory.h"
#include "hub/intake/bus_state.h"
#include "hub/intake/heard_senders.h"
#include "hub/intake/late_health.h"
#include "hub/intake/line.h"
#include "hub/journal/journal.h"
#include "hub/journal/output_health.h"
#include "hub/keys/key_desk.h"
#include "hub/live/live_view.h"
#include "hub/nodes/node_desk.h"
#include "hub/store/store.h"
#include "hub/web/auth.h"
#include "hub/web/events.h"
#include "hub/web/query.h"
#include "hub/web/router.h"
#include "hub/web/ward.h"

namespace vesta::hub {

// A protocol's field table, for /fields.
struct ProtocolFields {
  std::string_view protocol;
  std::span<const Field> fields;
};

enum class RenameResult : uint8_t {
  kDone,
  kNoDevice,
  kNamedByConfiguration,  // the file names this device, and the file wins
};

// What the rest of the hub says of itself at the moment of asking.
struct HubState {
  std::string version;
  UtcUs started_us = 0;
  // In words for people: parts of the configuration that are off, and the like. They make health "degraded".
  std::vector<std::string> problems;
};

// Who is heard through one source.
struct SourceHeard {
  std::string source;
  std::string protocol;
  const HeardSenders* heard = nullptr;
};

// What a client wants as a file.
struct ExportCall {
  std::string format = "csv";
  UtcUs from_us = INT64_MIN;
  UtcUs to_us = INT64_MAX;
  std::vector<std::string> devices;  // keys; none: all
  std::vector<std::string> fields;
  bool pseudonymous = false;  // with the hub's own key (docs/exports.md)
};
// How it is made, piece by piece. next runs on the reading thread; false: that was the end.
struct ExportPieces {
  std::string content_type;
  std::string file_name;
  std::function<tl::expected<bool, StoreError>(StoreReader&, std::string*)> next;
};

// All of it outlives the web server. Everything is called on the main thread but the work passed to query.
struct ApiContext {
  const Clock& clock;
  Directory& directory;
  LiveView& live;
  std::function<const JournalHealth&()> journal_health;
  std::function<void(std::function<void(StoreReader&)> work, std::function<void()> done)> query;  // Journal::Query
  std::function<std::vector<SourceHealth>()> sources;
  std::function<std::vector<OutputHealth>()> outputs;
  // By name of the source.
  std::function<std::vector<std::pair<std::string, std::vector<UnknownObject>>>()> unknown_objects;
  std::function<HubState()> state;
  // The series whose readings a merged device's series shows now; 0 for all others.
  std::function<SeriesId(SeriesId)> shown_series;
  // Gives a device its name and place, announces it and makes it durable.
  std::function<RenameResult(DeviceId, std::string name, std::string place)> rename;

  // Texts for people; keyed by protocol and field key.
  std::span<const ProtocolFields> protocols;
  std::function<std::string(std::string_view protocol, std::string_view field)> field_name;
  std::function<std::string_view(std::string_view protocol, std::string_view field)> field_description;
  std::function<std::string(const Device&)> device_title;

  KeyDesk* keys = nullptr;
  std::function<std::vector<SourceHeard>()> heard;
  std::function<LateHealth()> late;
  // The error is for people: no such format, device or field.
  std::function<tl::expected<ExportPieces, std::string>(const ExportCall&)> make_export = {};
  WardContext ward = {};
  NodeDesk* nodes = nullptr;  // of a hub without a source of nodes
  // The bus that a source listens to; empty when there is no such source or it hears no bus.
  std::function<std::optional<BusState>(const std::string& source)> bus = {};
  // Tries what was rejected of a source ("": of all) again. False: there is no such source, or it can't be.
  std::function<bool(const std::string& source)> redecode = {};
};

// Longest name and place that a user may give.
inline constexpr size_t kMaxDeviceNameBytes = 128;
// Points that one call to /readings may ask for.
inline constexpr int64_t kMaxPoints = 10000;
inline constexpr int64_t kDefaultPoints = 1000;
// Frames that one call to /unknown may ask for, and the bytes of frames after which its answer ends early.
inline constexpr int64_t kMaxFrames = 500;
inline constexpr int64_t kDefaultFrames = 50;
inline constexpr size_t kMaxFrameBytes = 256 * 1024;

void AddDeviceRoutes(Router& router, ApiContext& context);
void AddLatestRoute(Router& router, ApiContext& context, const EventHub& events);
void AddReadingRoutes(Router& router, ApiContext& context, const QuerySlots& slots);
void AddExportRoute(Router& router, ApiContext& context, const QuerySlots& slots);
void AddFrameRoutes(Router& router, ApiContext& context, const QuerySlots& slots);
void AddBusRoute(Router& router, ApiContext& context);
void AddKeyRoutes(Router& router, ApiContext& context);
void AddRedecodeRoutes(Router& router, ApiContext& context);
void AddNodeRoutes(Router& router, ApiContext& context);
void AddHealthRoutes(Router& router, ApiContext& context);
void AddStatusRoute(Router& router, ApiContext& context);
void AddAuditRoutes(Router& router, ApiContext& context, const QuerySlots& slots);
void AddBedRoutes(Router& router, ApiContext& context);
void AddCountRoutes(Router& router, ApiContext& context);
void AddGapRoutes(Router& router, ApiContext& context, const QuerySlots& slots);
void AddTraceRoutes(Router& router, ApiContext& context, const QuerySlots& slots);
void AddLoginRoutes(Router& router, ApiContext& context, Auth& auth, WebCounters& counters);
void AddEventRoutes(Router& router, Auth& auth, EventHub& events, WebCounters& counters);
void AddMetricsRoutes(Router& router, ApiContext& context, const WebCounters& counters, const EventHub& events);
// This description of all of them, as it was built in.
void AddOpenApiRoute(Router& router);

}  // namespace vesta::hub
