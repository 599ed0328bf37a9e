// History: the readings of a span, thinned where there are more than were asked for.
//
// The reading thread is shared with the outputs, so a long span is read in slices: between two slices it is free for
// others. Answers are written there too; the main thread only sends them.
#include <algorithm>

#include "hub/web/api.h"
#include "hub/web/api_json.h"
#include "hub/web/json_text.h"
#include "hub/web/query.h"

namespace vesta::hub {
namespace {

constexpr UtcUs kDefaultSpan_us = 24ll * 3600 * kUsPerSecond;
// A slice of history that is read in one go: long spans come from roll-ups, so this is some milliseconds.
constexpr int64_t kSliceSpan_us = 100ll * 24 * 3600 * kUsPerSecond;
// First, lowest, highest and last of a slice.
constexpr size_t kPointsPerSlice = 4;

// One call to /readings on its way through the reading thread. Its parts are touched by one thread at a time. The
// responder belongs to the main thread and goes along beside it.
struct ReadingsJob : std::enable_shared_from_this<ReadingsJob> {
  explicit ReadingsJob(ApiContext& api) : context(api) {}

  ApiContext& context;
  std::shared_ptr<void> slot;
  SeriesId asked = 0;
  SeriesId series = 0;  // whose readings they are: another road's when a merged device was asked for
  SeriesField field;
  UtcUs from_us = 0;
  UtcUs to_us = 0;
  size_t points = 0;

  RecordBatch before;
  std::string rows;  // of the answer, comma-separated
  uint64_t total = 0;
  bool thinned = false;
  UtcUs next_us = 0;
  size_t slices_left = 0;
  std::optional<StoreError> error;

  void Start(std::shared_ptr<Responder> reply) {
    context.query([self = shared_from_this()](StoreReader& reader) { self->ReadWhole(reader); },
                  [self = shared_from_this(), reply = std::move(reply)] { self->Continue(reply); });
  }

 private:
  void ReadWhole(StoreReader& reader) {
    auto newest_before = reader.ReadAtOrBefore(series, from_us - 1);
    if (!newest_before) return Fail(newest_before.error());
    before = std::move(*newest_before);
    auto whole = reader.ReadRange(series, from_us, to_us, points + 1);
    if (!whole) return Fail(whole.error());
    if (whole->records.size() <= points) {
      total = whole->records.size();
      return AddRows(*whole);
    }
    thinned = true;
    next_us = from_us;
    const int64_t wanted = (to_us - from_us) / kSliceSpan_us + 1;
    slices_left = static_cast<size_t>(
        std::clamp<int64_t>(wanted, 1, std::max<int64_t>(static_cast<int64_t>(points / kPointsPerSlice), 1)));
    points_per_slice_ = points / slices_left;
  }

  void ReadSlice(StoreReader& reader) {
    const UtcUs end_us = slices_left == 1 ? to_us : next_us + (to_us - next_us) / static_cast<int64_t>(slices_left);
    uint64_t count = 0;
    auto slice = reader.ReadThinned(series, next_us, end_us, points_per_slice_, &count);
    if (!slice) return Fail(slice.error());
    total += count;
    AddRows(*slice);
    next_us = end_us;
    --slices_left;
  }

  void Continue(const std::shared_ptr<Responder>& reply) {
    if (!reply->alive()) return;
    if (error) return reply->Send(StoreFailed(*error));
    if (slices_left == 0) return Answer(*reply);
    context.query([self = shared_from_this()](StoreReader& reader) { self->ReadSlice(reader); },
                  [self = shared_from_this(), reply] { self->Continue(reply); });
  }

  void Fail(StoreError why) {
    error = std::move(why);
    slices_left = 0;
  }

  void WriteRow(JsonWriter& json, const Record& record) const {
    json.BeginArray().Integer(record.time_us / kUsPerMs);
    WriteFieldValue(json, field, record.value);
    if (record.quality != ValueQuality::kOk) json.Text(QualityName(record.quality));
    json.EndArray();
  }

  void AddRows(const RecordBatch& batch) {
    for (const Record& record : batch.records) {
      if (!rows.empty()) rows += ',';
      AppendJson(&rows, [&](JsonWriter& json) { WriteRow(json, record); });
    }
  }

  void Answer(Responder& reply) {
    HttpResponse response;
    response.hold = std::move(slot);
    AppendJson(&response.body, [&](JsonWriter& json) {
      json.BeginObject().Key("series").Integer(asked).Key("road");
      const Series* const road = asked == series ? nullptr : context.directory.FindSeries(series);
      const Device* const device = road == nullptr ? nullptr : context.directory.FindDevice(road->device);
      device == nullptr ? json.Null() : json.Text(device->key);
      json.Key("from").Time(from_us).Key("to").Time(to_us);
      json.Key("total").Integer(static_cast<int64_t>(total)).Key("thinned").Boolean(thinned).Key("before");
      if (before.records.empty()) {
        json.Null();
      } else {
        WriteRow(json, before.records.front());
      }
      json.Key("readings").BeginArray();
    });
    response.body += rows;
    rows = std::string();
    response.body += "]}";
    reply.Send(std::move(response));
  }

  size_t points_per_slice_ = 0;
};

void Readings(ApiContext& context, const QuerySlots& slots, const Call& call, std::shared_ptr<Responder> reply) {
  auto job = std::make_shared<ReadingsJob>(context);
  int64_t id = 0;
  int64_t points = kDefaultPoints;
  const std::string* text = call.request.Query("series");
  if (text == nullptr || !ParseInteger(*text, 1, UINT32_MAX, &id)) return reply->Send(BadQuery("series=ID is needed"));
  const Series* const series = context.directory.FindSeries(static_cast<SeriesId>(id));
  if (series == nullptr) return reply->Send(ErrorResponse(404, "no_series", "there is no series with this id"));
  text = call.request.Query("points");
  if (text != nullptr && !ParseInteger(*text, 1, kMaxPoints, &points)) {
    return reply->Send(BadQuery("points is a whole number from 1 to 10000"));
  }
  job->to_us = context.clock.Read().utc_us;
  text = call.request.Query("to");
  if (text != nullptr && !ParseTime(*text, &job->to_us)) {
    return reply->Send(BadQuery("to is a time such as 2026-08-11T06:21:25Z, or milliseconds since 1970"));
  }
  job->from_us = std::max<UtcUs>(job->to_us - kDefaultSpan_us, 0);
  text = call.request.Query("from");
  if (text != nullptr && !ParseTime(*text, &job->from_us)) {
    return reply->Send(BadQuery("from is a time such as 2026-08-11T06:21:25Z, or milliseconds since 1970"));
  }
  if (job->from_us > job->to_us) return reply->Send(BadQuery("from lies after to"));
  job->slot = slots.Take();
  if (!job->slot) return reply->Send(Busy());
  job->asked = series->id;
  const SeriesId shown = context.shown_series(series->id);
  job->series = shown == 0 ? series->id : shown;
  job->field = series->field;
  job->points = static_cast<size_t>(points);
  job->Start(std::move(reply));
}

}  // namespace

void AddReadingRoutes(Router& router, ApiContext& context, const QuerySlots& slots) {
  router.Add(
      {"GET", "/api/v1/readings", Scope::kRead, [&context, slots](const Call& call, std::shared_ptr<Responder> reply) {
         Readings(context, slots, call, std::move(reply));
       }});
}

}  // namespace vesta::hub
