#include "hub/mqtt/connection.h"

#include <fmt/format.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <spdlog/spdlog.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <list>
#include <unordered_map>
#include <vector>

#include "hub/mqtt/link.h"
#include "hub/mqtt/mailbox.h"

namespace vesta::hub::mqtt {
namespace {

using std::chrono::microseconds;

// Time for the "offline" of a clean stop to be acknowledged before the connection is closed over it.
constexpr int64_t kGoodbye_us = 1 * kUsPerSecond;

}  // namespace

class Connection::Impl : public std::enable_shared_from_this<Connection::Impl> {
 public:
  Impl(boost::asio::io_context& io, const Clock& clock, MqttConfig config, ConnectionOptions options)
      : clock_(clock), stop_timer_(io), config_(std::move(config)), options_(std::move(options)) {
    if (!config_.client_id.empty()) options_.default_client_id = config_.client_id;
    health_.where = fmt::format("{}://{}:{}", config_.tls ? "mqtts" : "mqtt", config_.host, config_.port);
    health_.state_since_us = clock_.Read().utc_us;
    mailbox_ = std::make_shared<Mailbox>(io, [this](Event& event) { Handle(event); });
  }
  ~Impl() { Close(); }

  void Close() {
    mailbox_->Close();
    link_.reset();
    client_.reset();
  }

  bool SetStatusTopic(std::string topic) {
    if (link_ || !options_.status_topic.empty()) return false;
    options_.status_topic = std::move(topic);
    return true;
  }
  void Start() {
    if (link_ || stopping_) return;
    link_ = std::make_unique<Link>(config_, options_, mailbox_);
    link_->Start();
  }
  void Stop(std::function<void()> done);
  Token Listen(Listener listener);
  PublishStatus Publish(const std::string& topic, std::string_view payload, int qos, bool retain, Done done);
  Token Subscribe(std::string filter, int qos, MessageCallback message, std::function<void()> subscribed);
  Token SubscribeKept(std::string filter, MessageCallback message, std::function<void(int)> answered);
  const ConnectionHealth& health() const { return health_; }

 private:
  struct Pending {
    Done done;
    size_t bytes;
  };
  struct Subscription {
    std::string filter;
    int qos;
    MessageCallback message;
    std::function<void()> subscribed;
    std::function<void(int)> answered = {};
    bool kept = false;  // stays at the broker
    int mid = 0;        // of the last request
  };

  void Handle(Event& event);
  void HandleUp(Event& event);
  void HandleDown(const Event& event);
  void HandlePublished(const Event& event);
  void HandleSubscribed(const Event& event);
  void HandleMessage(const Event& event);
  void SendSubscribe(Subscription& subscription);
  void Dropped(const std::string& filter);
  void FinishStop();
  void NoteTakeOver(const Event& event);
  bool HasRoom() const { return pending_.size() < kMaxOutstandingMessages && pending_bytes_ < kMaxOutstandingBytes; }
  template <typename Item, typename Function>
  static void ForEach(std::list<std::weak_ptr<Item>>& items, Function function);

  const Clock& clock_;
  boost::asio::steady_timer stop_timer_;
  const MqttConfig config_;
  ConnectionOptions options_;
  ConnectionHealth health_;
  std::shared_ptr<Mailbox> mailbox_;
  std::unique_ptr<Link> link_;
  Client client_;                             // while connected
  std::unordered_map<int, Pending> pending_;  // by message id
  size_t pending_bytes_ = 0;
  bool was_full_ = false;
  std::list<std::weak_ptr<Listener>> listeners_;
  std::list<std::weak_ptr<Subscription>> subscriptions_;
  std::deque<int64_t> take_overs_us_;  // monotonic, of the last minute
  std::string fight_;                  // what is said while a second client fights for our id
  std::string logged_error_;
  bool stopping_ = false;
  std::function<void()> stopped_;
};

// Items may come and go while the function runs.
template <typename Item, typename Function>
void Connection::Impl::ForEach(std::list<std::weak_ptr<Item>>& items, Function function) {
  items.remove_if([](const std::weak_ptr<Item>& item) { return item.expired(); });
  const std::list<std::weak_ptr<Item>> now = items;
  for (const std::weak_ptr<Item>& weak : now) {
    if (const std::shared_ptr<Item> item = weak.lock()) function(*item);
  }
}

Connection::Token Connection::Impl::Listen(Listener listener) {
  auto item = std::make_shared<Listener>(std::move(listener));
  listeners_.push_back(item);
  return item;
}

PublishStatus Connection::Impl::Publish(const std::string& topic, std::string_view payload, int qos, bool retain,
                                        Done done) {
  if (!client_) return PublishStatus::kNotConnected;
  if (!HasRoom()) {
    was_full_ = true;
    return PublishStatus::kFull;
  }
  int mid = 0;
  const int rc = mosquitto_publish(client_.get(), &mid, topic.c_str(), static_cast<int>(payload.size()), payload.data(),
                                   qos, retain);
  switch (rc) {
    case MOSQ_ERR_SUCCESS:
      break;
    case MOSQ_ERR_OVERSIZE_PACKET:
    case MOSQ_ERR_PAYLOAD_SIZE:
      return PublishStatus::kTooLarge;
    case MOSQ_ERR_INVAL:
    case MOSQ_ERR_MALFORMED_UTF8:
    case MOSQ_ERR_QOS_NOT_SUPPORTED:
    case MOSQ_ERR_RETAIN_NOT_SUPPORTED:
      return PublishStatus::kInvalid;
    default:
      return PublishStatus::kNotConnected;  // the thread has seen the end of it and will say so
  }
  const size_t bytes = topic.size() + payload.size();
  pending_bytes_ += bytes;
  pending_[mid] = {std::move(done), bytes};
  return PublishStatus::kTaken;
}

Connection::Token Connection::Impl::Subscribe(std::string filter, int qos, MessageCallback message,
                                              std::function<void()> subscribed) {
  auto item =
      std::make_shared<Subscription>(Subscription{std::move(filter), qos, std::move(message), std::move(subscribed)});
  subscriptions_.push_back(item);
  if (client_) SendSubscribe(*item);
  return Token(item.get(), [item, weak = weak_from_this()](void*) mutable {
    const std::string dropped = item->filter;
    item.reset();
    if (const auto self = weak.lock()) self->Dropped(dropped);
  });
}

Connection::Token Connection::Impl::SubscribeKept(std::string filter, MessageCallback message,
                                                  std::function<void(int)> answered) {
  auto item = std::make_shared<Subscription>(
      Subscription{std::move(filter), 1, std::move(message), {}, std::move(answered), true});
  subscriptions_.push_back(item);
  if (client_) SendSubscribe(*item);
  return item;
}

void Connection::Impl::SendSubscribe(Subscription& subscription) {
  // MQTT 3.1.1 takes no options, the library leaves them out there.
  const int options = subscription.kept ? MQTT_SUB_OPT_SEND_RETAIN_NEW : 0;
  const int rc = mosquitto_subscribe_v5(client_.get(), &subscription.mid, subscription.filter.c_str(), subscription.qos,
                                        options, nullptr);
  if (rc != MOSQ_ERR_SUCCESS) {
    spdlog::warn("mqtt {}: cannot subscribe to {}: {}", health_.where, subscription.filter, mosquitto_strerror(rc));
  }
}

void Connection::Impl::Dropped(const std::string& filter) {
  if (!client_) return;
  for (const std::weak_ptr<Subscription>& weak : subscriptions_) {
    const auto other = weak.lock();
    if (other && other->filter == filter) return;
  }
  mosquitto_unsubscribe(client_.get(), nullptr, filter.c_str());
}

void Connection::Impl::Handle(Event& event) {
  switch (event.kind) {
    case Event::Kind::kAttempt:
      ++health_.attempts;
      break;
    case Event::Kind::kUp:
      HandleUp(event);
      break;
    case Event::Kind::kDown:
      HandleDown(event);
      break;
    case Event::Kind::kPublished:
      HandlePublished(event);
      break;
    case Event::Kind::kSubscribed:
      HandleSubscribed(event);
      break;
    case Event::Kind::kMessage:
      HandleMessage(event);
      break;
    case Event::Kind::kOversize:
      ++health_.oversize_incoming;
      break;
  }
}

void Connection::Impl::HandleUp(Event& event) {
  if (stopping_) return;
  client_ = std::move(event.client);
  health_.connected = true;
  health_.protocol = event.protocol;
  health_.session_present = event.session_present;
  health_.state_since_us = clock_.Read().utc_us;
  health_.error = fight_;
  ++health_.connects;
  logged_error_.clear();
  spdlog::info("mqtt {}: connected, MQTT {}", health_.where, event.protocol == 5 ? "5" : "3.1.1");
  if (!options_.status_topic.empty()) Publish(options_.status_topic, "online", 1, true, {});
  ForEach(subscriptions_, [this](Subscription& s) { SendSubscribe(s); });
  ForEach(listeners_, [](Listener& l) {
    if (l.up) l.up();
  });
}

void Connection::Impl::NoteTakeOver(const Event& event) {
  const int64_t now_us = clock_.Read().monotonic_us;
  take_overs_us_.push_back(now_us);
  while (take_overs_us_.front() < now_us - 60 * kUsPerSecond) take_overs_us_.pop_front();
  fight_.clear();
  if (take_overs_us_.size() <= kTakeOversPerMinute) return;
  fight_ = event.taken_over
               ? fmt::format("another client uses the client id \"{}\": give each client its own id",
                             options_.default_client_id)
               : fmt::format(
                     "the broker closes each connection soon after its welcome: does another client use the "
                     "client id \"{}\", or does the broker forbid what is sent?",
                     options_.default_client_id);
}

void Connection::Impl::HandleDown(const Event& event) {
  const bool was_connected = health_.connected;
  client_.reset();
  health_.connected = false;
  if (was_connected) health_.state_since_us = clock_.Read().utc_us;
  if (!stopping_) ++health_.failures;
  if (event.taken_over) ++health_.take_overs;
  if (event.taken_over || event.closed_early) {
    NoteTakeOver(event);
  } else if (event.was_up) {
    fight_.clear();  // it had stood for a while, so nobody fights any more
  }
  health_.error = fight_.empty() ? event.text : fight_;
  if (!stopping_ && health_.error != logged_error_) {
    spdlog::warn("mqtt: {}", health_.error);
    logged_error_ = health_.error;
  }

  std::unordered_map<int, Pending> lost;
  lost.swap(pending_);
  pending_bytes_ = 0;
  was_full_ = false;
  for (const auto& [mid, pending] : lost) {
    if (pending.done) pending.done({.delivery = Delivery::kLost});
  }
  if (was_connected) {
    ForEach(listeners_, [](Listener& l) {
      if (l.down) l.down();
    });
  }
  if (stopping_) FinishStop();
}

void Connection::Impl::HandlePublished(const Event& event) {
  const auto found = pending_.find(event.mid);
  if (found == pending_.end()) return;
  const Pending pending = std::move(found->second);
  pending_.erase(found);
  pending_bytes_ -= pending.bytes;
  const bool refused = event.reason >= 0x80;
  if (pending.done) {
    pending.done({.delivery = refused ? Delivery::kRefused : Delivery::kAcknowledged, .reason = event.reason});
  }
  if (was_full_ && pending_.size() < kMaxOutstandingMessages / 2 && pending_bytes_ < kMaxOutstandingBytes / 2) {
    was_full_ = false;
    ForEach(listeners_, [](Listener& l) {
      if (l.room) l.room();
    });
  }
}

void Connection::Impl::HandleSubscribed(const Event& event) {
  ForEach(subscriptions_, [&](Subscription& s) {
    if (s.mid != event.mid) return;
    s.mid = 0;
    if (s.answered) s.answered(event.reason);
    if (event.reason >= 0x80) {
      spdlog::warn("mqtt {}: the broker refuses the subscription to {}", health_.where, s.filter);
    } else if (s.subscribed) {
      s.subscribed();
    }
  });
}

void Connection::Impl::HandleMessage(const Event& event) {
  const IncomingMessage message{.topic = event.text,
                                .payload = event.payload,
                                .retained = event.retained,
                                .id = event.mid,
                                .receipt = event.receipt};
  ForEach(subscriptions_, [&](Subscription& s) {
    bool matches = false;
    mosquitto_topic_matches_sub(s.filter.c_str(), event.text.c_str(), &matches);
    if (matches) s.message(message);
  });
}

void Connection::Impl::Stop(std::function<void()> done) {
  if (stopping_) {  // another user of a shared connection was first
    done();
    return;
  }
  stopped_ = std::move(done);
  const auto disconnect = [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->stopping_) return;
    self->stopping_ = true;
    const bool connected = self->client_ != nullptr;
    if (self->link_) self->link_->Stop();
    if (!connected) {
      self->FinishStop();
      return;
    }
    self->stop_timer_.expires_after(microseconds(kStopTimeout_us - kGoodbye_us));
    self->stop_timer_.async_wait([weak](const boost::system::error_code& error) {
      const auto again = weak.lock();
      if (!error && again) again->FinishStop();
    });
  };
  const bool sent = !options_.status_topic.empty() &&
                    Publish(options_.status_topic, "offline", 1, true,
                            [disconnect](const PublishResult&) { disconnect(); }) == PublishStatus::kTaken;
  if (!sent) {
    disconnect();
    return;
  }
  stop_timer_.expires_after(microseconds(kGoodbye_us));
  stop_timer_.async_wait([disconnect](const boost::system::error_code& error) {
    if (!error) disconnect();
  });
}

void Connection::Impl::FinishStop() {
  stop_timer_.cancel();
  if (!stopped_) return;
  const std::function<void()> done = std::move(stopped_);
  stopped_ = nullptr;
  done();
}

Connection::Connection(boost::asio::io_context& io, const Clock& clock, MqttConfig config, ConnectionOptions options)
    : impl_(std::make_shared<Impl>(io, clock, std::move(config), std::move(options))) {}
Connection::~Connection() { impl_->Close(); }

bool Connection::SetStatusTopic(std::string topic) { return impl_->SetStatusTopic(std::move(topic)); }
void Connection::Start() { impl_->Start(); }
void Connection::Stop(std::function<void()> done) { impl_->Stop(std::move(done)); }
Connection::Token Connection::Listen(Listener listener) { return impl_->Listen(std::move(listener)); }
PublishStatus Connection::Publish(const std::string& topic, std::string_view payload, int qos, bool retain, Done done) {
  return impl_->Publish(topic, payload, qos, retain, std::move(done));
}
Connection::Token Connection::Subscribe(std::string filter, int qos, MessageCallback message,
                                        std::function<void()> subscribed) {
  return impl_->Subscribe(std::move(filter), qos, std::move(message), std::move(subscribed));
}
Connection::Token Connection::SubscribeKept(std::string filter, MessageCallback message,
                                            std::function<void(int)> answered) {
  return impl_->SubscribeKept(std::move(filter), std::move(message), std::move(answered));
}
const ConnectionHealth& Connection::health() const { return impl_->health(); }

bool IsPermanentRefusal(int reason) {
  return reason == MQTT_RC_TOPIC_NAME_INVALID || reason == MQTT_RC_PACKET_TOO_LARGE ||
         reason == MQTT_RC_PAYLOAD_FORMAT_INVALID;
}

}  // namespace vesta::hub::mqtt
