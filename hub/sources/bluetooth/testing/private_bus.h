// For tests and benchmarks: a D-Bus of their own that stands in for the system's, and a bluetoothd that plays what it
// is told (fake_bluez.py). Both end with the test; what can't be started ends the program.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace vesta::hub {

inline void Need(bool condition, const std::string& what) {
  if (condition) return;
  std::fprintf(stderr, "%s\n", what.c_str());
  std::abort();
}

// A program that is written to and read from line by line.
class SteeredProgram {
 public:
  SteeredProgram() = default;
  SteeredProgram(const SteeredProgram&) = delete;
  SteeredProgram& operator=(const SteeredProgram&) = delete;
  ~SteeredProgram() { End(); }

  void Start(const std::vector<std::string>& arguments) {
    int in[2];
    int out[2];
    Need(pipe2(in, O_CLOEXEC) == 0, "no pipe");
    Need(pipe2(out, O_CLOEXEC) == 0, "no pipe");
    std::vector<char*> raw;
    for (const std::string& argument : arguments) raw.push_back(const_cast<char*>(argument.c_str()));
    raw.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(in[0], STDIN_FILENO);
      dup2(out[1], STDOUT_FILENO);
      execvp(raw[0], raw.data());
      _exit(127);
    }
    close(in[0]);
    close(out[1]);
    in_ = in[1];
    out_ = out[0];
  }

  void Write(const std::string& line) {
    const std::string text = line + "\n";
    Need(write(in_, text.data(), text.size()) == static_cast<ssize_t>(text.size()),
         "a program that is steered has ended");
  }

  // The next line; "" when none comes within the limit.
  std::string ReadLine(int limit_ms = 20000) {
    while (buffer_.find('\n') == std::string::npos) {
      pollfd ready = {out_, POLLIN, 0};
      char chunk[512];
      if (poll(&ready, 1, limit_ms) <= 0) return "";
      const ssize_t size = read(out_, chunk, sizeof(chunk));
      if (size <= 0) return "";
      buffer_.append(chunk, static_cast<size_t>(size));
    }
    const size_t end = buffer_.find('\n');
    std::string line = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    return line;
  }

  void End() {
    if (pid_ <= 0) return;
    close(in_);
    close(out_);
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
    buffer_.clear();
  }

 private:
  pid_t pid_ = -1;
  int in_ = -1;
  int out_ = -1;
  std::string buffer_;
};

// Takes the place of the system bus for this process and its children.
class PrivateBus {
 public:
  PrivateBus() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vesta-bus-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    std::ofstream(folder_ + "/bus.conf")
        << "<busconfig><listen>unix:path=" << folder_ << "/bus</listen>"
        << "<auth>EXTERNAL</auth><policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>"
        << "<allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>";
    setenv("DBUS_SYSTEM_BUS_ADDRESS", ("unix:path=" + folder_ + "/bus").c_str(), 1);
  }
  ~PrivateBus() {
    Stop();
    std::filesystem::remove_all(folder_);
  }

  void Start() {
    daemon_.Start({"dbus-daemon", "--config-file=" + folder_ + "/bus.conf", "--nofork", "--print-address=1"});
    Need(!daemon_.ReadLine().empty(), "dbus-daemon does not start");
  }
  void Stop() {
    daemon_.End();
    std::filesystem::remove(folder_ + "/bus");
  }

 private:
  std::string folder_;
  SteeredProgram daemon_;
};

class FakeBluez {
 public:
  void Start() {
    program_.Start(
        {"/usr/bin/python3", std::string(VESTA_SOURCE_DIR) + "/hub/sources/bluetooth/testing/fake_bluez.py"});
    Need(program_.ReadLine() == "ready", "fake_bluez.py does not start");
  }
  void End() { program_.End(); }

  // Waits until it is done; what was told meanwhile is kept.
  void Do(const std::string& command) {
    program_.Write(command);
    while (true) {
      const std::string line = program_.ReadLine();
      Need(!line.empty(), "no answer to " + command);
      if (line == "done") return;
      told_.push_back(line);
    }
  }
  // What clients did since the last call: waits for one line when there is none yet.
  std::string Told() {
    if (told_.empty()) return program_.ReadLine();
    std::string line = told_.front();
    told_.erase(told_.begin());
    return line;
  }

 private:
  SteeredProgram program_;
  std::vector<std::string> told_;
};

}  // namespace vesta::hub
