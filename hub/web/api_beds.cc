// Where devices stand: who was at which bed when, and the forms that say so.
#include "hub/web/api.h"
#include "hub/web/directory_pieces.h"
#include "hub/web/json_body.h"
#include "hub/web/json_text.h"
#include "hub/web/ward_json.h"

namespace vesta::hub {
namespace {

// All stays, or those of ?device=KEY, or (?now) those that have not ended.
void Beds(const ApiContext& context, const Call& call, Responder& reply) {
  const Device* only = nullptr;
  if (const std::string* key = call.request.Query("device")) {
    only = context.directory.FindDeviceByKey(*key);
    if (only == nullptr) return reply.Send(NoDevice());
  }
  UtcUs at_us = kNoTime;
  if (const std::string* text = call.request.Query("time")) {
    if (!ParseTime(*text, &at_us)) return reply.Send(BadQuery("time is ISO 8601 or milliseconds since 1970"));
  }
  std::string head;
  AppendJson(&head, [&](JsonWriter& json) {
    json.BeginObject().Key("beds").BeginArray();
    for (const std::string& bed : context.ward.beds) json.Text(bed);
    json.EndArray().Key("stays").BeginArray();
  });
  const size_t count = context.ward.places == nullptr ? 0 : context.ward.places->stays().size();
  HttpResponse response;
  response.pieces = std::make_shared<ListPieces>(
      std::move(head), count,
      [&context, only_id = only == nullptr ? 0 : only->id, at_us](std::string* out, size_t index) {
        const BedStay& stay = context.ward.places->stays()[index];
        if (only_id != 0 && stay.device != only_id) return;
        if (at_us != kNoTime && !stay.Holds(at_us)) return;
        AppendJson(out, [&](JsonWriter& json) { WriteStay(json, context.directory, stay); });
      },
      "]}");
  reply.Send(std::move(response));
}

// False: answered.
bool ReadTime(const ApiContext& context, const std::map<std::string, std::string>& body, Responder& reply,
              UtcUs* time_us) {
  *time_us = context.clock.Read().utc_us;
  const auto text = body.find("time");
  if (text == body.end() || ParseTime(text->second, time_us)) return true;
  reply.Send(ErrorResponse(400, "bad_body", "time is ISO 8601 or milliseconds since 1970"));
  return false;
}

void Answer(const ApiContext& context, const Device& device, const tl::expected<void, std::string>& done,
            Responder& reply) {
  if (!done) return reply.Send(ErrorResponse(409, "bad_stay", done.error()));
  context.live.AnnounceDevice(device.id);
  HttpResponse response;
  AppendJson(&response.body, [&](JsonWriter& json) {
    const BedStay* const stay = context.ward.places->Now(device.id);
    json.BeginObject().Key("device").Text(device.key).Key("bed");
    WriteBed(json, stay);
    json.EndObject();
  });
  reply.Send(std::move(response));
}

void Begin(ApiContext& context, const Call& call, Responder& reply) {
  std::string problem;
  const auto body = ParseStrings(call.request.body, {"device", "bed", "time"}, &problem);
  if (!body) return reply.Send(ErrorResponse(400, "bad_body", problem));
  if (body->count("device") == 0 || body->count("bed") == 0) {
    return reply.Send(ErrorResponse(400, "bad_body", "send device and bed"));
  }
  const Device* const device = context.directory.FindDeviceByKey(body->at("device"));
  if (device == nullptr || !context.ward.begin_bed) return reply.Send(NoDevice());
  UtcUs time_us = 0;
  if (!ReadTime(context, *body, reply, &time_us)) return;
  Answer(context, *device, context.ward.begin_bed(device->id, body->at("bed"), time_us, call.access.who), reply);
}

void End(ApiContext& context, const Call& call, Responder& reply) {
  std::string problem;
  const auto body = ParseStrings(call.request.body, {"device", "time"}, &problem);
  if (!body) return reply.Send(ErrorResponse(400, "bad_body", problem));
  const auto key = body->find("device");
  const Device* const device = key == body->end() ? nullptr : context.directory.FindDeviceByKey(key->second);
  if (device == nullptr || !context.ward.end_bed) return reply.Send(NoDevice());
  UtcUs time_us = 0;
  if (!ReadTime(context, *body, reply, &time_us)) return;
  Answer(context, *device, context.ward.end_bed(device->id, time_us, call.access.who), reply);
}

}  // namespace

void AddBedRoutes(Router& router, ApiContext& context) {
  using Reply = std::shared_ptr<Responder>;
  router.Add({"GET", "/api/v1/beds", Scope::kRead,
              [&context](const Call& call, Reply reply) { Beds(context, call, *reply); }});
  router.Add({"POST", "/api/v1/beds/begin", Scope::kOperate,
              [&context](const Call& call, Reply reply) { Begin(context, call, *reply); }});
  router.Add({"POST", "/api/v1/beds/end", Scope::kOperate,
              [&context](const Call& call, Reply reply) { End(context, call, *reply); }});
}

}  // namespace vesta::hub
