// The way of a request without sockets: bytes through connection, parser, gates and routes, in pieces of any size.
//
// The first byte chooses how the input is cut and whether a login is configured; the rest is what the client sends.
// Everything is answered within the call, so a finding repeats.
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <string>

#include "hub/web/server.h"
#include "hub/web/testing/fake_hub.h"

namespace vesta::hub {
namespace {

// Gives the input out in pieces and takes any answer. Callbacks wait in a queue that the target empties.
class FuzzStream final : public Stream {
 public:
  FuzzStream(std::string input, size_t piece, std::deque<std::function<void()>>* queue)
      : input_(std::move(input)), piece_(piece), queue_(queue) {}

  void Start(std::function<void(bool)> done) override {
    queue_->push_back([done] { done(true); });
  }
  void Read(char* buffer, size_t capacity, std::function<void(size_t)> done) override {
    size_t count = 0;
    if (!closed_) {
      count = std::min({piece_, capacity, input_.size()});
      std::copy_n(input_.begin(), count, buffer);
      input_.erase(0, count);
    }
    queue_->push_back([done, count] { done(count); });
  }
  void Write(std::string_view first, std::string_view second, std::function<void(bool)> done) override {
    // Reads every byte, so that the sanitizer sees a text that is gone.
    written_ = std::string(first.substr(0, 64)) + std::string(second.substr(0, 64));
    if (first.starts_with("HTTP/") && !first.starts_with("HTTP/1.1 ")) std::abort();
    queue_->push_back([done, ok = !closed_] { done(ok); });
  }
  void Finish(std::function<void()> done) override { queue_->push_back(std::move(done)); }
  void Close() override { closed_ = true; }
  const std::string& peer_address() const override { return address_; }
  const std::string& local_address() const override { return address_; }
  bool secure() const override { return false; }

 private:
  std::string input_;
  size_t piece_;
  std::deque<std::function<void()>>* queue_;
  std::string written_;
  const std::string address_ = "127.0.0.1";
  bool closed_ = false;
};

// Two routers over one hub: with and without a login.
struct Target {
  Target() : fake(io), context(fake.Context()) {
    config.tokens = {{"t", Sha256Hex("t"), "operate"}};
    Build(HttpConfig(), &open);
    Build(config, &locked);
  }

  struct Side {
    HttpConfig config;
    ConnectionHost host;
    std::unique_ptr<Auth> auth;
    std::unique_ptr<EventHub> events;
    std::unique_ptr<Router> router;
  };

  void Build(const HttpConfig& with, Side* side) {
    side->config = with;
    side->auth = std::move(*Auth::Make(io, context.clock, side->config));
    side->events = std::make_unique<EventHub>(context, side->host.limits);
    side->router = std::make_unique<Router>(side->config, *side->auth, side->host.counters);
    AddApiRoutes(*side->router, context, *side->auth, *side->events, side->host);
    side->host.monotonic_us = [this] { return fake.clock().Read().monotonic_us; };
    side->host.handler = [side](const HttpRequest& request, std::shared_ptr<Responder> responder) {
      side->router->Handle(request, std::move(responder));
    };
  }

  void Run(Side& side, std::string input, size_t piece) {
    std::deque<std::function<void()>> queue;
    auto connection =
        std::make_shared<Connection>(std::make_unique<FuzzStream>(std::move(input), piece, &queue), side.host);
    connection->Start();
    // Every read takes a byte of the input or ends it, so this ends too.
    while (!queue.empty() || io.poll() > 0) {
      io.restart();
      if (queue.empty()) continue;
      const auto call = std::move(queue.front());
      queue.pop_front();
      call();
    }
    connection->Close();
    connection.reset();
    io.restart();
    while (io.poll() > 0) io.restart();
  }

  boost::asio::io_context io;
  FakeHub fake;
  ApiContext context;
  HttpConfig config;
  Side open;
  Side locked;
};

}  // namespace
}  // namespace vesta::hub

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static auto* const target = new vesta::hub::Target;
  if (size == 0) return 0;
  const size_t piece = (data[0] & 0x7F) == 0 ? 4096 : data[0] & 0x7F;
  auto& side = (data[0] & 0x80) != 0 ? target->locked : target->open;
  target->Run(side, std::string(reinterpret_cast<const char*>(data) + 1, size - 1), piece);
  return 0;
}
