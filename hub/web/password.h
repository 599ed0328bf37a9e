// Passwords: argon2id, 16 MiB, one at a time and never on the main thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace boost::asio {
class io_context;
}

namespace vesta::hub {

// Memory of one hash. More would be better against a stolen file, but a hub on a small board has 20 MB in all.
inline constexpr uint32_t kArgon2Memory_KiB = 16 * 1024;
inline constexpr uint32_t kArgon2Passes = 3;
inline constexpr size_t kMaxPasswordBytes = 1024;
// Logins that may wait for the one that is being checked.
inline constexpr size_t kMaxWaitingPasswords = 4;

// "$argon2id$v=19$m=16384,t=3,p=1$...", with a fresh salt: what `vesta passwd` prints. "" when there is no memory or no
// randomness to be had, or the password is empty or too long.
std::string HashPassword(std::string_view password);

// "" when the hub can check against this hash; else why not. Hashes that want more than kArgon2Memory_KiB are refused.
std::string CheckPasswordHash(std::string_view encoded);

// Runs here and now: 50 ms or more.
bool VerifyPassword(const std::string& encoded, std::string_view password);

// Checks passwords on a thread that lives as long as one check: an idle hub has neither its stack nor its memory.
class PasswordChecker {
 public:
  PasswordChecker(boost::asio::io_context& io, std::string encoded);
  ~PasswordChecker();  // waits for the check under way

  // done runs on the main thread. False: too many are waiting, nothing was taken.
  bool Check(std::string password, std::function<void(bool right)> done);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace vesta::hub
