// Who is asking: the session that a browser has, and how it gets and ends one. What the answers may tell is little:
// never whether a password or a token was nearly right.
#include <fmt/format.h>

#include "hub/web/api.h"
#include "hub/web/json_body.h"
#include "hub/web/json_text.h"

namespace vesta::hub {
namespace {

std::string SessionJson(bool login_required, const Auth::Access& access) {
  std::string body;
  AppendJson(&body, [&](JsonWriter& json) {
    json.BeginObject().Key("login_required").Boolean(login_required).Key("logged_in").Boolean(access.logged_in);
    json.Key("scope");
    if (access.scope == Scope::kNone) {
      json.Null();
    } else {
      json.Text(ScopeName(access.scope));
    }
    json.EndObject();
  });
  return body;
}

HttpResponse LoginAnswer(const Auth::LoginResult& result) {
  using Kind = Auth::LoginResult::Kind;
  HttpResponse response;
  switch (result.kind) {
    case Kind::kOk:
      response = HttpResponse();
      response.status = 204;
      response.headers.emplace_back("Set-Cookie", result.cookie);
      return response;
    case Kind::kWrong:
      return ErrorResponse(401, "wrong", "that is not right");
    case Kind::kTooMany:
      response = ErrorResponse(429, "too_many_tries", "too many tries; wait a little");
      break;
    case Kind::kBusy:
      response = ErrorResponse(503, "busy", "other logins are being checked; try again");
      break;
  }
  const int64_t wait_s = (result.retry_after_us + kUsPerSecond - 1) / kUsPerSecond;
  response.headers.emplace_back("Retry-After", fmt::format("{}", wait_s));
  return response;
}

// Good and bad tries, without what was tried.
void TellLogin(const ApiContext& context, const std::string& address, std::string_view by,
               const Auth::LoginResult& result) {
  if (context.ward.audit == nullptr) return;
  using Kind = Auth::LoginResult::Kind;
  const AuditDetails details = {{"address", address}, {"by", std::string(by)}};
  if (result.kind == Kind::kOk) return context.ward.audit->Record(result.who, "login", details);
  const char* const action = result.kind == Kind::kWrong ? "login_wrong" : "login_refused";
  context.ward.audit->RecordOften("login " + address, "unknown", action, details);
}

}  // namespace

void AddLoginRoutes(Router& router, ApiContext& context, Auth& auth, WebCounters& counters) {
  using Reply = std::shared_ptr<Responder>;
  auth.OnWrongToken([&context](const HttpRequest& request) {
    TellLogin(context, request.peer_address, "bearer", {Auth::LoginResult::Kind::kWrong, "", 0});
  });
  router.Add({"GET", "/api/v1/session", Scope::kNone, [&auth](const Call& call, Reply reply) {
                reply->Send(JsonResponse(SessionJson(auth.login_required(), call.access)));
              }});
  router.Add({"POST", "/api/v1/login", Scope::kNone, [&auth, &counters, &context](const Call& call, Reply reply) {
                std::string problem;
                const auto body = ParseStrings(call.request.body, {"password", "token"}, &problem);
                if (!body || body->size() != 1) {
                  return reply->Send(ErrorResponse(400, "bad_body", body ? "send password or token" : problem));
                }
                auth.Login(call.request, body->begin()->second, body->begin()->first == "token",
                           [reply, &counters, &context, address = call.request.peer_address,
                            by = body->begin()->first](const Auth::LoginResult& result) {
                             TellLogin(context, address, by, result);
                             if (result.kind != Auth::LoginResult::Kind::kOk) ++counters.refused["login"];
                             reply->Send(LoginAnswer(result));
                           });
              }});
  router.Add({"POST", "/api/v1/logout", Scope::kNone, [&auth, &context](const Call& call, Reply reply) {
                if (call.access.logged_in) {
                  context.ward.Tell(call.access.who, "logout", {{"address", call.request.peer_address}});
                }
                HttpResponse response;
                response.status = 204;
                response.headers.emplace_back("Set-Cookie", auth.Logout(call.request));
                reply->Send(std::move(response));
              }});
}

}  // namespace vesta::hub
