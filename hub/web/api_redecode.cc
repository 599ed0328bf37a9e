// Frames that were archived and are decoded again: how far that is, and asking for it.
#include "hub/web/api.h"
#include "hub/web/json_body.h"
#include "hub/web/json_text.h"
#include "hub/web/late_json.h"

namespace vesta::hub {

void WriteLateHealth(JsonWriter& json, const LateHealth& late) {
  const auto count = [&](const char* key, uint64_t value) { json.Key(key).Integer(static_cast<int64_t>(value)); };
  json.BeginObject().Key("running").Boolean(late.running).Key("source").Text(late.source).Key("why").Text(late.why);
  count("run_frames", late.run_frames);
  count("run_tried", late.run_tried);
  count("waiting", late.waiting);
  count("runs", late.runs);
  count("tried", late.tried);
  count("decoded", late.decoded);
  count("readings", late.readings);
  json.Key("error").Text(late.error).EndObject();
}

namespace {

HttpResponse State(const ApiContext& context) {
  HttpResponse response;
  AppendJson(&response.body, [&](JsonWriter& json) { WriteLateHealth(json, context.late()); });
  return response;
}

HttpResponse Begin(ApiContext& context, const Call& call) {
  std::string problem;
  const auto body = ParseStrings(call.request.body, {"source"}, &problem);
  if (!body) return ErrorResponse(400, "bad_body", problem);
  const std::string source = ValueOf(*body, "source");
  if (!context.redecode || !context.redecode(source)) {
    return ErrorResponse(404, "no_source", "there is no such source whose frames could be decoded again");
  }
  context.ward.Tell(call.access.who, "redecode", {{"source", source}});
  return State(context);
}

}  // namespace

void AddRedecodeRoutes(Router& router, ApiContext& context) {
  using Reply = std::shared_ptr<Responder>;
  router.Add(
      {"GET", "/api/v1/redecode", Scope::kRead, [&context](const Call&, Reply reply) { reply->Send(State(context)); }});
  router.Add({"POST", "/api/v1/redecode", Scope::kOperate,
              [&context](const Call& call, Reply reply) { reply->Send(Begin(context, call)); }});
}

}  // namespace vesta::hub
