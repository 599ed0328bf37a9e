// A real PostgreSQL for tests: own port, own folder, can be killed, frozen and started again.
//
// For tests only, header only. initdb and postgres refuse root: a test that root runs starts them as `nobody`.
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "hub/postgres/connection.h"

namespace vesta::hub::postgres {

class TestServer {
 public:
  struct Options {
    bool fsync = false;
    std::string password;  // of the user vesta; "": everybody may log in
  };

  TestServer() : TestServer(Options{}) {}
  explicit TestServer(Options options) : options_(std::move(options)) {
    std::string name = (std::filesystem::temp_directory_path() / "vesta-pg-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    if (geteuid() == 0) {
      const passwd* const nobody = getpwnam("nobody");
      user_ = nobody->pw_uid;
      group_ = nobody->pw_gid;
      EXPECT_EQ(chown(folder_.c_str(), user_, group_), 0);
    }
    const std::string method = options_.password.empty() ? "trust" : "scram-sha-256";
    std::ofstream(folder_ + "/password") << options_.password << "\n";
    std::vector<std::string> init = {
        Program("initdb"), "-D",        folder_ + "/data",  "-U", "vesta", "-A", method, "-E", "UTF8",
        "--no-locale",     "--no-sync", "--no-instructions"};
    if (!options_.password.empty()) init.insert(init.end(), {"--pwfile", folder_ + "/password"});
    int status = -1;
    waitpid(Spawn(init), &status, 0);
    EXPECT_EQ(status, 0) << "initdb: " << Log();
    Start();
  }
  ~TestServer() {
    Kill();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  // On a socket in the test's own folder: no port is taken.
  std::string url() const { return "postgresql://vesta@/postgres?host=" + folder_; }
  ServerSettings Settings(const std::string& schema) const { return {url(), options_.password, schema}; }

  void Start() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    SpawnServer();
    while (true) {
      Connection connection(Settings("public"));
      if (connection.Open()) return;
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "postgres does not answer: " << Log();
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      // It refuses as long as a process of the one that was killed is on its way out.
      if (waitpid(pid_, nullptr, WNOHANG) == pid_) SpawnServer();
    }
  }
  // The first process and all of its children, which have process groups of their own: nobody says goodbye.
  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGSTOP);  // makes no new ones meanwhile
    SignalChildren(SIGKILL);
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
    std::error_code ignored;
    std::filesystem::remove(folder_ + "/data/postmaster.pid", ignored);
  }
  // Frozen: connections stand, nobody answers.
  void Pause() {
    kill(pid_, SIGSTOP);
    SignalChildren(SIGSTOP);
  }
  void Resume() {
    SignalChildren(SIGCONT);
    kill(pid_, SIGCONT);
  }

  // One value as text, through a connection of its own.
  std::string Ask(const std::string& schema, const std::string& sql) const {
    Connection connection(Settings(schema));
    const auto opened = connection.Open();
    EXPECT_TRUE(opened.has_value()) << opened.error().text;
    if (!opened) return "";
    const auto answer = connection.Ask(sql);
    EXPECT_TRUE(answer.has_value()) << sql << ": " << answer.error().text;
    return answer && answer->rows() > 0 ? answer->Text(0, 0) : "";
  }

  std::string Log() const {
    std::ifstream file(folder_ + "/log");
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  // Debian keeps the programs of each version apart.
  static std::string Program(const std::string& name) {
    for (int version = 20; version >= 14; --version) {
      const std::string path = "/usr/lib/postgresql/" + std::to_string(version) + "/bin/" + name;
      if (access(path.c_str(), X_OK) == 0) return path;
    }
    return name;
  }

  void SpawnServer() {
    pid_ = Spawn({Program("postgres"), "-D", folder_ + "/data", "-k", folder_, "-c", "listen_addresses=", "-c",
                  options_.fsync ? "fsync=on" : "fsync=off", "-c", "shared_buffers=32MB", "-c", "max_connections=20",
                  "-c", "autovacuum_naptime=1h", "-c", "max_wal_size=256MB"});
  }
  void SignalChildren(int signal) const {
    std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", pid_));
    for (pid_t child = 0; children >> child;) kill(child, signal);
  }

  pid_t Spawn(const std::vector<std::string>& arguments) {
    std::vector<char*> argv;
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    const pid_t pid = fork();
    if (pid != 0) return pid;
    setpgid(0, 0);
    const int log = open((folder_ + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
    dup2(log, 1);
    dup2(log, 2);
    if (user_ != 0 && (setgid(group_) != 0 || setuid(user_) != 0)) _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // nothing is left behind when the test dies
    if (chdir(folder_.c_str()) != 0) _exit(126);
    execvp(argv[0], argv.data());
    _exit(127);
  }

  Options options_;
  std::string folder_;
  uid_t user_ = 0;
  gid_t group_ = 0;
  pid_t pid_ = -1;
};

// One server a test program: most tests need a schema of their own, not a server.
inline TestServer& SharedServer() {
  static TestServer server;
  return server;
}

}  // namespace vesta::hub::postgres
