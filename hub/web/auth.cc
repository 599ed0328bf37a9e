#include "hub/web/auth.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sys/random.h>

#include <algorithm>
#include <array>

namespace vesta::hub {
namespace {

constexpr size_t kSessionBytes = 32;

std::string Hex(const uint8_t* bytes, size_t size) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (size_t i = 0; i < size; ++i) {
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

// A few digits of the cookie's hash tell sessions apart and open nothing.
std::string SessionName(std::string_view hash) { return "session:" + std::string(hash.substr(0, 8)); }

bool IsHash(std::string_view text) {
  return text.size() == kSha256HexSize && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

}  // namespace

std::string_view ScopeName(Scope scope) {
  if (scope == Scope::kOperate) return "operate";
  return scope == Scope::kRead ? "read" : "";
}

tl::expected<std::unique_ptr<Auth>, std::string> Auth::Make(boost::asio::io_context& io, const Clock& clock,
                                                            const HttpConfig& config) {
  if (!config.password_hash.empty()) {
    if (const std::string problem = CheckPasswordHash(config.password_hash); !problem.empty()) {
      return tl::unexpected("http.password_hash can't be used: " + problem);
    }
  }
  for (const HttpConfig::Token& token : config.tokens) {
    if (!IsHash(token.hash)) {
      return tl::unexpected(
          fmt::format("http.tokens: the hash of \"{}\" is not the SHA-256 of a token (64 hex digits)", token.name));
    }
    if (token.scope != "read" && token.scope != "operate") {
      return tl::unexpected(fmt::format("http.tokens: the scope of \"{}\" is neither read nor operate", token.name));
    }
  }
  return std::unique_ptr<Auth>(new Auth(io, clock, config));
}

Auth::Auth(boost::asio::io_context& io, const Clock& clock, const HttpConfig& config)
    : clock_(clock),
      login_required_(!config.password_hash.empty() || !config.tokens.empty()),
      has_password_(!config.password_hash.empty()),
      passwords_(io, config.password_hash) {
  for (const HttpConfig::Token& token : config.tokens) {
    Token& entry = tokens_.emplace_back();
    entry.name = token.name;
    entry.scope = token.scope == "operate" ? Scope::kOperate : Scope::kRead;
    for (const char c : token.hash) entry.hash += static_cast<char>(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
  }
}

const Auth::Token* Auth::FindToken(std::string_view token) const {
  if (token.empty() || token.size() > kMaxTokenBytes || tokens_.empty()) return nullptr;
  const std::string hash = Sha256Hex(token);
  const Token* found = nullptr;
  for (const Token& entry : tokens_) {  // all of them, each in constant time
    const bool same = CRYPTO_memcmp(hash.data(), entry.hash.data(), hash.size()) == 0;
    if (same && (found == nullptr || entry.scope > found->scope)) found = &entry;
  }
  return found;
}

std::string_view Auth::CookieOf(const HttpRequest& request) {
  std::string_view cookies = request.Header("cookie");
  while (!cookies.empty()) {
    const size_t end = cookies.find(';');
    std::string_view cookie = cookies.substr(0, end);
    cookies = end == std::string_view::npos ? std::string_view() : cookies.substr(end + 1);
    while (cookie.starts_with(' ')) cookie.remove_prefix(1);
    const size_t equals = cookie.find('=');
    if (equals != std::string_view::npos && cookie.substr(0, equals) == kSessionCookie) {
      return cookie.substr(equals + 1);
    }
  }
  return {};
}

Auth::Access Auth::Check(const HttpRequest& request) {
  if (!login_required_) return {Scope::kOperate, false, false, "local"};
  const std::string_view authorization = request.Header("authorization");
  constexpr std::string_view kBearer = "bearer ";
  if (authorization.size() > kBearer.size() &&
      std::equal(kBearer.begin(), kBearer.end(), authorization.begin(),
                 [](char want, char got) { return want == (got >= 'A' && got <= 'Z' ? got - 'A' + 'a' : got); })) {
    const Token* const token = FindToken(authorization.substr(kBearer.size()));
    if (token != nullptr) return {token->scope, true, true, "token:" + token->name};
    if (on_wrong_token_) on_wrong_token_(request);
    return {};
  }
  const std::string_view cookie = CookieOf(request);
  if (cookie.size() != 2 * kSessionBytes) return {};
  const std::string hash = Sha256Hex(cookie);
  const auto found = sessions_.find(hash);
  if (found == sessions_.end()) return {};
  const int64_t now_us = clock_.Read().monotonic_us;
  Session& session = found->second;
  if (now_us - session.used_us > kSessionIdle_us || now_us - session.made_us > kSessionLife_us) {
    sessions_.erase(found);
    return {};
  }
  session.used_us = now_us;
  return {session.scope, false, true, SessionName(hash)};
}

void Auth::Login(const HttpRequest& request, std::string secret, bool is_token, std::function<void(LoginResult)> done) {
  using Kind = LoginResult::Kind;
  const int64_t wait_us = limiter_.Take(request.peer_address, clock_.Read().monotonic_us);
  if (wait_us > 0) return done({Kind::kTooMany, "", wait_us});
  if (is_token) {
    const Token* const token = FindToken(secret);
    if (token == nullptr) return done({Kind::kWrong, "", 0});
    limiter_.Succeeded(request.peer_address);
    return done(MakeSession(token->scope, request.secure));
  }
  if (!has_password_ || secret.empty() || secret.size() > kMaxPasswordBytes) return done({Kind::kWrong, "", 0});
  const bool taken = passwords_.Check(
      std::move(secret), [this, address = request.peer_address, secure = request.secure, done](bool right) {
        if (!right) return done({Kind::kWrong, "", 0});
        limiter_.Succeeded(address);
        done(MakeSession(Scope::kOperate, secure));
      });
  if (!taken) done({Kind::kBusy, "", kUsPerSecond});
}

Auth::LoginResult Auth::MakeSession(Scope scope, bool secure) {
  std::array<uint8_t, kSessionBytes> random{};
  if (getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) std::abort();
  if (sessions_.size() >= kMaxSessions) {
    sessions_.erase(std::min_element(sessions_.begin(), sessions_.end(),
                                     [](const auto& a, const auto& b) { return a.second.used_us < b.second.used_us; }));
  }
  const int64_t now_us = clock_.Read().monotonic_us;
  const std::string cookie = Hex(random.data(), random.size());
  const std::string hash = Sha256Hex(cookie);
  sessions_[hash] = {scope, now_us, now_us};
  LoginResult result;
  result.kind = LoginResult::Kind::kOk;
  result.who = SessionName(hash);
  result.cookie = fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}{}", kSessionCookie, cookie,
                              kSessionLife_us / kUsPerSecond, secure ? "; Secure" : "");
  return result;
}

std::string Auth::Logout(const HttpRequest& request) {
  const std::string_view cookie = CookieOf(request);
  if (!cookie.empty()) sessions_.erase(Sha256Hex(cookie));
  return fmt::format("{}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0{}", kSessionCookie,
                     request.secure ? "; Secure" : "");
}

}  // namespace vesta::hub
