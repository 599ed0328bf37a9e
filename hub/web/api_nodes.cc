// The node networks: who is joined, who waits and why, what was asked of them, and their description.
//
// Node secrets come in and never go out. Every call that changes something needs the scope operate and is told in the
// audit log.
#include <fmt/format.h>

#include <charconv>

#include "formats/json_writer.h"
#include "hub/web/api.h"
#include "hub/web/api_json.h"
#include "hub/web/json_body.h"
#include "hub/web/json_text.h"
#include "model/hex_digit.h"

namespace vesta::hub {
namespace {

// 0 is never.
JsonWriter& TimeOrNull(JsonWriter& json, UtcUs time_us) { return json.Time(time_us == 0 ? kNoTime : time_us); }

void WriteDecimal(JsonWriter& json, const std::optional<Decimal>& value) {
  if (value) {
    json.Number(*value);
  } else {
    json.Null();
  }
}

void WriteSignal(JsonWriter& json, int16_t rssi_dbm, uint8_t channel) {
  json.Key("rssi_dbm");
  if (rssi_dbm == 0) {
    json.Null();
  } else {
    json.Integer(rssi_dbm);
  }
  json.Key("channel").Integer(channel);
}

void WriteFirmware(JsonWriter& json, const FirmwareView& one) {
  json.BeginObject().Key("hardware").Integer(one.hardware).Key("version").Text(FirmwareText(one.version));
  json.Key("size").Integer(one.size).EndObject();
}

void WriteNetworkView(JsonWriter& json, const NetworkView& view) {
  json.BeginObject().Key("source").Text(view.source).Key("air").Text(view.air).Key("address").Text(view.address);
  json.Key("channel").Integer(view.channel).Key("hub_id").Integer(view.hub_id).Key("number").Integer(view.number);
  json.Key("nodes").Integer(static_cast<int64_t>(view.nodes));
  json.Key("max_nodes").Integer(static_cast<int64_t>(view.max_nodes));
  json.Key("window_s").Integer((view.window_us + kUsPerSecond - 1) / kUsPerSecond);
  json.Key("secrets").Integer(static_cast<int64_t>(view.secrets));
  json.Key("schedules").Integer(static_cast<int64_t>(view.schedules)).Key("firmware").BeginArray();
  for (const FirmwareView& one : view.firmware) WriteFirmware(json, one);
  json.EndArray().Key("problems").BeginArray();
  for (const std::string& problem : view.problems) json.Text(problem);
  json.EndArray().EndObject();
}

void WriteItem(JsonWriter& json, const ItemView& item) {
  json.BeginObject().Key("item").Integer(item.item).Key("name").Text(item.name).Key("device").Text(item.device);
  json.Key("field").Text(item.field).Key("kind").Text(FieldKindName(item.kind)).Key("unit").Text(UnitText(item.unit));
  json.Key("writable").Boolean(item.is_writable).Key("min");
  WriteDecimal(json, item.min);
  json.Key("max");
  WriteDecimal(json, item.max);
  json.Key("step").Number(item.step).EndObject();
}

void WriteWish(JsonWriter& json, const WishView& wish) {
  json.BeginObject().Key("item").Integer(wish.item).Key("value").Number(wish.value).Key("held");
  WriteDecimal(json, wish.held);
  json.Key("state").Text(WishStateName(wish.state)).Key("clamped").Boolean(wish.is_clamped);
  json.Key("reason").Text(wish.reason).Key("who").Text(wish.who).Key("requested").Time(wish.requested_us);
  json.Key("answered");
  TimeOrNull(json, wish.answered_us).EndObject();
}

void WriteNode(JsonWriter& json, const NodeView& node) {
  json.BeginObject()
      .Key("id")
      .Text(node.id)
      .Key("source")
      .Text(node.source)
      .Key("protocol")
      .Text(NodeKindName(node.kind));
  json.Key("number").Integer(node.number).Key("name").Text(node.name).Key("group").Text(node.group);
  json.Key("address").Text(node.address).Key("device").Text(node.device).Key("firmware").Text(node.firmware);
  json.Key("listed").Boolean(node.is_listed).Key("sleepy").Boolean(node.is_sleepy);
  json.Key("insecure").Boolean(node.is_insecure).Key("insecure_writes").Boolean(node.insecure_writes);
  WriteSignal(json, node.rssi_dbm, node.channel);
  json.Key("heard");
  TimeOrNull(json, node.heard_us).Key("reports").Integer(static_cast<int64_t>(node.reports));
  json.Key("unknown_items").Integer(static_cast<int64_t>(node.unknown_items));
  json.Key("state").Text(node.state).Key("note").Text(node.note).Key("hardware").Integer(node.hardware);
  json.Key("update");
  if (node.update) {
    json.BeginObject().Key("version").Text(FirmwareText(node.update->version));
    json.Key("state").Text(UpdateStateName(node.update->state)).Key("percent").Integer(node.update->percent);
    json.Key("reason").Text(node.update->reason).Key("ordered").Time(node.update->ordered_us).EndObject();
  } else {
    json.Null();
  }
  json.Key("items").BeginArray();
  for (const ItemView& item : node.items) WriteItem(json, item);
  json.EndArray().Key("wishes").BeginArray();
  for (const WishView& wish : node.wishes) WriteWish(json, wish);
  json.EndArray().EndObject();
}

void WriteWaiting(JsonWriter& json, const WaitingView& waiting) {
  json.BeginObject().Key("address").Text(waiting.address).Key("source").Text(waiting.source);
  json.Key("name").Text(waiting.name).Key("reason").Text(waiting.reason).Key("text").Text(waiting.text).Key("code");
  if (waiting.code.empty()) {
    json.Null();
  } else {
    json.Text(waiting.code);
  }
  WriteSignal(json, waiting.rssi_dbm, waiting.channel);
  json.Key("node_channel").Integer(waiting.node_channel);
  json.Key("requests").Integer(static_cast<int64_t>(waiting.requests));
  json.Key("first").Time(waiting.first_us).Key("last").Time(waiting.last_us).EndObject();
}

template <typename View, typename Write>
void AppendList(std::string* body, const char* key, const std::vector<View>& views, const Write& write) {
  *body += fmt::format("\"{}\":[", key);
  for (const View& view : views) {
    if (body->back() != '[') *body += ',';
    AppendJson(body, [&](JsonWriter& json) { write(json, view); });
  }
  *body += ']';
}

HttpResponse NodesAnswer(const NodeDesk* desk) {
  const auto networks = desk == nullptr ? std::vector<NetworkView>() : desk->Networks();
  const auto nodes = desk == nullptr ? std::vector<NodeView>() : desk->Nodes();
  const auto waiting = desk == nullptr ? std::vector<WaitingView>() : desk->Waiting();
  std::string body = "{";
  AppendList(&body, "networks", networks, WriteNetworkView);
  body += ',';
  AppendList(&body, "nodes", nodes, WriteNode);
  body += ',';
  AppendList(&body, "waiting", waiting, WriteWaiting);
  return JsonResponse(body + "}");
}

HttpResponse Failed(const NodeProblem& problem) {
  const std::string& code = problem.code;
  const bool is_missing =
      code == "no_node" || code == "no_source" || code == "no_item" || code == "not_waiting" || code == "no_firmware";
  const bool is_conflict = code == "insecure" || code == "not_writable" || code == "not_described" ||
                           code == "other_code" || code == "needs_restart" || code == "never_heard" || code == "older";
  const int status = is_missing ? 404 : is_conflict ? 409 : code == "full" || code == "not_stored" ? 503 : 400;
  return ErrorResponse(status, code, problem.text);
}

HttpResponse Answer(const NodeResult& result) {
  if (!result) return Failed(result.error());
  HttpResponse response;
  response.status = 204;
  return response;
}

// A call with a body of texts that does something at the desk and is told in the audit log.
template <typename Do>
auto Action(ApiContext& context, std::initializer_list<std::string_view> keys, const char* told, Do act) {
  return [&context, keys = std::vector<std::string_view>(keys), told, act](const Call& call,
                                                                           std::shared_ptr<Responder> reply) {
    if (context.nodes == nullptr) return reply->Send(Failed({"no_source", "this hub has no source of nodes"}));
    std::string problem;
    std::optional<BodyTexts> body = BodyTexts();
    if (keys.size() == 3) body = ParseStrings(call.request.body, {keys[0], keys[1], keys[2]}, &problem);
    if (keys.size() == 2) body = ParseStrings(call.request.body, {keys[0], keys[1]}, &problem);
    if (keys.size() == 1) body = ParseStrings(call.request.body, {keys[0]}, &problem);
    if (!body) return reply->Send(ErrorResponse(400, "bad_body", problem));
    AuditDetails details;
    const NodeResult done = act(*context.nodes, call, *body, &details);
    if (done) context.ward.Tell(call.access.who, told, std::move(details));
    reply->Send(Answer(done));
  };
}

template <typename Number>
bool ParseNumber(const std::string& text, Number* out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

NodeResult OpenWindow(NodeDesk& desk, const Call&, const BodyTexts& body, AuditDetails* details) {
  int64_t seconds = -1;
  if (!ParseNumber(ValueOf(body, "seconds"), &seconds)) seconds = -1;
  *details = {{"seconds", ValueOf(body, "seconds")}};
  return desk.OpenWindow(ValueOf(body, "source"), seconds);
}

NodeResult Confirm(NodeDesk& desk, const Call&, const BodyTexts& body, AuditDetails* details) {
  *details = {{"address", ValueOf(body, "address")}};
  return desk.Confirm(ValueOf(body, "address"), ValueOf(body, "code"));
}

NodeResult AddSecret(NodeDesk& desk, const Call&, const BodyTexts& body, AuditDetails* details) {
  *details = {{"name", ValueOf(body, "name")}};
  return desk.AddSecret(ValueOf(body, "source"), ValueOf(body, "secret"), ValueOf(body, "name"));
}

NodeResult Order(NodeDesk& desk, const Call& call, const BodyTexts& body, AuditDetails* details) {
  *details = {{"node", ValueOf(body, "node")}, {"order", ValueOf(body, "order")}};
  return desk.Order(ValueOf(body, "node"), ValueOf(body, "order"), call.access.who);
}

NodeResult Set(NodeDesk& desk, const Call& call, const BodyTexts& body, AuditDetails* details) {
  uint8_t item = 0;
  Decimal value;
  if (!ParseNumber(call.arguments[1], &item)) return tl::unexpected(NodeProblem{"no_item", "there is no such item"});
  if (!ParseDecimal(ValueOf(body, "value"), &value)) {
    return tl::unexpected(NodeProblem{"bad_value", "value is a number as text"});
  }
  *details = {{"node", call.arguments[0]}, {"item", call.arguments[1]}, {"value", ValueOf(body, "value")}};
  return desk.Set(call.arguments[0], item, value, call.access.who);
}

NodeResult Forget(NodeDesk& desk, const Call& call, const BodyTexts&, AuditDetails* details) {
  *details = {{"node", call.arguments[0]}};
  return desk.Forget(call.arguments[0]);
}

NodeResult Update(NodeDesk& desk, const Call& call, const BodyTexts& body, AuditDetails* details) {
  *details = {{"node", ValueOf(body, "node")}};
  return desk.Update(ValueOf(body, "node"), call.access.who);
}

std::string SourceOf(const Call& call) {
  const std::string* source = call.request.Query("source");
  return source == nullptr ? "" : *source;
}

HttpResponse NetworkAnswer(const NodeDesk* desk, const Call& call) {
  if (desk == nullptr) return Failed({"no_source", "this hub has no source of nodes"});
  auto json = desk->GetNetwork(SourceOf(call));
  return json ? JsonResponse(std::move(*json)) : Failed(json.error());
}

NodeResult PutNetwork(NodeDesk& desk, const Call& call, const BodyTexts&, AuditDetails* details) {
  *details = {{"source", SourceOf(call)}};
  return desk.PutNetwork(SourceOf(call), call.request.body);
}

std::optional<std::vector<uint8_t>> BytesOfHex(std::string_view hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  std::vector<uint8_t> bytes;
  bytes.reserve(hex.size() / 2);
  for (size_t i = 0; i < hex.size(); i += 2) {
    const int high = HexDigitValue(hex[i]);
    const int low = HexDigitValue(hex[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<uint8_t>(high << 4 | low));
  }
  return bytes;
}

// A piece of a firmware package; the whole one is told in the audit log.
HttpResponse UploadFirmware(ApiContext& context, const Call& call) {
  if (context.nodes == nullptr) return Failed({"no_source", "this hub has no source of nodes"});
  std::string problem;
  const auto body = ParseStrings(call.request.body, {"offset", "hex"}, &problem);
  if (!body) return ErrorResponse(400, "bad_body", problem);
  uint64_t offset = 0;
  const auto bytes = BytesOfHex(ValueOf(*body, "hex"));
  if (!ParseNumber(ValueOf(*body, "offset"), &offset) || !bytes) {
    return ErrorResponse(400, "bad_body", "offset is a number, hex are bytes as hex digits, both as text");
  }
  const auto done = context.nodes->UploadFirmware(SourceOf(call), offset, *bytes);
  if (!done) return Failed(done.error());
  if (done->is_complete) {
    context.ward.Tell(call.access.who, "node_firmware_given", {{"version", FirmwareText(done->firmware.version)}});
  }
  HttpResponse response;
  AppendJson(&response.body, [&](JsonWriter& json) {
    json.BeginObject().Key("received").Integer(static_cast<int64_t>(done->received)).Key("size");
    json.Integer(static_cast<int64_t>(done->size)).Key("complete").Boolean(done->is_complete).Key("firmware");
    WriteFirmware(json, done->firmware);
    json.EndObject();
  });
  return response;
}

}  // namespace

void AddNodeRoutes(Router& router, ApiContext& context) {
  using Reply = std::shared_ptr<Responder>;
  const std::string nodes = "/api/v1/nodes";
  router.Add(
      {"GET", nodes, Scope::kRead, [&context](const Call&, Reply reply) { reply->Send(NodesAnswer(context.nodes)); }});
  router.Add({"GET", nodes + "/network", Scope::kRead,
              [&context](const Call& call, Reply reply) { reply->Send(NetworkAnswer(context.nodes, call)); }});
  router.Add({"PUT", nodes + "/network", Scope::kOperate, Action(context, {}, "node_network_changed", PutNetwork)});
  router.Add(
      {"POST", nodes + "/window", Scope::kOperate, Action(context, {"seconds", "source"}, "node_window", OpenWindow)});
  router.Add(
      {"POST", nodes + "/confirm", Scope::kOperate, Action(context, {"address", "code"}, "node_let_in", Confirm)});
  router.Add({"POST", nodes + "/secrets", Scope::kOperate,
              Action(context, {"secret", "name", "source"}, "node_secret_given", AddSecret)});
  router.Add({"POST", nodes + "/orders", Scope::kOperate, Action(context, {"node", "order"}, "node_order", Order)});
  router.Add({"POST", nodes + "/firmware", Scope::kOperate,
              [&context](const Call& call, Reply reply) { reply->Send(UploadFirmware(context, call)); }});
  router.Add({"POST", nodes + "/updates", Scope::kOperate, Action(context, {"node"}, "node_update", Update)});
  router.Add({"PUT", nodes + "/{id}/items/{item}", Scope::kOperate, Action(context, {"value"}, "node_set", Set)});
  router.Add({"DELETE", nodes + "/{id}", Scope::kOperate, Action(context, {}, "node_forgotten", Forget)});
}

}  // namespace vesta::hub
