// A thread that runs jobs in order. It starts with the first job, sleeps without waking while there is none, and holds
// a bounded number of them.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace vesta::hub {

class Worker {
 public:
  // The name shows in the process list, at most 15 bytes.
  Worker(const char* name, size_t jobs_max) : name_(name), jobs_max_(jobs_max) {}
  ~Worker() { Stop(); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // False: as many jobs wait as may, or the worker was stopped.
  bool Post(std::function<void()> job);
  // Runs what waits, then ends the thread. Idempotent.
  void Stop();

 private:
  void Run();

  const char* name_;
  const size_t jobs_max_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace vesta::hub
