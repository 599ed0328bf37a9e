// Who may do what: the password with its sessions, and tokens with a scope.
//
// Sessions live in memory only: a restart asks people to log in again, and no file holds anything that opens a door.
// Neither the table of sessions nor the configuration holds what a client must show: both hold its SHA-256.
// Main thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "hub/audit/sha256.h"
#include "hub/clock/clock.h"
#include "hub/config/config.h"
#include "hub/web/http_message.h"
#include "hub/web/password.h"
#include "hub/web/rate_limit.h"

namespace vesta::hub {

// A household's browsers. When full the session that was used longest ago ends.
inline constexpr size_t kMaxSessions = 64;
inline constexpr int64_t kSessionIdle_us = 7ll * 24 * 3600 * kUsPerSecond;
inline constexpr int64_t kSessionLife_us = 30ll * 24 * 3600 * kUsPerSecond;
inline constexpr size_t kMaxTokenBytes = 256;
inline constexpr std::string_view kSessionCookie = "vesta_session";

enum class Scope : uint8_t { kNone = 0, kRead = 1, kOperate = 2 };
std::string_view ScopeName(Scope scope);  // "read", "operate", "" for none

class Auth {
 public:
  // The error names the setting that is wrong; it holds no secret.
  static tl::expected<std::unique_ptr<Auth>, std::string> Make(boost::asio::io_context& io, const Clock& clock,
                                                               const HttpConfig& config);

  // Without a password and a token everyone who reaches the hub may do all.
  bool login_required() const { return login_required_; }

  struct Access {
    Scope scope = Scope::kNone;
    bool by_token = false;  // a valid Authorization header: no browser was tricked into this request
    bool logged_in = false;
    // For the audit log, no secret: "local" (nobody has to log in), "token:NAME", "session:" and the start of its hash.
    std::string who = {};
  };
  Access Check(const HttpRequest& request);

  struct LoginResult {
    enum class Kind { kOk, kWrong, kTooMany, kBusy } kind;
    std::string cookie;  // kOk: the value of Set-Cookie
    int64_t retry_after_us = 0;
    std::string who = {};  // kOk: as Access::who
  };
  // `secret` is the password, or (is_token) a token: a browser with a token of scope read becomes a wall display.
  void Login(const HttpRequest& request, std::string secret, bool is_token, std::function<void(LoginResult)> done);
  // Ends the session and returns the Set-Cookie that makes the browser forget it.
  std::string Logout(const HttpRequest& request);

  // A request came with a token that is none.
  void OnWrongToken(std::function<void(const HttpRequest&)> told) { on_wrong_token_ = std::move(told); }

  size_t sessions() const { return sessions_.size(); }

 private:
  struct Session {
    Scope scope;
    int64_t made_us;
    int64_t used_us;
  };
  struct Token {
    std::string name;
    std::string hash;
    Scope scope;
  };

  Auth(boost::asio::io_context& io, const Clock& clock, const HttpConfig& config);
  const Token* FindToken(std::string_view token) const;  // nullptr: there is none
  LoginResult MakeSession(Scope scope, bool secure);
  static std::string_view CookieOf(const HttpRequest& request);

  const Clock& clock_;
  bool login_required_;
  bool has_password_;
  std::vector<Token> tokens_;
  PasswordChecker passwords_;
  LoginLimiter limiter_;
  std::function<void(const HttpRequest&)> on_wrong_token_;
  std::map<std::string, Session> sessions_;  // by SHA-256 of the cookie, so a look-up tells nothing by its time
};

}  // namespace vesta::hub
