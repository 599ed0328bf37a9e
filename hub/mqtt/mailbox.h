// Carries what happens on a connection's thread to the main thread, in order and in batches.
#pragma once

#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

struct mosquitto;

namespace vesta::hub::mqtt {

using Client = std::shared_ptr<mosquitto>;

struct Event {
  enum class Kind : uint8_t { kAttempt, kUp, kDown, kPublished, kSubscribed, kMessage, kOversize };
  Kind kind = Kind::kAttempt;
  Client client = {};            // kUp
  int protocol = 0;              // kUp
  int mid = 0;                   // kPublished, kSubscribed
  int reason = 0;                // kPublished, kSubscribed: MQTT reason code
  bool was_up = false;           // kDown
  bool taken_over = false;       // kDown: the broker said so
  bool closed_early = false;     // kDown: closed by the broker within seconds of its welcome
  bool session_present = false;  // kUp: the broker has kept our subscriptions and what came for them
  bool retained = false;         // kMessage
  // kMessage with QoS above 0 of a connection that keeps its session: the broker hears the acknowledgement when the
  // last copy is let go.
  std::shared_ptr<void> receipt = {};
  std::string text = {};     // kMessage: topic; kDown: why
  std::string payload = {};  // kMessage
};

// Closed by the main thread before its owner goes: nothing arrives afterwards, even if the thread still hangs in a name
// look-up.
class Mailbox : public std::enable_shared_from_this<Mailbox> {
 public:
  using Handler = std::function<void(Event&)>;
  Mailbox(boost::asio::io_context& io, Handler handler) : io_(io), handler_(std::move(handler)) {}

  // Any thread. A message waits for room (kMaxIncomingWaiting); all other events are few by their nature.
  void Put(Event event);
  // Main thread.
  void Close();
  // Any thread.
  bool closed();

 private:
  void Drain();

  boost::asio::io_context& io_;
  Handler handler_;
  std::mutex mutex_;
  std::condition_variable room_;
  std::vector<Event> events_;
  size_t messages_ = 0;
  bool posted_ = false;
  bool closed_ = false;
};

}  // namespace vesta::hub::mqtt
