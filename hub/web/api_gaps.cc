// When a device was not heard, and why.
#include "hub/web/api.h"
#include "hub/web/gaps.h"
#include "hub/web/query.h"

namespace vesta::hub {
namespace {

constexpr int64_t kUsualSpan_us = 24ll * 3600 * kUsPerSecond;

struct GapJob : std::enable_shared_from_this<GapJob> {
  GapJob(ApiContext& api, GapSearch begun) : context(api), search(std::move(begun)) {}

  ApiContext& context;
  GapSearch search;
  std::shared_ptr<void> slot;
  tl::expected<bool, StoreError> done = false;

  void Run(std::shared_ptr<Responder> reply) {
    context.query([self = shared_from_this()](StoreReader& reader) { self->done = self->search.Step(reader); },
                  [self = shared_from_this(), reply = std::move(reply)] {
                    if (!reply->alive()) return;
                    if (!self->done) return reply->Send(StoreFailed(self->done.error()));
                    if (!*self->done) return self->Run(reply);
                    reply->Send(JsonResponse(GapsJson(self->search.report())));
                  });
  }
};

void Gaps(ApiContext& context, const QuerySlots& slots, const Call& call, std::shared_ptr<Responder> reply) {
  const std::string* const key = call.request.Query("device");
  const Device* const device = key == nullptr ? nullptr : context.directory.FindDeviceByKey(*key);
  if (device == nullptr) return reply->Send(ErrorResponse(404, "no_device", "there is no device with this key"));
  const UtcUs now_us = context.clock.Read().utc_us;
  UtcUs to_us = now_us;
  if (const std::string* text = call.request.Query("to")) {
    if (!ParseTime(*text, &to_us)) return reply->Send(BadQuery("to is ISO 8601 or milliseconds since 1970"));
  }
  UtcUs from_us = to_us - kUsualSpan_us;
  if (const std::string* text = call.request.Query("from")) {
    if (!ParseTime(*text, &from_us)) return reply->Send(BadQuery("from is ISO 8601 or milliseconds since 1970"));
  }
  to_us = std::min(to_us, now_us);
  if (from_us >= to_us || to_us - from_us > kMaxGapSpan_us) {
    return reply->Send(BadQuery("from is before to and before now, and at most 31 days before to"));
  }
  int64_t limit_s = 0;
  if (const std::string* text = call.request.Query("longer_than_s")) {
    if (!ParseInteger(*text, 1, 31 * 86400, &limit_s)) return reply->Send(BadQuery("longer_than_s is 1 to 2678400"));
  }
  auto slot = slots.Take();
  if (!slot) return reply->Send(Busy());
  // The interval that the live view has learned; without one the readings of the span tell.
  int64_t limit_us = limit_s * kUsPerSecond;
  if (limit_us == 0 && context.live.DeviceIntervalUs(device->id))
    limit_us = context.live.DeviceSilentAfterUs(device->id);
  const std::string audit = context.ward.audit == nullptr ? "" : context.ward.audit->directory();
  auto job = std::make_shared<GapJob>(context, GapSearch(context.directory, *device, from_us, to_us, limit_us, audit));
  job->slot = std::move(slot);
  job->Run(std::move(reply));
}

}  // namespace

void AddGapRoutes(Router& router, ApiContext& context, const QuerySlots& slots) {
  router.Add(
      {"GET", "/api/v1/gaps", Scope::kRead, [&context, slots](const Call& call, std::shared_ptr<Responder> reply) {
         Gaps(context, slots, call, std::move(reply));
       }});
}

}  // namespace vesta::hub
