// Requests and answers as the routes see them: plain values, without sockets or a parser.
//
// An answer's body is a text, a text that lives for ever (a file of the page), or pieces that are made one after the
// other as fast as the client reads. Pieces keep an answer of any length within a few kilobytes of memory and make a
// live stream the same thing as a long answer.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vesta::hub {

// Longest request line with headers, and longest body. Devices' names and passwords are all that comes in.
inline constexpr size_t kMaxHeaderBytes = 8192;
inline constexpr size_t kMaxBodyBytes = 65536;
inline constexpr size_t kMaxHeaderFields = 64;

struct HttpRequest {
  std::string method;                                       // as sent: "GET"
  std::string target;                                       // as sent: "/api/v1/latest?device=p1_1"
  std::string path;                                         // decoded, without the query
  std::vector<std::pair<std::string, std::string>> query;   // decoded, in order
  std::vector<std::pair<std::string, std::string>> fields;  // headers, names in lower case
  std::string body;
  bool http_1_1 = true;
  bool keep_alive = true;

  std::string peer_address;   // "192.0.2.7"
  std::string local_address;  // the hub's address that the client reached
  bool secure = false;        // over TLS

  // The first value of a header (name in lower case), "" when there is none.
  std::string_view Header(std::string_view name) const;
  size_t HeaderCount(std::string_view name) const;
  const std::string* Query(std::string_view name) const;  // nullptr when there is none

  // Splits target into path and query. False when it is not an absolute path with sound %XX escapes.
  bool ParseTarget();
};

class BodyPieces {
 public:
  virtual ~BodyPieces() = default;
  enum class State : uint8_t {
    kMore,  // call again at once
    kWait,  // nothing now; wake is called when there is
    kEnd,
  };
  // Appends the next piece, a few kilobytes at most.
  virtual State Next(std::string* out) = 0;
  // Set by the connection before the first Next of a body that may wait. Runs on the main thread.
  std::function<void()> wake;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string_view static_body;        // instead of body
  std::shared_ptr<BodyPieces> pieces;  // instead of both
  bool live = false;                   // the pieces go on for ever: a client that hangs up must be noticed
  std::shared_ptr<void> hold;          // let go when the whole answer is sent or the client is gone
};

std::string_view StatusText(int status);

// {"error":{"code":...,"message":...}}
HttpResponse ErrorResponse(int status, std::string_view code, std::string_view message);
// 404: no device has the key that was asked for.
HttpResponse NoDevice();
HttpResponse JsonResponse(std::string body);

// Where the answer to one request goes. Send may be called once, at any later time, on the main thread; a responder
// that is dropped without an answer answers 500.
class Responder {
 public:
  virtual ~Responder() = default;
  virtual bool alive() const = 0;  // false: the client is gone, work for it may stop
  virtual void Send(HttpResponse response) = 0;
};

using HttpHandler = std::function<void(const HttpRequest&, std::shared_ptr<Responder>)>;

}  // namespace vesta::hub
