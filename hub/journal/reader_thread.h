// A store reader on a thread of its own: opened with the first request, closed with the journal.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

#include "hub/journal/worker.h"
#include "hub/store/store.h"

namespace vesta::hub {

class ReaderThread {
 public:
  ReaderThread(boost::asio::io_context& io, Store& store, const char* name);
  ~ReaderThread() { Close(); }

  // work runs on this thread, then done on the main thread; both run exactly once, as long as the io_context runs.
  // False: too many requests wait; work then ran on the caller's thread with a reader that answers with the error.
  bool Post(std::function<void(StoreReader&)> work, std::function<void()> done);

  // Requests that still wait are answered with an error.
  void Close();

 private:
  StoreReader& Reader();

  boost::asio::io_context& io_;
  Store& store_;
  std::atomic<bool> closing_{false};
  std::unique_ptr<StoreReader> reader_;   // used on the thread only
  std::unique_ptr<StoreReader> failing_;  // likewise: stands in when there is no reader
  Worker worker_;
};

}  // namespace vesta::hub
