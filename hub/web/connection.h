// One client's connection: requests in, answers out, one after the other, with a deadline for every step.
//
// Knows bytes and time limits; what the requests mean is the handler's business. Memory stays small whatever the client
// does: at most one request and one piece of an answer are held.
// Main thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "hub/web/http_message.h"
#include "hub/web/limits.h"
#include "hub/web/wire.h"

namespace vesta::hub {

// What the web room did and refused, for the metrics.
struct WebCounters {
  uint64_t connections = 0;  // taken, ever
  uint64_t requests = 0;
  std::map<std::string, uint64_t> refused;  // by reason: "bad_request", "busy", "timeout", "login", ...
};

// What a connection needs of its server; outlives it.
struct ConnectionHost {
  WebLimits limits;
  HttpHandler handler;
  WebCounters counters;
  std::function<int64_t()> monotonic_us;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::unique_ptr<Stream> stream, ConnectionHost& host);
  ~Connection();

  void Start();
  // Answers at once, without reading, and hangs up.
  void Refuse(HttpResponse response);
  void Close();
  void CheckDeadline(int64_t now_us);
  // Finishes the answer under way (a live stream ends at once), then closes.
  void EndSoon();

  bool closed() const { return state_ == State::kClosed; }
  // Waits for a request: may be closed without harm.
  bool idle() const { return state_ == State::kReading && in_.empty() && !parser_started_; }
  int64_t idle_since_us() const { return since_us_; }
  const std::string& peer_address() const { return stream_->peer_address(); }

 private:
  friend class Exchange;
  enum class State : uint8_t { kStarting, kReading, kHandling, kWriting, kFinishing, kClosed };

  void SetDeadline(int64_t timeout_us);
  void BeginRequest();
  void ReadMore();
  void Parse();
  void Dispatch();
  void Answer(uint64_t exchange, HttpResponse response);
  void Send(HttpResponse response);
  void StartPieces();
  std::string_view TakePart();
  // Fills out_ from the pieces; true when there is something to write.
  bool TakePieces();
  void Pump();
  void WriteOut(std::string_view first, std::string_view second);
  void Written(bool ok);
  void AnswerDone();
  void WatchForHangup();
  void Finish();
  std::string Head(const HttpResponse& response) const;

  std::unique_ptr<Stream> stream_;
  ConnectionHost& host_;
  State state_ = State::kStarting;
  int64_t deadline_us_ = INT64_MAX;
  int64_t since_us_ = 0;

  std::string in_;
  std::string read_buffer_;
  std::unique_ptr<RequestParser> parser_;
  bool parser_started_ = false;
  bool reading_ = false;

  uint64_t exchange_ = 0;
  bool head_request_ = false;
  bool http_1_1_ = true;
  bool keep_alive_ = true;
  HttpResponse response_;
  std::string head_;
  std::string out_;
  std::string_view rest_;  // of the body, not written yet
  bool chunked_ = false;
  bool pieces_end_ = false;
  bool writing_ = false;
};

}  // namespace vesta::hub
