// Runs the real program for system tests and benchmarks: starts it, waits for its page, asks its API, stops or kills
// it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace vesta::test {

// Waits for a condition, looking every few milliseconds; false when the time is over.
bool WaitFor(const std::function<bool()>& condition, std::chrono::milliseconds limit = std::chrono::seconds(20));

// A directory that is removed with everything in it.
class TempDirectory {
 public:
  TempDirectory();
  ~TempDirectory();
  const std::string& path() const { return path_; }
  // Writes a file there and returns its path.
  std::string Write(const std::string& name, const std::string& text) const;

 private:
  std::string path_;
};

struct HttpAnswer {
  int status = 0;  // 0: no answer
  std::string body;
};
// One request over plain HTTP on loopback.
HttpAnswer HttpGet(uint16_t port, const std::string& path);
// The same with any method and a JSON body, from the hub's own page as far as the hub can tell.
HttpAnswer HttpSend(uint16_t port, const std::string& method, const std::string& path, const std::string& json_body);

class HubProcess {
 public:
  // `arguments` after the program's name. The program's output is collected.
  explicit HubProcess(const std::vector<std::string>& arguments);
  ~HubProcess();  // kills what still runs

  // Waits until the page's address was printed; its port, or 0 when the program ended or said nothing in time.
  uint16_t WaitForPort();
  nlohmann::json Api(const std::string& path) const;  // null when there is no answer
  // CPU time used so far and resident memory now, from /proc.
  double CpuSeconds() const;
  uint64_t ResidentBytes() const;

  void Signal(int signal) const;
  // Exit code, 128 + signal when it was killed, -1 when it still runs after the limit.
  int WaitForExit(std::chrono::milliseconds limit = std::chrono::seconds(20));
  std::string Output();
  pid_t pid() const { return pid_; }

 private:
  void ReadOutput();

  pid_t pid_ = -1;
  int output_fd_ = -1;
  std::string output_;
  uint16_t port_ = 0;
};

// A port of loopback that nobody listens on now.
uint16_t FreePort();

}  // namespace vesta::test
