#include "app/hub_client.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

namespace vesta::app {
namespace {

constexpr std::string_view kScheme = "http://";

struct Place {
  std::string host;
  std::string port = "8600";
  std::string text;  // as it stands in the URL
};

std::optional<Place> ReadUrl(std::string_view url) {
  if (!url.starts_with(kScheme)) return std::nullopt;
  url.remove_prefix(kScheme.size());
  url = url.substr(0, url.find('/'));
  Place place;
  place.text = url;
  const size_t colon = url.rfind(':');
  if (colon != std::string_view::npos && url.find(']', colon) == std::string_view::npos) {
    place.port = url.substr(colon + 1);
    url = url.substr(0, colon);
  }
  if (url.starts_with('[') && url.ends_with(']')) url = url.substr(1, url.size() - 2);
  place.host = url;
  if (place.host.empty() || place.port.empty()) return std::nullopt;
  return place;
}

class Socket {
 public:
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }

  // "" when it is connected.
  std::string Connect(const Place& place) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int code = getaddrinfo(place.host.c_str(), place.port.c_str(), &hints, &found); code != 0) {
      return gai_strerror(code);
    }
    std::string error = "no address";
    for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
      fd_ = socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol);
      if (fd_ < 0) continue;
      const timeval limit = {kHubAnswer_s, 0};
      setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
      setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
      if (connect(fd_, one->ai_addr, one->ai_addrlen) == 0) {
        error.clear();
        break;
      }
      error = std::strerror(errno);
      close(fd_);
      fd_ = -1;
    }
    freeaddrinfo(found);
    return error;
  }

  bool Send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t size = send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (size <= 0) return false;
      text.remove_prefix(static_cast<size_t>(size));
    }
    return true;
  }

  // Until the other side closes; false when it does not in time or says too much.
  bool ReadAll(std::string* text) {
    char chunk[8192];
    while (text->size() < kMaxHubAnswerBytes) {
      const ssize_t size = recv(fd_, chunk, sizeof chunk, 0);
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) return size == 0;
      text->append(chunk, static_cast<size_t>(size));
    }
    return false;
  }

 private:
  int fd_ = -1;
};

}  // namespace

tl::expected<HubAnswer, std::string> AskHub(const HubAddress& hub, const std::string& method, const std::string& path,
                                            const std::string& json_body) {
  const auto place = ReadUrl(hub.url);
  if (!place) return tl::unexpected(fmt::format("{} is no address of a hub: http://HOST:PORT", hub.url));
  Socket socket;
  if (const std::string error = socket.Connect(*place); !error.empty()) {
    return tl::unexpected(fmt::format("no hub answers at {}: {}", hub.url, error));
  }
  // HTTP/1.0, so that the answer comes in one piece and the connection is closed behind it.
  std::string request = fmt::format("{} {} HTTP/1.0\r\nHost: {}\r\nConnection: close\r\n", method, path, place->text);
  request += hub.token.empty() ? fmt::format("Origin: {}{}\r\n", kScheme, place->text)
                               : fmt::format("Authorization: Bearer {}\r\n", hub.token);
  if (!json_body.empty()) {
    request += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", json_body.size());
  }
  request += "\r\n" + json_body;
  std::string reply;
  if (!socket.Send(request) || !socket.ReadAll(&reply)) {
    return tl::unexpected(fmt::format("the hub at {} does not answer", hub.url));
  }
  const size_t head_end = reply.find("\r\n\r\n");
  if (!reply.starts_with("HTTP/1.") || head_end == std::string::npos) {
    return tl::unexpected(fmt::format("what answers at {} is no hub", hub.url));
  }
  return HubAnswer{std::atoi(reply.c_str() + std::strlen("HTTP/1.1 ")), reply.substr(head_end + 4)};
}

tl::expected<std::string, std::string> AskHubForBody(const std::string& url, const std::string& method,
                                                     const std::string& path, const std::string& json_body) {
  HubAddress address;
  address.url = url;
  if (const char* token = std::getenv("VESTA_TOKEN")) address.token = token;
  const auto answer = AskHub(address, method, path, json_body);
  if (!answer) return tl::unexpected(answer.error());
  if (answer->status == 200 || answer->status == 204) return answer->body;
  if (answer->status == 401) return tl::unexpected(std::string("the hub wants a token: put it into VESTA_TOKEN"));
  const nlohmann::json json = nlohmann::json::parse(answer->body, nullptr, false);
  const bool says_why = json.is_object() && json.contains("error") && json["error"].is_object();
  if (says_why) return tl::unexpected(json["error"].value("message", ""));
  return tl::unexpected(fmt::format("the hub answers with status {}", answer->status));
}

}  // namespace vesta::app
