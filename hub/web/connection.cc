#include "hub/web/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace vesta::hub {
namespace {

constexpr size_t kReadBytes = 4096;
// Pieces are gathered up to this before they are written.
constexpr size_t kWriteBytes = 16384;
// A whole body goes out in parts of this size, so that the time limit is one for progress, not for the length.
constexpr size_t kPartBytes = 65536;
// What a client may send while it listens to a live stream; it has nothing to say.
constexpr size_t kMaxBytesWhileLive = 1024;

}  // namespace

// The way back from a handler to its connection. It may outlive the connection.
class Exchange final : public Responder {
 public:
  Exchange(std::weak_ptr<Connection> connection, uint64_t number)
      : connection_(std::move(connection)), number_(number) {}
  ~Exchange() override {
    if (!sent_) Exchange::Send(ErrorResponse(500, "no_answer", "the hub did not finish this request"));
  }
  bool alive() const override {
    const auto connection = connection_.lock();
    return connection && connection->exchange_ == number_ && !connection->closed();
  }
  void Send(HttpResponse response) override {
    if (std::exchange(sent_, true)) return;
    if (const auto connection = connection_.lock()) connection->Answer(number_, std::move(response));
  }

 private:
  std::weak_ptr<Connection> connection_;
  uint64_t number_;
  bool sent_ = false;
};

Connection::Connection(std::unique_ptr<Stream> stream, ConnectionHost& host)
    : stream_(std::move(stream)), host_(host) {}

Connection::~Connection() = default;

void Connection::SetDeadline(int64_t timeout_us) {
  since_us_ = host_.monotonic_us();
  deadline_us_ = since_us_ + timeout_us;
}

void Connection::Start() {
  SetDeadline(host_.limits.request_timeout_us);
  stream_->Start([self = shared_from_this()](bool ok) {
    if (self->closed()) return;
    if (!ok) {
      ++self->host_.counters.refused["tls_handshake"];
      self->Close();
      return;
    }
    self->BeginRequest();
  });
}

void Connection::Refuse(HttpResponse response) {
  SetDeadline(host_.limits.request_timeout_us);
  stream_->Start([self = shared_from_this(), response = std::move(response)](bool ok) mutable {
    if (self->closed()) return;
    if (!ok) return self->Close();
    self->keep_alive_ = false;
    self->Send(std::move(response));
  });
}

void Connection::Close() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  deadline_us_ = INT64_MAX;
  stream_->Close();
  if (response_.pieces) response_.pieces->wake = nullptr;
  response_ = HttpResponse();
}

void Connection::EndSoon() {
  keep_alive_ = false;
  if (state_ == State::kStarting || state_ == State::kReading || response_.live) Close();
}

void Connection::CheckDeadline(int64_t now_us) {
  if (state_ == State::kClosed || now_us < deadline_us_) return;
  // A half request gets told; a client that does not read can't be.
  if (state_ == State::kReading && !idle()) {
    ++host_.counters.refused["timeout"];
    keep_alive_ = false;
    Send(ErrorResponse(408, "timeout", "the request took too long to arrive"));
    return;
  }
  if (state_ == State::kWriting) ++host_.counters.refused["slow_reader"];
  Close();
}

void Connection::BeginRequest() {
  state_ = State::kReading;
  parser_ = std::make_unique<RequestParser>();
  parser_started_ = false;
  SetDeadline(host_.limits.idle_timeout_us);
  if (in_.empty()) {
    ReadMore();
  } else {
    Parse();
  }
}

void Connection::ReadMore() {
  if (reading_) return;
  reading_ = true;
  read_buffer_.resize(kReadBytes);
  stream_->Read(read_buffer_.data(), read_buffer_.size(), [self = shared_from_this()](size_t count) {
    self->reading_ = false;
    if (self->closed()) return;
    if (count == 0) return self->Close();
    self->in_.append(self->read_buffer_, 0, count);
    if (self->state_ == State::kReading) {
      self->Parse();
    } else if (self->response_.live && self->in_.size() <= kMaxBytesWhileLive) {
      self->WatchForHangup();
    } else if (self->response_.live) {
      self->Close();
    }
  });
}

void Connection::Parse() {
  if (!parser_started_) {
    parser_started_ = true;
    SetDeadline(host_.limits.request_timeout_us);
  }
  size_t taken = 0;
  const RequestParser::State state = parser_->Put(in_, &taken);
  in_.erase(0, taken);
  switch (state) {
    case RequestParser::State::kNeedMore:
      return ReadMore();
    case RequestParser::State::kComplete:
      return Dispatch();
    case RequestParser::State::kBad:
      break;
  }
  ++host_.counters.refused["bad_request"];
  keep_alive_ = false;
  Send(ErrorResponse(parser_->error_status(), "bad_request", parser_->error_text()));
}

void Connection::Dispatch() {
  HttpRequest& request = parser_->request();
  request.peer_address = stream_->peer_address();
  request.local_address = stream_->local_address();
  request.secure = stream_->secure();
  head_request_ = request.method == "HEAD";
  http_1_1_ = request.http_1_1;
  keep_alive_ = keep_alive_ && request.keep_alive;
  state_ = State::kHandling;
  deadline_us_ = INT64_MAX;  // the handler has its own bounds
  ++host_.counters.requests;
  // The request must live as long as the handler's call, whatever the answer does to this connection meanwhile.
  const std::unique_ptr<RequestParser> parser = std::move(parser_);
  host_.handler(request, std::make_shared<Exchange>(weak_from_this(), ++exchange_));
}

void Connection::Answer(uint64_t exchange, HttpResponse response) {
  if (state_ != State::kHandling || exchange != exchange_) return;
  Send(std::move(response));
}

std::string Connection::Head(const HttpResponse& response) const {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", response.status, StatusText(response.status));
  const bool bodiless = response.status == 304 || response.status == 204;
  if (!response.content_type.empty() && !bodiless) {
    head += fmt::format("Content-Type: {}\r\n", response.content_type);
  }
  for (const auto& [name, value] : response.headers) head += fmt::format("{}: {}\r\n", name, value);
  const auto missing = [&](std::string_view wanted) {
    return std::none_of(response.headers.begin(), response.headers.end(),
                        [&](const auto& header) { return header.first == wanted; });
  };
  head += "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n";
  if (missing("Cache-Control")) head += "Cache-Control: no-store\r\n";
  if (missing("Content-Security-Policy")) {
    head += "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n";
  }
  if (chunked_) {
    head += "Transfer-Encoding: chunked\r\n";
  } else if (!response.pieces && !bodiless) {
    head += fmt::format("Content-Length: {}\r\n", rest_.size());
  }
  head += keep_alive_ ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return head;
}

void Connection::Send(HttpResponse response) {
  state_ = State::kWriting;
  response_ = std::move(response);
  chunked_ = false;
  pieces_end_ = true;
  out_.clear();
  if (response_.live) WatchForHangup();
  if (response_.pieces && !head_request_) StartPieces();
  rest_ = response_.static_body.empty() ? std::string_view(response_.body) : response_.static_body;
  head_ = Head(response_);
  if (head_request_ || response_.status == 304 || response_.status == 204) rest_ = {};
  WriteOut(head_, pieces_end_ ? TakePart() : std::string_view(out_));
}

std::string_view Connection::TakePart() {
  const std::string_view part = rest_.substr(0, kPartBytes);
  rest_.remove_prefix(part.size());
  return part;
}

void Connection::StartPieces() {
  pieces_end_ = false;
  response_.pieces->wake = [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && self->state_ == State::kWriting && !self->writing_) self->Pump();
  };
  std::string first;
  BodyPieces::State state = BodyPieces::State::kMore;
  while (state == BodyPieces::State::kMore && first.size() < kWriteBytes) state = response_.pieces->Next(&first);
  if (state == BodyPieces::State::kEnd) {
    // It all fits: no need for chunks.
    response_.pieces.reset();
    response_.body = std::move(first);
    pieces_end_ = true;
    return;
  }
  chunked_ = http_1_1_;
  if (!chunked_) keep_alive_ = false;
  if (!first.empty()) out_ = chunked_ ? fmt::format("{:x}\r\n{}\r\n", first.size(), first) : std::move(first);
}

void Connection::WriteOut(std::string_view first, std::string_view second) {
  writing_ = true;
  SetDeadline(response_.live ? host_.limits.live_write_timeout_us : host_.limits.write_timeout_us);
  stream_->Write(first, second, [self = shared_from_this()](bool ok) {
    self->writing_ = false;
    if (!self->closed()) self->Written(ok);
  });
}

void Connection::Written(bool ok) {
  if (!ok) return Close();
  if (!rest_.empty()) return WriteOut(TakePart(), {});
  if (pieces_end_) return AnswerDone();
  Pump();
}

bool Connection::TakePieces() {
  std::string piece;
  BodyPieces::State state = BodyPieces::State::kMore;
  while (state == BodyPieces::State::kMore && piece.size() < kWriteBytes) state = response_.pieces->Next(&piece);
  pieces_end_ = state == BodyPieces::State::kEnd;
  out_ = std::move(piece);
  if (!chunked_) return !out_.empty();
  if (!out_.empty()) out_ = fmt::format("{:x}\r\n{}\r\n", out_.size(), out_);
  if (pieces_end_) out_ += "0\r\n\r\n";
  return !out_.empty();
}

void Connection::Pump() {
  if (TakePieces()) {
    WriteOut(out_, {});
  } else if (pieces_end_) {
    AnswerDone();
  } else {
    deadline_us_ = INT64_MAX;  // nothing to write: the client owes us nothing
  }
}

void Connection::AnswerDone() {
  if (response_.pieces) response_.pieces->wake = nullptr;
  rest_ = {};
  response_ = HttpResponse();
  head_.clear();
  out_ = std::string();
  if (!keep_alive_) return Finish();
  BeginRequest();
}

void Connection::WatchForHangup() { ReadMore(); }

void Connection::Finish() {
  state_ = State::kFinishing;
  SetDeadline(host_.limits.finish_timeout_us);
  if (reading_) return Close();  // one read at a time; a live stream's client needs no lingering
  stream_->Finish([self = shared_from_this()] { self->Close(); });
}

}  // namespace vesta::hub
