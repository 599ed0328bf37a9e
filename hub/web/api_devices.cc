// Devices, fields, series and newest values.
#include <algorithm>

#include "hub/web/api.h"
#include "hub/web/api_json.h"
#include "hub/web/directory_pieces.h"
#include "hub/web/json_body.h"
#include "hub/web/json_text.h"

namespace vesta::hub {
namespace {

HttpResponse OneDevice(const ApiContext& context, const Device& device) {
  HttpResponse response;
  AppendJson(&response.body, [&](JsonWriter& json) { WriteDevice(json, context, device); });
  return response;
}

HttpResponse Pieces(std::shared_ptr<BodyPieces> pieces) {
  HttpResponse response;
  response.pieces = std::move(pieces);
  return response;
}

// The series that ?device=KEY names, all when it is absent. False: no such device, answered.
bool ChooseSeries(const ApiContext& context, const Call& call, Responder& responder, std::vector<SeriesId>* chosen) {
  if (const std::string* key = call.request.Query("device")) {
    const Device* const device = context.directory.FindDeviceByKey(*key);
    if (device == nullptr) {
      responder.Send(NoDevice());
      return false;
    }
    *chosen = device->series;
    return true;
  }
  chosen->reserve(context.directory.series().size());
  for (const Series& series : context.directory.series()) chosen->push_back(series.id);
  return true;
}

HttpResponse Fields(const ApiContext& context) {
  std::string body = R"({"fields":[)";
  bool first = true;
  for (const ProtocolFields& protocol : context.protocols) {
    for (const Field& field : protocol.fields) {
      if (!std::exchange(first, false)) body += ',';
      AppendJson(&body, [&](JsonWriter& json) {
        json.BeginObject().Key("protocol").Text(protocol.protocol).Key("key").Text(field.key);
        json.Key("name").Text(context.field_name(protocol.protocol, field.key));
        json.Key("description").Text(context.field_description(protocol.protocol, field.key));
        json.Key("quantity").Text(QuantityName(field.quantity)).Key("unit").Text(UnitText(field.unit));
        json.Key("decimals").Integer(field.decimals).Key("kind").Text(FieldKindName(field.kind));
        json.Key("diagnostic").Boolean(field.diagnostic).Key("states").BeginArray();
        for (const StateName& state : field.states) {
          json.BeginObject().Key("code").Integer(state.code).Key("name").Text(state.name).EndObject();
        }
        json.EndArray().EndObject();
      });
    }
  }
  return JsonResponse(body + "]}");
}

void Rename(ApiContext& context, const Call& call, Responder& responder) {
  const Device* const device = context.directory.FindDeviceByKey(call.arguments[0]);
  if (device == nullptr) return responder.Send(NoDevice());
  std::string problem;
  const auto body = ParseStrings(call.request.body, {"name", "place"}, &problem);
  if (!body) return responder.Send(ErrorResponse(400, "bad_body", problem));
  const auto text = [&](const char* key, const std::string& old) {
    const auto found = body->find(key);
    return found == body->end() ? old : found->second;
  };
  std::string name = text("name", device->name);
  std::string place = text("place", device->place);
  const auto has_control = [](const std::string& t) {
    return std::any_of(t.begin(), t.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  };
  if (std::max(name.size(), place.size()) > kMaxDeviceNameBytes || has_control(name) || has_control(place)) {
    return responder.Send(
        ErrorResponse(400, "bad_name", "name and place have at most 128 bytes and no control characters"));
  }
  switch (context.rename(device->id, std::move(name), std::move(place))) {
    case RenameResult::kDone:
      context.ward.Tell(call.access.who, "device_named",
                        {{"device", device->key}, {"name", device->name}, {"place", device->place}});
      break;
    case RenameResult::kNoDevice:
      return responder.Send(NoDevice());
    case RenameResult::kNamedByConfiguration:
      return responder.Send(
          ErrorResponse(409, "named_by_configuration",
                        "the configuration file names this device: change name and place there, under "
                        "\"devices\""));
  }
  responder.Send(OneDevice(context, *context.directory.FindDeviceByKey(call.arguments[0])));
}

}  // namespace

void AddDeviceRoutes(Router& router, ApiContext& context) {
  using Reply = std::shared_ptr<Responder>;
  router.Add({"GET", "/api/v1/devices", Scope::kRead,
              [&context](const Call&, Reply reply) { reply->Send(Pieces(DevicesBody(context))); }});
  router.Add({"GET", "/api/v1/devices/{key}", Scope::kRead, [&context](const Call& call, Reply reply) {
                const Device* const device = context.directory.FindDeviceByKey(call.arguments[0]);
                reply->Send(device == nullptr ? NoDevice() : OneDevice(context, *device));
              }});
  router.Add({"PATCH", "/api/v1/devices/{key}", Scope::kOperate,
              [&context](const Call& call, Reply reply) { Rename(context, call, *reply); }});
  router.Add(
      {"GET", "/api/v1/fields", Scope::kRead, [&context](const Call&, Reply reply) { reply->Send(Fields(context)); }});
  router.Add({"GET", "/api/v1/series", Scope::kRead, [&context](const Call& call, Reply reply) {
                std::vector<SeriesId> chosen;
                if (ChooseSeries(context, call, *reply, &chosen)) reply->Send(Pieces(SeriesBody(context, chosen)));
              }});
}

void AddLatestRoute(Router& router, ApiContext& context, const EventHub& events) {
  router.Add(
      {"GET", "/api/v1/latest", Scope::kRead, [&context, &events](const Call& call, std::shared_ptr<Responder> reply) {
         std::vector<SeriesId> chosen;
         if (!ChooseSeries(context, call, *reply, &chosen)) return;
         std::string head;
         AppendJson(&head, [&](JsonWriter& json) {
           json.BeginObject().Key("time").Time(context.clock.Read().utc_us);
           json.Key("position").Text(events.Position()).Key("values").BeginArray();
         });
         reply->Send(Pieces(LatestBody(context, std::move(head), std::move(chosen))));
       }});
}

}  // namespace vesta::hub
