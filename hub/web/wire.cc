#include "hub/web/wire.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <chrono>

namespace vesta::hub {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

// What the kernel may hold of an answer that the client has not fetched. Small, so that a slow reader of the live
// stream gets the newest value soon instead of a long queue of old ones.
constexpr int kSendBufferBytes = 64 * 1024;
// What is read and thrown away of a request that was answered before it was whole.
constexpr size_t kMaxDrainBytes = 1u << 20;
// Wait before the next accept when the process is out of file descriptors.
constexpr std::chrono::milliseconds kAcceptRetry{200};
// How often the certificate files are looked at, at most.
constexpr std::chrono::seconds kCertificateCheck{30};

std::string Text(const asio::ip::address& address) {
  // ::ffff:192.0.2.1 is what an IPv4 client looks like on a listener of both families.
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

// What plain and TLS streams have in common: everything but the layer that is read from and written to.
template <typename Layer>
class StreamOn : public Stream, public std::enable_shared_from_this<StreamOn<Layer>> {
 public:
  explicit StreamOn(Layer layer) : layer_(std::move(layer)) {
    error_code ignored;
    Socket().set_option(tcp::no_delay(true), ignored);
    Socket().set_option(asio::socket_base::send_buffer_size(kSendBufferBytes), ignored);
    error_code failed;
    const auto peer = Socket().remote_endpoint(failed);
    if (!failed) peer_address_ = Text(peer.address());
    const auto local = Socket().local_endpoint(failed);
    if (!failed) local_address_ = Text(local.address());
  }

  void Read(char* buffer, size_t capacity, std::function<void(size_t)> done) override {
    layer_.async_read_some(asio::buffer(buffer, capacity),
                           [self = this->shared_from_this(), done = std::move(done)](
                               const error_code& failed, size_t count) { done(failed ? 0 : count); });
  }

  void Write(std::string_view first, std::string_view second, std::function<void(bool)> done) override {
    const std::array<asio::const_buffer, 2> buffers = {asio::buffer(first), asio::buffer(second)};
    asio::async_write(
        layer_, buffers,
        [self = this->shared_from_this(), done = std::move(done)](const error_code& failed, size_t) { done(!failed); });
  }

  void Close() override {
    error_code ignored;
    Socket().close(ignored);
  }

  const std::string& peer_address() const override { return peer_address_; }
  const std::string& local_address() const override { return local_address_; }

 protected:
  tcp::socket& Socket() {
    if constexpr (std::is_same_v<Layer, tcp::socket>) {
      return layer_;
    } else {
      return layer_.next_layer();
    }
  }

  Layer layer_;

 private:
  std::string peer_address_;
  std::string local_address_;
};

class PlainStream final : public StreamOn<tcp::socket> {
 public:
  using StreamOn::StreamOn;

  void Start(std::function<void(bool)> done) override {
    asio::post(layer_.get_executor(), [self = shared_from_this(), done = std::move(done)] { done(true); });
  }

  void Finish(std::function<void()> done) override {
    error_code ignored;
    layer_.shutdown(tcp::socket::shutdown_send, ignored);
    Drain(std::move(done));
  }

  bool secure() const override { return false; }

 private:
  void Drain(std::function<void()> done) {
    layer_.async_read_some(asio::buffer(rest_), [this, self = shared_from_this(), done = std::move(done)](
                                                    const error_code& failed, size_t count) mutable {
      drained_ += count;
      if (failed || drained_ > kMaxDrainBytes) {
        done();
      } else {
        Drain(std::move(done));
      }
    });
  }

  std::array<char, 512> rest_{};
  size_t drained_ = 0;
};

class TlsStream final : public StreamOn<asio::ssl::stream<tcp::socket>> {
 public:
  TlsStream(tcp::socket socket, std::shared_ptr<asio::ssl::context> context)
      : StreamOn(asio::ssl::stream<tcp::socket>(std::move(socket), *context)), context_(std::move(context)) {
    SSL_set_mode(layer_.native_handle(), SSL_MODE_RELEASE_BUFFERS);
  }

  void Start(std::function<void(bool)> done) override {
    layer_.async_handshake(asio::ssl::stream_base::server, [self = shared_from_this(), done = std::move(done)](
                                                               const error_code& failed) { done(!failed); });
  }

  void Finish(std::function<void()> done) override {
    layer_.async_shutdown([self = shared_from_this(), done = std::move(done)](const error_code&) { done(); });
  }

  bool secure() const override { return true; }

 private:
  std::shared_ptr<asio::ssl::context> context_;  // a reload must not take it from a running connection
};

// The stream lives as long as an operation of it runs, whoever let go of it.
class SharedStream final : public Stream {
 public:
  explicit SharedStream(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}
  ~SharedStream() override { stream_->Close(); }
  void Start(std::function<void(bool)> done) override { stream_->Start(std::move(done)); }
  void Read(char* buffer, size_t capacity, std::function<void(size_t)> done) override {
    stream_->Read(buffer, capacity, std::move(done));
  }
  void Write(std::string_view first, std::string_view second, std::function<void(bool)> done) override {
    stream_->Write(first, second, std::move(done));
  }
  void Finish(std::function<void()> done) override { stream_->Finish(std::move(done)); }
  void Close() override { stream_->Close(); }
  const std::string& peer_address() const override { return stream_->peer_address(); }
  const std::string& local_address() const override { return stream_->local_address(); }
  bool secure() const override { return stream_->secure(); }

 private:
  std::shared_ptr<Stream> stream_;
};

// When and how large: enough to notice that a file was replaced.
struct FileStamp {
  int64_t modified_ns = 0;
  int64_t size = -1;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

FileStamp StampOf(const std::string& path) {
  struct stat facts = {};
  if (stat(path.c_str(), &facts) != 0) return {};
  return {facts.st_mtim.tv_sec * 1000000000ll + facts.st_mtim.tv_nsec, facts.st_size};
}

class Certificates {
 public:
  explicit Certificates(TlsFiles files) : files_(std::move(files)) {}

  tl::expected<void, std::string> Load() {
    cert_stamp_ = StampOf(files_.cert_file);
    key_stamp_ = StampOf(files_.key_file);
    checked_ = std::chrono::steady_clock::now();
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                         asio::ssl::context::no_tlsv1_1);
    error_code failed;
    context->use_certificate_chain_file(files_.cert_file, failed);
    if (failed) return tl::unexpected(fmt::format("certificate {}: {}", files_.cert_file, failed.message()));
    context->use_private_key_file(files_.key_file, asio::ssl::context::pem, failed);
    if (failed) return tl::unexpected(fmt::format("private key {}: {}", files_.key_file, failed.message()));
    if (SSL_CTX_check_private_key(context->native_handle()) != 1) {
      return tl::unexpected(
          fmt::format("private key {} does not belong to certificate {}", files_.key_file, files_.cert_file));
    }
    context_ = std::move(context);
    return {};
  }

  std::shared_ptr<asio::ssl::context> Current() {
    if (std::chrono::steady_clock::now() - checked_ >= kCertificateCheck) {
      checked_ = std::chrono::steady_clock::now();
      if (StampOf(files_.cert_file) != cert_stamp_ || StampOf(files_.key_file) != key_stamp_) {
        if (const auto loaded = Load(); !loaded) {
          spdlog::warn("web: the changed certificate is not used: {}", loaded.error());
        } else {
          spdlog::info("web: certificate {} read anew", files_.cert_file);
        }
      }
    }
    return context_;
  }

 private:
  TlsFiles files_;
  FileStamp cert_stamp_;
  FileStamp key_stamp_;
  std::chrono::steady_clock::time_point checked_;
  std::shared_ptr<asio::ssl::context> context_;
};

class TcpListener final : public Listener {
 public:
  TcpListener(asio::io_context& io, tcp::acceptor acceptor, std::unique_ptr<Certificates> certificates,
              std::function<void(std::unique_ptr<Stream>)> accepted)
      : state_(std::make_shared<Loop>(io, std::move(acceptor), std::move(certificates), std::move(accepted))) {
    Accept(state_);
  }
  ~TcpListener() override { Close(); }

  uint16_t port() const override {
    error_code failed;
    const auto endpoint = state_->acceptor.local_endpoint(failed);
    return failed ? uint16_t{0} : endpoint.port();
  }

  void Close() override {
    error_code ignored;
    state_->closed = true;
    state_->acceptor.close(ignored);
    state_->retry.cancel();
  }

 private:
  struct Loop {
    Loop(asio::io_context& io, tcp::acceptor open, std::unique_ptr<Certificates> files,
         std::function<void(std::unique_ptr<Stream>)> call)
        : acceptor(std::move(open)), retry(io), certificates(std::move(files)), accepted(std::move(call)) {}
    tcp::acceptor acceptor;
    asio::steady_timer retry;
    std::unique_ptr<Certificates> certificates;
    std::function<void(std::unique_ptr<Stream>)> accepted;
    bool closed = false;
  };

  static void Accept(const std::shared_ptr<Loop>& loop) {
    loop->acceptor.async_accept([loop](const error_code& failed, tcp::socket socket) {
      if (loop->closed) return;
      if (failed) {
        loop->retry.expires_after(kAcceptRetry);
        loop->retry.async_wait([loop](const error_code&) {
          if (!loop->closed) Accept(loop);
        });
        return;
      }
      std::shared_ptr<Stream> stream;
      if (loop->certificates) {
        stream = std::make_shared<TlsStream>(std::move(socket), loop->certificates->Current());
      } else {
        stream = std::make_shared<PlainStream>(std::move(socket));
      }
      loop->accepted(std::make_unique<SharedStream>(std::move(stream)));
      if (!loop->closed) Accept(loop);
    });
  }

  std::shared_ptr<Loop> state_;
};

class AsioPeriodicTimer final : public PeriodicTimer {
 public:
  AsioPeriodicTimer(asio::io_context& io, int64_t interval_us, std::function<void()> tick)
      : state_(std::make_shared<Loop>(io, std::chrono::microseconds(interval_us), std::move(tick))) {
    Arm(state_);
  }
  ~AsioPeriodicTimer() override {
    state_->stopped = true;
    state_->timer.cancel();
  }

 private:
  struct Loop {
    Loop(asio::io_context& io, std::chrono::microseconds every, std::function<void()> call)
        : timer(io), interval(every), tick(std::move(call)) {}
    asio::steady_timer timer;
    std::chrono::microseconds interval;
    std::function<void()> tick;
    bool stopped = false;
  };

  static void Arm(const std::shared_ptr<Loop>& loop) {
    loop->timer.expires_after(loop->interval);
    loop->timer.async_wait([loop](const error_code&) {
      if (loop->stopped) return;
      loop->tick();
      if (!loop->stopped) Arm(loop);
    });
  }

  std::shared_ptr<Loop> state_;
};

}  // namespace

tl::expected<std::unique_ptr<Listener>, std::string> Listener::Open(
    asio::io_context& io, const std::string& address, uint16_t port, const TlsFiles& tls,
    std::function<void(std::unique_ptr<Stream>)> accepted) {
  error_code failed;
  const auto ip = asio::ip::make_address(address, failed);
  if (failed) return tl::unexpected(fmt::format("\"{}\" is not an IP address", address));
  std::unique_ptr<Certificates> certificates;
  if (!tls.empty()) {
    certificates = std::make_unique<Certificates>(tls);
    if (auto loaded = certificates->Load(); !loaded) return tl::unexpected(loaded.error());
  }
  const tcp::endpoint endpoint(ip, port);
  tcp::acceptor acceptor(io);
  acceptor.open(endpoint.protocol(), failed);
  if (!failed) acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) acceptor.bind(endpoint, failed);
  if (!failed) acceptor.listen(asio::socket_base::max_listen_connections, failed);
  if (failed) return tl::unexpected(fmt::format("cannot listen on {} port {}: {}", address, port, failed.message()));
  return std::make_unique<TcpListener>(io, std::move(acceptor), std::move(certificates), std::move(accepted));
}

std::unique_ptr<PeriodicTimer> PeriodicTimer::Start(asio::io_context& io, int64_t interval_us,
                                                    std::function<void()> tick) {
  return std::make_unique<AsioPeriodicTimer>(io, interval_us, std::move(tick));
}

void PostToMain(asio::io_context& io, std::function<void()> call) { asio::post(io, std::move(call)); }

bool IsIpAddress(const std::string& address) {
  error_code failed;
  asio::ip::make_address(address, failed);
  return !failed;
}

bool IsLoopbackAddress(const std::string& address) {
  error_code failed;
  const auto ip = asio::ip::make_address(address, failed);
  return !failed && ip.is_loopback();
}

bool IsWildcardAddress(const std::string& address) {
  error_code failed;
  const auto ip = asio::ip::make_address(address, failed);
  return !failed && ip.is_unspecified();
}

std::string NetworkOf(const std::string& address) {
  error_code failed;
  const auto ip = asio::ip::make_address(address, failed);
  if (failed || ip.is_v4()) return address;
  auto bytes = ip.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  return asio::ip::make_address_v6(bytes).to_string();
}

class RequestParser::Impl final : public http::basic_parser<true> {
 public:
  Impl() {
    header_limit(kMaxHeaderBytes);
    body_limit(kMaxBodyBytes);
    eager(true);
  }

  State Put(std::string_view bytes, size_t* taken) {
    error_code failed;
    *taken = put(asio::buffer(bytes), failed);
    // Beast bounds what it must see in one piece; the sum over many pieces is ours to bound.
    if (!is_header_done()) {
      header_bytes_ += *taken;
      if (header_bytes_ + (bytes.size() - *taken) > kMaxHeaderBytes) failed = http::error::header_limit;
    } else if (bytes.size() - *taken > kMaxHeaderBytes) {
      failed = http::error::bad_chunk;  // a chunk's own header is all that can wait this long
    }
    if (failed && failed != http::error::need_more) {
      Explain(failed);
      return State::kBad;
    }
    if (!is_done()) return State::kNeedMore;
    request_.keep_alive = keep_alive();
    if (!request_.ParseTarget()) {
      status_ = 400;
      text_ = "the address of the request is not valid";
      return State::kBad;
    }
    return State::kComplete;
  }

  HttpRequest request_;
  int status_ = 400;
  std::string_view text_;

 private:
  using string_view = boost::beast::string_view;

  void Explain(const error_code& failed) {
    status_ = 400;
    text_ = "this is not a valid HTTP request";
    if (failed == http::error::header_limit || too_many_fields_) {
      status_ = 431;
      text_ = "the request's headers are larger than 8 kB or more than 64";
    } else if (failed == http::error::body_limit) {
      status_ = 413;
      text_ = "the request's body is larger than 64 kB";
    } else if (failed == http::error::bad_version) {
      status_ = 505;
      text_ = "only HTTP/1.0 and HTTP/1.1 are spoken here";
    }
  }

  void on_request_impl(http::verb, string_view method, string_view target, int version, error_code&) override {
    request_.method.assign(method.data(), method.size());
    request_.target.assign(target.data(), target.size());
    request_.http_1_1 = version == 11;
  }
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_field_impl(http::field, string_view name, string_view value, error_code& failed) override {
    if (is_header_done()) return;  // a trailer: nothing here has a use for one
    if (request_.fields.size() >= kMaxHeaderFields) {
      too_many_fields_ = true;
      failed = http::error::header_limit;
      return;
    }
    auto& field = request_.fields.emplace_back();
    for (const char c : name) field.first += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    field.second.assign(value.data(), value.size());
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  size_t on_body_impl(string_view body, error_code&) override {
    request_.body.append(body.data(), body.size());
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override {
    request_.body.append(body.data(), body.size());
    return body.size();
  }
  void on_finish_impl(error_code&) override {}

  size_t header_bytes_ = 0;
  bool too_many_fields_ = false;
};

RequestParser::RequestParser() : impl_(std::make_unique<Impl>()) {}
RequestParser::~RequestParser() = default;
RequestParser::State RequestParser::Put(std::string_view bytes, size_t* taken) { return impl_->Put(bytes, taken); }
bool RequestParser::header_done() const { return impl_->is_header_done(); }
HttpRequest& RequestParser::request() { return impl_->request_; }
int RequestParser::error_status() const { return impl_->status_; }
std::string_view RequestParser::error_text() const { return impl_->text_; }

}  // namespace vesta::hub
