// A running web server over a FakeHub, on a free port, with its main thread beside the test's.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "hub/web/server.h"
#include "hub/web/testing/fake_hub.h"
#include "hub/web/testing/raw_client.h"

namespace vesta::hub {

class WebFixture : public testing::Test {
 protected:
  WebFixture() : work_(io_.get_executor()), fake_(io_) { config_.port = 0; }
  // Runs on the server's thread and waits for it.
  template <typename Call>
  auto Main(const Call& call) {
    std::promise<decltype(call())> promise;
    boost::asio::post(io_, [&] {
      if constexpr (std::is_void_v<decltype(call())>) {
        call();
        promise.set_value();
      } else {
        promise.set_value(call());
      }
    });
    return promise.get_future().get();
  }

  ~WebFixture() override {
    if (thread_.joinable()) {
      Main([&] { server_.reset(); });
      work_.reset();
      thread_.join();
    }
  }

  void Start() {
    auto server = WebServer::Start(io_, config_, fake_.Context(), assets_, limits_);
    ASSERT_TRUE(server.has_value()) << server.error();
    server_ = std::move(*server);
    port_ = server_->port();
    thread_ = std::thread([this] { io_.run(); });
  }

  // Until the condition holds on the server's thread; false after ten seconds.
  template <typename Condition>
  bool Eventually(const Condition& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (std::chrono::steady_clock::now() < end) {
      if (Main(condition)) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return false;
  }

  std::string Request(const std::string& method, const std::string& target, const std::string& headers = "",
                      const std::string& body = "") const {
    std::string text = method + " " + target + " HTTP/1.1\r\nHost: localhost:" + std::to_string(port_) + "\r\n";
    text += headers;
    if (!body.empty()) {
      text += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    }
    return text + "\r\n" + body;
  }
  std::string Origin() const { return "Origin: http://localhost:" + std::to_string(port_) + "\r\n"; }

  RawAnswer Get(const std::string& target, const std::string& headers = "") const {
    RawClient client(port_);
    return client.Ask(Request("GET", target, headers));
  }

  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  FakeHub fake_;
  HttpConfig config_;
  WebLimits limits_;
  std::vector<Asset> assets_;
  std::unique_ptr<WebServer> server_;
  std::thread thread_;
  uint16_t port_ = 0;
};

}  // namespace vesta::hub
