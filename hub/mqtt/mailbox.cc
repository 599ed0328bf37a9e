#include "hub/mqtt/mailbox.h"

#include <boost/asio/post.hpp>

#include "hub/mqtt/connection.h"

namespace vesta::hub::mqtt {

void Mailbox::Put(Event event) {
  std::unique_lock lock(mutex_);
  if (event.kind == Event::Kind::kMessage) {
    room_.wait(lock, [&] { return closed_ || messages_ < kMaxIncomingWaiting; });
    ++messages_;
  }
  if (closed_) return;
  events_.push_back(std::move(event));
  if (posted_) return;
  posted_ = true;
  boost::asio::post(io_, [self = shared_from_this()] { self->Drain(); });
}

void Mailbox::Drain() {
  std::vector<Event> events;
  {
    std::lock_guard lock(mutex_);
    events.swap(events_);
    posted_ = false;
    messages_ = 0;
  }
  room_.notify_all();
  for (Event& event : events) {
    // Closed on this very thread by one of the handlers: the rest is of no interest any more.
    if (closed_) return;
    handler_(event);
    event.receipt.reset();  // who wants it longer took a copy
  }
}

bool Mailbox::closed() {
  std::lock_guard lock(mutex_);
  return closed_;
}

void Mailbox::Close() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    events_.clear();
  }
  room_.notify_all();
}

}  // namespace vesta::hub::mqtt
