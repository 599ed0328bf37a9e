#include "tests/system/hub_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace vesta::test {
namespace {

constexpr auto kLook = std::chrono::milliseconds(5);
constexpr auto kHttpLimit = std::chrono::seconds(10);

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

}  // namespace

bool WaitFor(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(kLook);
  }
  return true;
}

TempDirectory::TempDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "vesta-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
  path_ = pattern;
}

TempDirectory::~TempDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempDirectory::Write(const std::string& name, const std::string& text) const {
  const std::string path = path_ + "/" + name;
  std::ofstream(path) << text;
  return path;
}

HttpAnswer HttpGet(uint16_t port, const std::string& path) { return HttpSend(port, "GET", path, ""); }

HttpAnswer HttpSend(uint16_t port, const std::string& method, const std::string& path, const std::string& json_body) {
  HttpAnswer answer;
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    close(fd);
    return answer;
  }
  const std::string host = "127.0.0.1:" + std::to_string(port);
  std::string request = method + " " + path + " HTTP/1.1\r\nHost: " + host + "\r\nOrigin: http://" + host +
                        "\r\nConnection: close\r\nAccept-Encoding: identity\r\n";
  if (!json_body.empty()) {
    request += "Content-Type: application/json\r\nContent-Length: " + std::to_string(json_body.size()) + "\r\n";
  }
  request += "\r\n" + json_body;
  std::string reply;
  if (write(fd, request.data(), request.size()) == static_cast<ssize_t>(request.size())) {
    const auto end = std::chrono::steady_clock::now() + kHttpLimit;
    char buffer[16384];
    while (std::chrono::steady_clock::now() < end) {
      pollfd poller{fd, POLLIN, 0};
      if (poll(&poller, 1, 100) == 0) continue;
      const ssize_t n = read(fd, buffer, sizeof buffer);
      if (n <= 0) break;
      reply.append(buffer, static_cast<size_t>(n));
    }
  }
  close(fd);
  const size_t head_end = reply.find("\r\n\r\n");
  if (reply.size() < 12 || head_end == std::string::npos) return answer;
  answer.status = std::atoi(reply.c_str() + 9);
  answer.body = reply.substr(head_end + 4);
  if (reply.substr(0, head_end).find("chunked") != std::string::npos) {
    std::string joined;
    size_t at = 0;
    while (at < answer.body.size()) {
      const size_t length = std::strtoul(answer.body.c_str() + at, nullptr, 16);
      const size_t line = answer.body.find("\r\n", at);
      if (length == 0 || line == std::string::npos) break;
      joined += answer.body.substr(line + 2, length);
      at = line + 2 + length + 2;
    }
    answer.body = joined;
  }
  return answer;
}

HubProcess::HubProcess(const std::vector<std::string>& arguments) {
  int pipe_fds[2];
  if (pipe2(pipe_fds, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  std::vector<std::string> all = {VESTA_BIN};
  all.insert(all.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  argv.reserve(all.size() + 1);
  for (std::string& argument : all) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_ = fork();
  if (pid_ == 0) {
    dup2(pipe_fds[1], STDOUT_FILENO);
    dup2(pipe_fds[1], STDERR_FILENO);
    execv(VESTA_BIN, argv.data());
    _exit(127);
  }
  close(pipe_fds[1]);
  output_fd_ = pipe_fds[0];
  fcntl(output_fd_, F_SETFL, O_NONBLOCK);
}

HubProcess::~HubProcess() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(output_fd_);
}

void HubProcess::ReadOutput() {
  char buffer[4096];
  ssize_t n;
  while ((n = read(output_fd_, buffer, sizeof buffer)) > 0) output_.append(buffer, static_cast<size_t>(n));
}

std::string HubProcess::Output() {
  ReadOutput();
  return output_;
}

uint16_t HubProcess::WaitForPort() {
  WaitFor([&] {
    ReadOutput();
    const size_t at = output_.find("http://127.0.0.1:");
    if (at == std::string::npos || output_.find('/', at + 17) == std::string::npos) return false;
    port_ = static_cast<uint16_t>(std::atoi(output_.c_str() + at + 17));
    return true;
  });
  return port_;
}

nlohmann::json HubProcess::Api(const std::string& path) const {
  const HttpAnswer answer = HttpGet(port_, "/api/v1/" + path);
  if (answer.status != 200) return nullptr;
  return nlohmann::json::parse(answer.body, nullptr, false);
}

double HubProcess::CpuSeconds() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/stat");
  std::string text;
  std::getline(file, text);
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

uint64_t HubProcess::ResidentBytes() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/statm");
  uint64_t total = 0;
  uint64_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

void HubProcess::Signal(int signal) const { kill(pid_, signal); }

int HubProcess::WaitForExit(std::chrono::milliseconds limit) {
  int status = 0;
  const bool ended = WaitFor(
      [&] {
        ReadOutput();
        return waitpid(pid_, &status, WNOHANG) == pid_;
      },
      limit);
  if (!ended) return -1;
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

uint16_t FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no free port");
  }
  close(fd);
  return ntohs(address.sin_port);
}

}  // namespace vesta::test
