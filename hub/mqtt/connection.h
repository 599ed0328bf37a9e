// One connection to an MQTT broker, shared by all that publish or subscribe there. It recovers alone and never gives
// up.
//
// libmosquitto does the protocol on a thread of its own (it resolves names in place, so never on the main thread);
// everything else, all callbacks included, happens on the main thread (the one that runs the io_context). MQTT 5 with
// fall-back to 3.1.1 when the broker refuses it. Each attempt starts with a new client handle: what was in flight when
// a link broke is reported lost, and who promised to deliver it publishes it again. The broker's side of the session
// starts clean too, unless keep_session asks it to collect messages for us while we are away; then a message with QoS 1
// is acknowledged only when its receipt is let go, one message at a time.
// Bounded: libmosquitto queues without limit, so Publish() takes a message only while less than kMaxOutstanding...
// waits for the broker, and says when there is room again. Messages that arrive faster than the main thread takes them
// make the thread wait, hence the broker. Errors are words for people in health(); no secret is ever in them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "hub/clock/clock.h"
#include "hub/config/config.h"

namespace boost::asio {
class io_context;
}

namespace vesta::hub::mqtt {

// What may wait for the broker: more than any window of an output, little enough for a small machine.
inline constexpr size_t kMaxOutstandingMessages = 1000;
inline constexpr size_t kMaxOutstandingBytes = 4u << 20;
// A message from the broker that is larger is dropped and counted: nobody here has a use for one.
inline constexpr size_t kMaxIncomingBytes = 1u << 20;
// Messages from the broker that may wait for the main thread before the thread stops reading.
inline constexpr size_t kMaxIncomingWaiting = 1000;
// More take-overs than this in a minute mean that a second client lives under our client id.
inline constexpr size_t kTakeOversPerMinute = 3;
// How long a broker keeps the session of a connection that asked for it (MQTT 5; with 3.1.1 the broker decides).
inline constexpr uint32_t kSessionExpiry_s = 7 * 24 * 3600;
// Longest that Stop() takes.
inline constexpr int64_t kStopTimeout_us = 3 * kUsPerSecond;

struct ConnectionTiming {
  int64_t back_off_first_us = 1 * kUsPerSecond;
  int64_t back_off_last_us = 60 * kUsPerSecond;
  int64_t stable_after_us = 60 * kUsPerSecond;     // a link that stayed up so long starts the back-off anew
  int64_t connect_timeout_us = 15 * kUsPerSecond;  // from the first packet to the broker's welcome
};

struct ConnectionOptions {
  std::string default_client_id;  // used when the configuration names none
  // Retained "online" after each connect, "offline" at Stop() and as the last will. Empty: none.
  std::string status_topic;
  // The broker keeps subscriptions and what comes for them while the hub is away. Needs a client id that stays the
  // same.
  bool keep_session = false;
  ConnectionTiming timing = {};
};

struct ConnectionHealth {
  bool connected = false;
  std::string error;  // why not, in words; also set while connected when a second client fights for the client id
  std::string where;  // "mqtt://host:1883", "mqtts://host:8883"
  UtcUs state_since_us = 0;
  uint64_t attempts = 0;
  uint64_t connects = 0;
  bool session_present = false;  // at the last connect the broker still had our session
  int protocol = 0;              // 5 or 4 (3.1.1) of the last connect
  uint64_t failures = 0;         // attempts without a welcome, and links that broke
  uint64_t take_overs = 0;
  uint64_t oversize_incoming = 0;
};

enum class Delivery : uint8_t {
  kAcknowledged,  // QoS 1: by the broker; QoS 0: written to the socket
  kRefused,       // the broker said no (MQTT 5 only), see reason
  kLost,          // the link broke before an answer
};
struct PublishResult {
  Delivery delivery = Delivery::kAcknowledged;
  int reason = 0;  // MQTT 5 reason code
};

enum class PublishStatus : uint8_t {
  kTaken,         // done will be called exactly once
  kNotConnected,  // done will not be called, here and below
  kFull,          // wait for Listener::room
  kTooLarge,      // beyond what the broker takes
  kInvalid,       // not a topic
};

struct IncomingMessage {
  std::string_view topic;
  std::string_view payload;
  bool retained = false;
  // Of the broker's delivery, the same when it delivers again after a broken link; 0 with QoS 0.
  int id = 0;
  // A copy holds the acknowledgement back (keep_session and QoS 1 only, else empty). Nothing more arrives until then,
  // and publications wait too.
  std::shared_ptr<void> receipt = {};
};

class Connection {
 public:
  Connection(boost::asio::io_context& io, const Clock& clock, MqttConfig config, ConnectionOptions options);
  ~Connection();  // as Stop(), but without goodbye: the broker sends the last will
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Before Start: retained "online" and the last will. True when this connection had no such topic yet.
  bool SetStatusTopic(std::string topic);

  void Start();  // the second user of a shared connection may call it again
  // Publishes "offline", disconnects, then calls done.
  void Stop(std::function<void()> done);

  using Token = std::shared_ptr<void>;  // keep it as long as the callbacks may be called

  struct Listener {
    std::function<void()> up = {};    // welcomed by the broker; status and subscriptions are sent
    std::function<void()> down = {};  // after every publication in flight was reported lost
    std::function<void()> room = {};  // Publish() takes messages again after kFull
  };
  [[nodiscard]] Token Listen(Listener listener);

  using Done = std::function<void(const PublishResult&)>;
  PublishStatus Publish(const std::string& topic, std::string_view payload, int qos, bool retain, Done done = {});

  // Holds over reconnects. subscribed is called each time that the broker granted it.
  using MessageCallback = std::function<void(const IncomingMessage&)>;
  [[nodiscard]] Token Subscribe(std::string filter, int qos, MessageCallback message,
                                std::function<void()> subscribed = {});

  // QoS 1, for keep_session: neither letting go of the token nor Stop() ends the subscription at the broker. Of
  // retained messages only new subscriptions get the stored one (MQTT 5). answered gets what the broker granted, each
  // time: a QoS, or an MQTT 5 reason code from 0x80 on.
  [[nodiscard]] Token SubscribeKept(std::string filter, MessageCallback message, std::function<void(int)> answered);

  const ConnectionHealth& health() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

// True for MQTT 5 reasons that trying again with the same message will not change: bad topic, bad payload, too large.
bool IsPermanentRefusal(int reason);

}  // namespace vesta::hub::mqtt
