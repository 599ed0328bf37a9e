// What became of each device's readings: taken, on disk, handed on, waiting; and the frames of its source that were not
// believed.
#include <algorithm>
#include <optional>

#include "hub/web/api.h"
#include "hub/web/device_counts.h"
#include "hub/web/directory_pieces.h"
#include "hub/web/json_text.h"

namespace vesta::hub {

std::vector<DeviceCounts> CountDevices(const ApiContext& context) {
  std::vector<DeviceCounts> all(context.directory.devices().size());
  if (context.ward.taken_by_series) {
    const std::vector<uint64_t>& taken = context.ward.taken_by_series();
    const std::vector<uint64_t>& stored = context.ward.stored_by_series();
    for (const Series& series : context.directory.series()) {
      DeviceCounts& counts = all[series.device - 1];
      if (series.id < taken.size()) counts.received += taken[series.id];
      if (series.id < stored.size()) counts.stored += stored[series.id];
    }
  }
  // The slowest of the outputs that promise every reading.
  for (const OutputHealth& output : context.outputs()) {
    for (DeviceId id = 1; id < output.by_device.size() && id <= all.size(); ++id) {
      DeviceCounts& counts = all[id - 1];
      const OutputHealth::OfDevice& of = output.by_device[id];
      counts.delivered = std::min(counts.delivered.value_or(UINT64_MAX), of.acknowledged);
      counts.waiting = std::max(counts.waiting.value_or(0), of.waiting);
    }
  }
  // A frame that is not believed names nobody: it is a device's own only where the source has no other.
  for (const SourceHealth& source : context.sources()) {
    const Device* only = nullptr;
    size_t devices = 0;
    for (const Device& device : context.directory.devices()) {
      if (device.source != source.name || device.parent != 0) continue;
      only = &device;
      ++devices;
    }
    if (devices != 1) continue;
    uint64_t rejected = 0;
    for (const auto* counts : {&source.frames_rejected, &source.frames_discarded}) {
      for (const auto& [reason, count] : *counts) rejected += count;
    }
    all[only->id - 1].rejected = rejected;
  }
  return all;
}

void AddCountRoutes(Router& router, ApiContext& context) {
  router.Add({"GET", "/api/v1/counts", Scope::kRead, [&context](const Call&, std::shared_ptr<Responder> reply) {
                auto counts = std::make_shared<std::vector<DeviceCounts>>(CountDevices(context));
                HttpResponse response;
                response.pieces = std::make_shared<ListPieces>(
                    R"({"devices":[)", counts->size(),
                    [&context, counts](std::string* out, size_t index) {
                      const DeviceCounts& one = (*counts)[index];
                      AppendJson(out, [&](JsonWriter& json) {
                        const auto number = [&](const char* key, std::optional<uint64_t> value) {
                          json.Key(key);
                          if (value) {
                            json.Integer(static_cast<int64_t>(*value));
                          } else {
                            json.Null();
                          }
                        };
                        json.BeginObject().Key("device").Text(context.directory.devices()[index].key);
                        number("received", one.received);
                        number("stored", one.stored);
                        number("delivered", one.delivered);
                        number("waiting", one.waiting);
                        number("rejected", one.rejected);
                        json.EndObject();
                      });
                    },
                    "]}");
                reply->Send(std::move(response));
              }});
}

}  // namespace vesta::hub
