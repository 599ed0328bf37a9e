// Tells the connection's thread when a message that it handed over may be acknowledged.
//
// The thread waits; the main thread passes tokens around. When the last token is gone the message is let go.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

namespace vesta::hub::mqtt {

class Receipt {
 public:
  void LetGo() {
    {
      std::lock_guard lock(mutex_);
      let_go_ = true;
    }
    changed_.notify_all();
  }
  // False: not within this time.
  bool WaitLetGo(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, [this] { return let_go_; });
  }
  bool let_go() {
    std::lock_guard lock(mutex_);
    return let_go_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool let_go_ = false;
};

inline std::shared_ptr<void> ReceiptToken(std::shared_ptr<Receipt> receipt) {
  Receipt* const place = receipt.get();
  return {place, [held = std::move(receipt)](void*) { held->LetGo(); }};
}

}  // namespace vesta::hub::mqtt
