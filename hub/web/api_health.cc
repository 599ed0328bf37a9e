// Health, sources and outputs: whether data flows, and if not, why.
#include "hub/web/api.h"
#include "hub/web/api_json.h"
#include "hub/web/health.h"
#include "hub/web/json_text.h"

namespace vesta::hub {
namespace {

void WriteJournal(JsonWriter& json, const JournalHealth& journal) {
  const auto count = [&](std::string_view key, uint64_t n) { json.Key(key).Integer(static_cast<int64_t>(n)); };
  json.BeginObject();
  count("last_number", journal.last_number);
  count("durable_mark", journal.durable_mark);
  count("waiting_readings", journal.waiting_records);
  count("commits", journal.commits);
  count("failed_commits", journal.failed_commits);
  count("refused_readings", journal.refused_records);
  count("refused_frames", journal.refused_frames);
  json.Key("last_commit").Time(journal.last_commit_us == 0 ? kNoTime : journal.last_commit_us);
  json.Key("last_commit_s").Number(Decimal{journal.last_commit_duration_us, -6});
  json.Key("error").Text(journal.error);
  count("store_bytes", journal.store_bytes);
  json.EndObject();
}

HttpResponse HealthAnswer(const ApiContext& context) {
  const Verdict verdict = JudgeHealth(context);
  const HubState state = context.state();
  const Now now = context.clock.Read();
  HttpResponse response;
  // So that a monitor that looks at the status only sees it too. Degraded is still worth serving.
  if (verdict.status == Verdict::Status::kFailing) response.status = 503;
  AppendJson(&response.body, [&](JsonWriter& json) {
    json.BeginObject().Key("status").Text(StatusName(verdict.status)).Key("reasons").BeginArray();
    for (const std::string& reason : verdict.reasons) json.Text(reason);
    json.EndArray().Key("version").Text(state.version).Key("started").Time(state.started_us);
    json.Key("uptime_s").Number(Decimal{(now.utc_us - state.started_us) / kUsPerMs, -3}).Key("journal");
    WriteJournal(json, context.journal_health());
    json.Key("memory_rss_bytes").Integer(static_cast<int64_t>(ReadProcessFacts().resident_bytes));
    json.Key("clock_synchronised").Boolean(now.clock == ClockQuality::kSynchronised);
    json.Key("refused_series").Integer(static_cast<int64_t>(context.directory.refused())).EndObject();
  });
  return response;
}

}  // namespace

std::string SourcesJson(const ApiContext& context, bool ages) {
  std::string body = R"({"sources":[)";
  const Now now = context.clock.Read();
  for (const SourceHealth& source : context.sources()) {
    if (body.back() != '[') body += ',';
    AppendJson(&body, [&](JsonWriter& json) { WriteSource(json, source, now, ages); });
  }
  return body + "]}";
}

std::string OutputsJson(const ApiContext& context, bool ages) {
  std::string body = R"({"outputs":[)";
  for (const OutputHealth& output : context.outputs()) {
    if (body.back() != '[') body += ',';
    AppendJson(&body, [&](JsonWriter& json) { WriteOutput(json, output, ages); });
  }
  return body + "]}";
}

void AddHealthRoutes(Router& router, ApiContext& context) {
  using Reply = std::shared_ptr<Responder>;
  router.Add({"GET", "/api/v1/sources", Scope::kRead,
              [&context](const Call&, Reply reply) { reply->Send(JsonResponse(SourcesJson(context))); }});
  router.Add({"GET", "/api/v1/outputs", Scope::kRead,
              [&context](const Call&, Reply reply) { reply->Send(JsonResponse(OutputsJson(context))); }});
  router.Add({"GET", "/api/v1/health", Scope::kRead,
              [&context](const Call&, Reply reply) { reply->Send(HealthAnswer(context)); }});
}

}  // namespace vesta::hub
