// How a reading came about.
#include "hub/web/api.h"
#include "hub/web/query.h"
#include "hub/web/trace.h"

namespace vesta::hub {
namespace {

struct TraceJob {
  std::shared_ptr<void> slot;
  TraceQuery query;
  tl::expected<Trace, StoreError> trace;
};

// False: the call was answered.
bool ReadQuery(const ApiContext& context, const Call& call, Responder& reply, TraceQuery* query) {
  int64_t integer = 0;
  if (const std::string* number = call.request.Query("number")) {
    if (!ParseInteger(*number, 1, INT64_MAX, &integer)) {
      reply.Send(BadQuery("number is the journal number of a reading"));
      return false;
    }
    query->number = static_cast<JournalNumber>(integer);
    return true;
  }
  const std::string* const series = call.request.Query("series");
  const std::string* const time = call.request.Query("time");
  if (series == nullptr || !ParseInteger(*series, 1, UINT32_MAX, &integer)) {
    reply.Send(BadQuery("give number, or series and time"));
    return false;
  }
  query->series = static_cast<SeriesId>(integer);
  if (context.directory.FindSeries(query->series) == nullptr) {
    reply.Send(ErrorResponse(404, "no_series", "there is no series with this id"));
    return false;
  }
  query->time_us = context.clock.Read().utc_us;
  if (time != nullptr && !ParseTime(*time, &query->time_us)) {
    reply.Send(BadQuery("time is ISO 8601 or milliseconds since 1970"));
    return false;
  }
  return true;
}

void ShowTrace(ApiContext& context, const QuerySlots& slots, const Call& call, std::shared_ptr<Responder> reply) {
  auto job = std::make_shared<TraceJob>();
  if (!ReadQuery(context, call, *reply, &job->query)) return;
  job->slot = slots.Take();
  if (!job->slot) return reply->Send(Busy());
  context.query(
      [job](StoreReader& reader) { job->trace = FindTrace(reader, job->query); },
      [job, reply, &context] {
        if (!reply->alive()) return;
        if (!job->trace) return reply->Send(StoreFailed(job->trace.error()));
        if (job->trace->reading.records.empty()) {
          return reply->Send(ErrorResponse(404, "no_reading", "there is no such reading, or not yet on disk"));
        }
        reply->Send(JsonResponse(TraceJson(
            *job->trace, {context.directory, context.ward.places, context.ward.decoders, context.field_name})));
      });
}

}  // namespace

void AddTraceRoutes(Router& router, ApiContext& context, const QuerySlots& slots) {
  router.Add(
      {"GET", "/api/v1/trace", Scope::kRead, [&context, slots](const Call& call, std::shared_ptr<Responder> reply) {
         ShowTrace(context, slots, call, std::move(reply));
       }});
}

}  // namespace vesta::hub
