// The audit log, newest first.
#include "hub/audit/audit_verify.h"
#include "hub/web/api.h"
#include "hub/web/json_text.h"
#include "hub/web/query.h"

namespace vesta::hub {
namespace {

constexpr int64_t kDefaultEntries = 50;
constexpr int64_t kMaxEntries = 500;

struct AuditJob {
  std::shared_ptr<void> slot;
  std::string directory;
  uint64_t before = 0;
  size_t limit = 0;
  tl::expected<std::vector<std::string>, std::string> lines;
};

std::string HealthJson(const AuditHealth& health) {
  std::string text;
  AppendJson(&text, [&](JsonWriter& json) {
    json.BeginObject().Key("written").Integer(static_cast<int64_t>(health.entries));
    json.Key("waiting").Integer(static_cast<int64_t>(health.waiting));
    json.Key("lost").Integer(static_cast<int64_t>(health.lost));
    json.Key("left_out").Integer(static_cast<int64_t>(health.left_out));
    json.Key("error").Text(health.error).EndObject();
  });
  return text;
}

void Audit(ApiContext& context, const QuerySlots& slots, const Call& call, std::shared_ptr<Responder> reply) {
  int64_t before = 0;
  int64_t limit = kDefaultEntries;
  if (const std::string* text = call.request.Query("before")) {
    if (!ParseInteger(*text, 1, INT64_MAX, &before)) return reply->Send(BadQuery("before is the number of an entry"));
  }
  if (const std::string* text = call.request.Query("limit")) {
    if (!ParseInteger(*text, 1, kMaxEntries, &limit)) {
      return reply->Send(BadQuery("limit is a whole number from 1 to 500"));
    }
  }
  if (context.ward.audit == nullptr) return reply->Send(ErrorResponse(404, "no_audit", "this hub has no audit log"));
  auto job = std::make_shared<AuditJob>();
  job->slot = slots.Take();
  if (!job->slot) return reply->Send(Busy());
  job->directory = context.ward.audit->directory();
  job->before = static_cast<uint64_t>(before);
  job->limit = static_cast<size_t>(limit);
  // Files are read where the store is: not on the main thread.
  context.query([job](StoreReader&) { job->lines = ReadAudit(job->directory, job->before, job->limit); },
                [job, reply, &context] {
                  if (!reply->alive()) return;
                  if (!job->lines) return reply->Send(ErrorResponse(503, "audit", job->lines.error()));
                  std::string body = R"({"entries":[)";
                  uint64_t oldest = 0;
                  for (const std::string& line : *job->lines) {
                    // A line that was changed by hand may be anything: only what reads as an entry is handed on.
                    if (!ParseEntry(line)) continue;
                    if (body.back() != '[') body += ',';
                    body += line;
                    oldest = ReadLink(line)->number;
                  }
                  const bool more = job->lines->size() == job->limit && oldest > 1;
                  body += R"(],"next_before":)" + (more ? std::to_string(oldest) : "null");
                  body += R"(,"health":)" + HealthJson(context.ward.audit->health()) + "}";
                  reply->Send(JsonResponse(std::move(body)));
                });
}

}  // namespace

void AddAuditRoutes(Router& router, ApiContext& context, const QuerySlots& slots) {
  // For those who may operate only: it names who logged in from where.
  router.Add(
      {"GET", "/api/v1/audit", Scope::kOperate, [&context, slots](const Call& call, std::shared_ptr<Responder> reply) {
         Audit(context, slots, call, std::move(reply));
       }});
}

}  // namespace vesta::hub
