// What a source hears on a bus of several nodes: who is there, what they say, who asks whom, and what nobody
// understands.
#include <fmt/format.h>

#include <cmath>
#include <memory>

#include "hub/web/api.h"
#include "hub/web/api_json.h"
#include "hub/web/directory_pieces.h"
#include "hub/web/json_text.h"

namespace vesta::hub {
namespace {

std::string Address(uint32_t address) { return fmt::format("{:06X}", address); }

void PutReal(JsonWriter& json, const char* key, const std::optional<double>& value) {
  json.Key(key);
  if (value) {
    json.Number(*value);
  } else {
    json.Null();
  }
}

void PutCount(JsonWriter& json, const char* key, uint64_t count) { json.Key(key).Integer(static_cast<int64_t>(count)); }

// One digit after the point tells the rate of a window of ten seconds exactly.
void PutRate(JsonWriter& json, double per_second) {
  json.Key("frames_per_second").Number(Decimal{std::llround(per_second * 10), -1});
}

void WriteItem(JsonWriter& json, const BusItem& item) {
  json.BeginObject().Key("number").Integer(item.number).Key("menu").Text(item.menu);
  json.Key("label").Text(item.label).Key("unit").Text(item.unit).Key("field").Text(item.field);
  PutReal(json, "value", item.value);
  json.Key("text").Text(item.text);
  PutReal(json, "lowest", item.lowest);
  PutReal(json, "highest", item.highest);
  PutCount(json, "values", item.values);
  PutCount(json, "asked", item.asked);
  json.Key("age_s");
  WriteSeconds(json, item.age_us);
  json.EndObject();
}

const Device* DeviceOf(const ApiContext& context, const std::string& address) {
  for (const Device& device : context.directory.devices()) {
    if (device.protocol == "masterbus" && device.identity == address) return &device;
  }
  return nullptr;
}

void WriteNode(JsonWriter& json, const ApiContext& context, const BusNode& node) {
  const std::string address = Address(node.address);
  const Device* const device = DeviceOf(context, address);
  json.BeginObject().Key("address").Text(address).Key("type").Integer(node.type);
  json.Key("uid").Text(fmt::format("{:05X}", node.unique_id)).Key("name").Text(node.name);
  json.Key("article").Text(node.article).Key("serial").Text(node.serial).Key("device");
  if (device == nullptr) {
    json.Null();
  } else {
    json.Text(device->key);
  }
  json.Key("online").Boolean(node.online).Key("tentative").Boolean(node.is_tentative).Key("age_s");
  WriteSeconds(json, node.age_us);
  PutRate(json, node.frames_per_second);
  PutCount(json, "frames", node.frames);
  PutCount(json, "announces", node.announces);
  PutCount(json, "polls", node.polls);
  PutCount(json, "refusals", node.refusals);
  PutCount(json, "commands", node.commands);
  PutCount(json, "malformed", node.malformed);
  json.Key("asked").BeginObject();
  PutCount(json, "values", node.asked_values);
  PutCount(json, "properties", node.asked_properties);
  PutCount(json, "items", node.asked_items);
  PutCount(json, "groups", node.asked_groups);
  json.Key("age_s");
  WriteSeconds(json, node.asked_age_us);
  json.Key("by").BeginArray();
  for (const uint32_t asker : node.possible_askers) json.Text(Address(asker));
  json.EndArray().EndObject().Key("items").BeginArray();
  for (const BusItem& item : node.items) WriteItem(json, item);
  json.EndArray().EndObject();
}

void WriteCommand(JsonWriter& json, const BusCommand& command) {
  json.BeginObject().Key("time").Time(command.time_us).Key("address").Text(Address(command.address));
  json.Key("item").Integer(command.item).Key("label").Text(command.label).Key("value").Number(command.value);
  json.Key("commander");
  if (command.commander) {
    json.Text(Address(*command.commander));
  } else {
    json.Null();
  }
  json.EndObject();
}

void WriteUnknown(JsonWriter& json, const BusUnknown& frame) {
  json.BeginObject().Key("id").Text(fmt::format("{:0{}X}", frame.id, frame.is_extended ? 8 : 3));
  json.Key("remote").Boolean(frame.is_remote);
  std::string hex;
  for (const uint8_t byte : frame.data) hex += fmt::format("{:02X}", byte);
  json.Key("data").Text(hex).Key("moved").BeginArray();
  for (const uint8_t place : frame.moved) json.Integer(place);
  json.EndArray().Key("size_changed").Boolean(frame.size_changed);
  PutCount(json, "count", frame.count);
  json.Key("first").Time(frame.first_us).Key("last").Time(frame.last_us).EndObject();
}

void WriteHead(JsonWriter& json, const std::string& source, const BusState& bus) {
  json.BeginObject().Key("source").Text(source);
  PutRate(json, bus.frames_per_second);
  PutCount(json, "frames", bus.frames);
  json.Key("roles").BeginObject();
  for (const auto& [role, count] : bus.roles) PutCount(json, role.c_str(), count);
  json.EndObject();
  PutCount(json, "error_frames", bus.error_frames);
  PutCount(json, "bus_offs", bus.bus_offs);
  json.Key("asks").Boolean(bus.asks);
  PutCount(json, "questions", bus.questions);
  PutCount(json, "devices_refused", bus.devices_refused);
  PutCount(json, "unknown_forgotten", bus.unknown_forgotten);
  json.Key("commands").BeginArray();
  for (const BusCommand& command : bus.commands) WriteCommand(json, command);
  json.EndArray().Key("absent").BeginArray();
  for (const BusAbsentee& one : bus.absent) {
    json.BeginObject().Key("address").Text(Address(one.address));
    PutCount(json, "requests", one.requests);
    json.Key("last").Time(one.last_us).EndObject();
  }
  json.EndArray().Key("unknown").BeginArray();
  for (const BusUnknown& frame : bus.unknown) WriteUnknown(json, frame);
  json.EndArray().EndObject();
}

HttpResponse Answer(ApiContext& context, const std::string& source) {
  std::optional<BusState> found;
  if (context.bus) found = context.bus(source);
  if (!found) return ErrorResponse(404, "no_bus", "there is no source of that name that listens to a bus");
  const auto bus = std::make_shared<const BusState>(std::move(*found));
  std::string head;
  AppendJson(&head, [&](JsonWriter& json) { WriteHead(json, source, *bus); });
  head.back() = ',';  // the nodes follow, a piece each
  HttpResponse response;
  response.pieces = std::make_shared<ListPieces>(
      head + R"("nodes":[)", bus->nodes.size(),
      [&context, bus](std::string* out, size_t index) {
        AppendJson(out, [&](JsonWriter& json) { WriteNode(json, context, bus->nodes[index]); });
      },
      "]}");
  return response;
}

}  // namespace

void AddBusRoute(Router& router, ApiContext& context) {
  router.Add({"GET", "/api/v1/sources/{name}/bus", Scope::kRead,
              [&context](const Call& call, std::shared_ptr<Responder> reply) {
                reply->Send(Answer(context, call.arguments[0]));
              }});
}

}  // namespace vesta::hub
