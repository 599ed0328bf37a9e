#include "app/passwd.h"

#include <fmt/format.h>
#include <sys/random.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/exit_code.h"
#include "hub/web/auth.h"
#include "hub/web/password.h"

namespace vesta::app {
namespace {

constexpr size_t kTokenBytes = 24;         // 192 bits
constexpr size_t kShortestPassword = 8;    // shorter ones are guessed over the network
constexpr size_t kTokenNameBytesMax = 64;  // as the configuration allows

// Puts the terminal's echo back, whatever happens.
class SilentTerminal {
 public:
  SilentTerminal() {
    known_ = tcgetattr(STDIN_FILENO, &before_) == 0;
    if (!known_) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  ~SilentTerminal() {
    if (known_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }

 private:
  termios before_ = {};
  bool known_ = false;
};

std::optional<std::string> AskOnce(const char* question) {
  fmt::print(stderr, "{}", question);
  SilentTerminal silent;
  std::string line;
  const bool answered = static_cast<bool>(std::getline(std::cin, line));
  fmt::print(stderr, "\n");
  return answered ? std::optional(line) : std::nullopt;
}

std::optional<std::string> GetPassword(bool from_stdin) {
  if (from_stdin) {
    std::string line;
    if (!std::getline(std::cin, line)) {
      fmt::print(stderr, "vesta passwd: standard input is empty\n");
      return std::nullopt;
    }
    if (!line.empty() && line.back() == '\r') line.pop_back();
    return line;
  }
  if (isatty(STDIN_FILENO) == 0) {
    fmt::print(stderr, "vesta passwd: there is no terminal to ask on; use --stdin\n");
    return std::nullopt;
  }
  const auto first = AskOnce("Password: ");
  const auto second = first ? AskOnce("The same again: ") : std::nullopt;
  if (!second) return std::nullopt;
  if (*first != *second) {
    fmt::print(stderr, "vesta passwd: the two are not the same; nothing was made\n");
    return std::nullopt;
  }
  return first;
}

int MakeToken(const PasswdOptions& options) {
  const bool plain = std::all_of(options.token.begin(), options.token.end(),
                                 [](unsigned char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; });
  if (!plain || options.token.size() > kTokenNameBytesMax) {
    fmt::print(stderr, "vesta passwd: a token's name is at most {} plain characters\n", kTokenNameBytesMax);
    return kExitWrongUsage;
  }
  unsigned char random[kTokenBytes];
  if (getrandom(random, sizeof random, 0) != static_cast<ssize_t>(sizeof random)) {
    fmt::print(stderr, "vesta passwd: the system gives no random numbers\n");
    return kExitCannotStart;
  }
  std::string token;
  for (const unsigned char byte : random) token += fmt::format("{:02x}", static_cast<unsigned>(byte));
  const nlohmann::ordered_json entry = {
      {"name", options.token}, {"hash", hub::Sha256Hex(token)}, {"scope", options.scope}};
  if (options.json) {
    fmt::print("{}\n", nlohmann::ordered_json({{"token", token}, {"entry", entry}}).dump());
    return kExitOk;
  }
  fmt::print(stderr, "The token, shown this once:\n");
  fmt::print("{}\n", token);
  fmt::print(stderr,
             "Programs send it as \"Authorization: Bearer TOKEN\".\n"
             "Add to http.tokens in the configuration, then restart the hub:\n");
  fmt::print("{}\n", entry.dump());
  return kExitOk;
}

}  // namespace

int RunPasswd(const PasswdOptions& options) {
  if (!options.token.empty()) return MakeToken(options);
  const std::optional<std::string> password = GetPassword(options.from_stdin);
  if (!password) return kExitProblems;
  if (password->size() < kShortestPassword || password->size() > hub::kMaxPasswordBytes) {
    fmt::print(stderr, "vesta passwd: a password has {} to {} bytes\n", kShortestPassword, hub::kMaxPasswordBytes);
    return kExitProblems;
  }
  const std::string hash = hub::HashPassword(*password);
  if (hash.empty()) {
    fmt::print(stderr, "vesta passwd: no memory or no random numbers to make the hash\n");
    return kExitCannotStart;
  }
  if (options.json) {
    fmt::print("{}\n", nlohmann::ordered_json({{"password_hash", hash}}).dump());
    return kExitOk;
  }
  fmt::print(stderr, "Put this line into http in the configuration, then restart the hub:\n");
  fmt::print("\"password_hash\": \"{}\"\n", hash);
  return kExitOk;
}

}  // namespace vesta::app
