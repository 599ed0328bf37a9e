// Adverts on their way from the thread that hears them to the main thread: bounded, counted, one wake-up for many.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "protocols/ble_advert.h"

namespace vesta::hub {

class AdvertQueue {
 public:
  struct Datagram {
    std::array<uint8_t, ble::kMaxAdvertSize> bytes;
    size_t size = 0;
  };

  explicit AdvertQueue(size_t most) : most_(most) { waiting_.reserve(most); }

  // True: the other side has to be woken. What does not fit any more is counted.
  bool Push(const Datagram& datagram) {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= most_) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
    waiting_.push_back(datagram);
    return waiting_.size() == 1;
  }

  // Everything that waits, in order; `taken` gives its room back to the queue.
  void TakeAll(std::vector<Datagram>* taken) {
    taken->clear();
    const std::lock_guard lock(mutex_);
    taken->swap(waiting_);
  }

  uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  const size_t most_;
  std::mutex mutex_;
  std::vector<Datagram> waiting_;
  std::atomic<uint64_t> dropped_{0};
};

}  // namespace vesta::hub
