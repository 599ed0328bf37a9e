#include "hub/web/server.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

#include "hub/web/static_files.h"

namespace vesta::hub {
namespace {

int64_t SteadyUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Both families for the name; an address stands for itself.
std::vector<std::string> AddressesOf(const HttpConfig& config) {
  if (config.address == "localhost") return {"127.0.0.1", "::1"};
  return {config.address};
}

tl::expected<void, std::string> CheckExposure(const HttpConfig& config) {
  for (const std::string& address : AddressesOf(config)) {
    if (!IsIpAddress(address)) {
      return tl::unexpected(fmt::format("http.address \"{}\" is neither an IP address nor localhost", config.address));
    }
    if (IsLoopbackAddress(address)) continue;
    if (config.password_hash.empty() && config.tokens.empty()) {
      return tl::unexpected(
          fmt::format("http.address {} can be reached from other machines: set http.password_hash (make one with "
                      "`vesta passwd`) or http.tokens first, or listen on 127.0.0.1",
                      config.address));
    }
  }
  if (config.cert_file.empty() != config.key_file.empty()) {
    return tl::unexpected(std::string("http.cert_file and http.key_file belong together: only one is set"));
  }
  return {};
}

}  // namespace

void AddApiRoutes(Router& router, ApiContext& context, Auth& auth, EventHub& events, ConnectionHost& host) {
  const QuerySlots slots(host.limits.queries, host.counters);
  AddLoginRoutes(router, context, auth, host.counters);
  AddDeviceRoutes(router, context);
  AddLatestRoute(router, context, events);
  AddReadingRoutes(router, context, slots);
  AddExportRoute(router, context, slots);
  AddFrameRoutes(router, context, slots);
  AddBusRoute(router, context);
  AddKeyRoutes(router, context);
  AddRedecodeRoutes(router, context);
  AddNodeRoutes(router, context);
  AddCountRoutes(router, context);
  AddGapRoutes(router, context, slots);
  AddTraceRoutes(router, context, slots);
  AddBedRoutes(router, context);
  AddAuditRoutes(router, context, slots);
  AddHealthRoutes(router, context);
  AddStatusRoute(router, context);
  AddEventRoutes(router, auth, events, host.counters);
  AddMetricsRoutes(router, context, host.counters, events);
  AddOpenApiRoute(router);
}

tl::expected<std::unique_ptr<WebServer>, std::string> WebServer::Start(boost::asio::io_context& io,
                                                                       const HttpConfig& config, ApiContext context,
                                                                       std::span<const Asset> assets,
                                                                       const WebLimits& limits) {
  if (auto allowed = CheckExposure(config); !allowed) return tl::unexpected(allowed.error());
  auto auth = Auth::Make(io, context.clock, config);
  if (!auth) return tl::unexpected(auth.error());
  std::unique_ptr<WebServer> server(new WebServer(io, config, std::move(context), assets, limits, std::move(*auth)));
  if (auto listening = server->Listen(); !listening) return tl::unexpected(listening.error());
  return server;
}

WebServer::WebServer(boost::asio::io_context& io, const HttpConfig& config, ApiContext context,
                     std::span<const Asset> assets, const WebLimits& limits, std::unique_ptr<Auth> auth)
    : io_(io),
      config_(config),
      context_(std::move(context)),
      assets_(assets),
      auth_(std::move(auth)),
      host_{limits, {}, {}, SteadyUs},
      events_(context_, host_.limits),
      router_(config_, *auth_, host_.counters) {
  AddApiRoutes(router_, context_, *auth_, events_, host_);
  router_.SetFiles([this](const HttpRequest& request) { return ServeFile(assets_, request); });
  host_.handler = [this](const HttpRequest& request, std::shared_ptr<Responder> responder) {
    router_.Handle(request, std::move(responder));
  };
}

WebServer::~WebServer() {
  for (const auto& listener : listeners_) listener->Close();
  for (const auto& connection : connections_) connection->Close();
}

tl::expected<void, std::string> WebServer::Listen() {
  const TlsFiles tls{config_.cert_file, config_.key_file};
  uint16_t port = config_.port;
  std::string problem;
  for (const std::string& address : AddressesOf(config_)) {
    auto listener = Listener::Open(io_, address, port, tls,
                                   [this](std::unique_ptr<Stream> stream) { Accepted(std::move(stream)); });
    if (!listener) {
      // Of the two that localhost means, a machine without IPv6 has only one.
      if (listeners_.empty()) problem = listener.error();
      continue;
    }
    port = (*listener)->port();
    listeners_.push_back(std::move(*listener));
  }
  if (listeners_.empty()) return tl::unexpected(problem);
  const bool loopback = config_.address == "localhost" || IsLoopbackAddress(config_.address);
  if (!loopback && tls.empty()) {
    spdlog::warn("web: {} is served without TLS: passwords and tokens can be read on the way", address());
  }
  sweep_ = PeriodicTimer::Start(io_, host_.limits.sweep_us, [this] { Sweep(); });
  event_tick_ = PeriodicTimer::Start(io_, host_.limits.event_interval_us, [this] { events_.Tick(); });
  return {};
}

uint16_t WebServer::port() const { return listeners_.empty() ? uint16_t{0} : listeners_.front()->port(); }

std::string WebServer::address() const {
  const std::string scheme = config_.cert_file.empty() ? "http" : "https";
  std::string host = config_.address;
  if (IsWildcardAddress(host)) host = "localhost";
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return fmt::format("{}://{}:{}/", scheme, host, port());
}

bool WebServer::MakeRoom(const std::string& address) {
  connections_.erase(
      std::remove_if(connections_.begin(), connections_.end(), [](const auto& c) { return c->closed(); }),
      connections_.end());
  // Behind a proxy on this machine all the world is one address.
  const bool local = IsLoopbackAddress(address);
  const auto same = static_cast<size_t>(std::count_if(connections_.begin(), connections_.end(), [&](const auto& c) {
    return NetworkOf(c->peer_address()) == NetworkOf(address);
  }));
  if (!local && same >= host_.limits.connections_per_address) return false;
  if (connections_.size() < host_.limits.connections) return true;
  auto oldest = connections_.end();
  for (auto it = connections_.begin(); it != connections_.end(); ++it) {
    if ((*it)->idle() && (oldest == connections_.end() || (*it)->idle_since_us() < (*oldest)->idle_since_us())) {
      oldest = it;
    }
  }
  if (oldest == connections_.end()) return false;
  (*oldest)->Close();
  connections_.erase(oldest);
  return true;
}

void WebServer::Accepted(std::unique_ptr<Stream> stream) {
  ++host_.counters.connections;
  const bool room = MakeRoom(stream->peer_address());
  auto connection = std::make_shared<Connection>(std::move(stream), host_);
  if (room) {
    connections_.push_back(connection);
    connection->Start();
    return;
  }
  ++host_.counters.refused["too_many_connections"];
  // A few are told why; a flood is not worth an answer.
  if (connections_.size() >= host_.limits.connections + kMaxRefusals) return connection->Close();
  connections_.push_back(connection);
  HttpResponse busy = ErrorResponse(503, "too_many_connections", "too many connections are open; try again soon");
  busy.headers.emplace_back("Retry-After", "5");
  connection->Refuse(std::move(busy));
}

void WebServer::Sweep() {
  const int64_t now_us = SteadyUs();
  // A copy: closing a connection may end a stream, whose end may do anything.
  const std::vector<std::shared_ptr<Connection>> connections = connections_;
  for (const auto& connection : connections) connection->CheckDeadline(now_us);
  connections_.erase(
      std::remove_if(connections_.begin(), connections_.end(), [](const auto& c) { return c->closed(); }),
      connections_.end());
  if (stopped_ && connections_.empty()) {
    sweep_.reset();
    std::exchange(stopped_, nullptr)();
  }
}

void WebServer::Stop(std::function<void()> done) {
  for (const auto& listener : listeners_) listener->Close();
  event_tick_.reset();
  for (const auto& connection : connections_) connection->EndSoon();
  stopped_ = std::move(done);
  if (connections_.empty() || !sweep_) {
    PostToMain(io_, [call = std::exchange(stopped_, nullptr)] { call(); });
  }
}

}  // namespace vesta::hub
