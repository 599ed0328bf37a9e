// Which call goes to which handler, and who may make it.
//
// Every request passes the same gates in the same order: the Host belongs to this hub, the Origin is our own page, the
// caller's scope suffices, what changes something comes with an Origin or a token, a body is JSON. Only then does a
// handler see it. The table of routes can be walked, so that a test holds it against the documents.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hub/web/auth.h"
#include "hub/web/connection.h"
#include "hub/web/host_check.h"
#include "hub/web/http_message.h"

namespace vesta::hub {

struct Call {
  const HttpRequest& request;
  Auth::Access access;
  std::vector<std::string> arguments;  // what stood in place of "{...}", in order
};

struct Route {
  std::string method;          // "GET" also answers HEAD
  std::string pattern;         // "/api/v1/devices/{key}"
  Scope scope = Scope::kRead;  // kNone: everyone, logged in or not
  std::function<void(const Call&, std::shared_ptr<Responder>)> handle;
};

class Router {
 public:
  Router(const HttpConfig& config, Auth& auth, WebCounters& counters)
      : host_check_(config.allowed_hosts), auth_(auth), counters_(counters) {}

  void Add(Route route) { routes_.push_back(std::move(route)); }
  // For everything outside /api/ and the routes: the page.
  void SetFiles(std::function<HttpResponse(const HttpRequest&)> files) { files_ = std::move(files); }

  void Handle(const HttpRequest& request, std::shared_ptr<Responder> responder);

  std::span<const Route> routes() const { return routes_; }

 private:
  HttpResponse Refused(int status, std::string_view code, std::string_view message);
  const Route* Find(const HttpRequest& request, std::vector<std::string>* arguments, std::string* allowed) const;
  // True when the request may pass; else it was answered.
  bool PassesGates(const HttpRequest& request, const Route& route, const Auth::Access& access, Responder& responder);

  HostCheck host_check_;
  Auth& auth_;
  WebCounters& counters_;
  std::vector<Route> routes_;
  std::function<HttpResponse(const HttpRequest&)> files_;
};

}  // namespace vesta::hub
