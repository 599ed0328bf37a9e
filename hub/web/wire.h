// The web room's only door to Asio, Beast and OpenSSL: streams, listeners and the request parser, all type-erased.
//
// Their templates cost more to compile than all the rest of the room, so they are instantiated in wire.cc alone; what
// is behind these interfaces can be replaced by a few lines in a test or a fuzzer. Main thread only. Callbacks never
// run inside the call that they were passed to.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "hub/web/http_message.h"

namespace boost::asio {
class io_context;
}

namespace vesta::hub {

// One client's connection, plain or TLS. At most one Read and one Write at a time. After Close the callbacks still
// come, with 0 or false.
class Stream {
 public:
  virtual ~Stream() = default;
  // The TLS handshake; a plain stream is ready at once.
  virtual void Start(std::function<void(bool ok)> done) = 0;
  // done(0): the end, or an error.
  virtual void Read(char* buffer, size_t capacity, std::function<void(size_t)> done) = 0;
  // Writes both, one after the other; they must live until done.
  virtual void Write(std::string_view first, std::string_view second, std::function<void(bool ok)> done) = 0;
  // Says that nothing more will be sent and waits until the client hangs up too, so that it gets to read the last
  // answer even when it is still sending. Close ends the waiting.
  virtual void Finish(std::function<void()> done) = 0;
  virtual void Close() = 0;

  virtual const std::string& peer_address() const = 0;
  virtual const std::string& local_address() const = 0;
  virtual bool secure() const = 0;
};

// Certificate files of a listener. They are read again when they change on disk; when that fails the old ones stay.
struct TlsFiles {
  std::string cert_file;  // PEM, the whole chain
  std::string key_file;   // PEM
  bool empty() const { return cert_file.empty(); }
};

class Listener {
 public:
  virtual ~Listener() = default;
  virtual uint16_t port() const = 0;
  virtual void Close() = 0;

  // Port 0: any free one. The error text names what failed and why, for people.
  static tl::expected<std::unique_ptr<Listener>, std::string> Open(
      boost::asio::io_context& io, const std::string& address, uint16_t port, const TlsFiles& tls,
      std::function<void(std::unique_ptr<Stream>)> accepted);
};

class PeriodicTimer {
 public:
  virtual ~PeriodicTimer() = default;  // stops it
  static std::unique_ptr<PeriodicTimer> Start(boost::asio::io_context& io, int64_t interval_us,
                                              std::function<void()> tick);
};

// Runs `call` on the main thread; may be called from any.
void PostToMain(boost::asio::io_context& io, std::function<void()> call);

// "127.0.0.1", "::1" and their like. False for names.
bool IsLoopbackAddress(const std::string& address);
bool IsIpAddress(const std::string& address);
// 0.0.0.0 and ::.
bool IsWildcardAddress(const std::string& address);
// What one customer gets: the address itself for IPv4, its /64 for IPv6.
std::string NetworkOf(const std::string& address);

// One request out of bytes, without I/O. Bounded by kMaxHeaderBytes, kMaxHeaderFields and kMaxBodyBytes.
class RequestParser {
 public:
  RequestParser();
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  enum class State : uint8_t { kNeedMore, kComplete, kBad };
  // Takes a prefix of the bytes and says how much; the rest must be passed again, with more behind it. Once the state
  // is kComplete or kBad no more may be put.
  State Put(std::string_view bytes, size_t* taken);
  bool header_done() const;
  HttpRequest& request();  // complete only
  // Bad only: the answer to give.
  int error_status() const;
  std::string_view error_text() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vesta::hub
