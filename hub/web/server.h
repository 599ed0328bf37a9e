// The web room put together: listens, answers, streams.
//
// Everything runs on the caller's io_context; only a password check has a thread, as long as it lasts. On loopback it
// serves without a login; any other address needs a password or a token, or it does not start.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "hub/config/config.h"
#include "hub/web/api.h"
#include "hub/web/assets.h"
#include "hub/web/auth.h"
#include "hub/web/connection.h"
#include "hub/web/events.h"
#include "hub/web/limits.h"
#include "hub/web/router.h"
#include "hub/web/wire.h"

namespace boost::asio {
class io_context;
}

namespace vesta::hub {

// All calls of the API, without a server around them.
void AddApiRoutes(Router& router, ApiContext& context, Auth& auth, EventHub& events, ConnectionHost& host);

class WebServer {
 public:
  // Listens when it returns. The error says, for people, which setting is wrong or what the system refused.
  // `assets` is the page, usually DashboardAssets().
  static tl::expected<std::unique_ptr<WebServer>, std::string> Start(boost::asio::io_context& io,
                                                                     const HttpConfig& config, ApiContext context,
                                                                     std::span<const Asset> assets,
                                                                     const WebLimits& limits = WebLimits());
  ~WebServer();

  // Takes no more connections, ends live streams, lets answers under way go out, then calls done.
  void Stop(std::function<void()> done);

  uint16_t port() const;
  // "http://127.0.0.1:8600/"; for people to click on.
  std::string address() const;
  std::span<const Route> routes() const { return router_.routes(); }
  size_t connections() const { return connections_.size(); }
  const WebCounters& counters() const { return host_.counters; }

 private:
  WebServer(boost::asio::io_context& io, const HttpConfig& config, ApiContext context, std::span<const Asset> assets,
            const WebLimits& limits, std::unique_ptr<Auth> auth);
  tl::expected<void, std::string> Listen();
  void Accepted(std::unique_ptr<Stream> stream);
  // Room for one more from this address: closes an idle connection when all are taken. False: none.
  bool MakeRoom(const std::string& address);
  void Sweep();

  boost::asio::io_context& io_;
  HttpConfig config_;
  ApiContext context_;
  std::span<const Asset> assets_;
  std::unique_ptr<Auth> auth_;
  ConnectionHost host_;
  EventHub events_;
  Router router_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::unique_ptr<PeriodicTimer> sweep_;
  std::unique_ptr<PeriodicTimer> event_tick_;
  std::function<void()> stopped_;
};

}  // namespace vesta::hub
