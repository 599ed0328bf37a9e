// Keys of devices, the check of a key, and who is heard over the radio.
//
// Key bytes come in and never go out: no answer, error or log of these calls holds any part of one.
#include <fmt/format.h>

#include <algorithm>

#include "hub/keys/key_check.h"
#include "hub/web/api.h"
#include "hub/web/api_json.h"
#include "hub/web/json_body.h"
#include "hub/web/json_text.h"
#include "hub/web/late_json.h"

namespace vesta::hub {
namespace {

constexpr std::string_view kAdvertProtocol = "victron";

// The last advert of each device that is heard over any source: the newest of them.
std::vector<HeardAdvert> HeardAdverts(const ApiContext& context) {
  std::vector<std::pair<const HeardSender*, HeardAdvert>> newest;
  for (const SourceHeard& source : context.heard()) {
    if (source.protocol != kAdvertProtocol) continue;
    for (const HeardSender& one : source.heard->all()) {
      const auto known = std::find_if(newest.begin(), newest.end(),
                                      [&](const auto& entry) { return entry.first->sender == one.sender; });
      if (known == newest.end()) {
        newest.push_back({&one, {one.sender, one.bytes}});
      } else if (known->first->last_us < one.last_us) {
        *known = {&one, {one.sender, one.bytes}};
      }
    }
  }
  std::vector<HeardAdvert> adverts;
  adverts.reserve(newest.size());
  for (const auto& [sender, advert] : newest) adverts.push_back(advert);
  return adverts;
}

void WriteKey(JsonWriter& json, const ApiContext& context, const KeyEntry& key,
              const std::vector<HeardAdvert>& adverts) {
  const auto heard = std::find_if(adverts.begin(), adverts.end(), [&](const HeardAdvert& advert) {
    return !key.id.is_network && advert.address == key.id.address;
  });
  json.BeginObject().Key("id").Text(FormatKeyId(key.id));
  json.Key("kind").Text(key.id.is_network ? "network" : "device").Key("name").Text(key.name);
  json.Key("origin").Text(key.origin == KeyOrigin::kGiven ? "given" : "file");
  json.Key("heard_as");
  if (heard == adverts.end()) {
    json.Null();
  } else {
    json.Text(DescribeHeard(*heard));
  }
  json.Key("device");
  const Device* const device =
      key.id.is_network ? nullptr : context.directory.FindDeviceByKey(fmt::format("victron_{:012x}", key.id.address));
  if (device == nullptr) {
    json.Null();
  } else {
    json.Text(device->key);
  }
  json.EndObject();
}

HttpResponse KeysAnswer(const ApiContext& context) {
  const std::vector<HeardAdvert> adverts = HeardAdverts(context);
  std::string body;
  AppendJson(&body, [&](JsonWriter& json) {
    json.BeginObject().Key("keys").BeginArray();
    for (const KeyEntry& key : context.keys->List()) WriteKey(json, context, key, adverts);
    json.EndArray().Key("late_decode");
    WriteLateHealth(json, context.late());
    json.EndObject();
  });
  return JsonResponse(std::move(body));
}

HttpResponse CheckAnswer(const KeyCheck& check) {
  std::string body;
  AppendJson(&body, [&](JsonWriter& json) {
    json.BeginObject().Key("code").Text(check.code).Key("text").Text(check.text).Key("opens").BeginArray();
    for (const uint64_t address : check.opens) json.Text(fmt::format("{:012x}", address));
    json.EndArray().Key("maybe").BeginArray();
    for (const uint64_t address : check.maybe) json.Text(fmt::format("{:012x}", address));
    json.EndArray().Key("tried").Integer(static_cast<int64_t>(check.tried)).EndObject();
  });
  return JsonResponse(std::move(body));
}

HttpResponse KeyFailed(const KeyProblem& problem) {
  const int status = problem.code == "no_key"       ? 404
                     : problem.code == "not_stored" ? 503
                     : problem.code == "in_file"    ? 409
                                                    : 400;
  return ErrorResponse(status, problem.code, problem.text);
}

HttpResponse PutKey(ApiContext& context, const Call& call) {
  std::string problem;
  const auto body = ParseStrings(call.request.body, {"key", "name"}, &problem);
  if (!body) return ErrorResponse(400, "bad_body", problem);
  const std::string key = ValueOf(*body, "key");
  const std::string name = ValueOf(*body, "name");
  if (std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) {
    return ErrorResponse(400, "bad_name", "a name has no control characters");
  }
  const std::string& id = call.arguments[0];
  if (const auto done = context.keys->Put(id, key, name); !done) return KeyFailed(done.error());
  context.ward.Tell(call.access.who, "key_given", {{"id", id}});
  const auto parsed = ParseKeyId(id);
  if (parsed && parsed->is_network) {
    KeyCheck check;
    check.code = "not_tried";
    check.text = "The key of the network is stored; its members are decoded as soon as each has announced itself.";
    return CheckAnswer(check);
  }
  return CheckAnswer(CheckKey(key, id, HeardAdverts(context)));
}

HttpResponse RemoveKey(ApiContext& context, const Call& call) {
  if (const auto done = context.keys->Remove(call.arguments[0]); !done) return KeyFailed(done.error());
  context.ward.Tell(call.access.who, "key_removed", {{"id", call.arguments[0]}});
  HttpResponse response;
  response.status = 204;
  return response;
}

HttpResponse Check(ApiContext& context, const Call& call) {
  std::string problem;
  const auto body = ParseStrings(call.request.body, {"key", "device"}, &problem);
  if (!body) return ErrorResponse(400, "bad_body", problem);
  return CheckAnswer(CheckKey(ValueOf(*body, "key"), ValueOf(*body, "device"), HeardAdverts(context)));
}

void WriteHeard(JsonWriter& json, const SourceHeard& source, const HeardSender& one, bool has_key) {
  json.BeginObject().Key("source").Text(source.source).Key("address").Text(fmt::format("{:012x}", one.sender));
  json.Key("name").Text(DescribeHeard({one.sender, one.bytes})).Key("rssi_dbm");
  if (one.rssi_dbm == 0) {
    json.Null();
  } else {
    json.Integer(one.rssi_dbm);
  }
  json.Key("frames").Integer(static_cast<int64_t>(one.frames));
  json.Key("repeats").Integer(static_cast<int64_t>(one.repeats));
  json.Key("rejected").Integer(static_cast<int64_t>(one.rejected));
  json.Key("reason").Text(one.reason).Key("has_key").Boolean(has_key);
  json.Key("first").Time(one.first_us).Key("last").Time(one.last_us).Key("interval_s");
  WriteSeconds(json, one.interval.interval_us());
  json.EndObject();
}

HttpResponse HeardAnswer(const ApiContext& context) {
  std::string body = R"({"heard":[)";
  uint64_t forgotten = 0;
  for (const SourceHeard& source : context.heard()) {
    forgotten += source.heard->forgotten();
    for (const HeardSender& one : source.heard->all()) {
      if (body.back() != '[') body += ',';
      const bool has_key = context.keys->ring().FindKey(one.sender) != nullptr;
      AppendJson(&body, [&](JsonWriter& json) { WriteHeard(json, source, one, has_key); });
    }
  }
  return JsonResponse(body + R"(],"forgotten":)" + std::to_string(forgotten) + "}");
}

}  // namespace

void AddKeyRoutes(Router& router, ApiContext& context) {
  using Reply = std::shared_ptr<Responder>;
  router.Add({"GET", "/api/v1/keys", Scope::kOperate,
              [&context](const Call&, Reply reply) { reply->Send(KeysAnswer(context)); }});
  router.Add({"POST", "/api/v1/keys/check", Scope::kOperate,
              [&context](const Call& call, Reply reply) { reply->Send(Check(context, call)); }});
  router.Add({"PUT", "/api/v1/keys/{id}", Scope::kOperate,
              [&context](const Call& call, Reply reply) { reply->Send(PutKey(context, call)); }});
  router.Add({"DELETE", "/api/v1/keys/{id}", Scope::kOperate,
              [&context](const Call& call, Reply reply) { reply->Send(RemoveKey(context, call)); }});
  router.Add({"GET", "/api/v1/heard", Scope::kRead,
              [&context](const Call&, Reply reply) { reply->Send(HeardAnswer(context)); }});
}

}  // namespace vesta::hub
