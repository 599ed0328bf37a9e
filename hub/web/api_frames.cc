// The archive of raw frames: what was not understood, and what came out of a frame that was.
#include <optional>

#include "hub/web/api.h"
#include "hub/web/api_json.h"
#include "hub/web/json_text.h"
#include "hub/web/query.h"

namespace vesta::hub {
namespace {

// Read at a time: an answer may end early by its bytes, and what was read for nothing stays small.
constexpr size_t kFramesPerStep = 16;

void WriteFrame(JsonWriter& json, const ArchivedFrame& frame) {
  constexpr std::string_view kVerdicts[] = {"accepted", "rejected", "discarded"};
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(frame.bytes.size() * 2);
  for (const uint8_t byte : frame.bytes) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  json.BeginObject().Key("id").Integer(static_cast<int64_t>(frame.id)).Key("source").Text(frame.source);
  json.Key("received").Time(frame.received_us).Key("verdict").Text(kVerdicts[static_cast<size_t>(frame.verdict)]);
  json.Key("reason").Text(frame.reason).Key("hex").Text(hex);
  json.Key("text").Text({reinterpret_cast<const char*>(frame.bytes.data()), frame.bytes.size()}).EndObject();
}

void WriteStats(JsonWriter& json, const ArchiveStats& row) {
  json.BeginObject().Key("source").Text(row.source).Key("reason").Text(row.reason);
  json.Key("frames").Integer(static_cast<int64_t>(row.frames)).Key("bytes").Integer(static_cast<int64_t>(row.bytes));
  json.Key("oldest").Time(row.oldest_us).Key("newest").Time(row.newest_us).EndObject();
}

std::string ObjectsJson(const ApiContext& context, const std::string& source) {
  std::string text;
  for (const auto& found : context.unknown_objects()) {
    const std::string& name = found.first;
    if (!source.empty() && name != source) continue;
    for (const UnknownObject& object : found.second) {
      if (!text.empty()) text += ',';
      AppendJson(&text, [&](JsonWriter& json) {
        json.BeginObject().Key("source").Text(name).Key("code").Text(object.code).Key("example").Text(object.example);
        json.Key("count").Integer(static_cast<int64_t>(object.count)).EndObject();
      });
    }
  }
  return text;
}

// One call to /unknown; Read runs on the reading thread.
struct UnknownJob {
  std::shared_ptr<void> slot;
  std::string source;
  FrameId before = 0;
  size_t limit = 0;
  std::string objects;  // what accepted frames held and no table knows, as JSON
  std::string body;
  std::optional<StoreError> error;

  void Read(StoreReader& reader) {
    const auto stats = reader.ReadArchiveStats();
    if (!stats) {
      error = stats.error();
      return;
    }
    body = R"({"archive":[)";
    for (const ArchiveStats& row : *stats) {
      if (body.back() != '[') body += ',';
      AppendJson(&body, [&](JsonWriter& json) { WriteStats(json, row); });
    }
    body += R"(],"objects":[)" + objects + R"(],"frames":[)";
    const FrameId next = ReadFrames(reader);
    body += R"(],"next_before":)" + (next == 0 ? "null" : std::to_string(next)) + "}";
  }

 private:
  // Returns where the next call goes on; 0 when there is nothing older.
  FrameId ReadFrames(StoreReader& reader) {
    size_t count = 0;
    size_t bytes = 0;
    while (true) {
      const size_t wanted = std::min(kFramesPerStep, limit - count);
      const auto frames = reader.ReadFrames(source, true, before, wanted);
      if (!frames) {
        error = frames.error();
        return 0;
      }
      for (const ArchivedFrame& frame : *frames) {
        if (bytes > kMaxFrameBytes) return before;
        if (body.back() != '[') body += ',';
        AppendJson(&body, [&](JsonWriter& json) { WriteFrame(json, frame); });
        bytes += frame.bytes.size();
        before = frame.id;
        ++count;
      }
      if (frames->size() < wanted) return 0;
      if (count >= limit) return before;
    }
  }
};

void Unknown(ApiContext& context, const QuerySlots& slots, const Call& call, std::shared_ptr<Responder> reply) {
  auto job = std::make_shared<UnknownJob>();
  int64_t before = 0;
  int64_t limit = kDefaultFrames;
  if (const std::string* text = call.request.Query("source")) job->source = *text;
  if (const std::string* text = call.request.Query("before")) {
    if (!ParseInteger(*text, 1, INT64_MAX, &before)) return reply->Send(BadQuery("before is the id of a frame"));
  }
  if (const std::string* text = call.request.Query("limit")) {
    if (!ParseInteger(*text, 1, kMaxFrames, &limit)) {
      return reply->Send(BadQuery("limit is a whole number from 1 to 500"));
    }
  }
  job->slot = slots.Take();
  if (!job->slot) return reply->Send(Busy());
  job->objects = ObjectsJson(context, job->source);
  job->before = static_cast<FrameId>(before);
  job->limit = static_cast<size_t>(limit);
  context.query([job](StoreReader& reader) { job->Read(reader); },
                [job, reply] {
                  if (job->error) return reply->Send(StoreFailed(*job->error));
                  HttpResponse response = JsonResponse(std::move(job->body));
                  response.hold = std::move(job->slot);
                  reply->Send(std::move(response));
                });
}

// One call to /frames/{id}/readings.
struct FrameJob {
  std::shared_ptr<void> slot;
  FrameId frame = 0;
  RecordBatch records;
  std::optional<StoreError> error;
};

void WriteFrameReading(JsonWriter& json, const ApiContext& context, const Series& series, const Record& record) {
  const Device* const device = context.directory.FindDevice(series.device);
  json.BeginObject().Key("series").Integer(series.id).Key("device").Text(device == nullptr ? "" : device->key);
  json.Key("field").Text(series.field.key).Key("time").Time(record.time_us).Key("value");
  WriteFieldValue(json, series.field, record.value);
  json.Key("quality").Text(QualityName(record.quality)).EndObject();
}

void FrameReadings(ApiContext& context, const QuerySlots& slots, const Call& call, std::shared_ptr<Responder> reply) {
  int64_t id = 0;
  if (!ParseInteger(call.arguments[0], 1, INT64_MAX, &id)) return reply->Send(BadQuery("that is not a frame's id"));
  auto job = std::make_shared<FrameJob>();
  job->slot = slots.Take();
  if (!job->slot) return reply->Send(Busy());
  job->frame = static_cast<FrameId>(id);
  context.query(
      [job](StoreReader& reader) {
        auto records = reader.ReadFrameRecords(job->frame);
        if (!records) {
          job->error = records.error();
        } else {
          job->records = std::move(*records);
        }
      },
      [job, reply, &context] {
        if (!reply->alive()) return;
        if (job->error) return reply->Send(StoreFailed(*job->error));
        std::string body = R"({"frame":)" + std::to_string(job->frame) + R"(,"readings":[)";
        for (const Record& record : job->records.records) {
          const Series* const series = context.directory.FindSeries(record.series);
          if (series == nullptr) continue;
          if (body.back() != '[') body += ',';
          AppendJson(&body, [&](JsonWriter& json) { WriteFrameReading(json, context, *series, record); });
        }
        reply->Send(JsonResponse(body + "]}"));
      });
}

}  // namespace

void AddFrameRoutes(Router& router, ApiContext& context, const QuerySlots& slots) {
  using Reply = std::shared_ptr<Responder>;
  router.Add({"GET", "/api/v1/unknown", Scope::kRead,
              [&context, slots](const Call& call, Reply reply) { Unknown(context, slots, call, std::move(reply)); }});
  router.Add({"GET", "/api/v1/frames/{id}/readings", Scope::kRead, [&context, slots](const Call& call, Reply reply) {
                FrameReadings(context, slots, call, std::move(reply));
              }});
}

}  // namespace vesta::hub
