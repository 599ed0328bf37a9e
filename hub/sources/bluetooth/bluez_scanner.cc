#include "hub/sources/bluetooth/bluez_scanner.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/post.hpp>
#include <mutex>
#include <optional>
#include <thread>

#include "hub/sources/bluetooth/advert_queue.h"
#include "hub/sources/bluetooth/bluez_session.h"

namespace vesta::hub {

bool ScanStatus::IsScanning() const {
  return std::any_of(adapters.begin(), adapters.end(),
                     [](const AdapterStatus& adapter) { return adapter.mode != ScanMode::kNone; });
}

class BluezScanner::Impl final : public std::enable_shared_from_this<Impl>, private BluezSession::Sink {
 public:
  Impl(boost::asio::io_context& io, ScanOptions options, Listener listener)
      : io_(io),
        options_(std::move(options)),
        listener_(std::move(listener)),
        wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        queue_(kAdvertQueueMax) {
    taken_.reserve(kAdvertQueueMax);
  }
  ~Impl() override {
    if (wake_fd_ >= 0) close(wake_fd_);
  }

  void Start() {
    thread_ = std::thread([this] { Run(); });
  }

  void Stop() {
    stopping_ = true;
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof(one));
    if (thread_.joinable()) thread_.join();
  }

  ScanCounts counts() const { return {foreign_.load(std::memory_order_relaxed), queue_.dropped()}; }

 private:
  void Run() {
    pthread_setname_np(pthread_self(), "vesta-bluez");
    while (!stopping_) {
      try {
        BluezSession session(options_, stopping_, wake_fd_, *this);
        session.Serve();
      } catch (const sdbus::Error& error) {
        const Trouble trouble = ExplainNoBus(error.getMessage());
        OnStatus({{}, trouble.error, trouble.hint});
      }
      if (stopping_) return;
      pollfd wake = {wake_fd_, POLLIN, 0};
      poll(&wake, 1, static_cast<int>(options_.retry_us / kUsPerMs));
    }
  }

  void OnAdvert(const ble::Advert& advert) override {
    AdvertQueue::Datagram datagram;
    datagram.size = ble::WriteAdvert(advert, datagram.bytes);
    if (datagram.size > 0 && queue_.Push(datagram)) Wake();
  }

  void OnForeign() override { foreign_.fetch_add(1, std::memory_order_relaxed); }

  void OnStatus(const ScanStatus& status) override {
    {
      const std::lock_guard lock(mutex_);
      status_ = status;
    }
    Wake();
  }

  void Wake() {
    boost::asio::post(io_, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (self != nullptr && !self->stopping_) self->Deliver();
    });
  }

  // On the main thread.
  void Deliver() {
    std::optional<ScanStatus> status;
    {
      const std::lock_guard lock(mutex_);
      status.swap(status_);
    }
    if (status) listener_.status(*status);
    queue_.TakeAll(&taken_);
    for (const AdvertQueue::Datagram& datagram : taken_) {
      if (stopping_) return;
      listener_.advert({datagram.bytes.data(), datagram.size});
    }
  }

  boost::asio::io_context& io_;
  const ScanOptions options_;
  Listener listener_;
  const int wake_fd_;
  std::atomic<bool> stopping_{false};
  AdvertQueue queue_;
  std::vector<AdvertQueue::Datagram> taken_;
  std::atomic<uint64_t> foreign_{0};
  std::mutex mutex_;
  std::optional<ScanStatus> status_;  // news for the main thread
  std::thread thread_;
};

BluezScanner::BluezScanner(boost::asio::io_context& io, ScanOptions options, Listener listener)
    : impl_(std::make_shared<Impl>(io, std::move(options), std::move(listener))) {
  impl_->Start();
}

BluezScanner::~BluezScanner() { impl_->Stop(); }

ScanCounts BluezScanner::counts() const { return impl_->counts(); }

}  // namespace vesta::hub
