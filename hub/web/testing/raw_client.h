// A client that sends exactly the bytes it is told to, and reads answers with a time limit. Nothing of the server's own
// code takes part, so a mistake there can't hide itself.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <string>
#include <string_view>

namespace vesta::hub {

struct RawAnswer {
  int status = 0;                              // 0: none came
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

class RawClient {
 public:
  explicit RawClient(uint16_t port, const char* address = "127.0.0.1", int receive_buffer = 0) {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer > 0) setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    inet_pton(AF_INET, address, &to.sin_addr);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  }
  virtual ~RawClient() { close(fd_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  virtual bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  // Reads until `text` was seen; false at the end, on an error or after the time.
  bool ReadUntil(std::string_view text, int timeout_ms = 10000) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    while (received.find(text) == std::string::npos) {
      if (!ReadSome(end)) return false;
    }
    return true;
  }

  // True when the server hangs up within the time.
  bool ReadEnd(int timeout_ms = 10000) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    while (ReadSome(end)) continue;
    return ended;
  }

  RawAnswer ReadAnswer(bool head = false) {
    RawAnswer answer;
    if (!ReadUntil("\r\n\r\n")) return answer;
    const size_t size = received.find("\r\n\r\n") + 4;
    ParseHead(received.substr(0, size), &answer);
    received.erase(0, size);
    if (head || answer.status == 204 || answer.status == 304) return answer;
    if (answer.headers.count("transfer-encoding") != 0) {
      ReadChunks(&answer.body);
    } else if (answer.headers.count("content-length") != 0) {
      answer.body = Take(std::stoul(answer.headers["content-length"]));
    } else {
      ReadEnd();
      answer.body = std::exchange(received, {});
    }
    return answer;
  }

  RawAnswer Ask(std::string_view request) {
    Send(request);
    return ReadAnswer(request.starts_with("HEAD"));
  }

  void CloseSend() { shutdown(fd_, SHUT_WR); }
  int fd() const { return fd_; }

  std::string received;
  bool ended = false;

 protected:
  // 0: the end, negative: an error.
  virtual ssize_t Receive(char* buffer, size_t size) { return recv(fd_, buffer, size, 0); }
  virtual bool Pending() const { return false; }

 private:
  bool ReadSome(std::chrono::steady_clock::time_point end) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    pollfd wait = {fd_, POLLIN, 0};
    if (!Pending() && (left.count() <= 0 || poll(&wait, 1, static_cast<int>(left.count())) <= 0)) return false;
    char buffer[16384];
    const ssize_t count = Receive(buffer, sizeof buffer);
    if (count <= 0) {
      ended = true;
      return false;
    }
    received.append(buffer, static_cast<size_t>(count));
    return true;
  }

  std::string Take(size_t size) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (received.size() < size && ReadSome(end)) continue;
    EXPECT_GE(received.size(), size);
    std::string taken = received.substr(0, size);
    received.erase(0, size);
    return taken;
  }

  void ReadChunks(std::string* body) {
    while (ReadUntil("\r\n")) {
      const size_t size = std::stoul(received, nullptr, 16);
      received.erase(0, received.find("\r\n") + 2);
      *body += Take(size);
      EXPECT_EQ(Take(2), "\r\n");
      if (size == 0) return;
    }
  }

  static void ParseHead(const std::string& head, RawAnswer* answer) {
    EXPECT_EQ(head.substr(0, 9), "HTTP/1.1 ");
    answer->status = std::stoi(head.substr(9, 3));
    size_t at = head.find("\r\n") + 2;
    while (at < head.size() && head.compare(at, 2, "\r\n") != 0) {
      const size_t end = head.find("\r\n", at);
      const size_t colon = head.find(": ", at);
      std::string name = head.substr(at, colon - at);
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      EXPECT_EQ(answer->headers.count(name), 0u) << name;
      answer->headers[name] = head.substr(colon + 2, end - colon - 2);
      at = end + 2;
    }
  }

  int fd_ = -1;
};

}  // namespace vesta::hub
