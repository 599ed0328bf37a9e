#include "hub/mqtt/link.h"

#include <fmt/format.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <random>
#include <thread>

#include "hub/mqtt/failure_text.h"
#include "hub/mqtt/receipt.h"

namespace vesta::hub::mqtt {
namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::microseconds;
using std::chrono::milliseconds;

// Of the CONNACK's flags, both versions of MQTT.
constexpr int kSessionPresentFlag = 1;
// Before the welcome the thread looks this often whether it shall stop or time is up; afterwards packets wake it.
constexpr int kConnectingPoll_ms = 100;
constexpr int kConnectedPoll_ms = 1000;
// Packets handled per turn of the library's loop.
constexpr int kPacketsPerTurn = 100;
// A link that the broker closes so soon after its welcome looks like a fight over the client id (MQTT 3.1.1 has no word
// for it, and brokers that speak MQTT 5 do not always use theirs).
constexpr int64_t kClosedEarly_us = 5 * kUsPerSecond;
// The library's error lines that are kept to explain a failure.
constexpr size_t kMaxLibraryLog = 1000;
constexpr auto kDestructorWait = std::chrono::milliseconds(kConnectedPoll_ms + 500);
constexpr int kMinKeepalive_s = 5;  // the library takes no less

// The library's own start-up, once a process; it is never cleaned up since other threads may still be inside.
void InitLibrary() {
  static const int result = mosquitto_lib_init();
  (void)result;
}

// OpenSSL would ask at the terminal for the password of an encrypted key.
int NoKeyPassword(char*, int, int, void*) { return 0; }

// A goodbye that a dead link does not take must not hold the stop.
constexpr auto kGoodbye = std::chrono::milliseconds(800);

// What one attempt, and the link that may come of it, has seen so far. It lives as long as its client, since whoever
// publishes through that may still make it write a log line. Used on the thread only, but for the log.
struct Attempt {
  std::shared_ptr<Mailbox> mailbox;
  std::function<bool()> stopping;
  int protocol = 5;
  bool keep_session = false;
  bool up = false;
  bool answered = false;  // a CONNACK came
  int connack = 0;
  int disconnect_reason = 0;
  SteadyClock::time_point up_since{};
  std::mutex log_mutex;
  std::string log;
  Client client;  // let go at the end of the attempt: the client owns the attempt
};

void OnConnect(mosquitto*, void* user, int reason, int flags, const mosquitto_property*) {
  auto* attempt = static_cast<Attempt*>(user);
  attempt->answered = true;
  attempt->connack = reason;
  if (reason != 0) return;
  attempt->up = true;
  attempt->up_since = SteadyClock::now();
  {
    std::lock_guard lock(attempt->log_mutex);
    attempt->log.clear();
  }
  attempt->mailbox->Put({.kind = Event::Kind::kUp,
                         .client = attempt->client,
                         .protocol = attempt->protocol == 5 ? 5 : 4,
                         .session_present = (flags & kSessionPresentFlag) != 0});
}

void OnDisconnect(mosquitto*, void* user, int reason, const mosquitto_property*) {
  // Reason codes of the broker and errors of the library share the number; only the former are 0x80 and more.
  if (reason >= 0x80) static_cast<Attempt*>(user)->disconnect_reason = reason;
}

void OnPublish(mosquitto*, void* user, int mid, int reason, const mosquitto_property*) {
  static_cast<Attempt*>(user)->mailbox->Put({.kind = Event::Kind::kPublished, .mid = mid, .reason = reason});
}

void OnSubscribe(mosquitto*, void* user, int mid, int count, const int* granted, const mosquitto_property*) {
  const int reason = count > 0 ? granted[0] : 0;
  static_cast<Attempt*>(user)->mailbox->Put({.kind = Event::Kind::kSubscribed, .mid = mid, .reason = reason});
}

// The library queues the acknowledgement before it calls back, but writes it only after: it has been told that others
// use the client from outside (mosquitto_threaded_set), so all writing is done by the loop on this thread. Waiting here
// holds the acknowledgement back.
void OnMessage(mosquitto* m, void* user, const mosquitto_message* message, const mosquitto_property*) {
  auto* attempt = static_cast<Attempt*>(user);
  const size_t size = message->payloadlen > 0 ? static_cast<size_t>(message->payloadlen) : 0;
  if (size > kMaxIncomingBytes) {
    attempt->mailbox->Put({.kind = Event::Kind::kOversize});
    return;
  }
  Event event{.kind = Event::Kind::kMessage, .mid = message->mid, .retained = message->retain, .text = message->topic};
  if (size > 0) event.payload.assign(static_cast<const char*>(message->payload), size);
  if (!attempt->keep_session || message->qos == 0) {
    attempt->mailbox->Put(std::move(event));
    return;
  }
  const auto receipt = std::make_shared<Receipt>();
  event.receipt = ReceiptToken(receipt);
  attempt->mailbox->Put(std::move(event));
  while (!receipt->WaitLetGo(milliseconds(kConnectingPoll_ms)) && !attempt->stopping()) {
  }
  // Not taken for good: with the link cut the broker keeps the message and sends it again.
  if (!receipt->let_go() || attempt->mailbox->closed()) shutdown(mosquitto_socket(m), SHUT_RDWR);
}

void OnLog(mosquitto*, void* user, int level, const char* line) {
  if (level != MOSQ_LOG_ERR) return;
  auto* attempt = static_cast<Attempt*>(user);
  std::lock_guard lock(attempt->log_mutex);
  if (attempt->log.size() > kMaxLibraryLog) return;
  attempt->log += line;
  attempt->log += '\n';
}

}  // namespace

struct Link::State {
  MqttConfig config;
  ConnectionOptions options;
  std::string where;
  std::shared_ptr<Mailbox> mailbox;

  std::mutex mutex;
  std::condition_variable changed;
  bool stopping = false;
  bool goodbye = false;  // a DISCONNECT is on its way
  bool finished = false;
  Client client;  // of the present attempt

  bool Stopping() {
    std::lock_guard lock(mutex);
    return stopping;
  }
  bool Goodbye() {
    std::lock_guard lock(mutex);
    return goodbye;
  }
  // True when it was time to stop instead.
  bool Sleep(int64_t us) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, microseconds(us), [&] { return stopping; });
  }
  void SetClient(Client next) {
    std::lock_guard lock(mutex);
    client.swap(next);
  }

  void Run();
  void RunAttempt(const std::shared_ptr<Attempt>& attempt_ptr, bool every_address, Failure* failure);
  int Configure(mosquitto* m, const Attempt& attempt) const;
  bool WaitForTcp(int fd, SteadyClock::time_point deadline, Failure* failure);
};

// Returns MOSQ_ERR_...
int Link::State::Configure(mosquitto* m, const Attempt& attempt) const {
  mosquitto_connect_v5_callback_set(m, OnConnect);
  mosquitto_disconnect_v5_callback_set(m, OnDisconnect);
  mosquitto_publish_v5_callback_set(m, OnPublish);
  mosquitto_subscribe_v5_callback_set(m, OnSubscribe);
  mosquitto_message_v5_callback_set(m, OnMessage);
  mosquitto_log_callback_set(m, OnLog);
  mosquitto_threaded_set(m, true);  // others publish from outside the thread that runs the loop
  mosquitto_int_option(m, MOSQ_OPT_PROTOCOL_VERSION, attempt.protocol == 5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
  mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_int_option(m, MOSQ_OPT_SEND_MAXIMUM, static_cast<int>(kMaxOutstandingMessages));

  if (!options.status_topic.empty()) {
    constexpr std::string_view kOffline = "offline";
    const int rc = mosquitto_will_set(m, options.status_topic.c_str(), static_cast<int>(kOffline.size()),
                                      kOffline.data(), 1, true);
    if (rc != MOSQ_ERR_SUCCESS) return rc;
  }
  if (!config.username.empty()) {
    const int rc = mosquitto_username_pw_set(m, config.username.c_str(),
                                             config.password.empty() ? nullptr : config.password.Reveal().c_str());
    if (rc != MOSQ_ERR_SUCCESS) return rc;
  }
  if (!config.tls) return MOSQ_ERR_SUCCESS;
  const auto or_null = [](const std::string& text) { return text.empty() ? nullptr : text.c_str(); };
  // Without a file of its own: the authorities that the system trusts.
  const char* ca_path = config.ca_file.empty() ? "/etc/ssl/certs" : nullptr;
  int rc = mosquitto_tls_set(m, or_null(config.ca_file), ca_path, or_null(config.cert_file), or_null(config.key_file),
                             NoKeyPassword);
  if (rc == MOSQ_ERR_SUCCESS) rc = mosquitto_tls_opts_set(m, 1, nullptr, nullptr);
  if (rc == MOSQ_ERR_SUCCESS && !config.verify_host) rc = mosquitto_tls_insecure_set(m, true);
  return rc;
}

// The library would take a connection that failed for one that is still being made, and turn in circles.
bool Link::State::WaitForTcp(int fd, SteadyClock::time_point deadline, Failure* failure) {
  while (!Stopping()) {
    pollfd wait{.fd = fd, .events = POLLOUT, .revents = 0};
    if (poll(&wait, 1, kConnectingPoll_ms) > 0) {
      int error = 0;
      socklen_t size = sizeof error;
      getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
      if (error == 0) return true;
      failure->library_error = MOSQ_ERR_ERRNO;
      failure->system_error = error;
      return false;
    }
    if (SteadyClock::now() > deadline) {
      failure->timed_out = true;
      return false;
    }
  }
  return false;
}

void Link::State::RunAttempt(const std::shared_ptr<Attempt>& attempt_ptr, bool every_address, Failure* failure) {
  Attempt& attempt = *attempt_ptr;
  const std::string& id = config.client_id.empty() ? options.default_client_id : config.client_id;
  attempt.client = Client(mosquitto_new(id.empty() ? nullptr : id.c_str(), !options.keep_session, &attempt),
                          [attempt_ptr](mosquitto* m) {
                            if (m != nullptr) mosquitto_destroy(m);
                          });
  mosquitto* m = attempt.client.get();
  if (m == nullptr) {
    failure->library_error = MOSQ_ERR_NOMEM;
    return;
  }
  int rc = Configure(m, attempt);
  const auto deadline = SteadyClock::now() + microseconds(options.timing.connect_timeout_us);
  if (rc == MOSQ_ERR_SUCCESS) {
    // The library pings when nothing was heard for a keepalive and gives up after a second one. Told three quarters, it
    // notices a dead link after one and a half of what the user set, and still pings well in time.
    const int keepalive_s = std::max(kMinKeepalive_s, static_cast<int>(config.keepalive_s) * 3 / 4);
    errno = 0;
    // Only the call that waits for the connection takes properties.
    const bool expiry = options.keep_session && attempt.protocol == 5;
    mosquitto_property* properties = nullptr;
    if (expiry) mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL, kSessionExpiry_s);
    rc = every_address || expiry
             ? mosquitto_connect_bind_v5(m, config.host.c_str(), config.port, keepalive_s, nullptr, properties)
             : mosquitto_connect_async(m, config.host.c_str(), config.port, keepalive_s);
    failure->system_error = errno;
    mosquitto_property_free_all(&properties);
  }
  failure->library_error = rc;
  if (rc == MOSQ_ERR_SUCCESS && WaitForTcp(mosquitto_socket(m), deadline, failure)) {
    SetClient(attempt.client);
    std::optional<SteadyClock::time_point> goodbye_until;
    while (true) {
      if (Stopping()) {
        if (!goodbye_until) goodbye_until = SteadyClock::now() + kGoodbye;
        if (!attempt.up || !Goodbye() || SteadyClock::now() > *goodbye_until) break;
      }
      errno = 0;
      rc = mosquitto_loop(m, attempt.up && !goodbye_until ? kConnectedPoll_ms : kConnectingPoll_ms, kPacketsPerTurn);
      if (rc != MOSQ_ERR_SUCCESS) {
        failure->library_error = rc;
        failure->system_error = errno;
        break;
      }
      if (attempt.up) continue;
      if (attempt.connack != 0) break;
      if (SteadyClock::now() > deadline) {
        failure->timed_out = true;
        break;
      }
    }
    SetClient(nullptr);
  }
  failure->connack = attempt.connack;
  failure->protocol = attempt.protocol;
  failure->disconnect_reason = attempt.disconnect_reason;
  failure->was_up = attempt.up;
  attempt.client.reset();
}

void Link::State::Run() {
  std::minstd_rand random(std::random_device{}());
  int64_t back_off_us = options.timing.back_off_first_us;
  const int wanted = config.version == "3.1.1" ? 4 : 5;
  int protocol = wanted;
  bool every_address = false;

  while (!Stopping()) {
    mailbox->Put({.kind = Event::Kind::kAttempt});
    const auto attempt_ptr = std::make_shared<Attempt>();
    Attempt& attempt = *attempt_ptr;
    attempt.mailbox = mailbox;
    attempt.stopping = [this] { return Stopping(); };
    attempt.keep_session = options.keep_session;
    attempt.protocol = protocol;
    Failure failure{.where = where, .tls = config.tls, .has_certificate = !config.cert_file.empty()};
    RunAttempt(attempt_ptr, every_address, &failure);
    failure.library_log = attempt.log;

    const auto up_for_us =
        attempt.up ? std::chrono::duration_cast<microseconds>(SteadyClock::now() - attempt.up_since).count() : 0;
    const bool refused_version =
        failure.connack == (protocol == 5 ? static_cast<int>(MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION) : 1);
    if (protocol == 5 && refused_version) {
      protocol = 4;  // at once, and only for this connection: the broker may be a newer one next time
      continue;
    }
    mailbox->Put(
        {.kind = Event::Kind::kDown,
         .was_up = attempt.up,
         .taken_over = failure.disconnect_reason == MQTT_RC_SESSION_TAKEN_OVER,
         .closed_early = attempt.up && up_for_us < kClosedEarly_us && failure.library_error == MOSQ_ERR_CONN_LOST,
         .text = FailureText(failure)});

    if (attempt.up || protocol != wanted) {
      protocol = wanted;
    } else if (wanted == 5 && !attempt.answered && failure.library_error == MOSQ_ERR_CONN_LOST && attempt.log.empty()) {
      protocol = 4;  // old brokers hang up on a version that they do not know
    }
    // Without waiting for each, only the first address of a name is tried; after it gave no answer, all have their
    // turn.
    every_address = failure.timed_out && !every_address && !attempt.answered;
    if (up_for_us >= options.timing.stable_after_us) back_off_us = options.timing.back_off_first_us;

    std::uniform_real_distribution<double> jitter(0.5, 1.0);
    if (Sleep(static_cast<int64_t>(static_cast<double>(back_off_us) * jitter(random)))) break;
    back_off_us = std::min(back_off_us * 2, options.timing.back_off_last_us);
  }
  std::lock_guard lock(mutex);
  finished = true;
  changed.notify_all();
}

Link::Link(MqttConfig config, ConnectionOptions options, std::shared_ptr<Mailbox> mailbox)
    : state_(std::make_shared<State>()) {
  InitLibrary();
  state_->where = fmt::format("{}://{}:{}", config.tls ? "mqtts" : "mqtt", config.host, config.port);
  state_->config = std::move(config);
  state_->options = std::move(options);
  state_->mailbox = std::move(mailbox);
  state_->finished = true;  // until started
}

Link::~Link() {
  std::unique_lock lock(state_->mutex);
  state_->stopping = true;
  state_->changed.notify_all();
  state_->changed.wait_for(lock, kDestructorWait, [&] { return state_->finished; });
}

void Link::Start() {
  state_->finished = false;
  std::thread([state = state_] {
    pthread_setname_np(pthread_self(), "mqtt");
    // Signals are the main thread's business; a write to a broken TLS link must not raise one.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    state->Run();
  }).detach();
}

void Link::Stop() {
  Client client;
  {
    std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    state_->goodbye = true;
    client = state_->client;
  }
  state_->changed.notify_all();
  if (client) mosquitto_disconnect(client.get());
}

}  // namespace vesta::hub::mqtt
