#include "node_linux/supervisor.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <optional>

namespace vesta::node_linux {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kLook = std::chrono::milliseconds(50);
constexpr auto kPatience = std::chrono::seconds(5);      // with a program that is told to end
constexpr auto kRestartPause = std::chrono::seconds(5);  // of a program that ends by itself
constexpr int kKilled = 128;

void Pause() { usleep(static_cast<useconds_t>(std::chrono::microseconds(kLook).count())); }

class Child {
 public:
  // path "": a copy of this process runs `run`.
  Child(const std::string& path, uint32_t version, const SupervisorOptions& options, const std::function<int()>& run) {
    std::fflush(nullptr);
    pid_ = fork();
    if (pid_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGTERM);  // a program without its supervisor could not be replaced
    if (path.empty()) {
      const int code = run();
      std::fflush(nullptr);
      _exit(code);
    }
    const std::string text = std::to_string(version);
    execl(path.c_str(), "vesta-node", "--config", options.config.c_str(), "--image", text.c_str(), nullptr);
    _exit(127);
  }
  ~Child() {
    if (pid_ > 0) End();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // The exit code when it has ended.
  std::optional<int> Ended() {
    int status = 0;
    if (pid_ <= 0) return kKilled;
    if (waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : kKilled + WTERMSIG(status);
  }
  int End() {
    kill(pid_, SIGTERM);
    const auto until = Clock::now() + kPatience;
    std::optional<int> code;
    while (!(code = Ended()) && Clock::now() < until) Pause();
    if (code) return *code;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
    return kKilled + SIGKILL;
  }

 private:
  pid_t pid_ = -1;
};

void Note(const std::string& text) {
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
}

bool Mark(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  const bool is_there = fd >= 0 && fsync(fd) == 0;
  if (fd >= 0) close(fd);
  return is_there;
}

}  // namespace

int Supervise(const SupervisorOptions& options, const std::atomic<bool>& stops, const std::function<int()>& run) {
  const ProgramFiles files(options.state);
  std::error_code error;
  std::filesystem::create_directories(options.state, error);
  while (true) {
    const auto version_of = [&](const std::string& link) { return files.VersionOf(link).value_or(0); };
    uint32_t trial = version_of(files.trial());  // 0: none
    if (trial != 0 && access(files.tried().c_str(), F_OK) == 0) {
      Note("program " + std::to_string(trial) + " did not reach the hub: the one before it goes on");
      files.RemoveTrial();
      trial = 0;
    }
    // A trial that can't be marked as such would be tried for ever.
    if (trial != 0 && !Mark(files.tried())) trial = 0;
    const uint32_t good = version_of(files.good());
    const std::string path = trial != 0 ? files.trial() : good != 0 ? files.good() : "";
    Child child(path, trial != 0 ? trial : good, options, run);
    const auto until = Clock::now() + options.trial;
    std::optional<int> code;
    while (!(code = child.Ended()) && !stops) {
      const bool is_late = trial != 0 && Clock::now() > until && version_of(files.trial()) == trial;
      if (is_late) break;
      Pause();
    }
    if (stops) return code ? *code : child.End();
    if (!code) child.End();
    const bool is_trial_over = trial != 0 && version_of(files.trial()) == trial;
    if (code == kExitReplaced || is_trial_over) continue;
    Note("the program ended with " + std::to_string(code.value_or(kKilled)) + ": it is started again");
    const auto again = Clock::now() + kRestartPause;
    while (!stops && Clock::now() < again) Pause();
    if (stops) return 0;
  }
}

}  // namespace vesta::node_linux
