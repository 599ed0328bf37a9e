#include "hub/web/router.h"

#include <fmt/format.h>

namespace vesta::hub {
namespace {

constexpr std::string_view kApiRoot = "/api/";

// "{...}" in the pattern stands for one part of the path that is not empty.
bool Matches(std::string_view pattern, std::string_view path, std::vector<std::string>* arguments) {
  arguments->clear();
  while (true) {
    const size_t pattern_end = pattern.find('/');
    const size_t path_end = path.find('/');
    const std::string_view want = pattern.substr(0, pattern_end);
    const std::string_view got = path.substr(0, path_end);
    if (want.starts_with('{')) {
      if (got.empty()) return false;
      arguments->emplace_back(got);
    } else if (want != got) {
      return false;
    }
    if (pattern_end == std::string_view::npos || path_end == std::string_view::npos) return pattern_end == path_end;
    pattern.remove_prefix(pattern_end + 1);
    path.remove_prefix(path_end + 1);
  }
}

bool IsJson(std::string_view content_type) {
  const std::string_view type = content_type.substr(0, content_type.find(';'));
  return type == "application/json" || type == "application/json ";
}

}  // namespace

HttpResponse Router::Refused(int status, std::string_view code, std::string_view message) {
  ++counters_.refused[std::string(code)];
  return ErrorResponse(status, code, message);
}

const Route* Router::Find(const HttpRequest& request, std::vector<std::string>* arguments, std::string* allowed) const {
  const std::string_view method = request.method == "HEAD" ? std::string_view("GET") : request.method;
  for (const Route& route : routes_) {
    if (!Matches(route.pattern, request.path, arguments)) continue;
    if (route.method == method) return &route;
    *allowed += (allowed->empty() ? "" : ", ") + route.method;
  }
  return nullptr;
}

bool Router::PassesGates(const HttpRequest& request, const Route& route, const Auth::Access& access,
                         Responder& responder) {
  if (access.scope < route.scope) {
    if (access.scope == Scope::kNone) {
      HttpResponse response = Refused(401, "login_required", "log in, or send a token as Authorization: Bearer");
      response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"vesta\"");
      responder.Send(std::move(response));
    } else {
      responder.Send(Refused(403, "scope", fmt::format("this needs the scope {}", ScopeName(route.scope))));
    }
    return false;
  }
  if (route.method == "GET") return true;
  if (!access.by_token && host_check_.CheckOrigin(request) == HostCheck::Origin::kAbsent) {
    responder.Send(Refused(403, "origin_required",
                           "what changes something needs a token, or the header Origin with this hub's address"));
    return false;
  }
  if (!request.body.empty() && !IsJson(request.Header("content-type"))) {
    responder.Send(Refused(415, "not_json", "send the body as Content-Type: application/json"));
    return false;
  }
  return true;
}

void Router::Handle(const HttpRequest& request, std::shared_ptr<Responder> responder) {
  if (!host_check_.HostAllowed(request)) {
    return responder->Send(
        Refused(421, "host_not_allowed", "this hub does not answer to that name; add it to http.allowed_hosts"));
  }
  if (host_check_.CheckOrigin(request) == HostCheck::Origin::kForeign) {
    return responder->Send(Refused(403, "origin_not_allowed", "pages of other sites may not use this hub"));
  }
  std::vector<std::string> arguments;
  std::string allowed;
  const Route* const route = Find(request, &arguments, &allowed);
  if (route != nullptr) {
    const Auth::Access access = auth_.Check(request);
    if (PassesGates(request, *route, access, *responder)) {
      route->handle({request, access, std::move(arguments)}, std::move(responder));
    }
    return;
  }
  const bool api = request.path.starts_with(kApiRoot);
  if (allowed.empty() && !api) allowed = "GET";
  const bool get = request.method == "GET" || request.method == "HEAD";
  if (!allowed.empty() && !(get && !api)) {
    HttpResponse response = Refused(405, "method_not_allowed", "this address answers to " + allowed + " only");
    response.headers.emplace_back("Allow", allowed);
    return responder->Send(std::move(response));
  }
  if (api || !files_) return responder->Send(ErrorResponse(404, "not_found", "there is nothing at this address"));
  responder->Send(files_(request));
}

}  // namespace vesta::hub
