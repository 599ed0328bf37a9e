#include "hub/web/password.h"

#include <argon2.h>
#include <fmt/format.h>
#include <malloc.h>
#include <sys/random.h>

#include <array>
#include <cstdio>
#include <deque>
#include <thread>
#include <utility>

#include "hub/web/wire.h"

namespace vesta::hub {
namespace {

constexpr size_t kSaltBytes = 16;
constexpr size_t kHashBytes = 32;
constexpr uint32_t kMaxArgon2Passes = 10;
// In base64: 8 and 16 bytes, the least that libargon2 and good sense take.
constexpr size_t kMinSaltText = 11;
constexpr size_t kMinHashText = 22;
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Without this, glibc answers the first large free by never giving such blocks back to the system again: 16 MiB would
// stay with the hub for ever.
void KeepLargeBlocksMapped() {
  static const int done = mallopt(M_MMAP_THRESHOLD, 128 * 1024);
  (void)done;
}

}  // namespace

std::string HashPassword(std::string_view password) {
  if (password.empty() || password.size() > kMaxPasswordBytes) return {};
  KeepLargeBlocksMapped();
  std::array<uint8_t, kSaltBytes> salt{};
  if (getrandom(salt.data(), salt.size(), 0) != static_cast<ssize_t>(salt.size())) return {};
  std::string encoded(argon2_encodedlen(kArgon2Passes, kArgon2Memory_KiB, 1, kSaltBytes, kHashBytes, Argon2_id), '\0');
  if (argon2id_hash_encoded(kArgon2Passes, kArgon2Memory_KiB, 1, password.data(), password.size(), salt.data(),
                            salt.size(), kHashBytes, encoded.data(), encoded.size()) != ARGON2_OK) {
    return {};
  }
  encoded.resize(encoded.find('\0'));
  return encoded;
}

std::string CheckPasswordHash(std::string_view encoded) {
  constexpr std::string_view kAdvice = "; make one with `vesta passwd`";
  const std::string text(encoded.substr(0, 512));
  uint32_t memory = 0;
  uint32_t passes = 0;
  uint32_t lanes = 0;
  int rest = 0;
  if (std::sscanf(text.c_str(), "$argon2id$v=19$m=%9u,t=%9u,p=%9u$%n", &memory, &passes, &lanes, &rest) != 3 ||
      rest == 0) {
    return fmt::format("it is not an argon2id hash{}", kAdvice);
  }
  if (memory > kArgon2Memory_KiB || passes > kMaxArgon2Passes || lanes != 1) {
    return fmt::format("it asks for more than {} MiB, {} passes and 1 lane{}", kArgon2Memory_KiB / 1024,
                       kMaxArgon2Passes, kAdvice);
  }
  const std::string_view tail = std::string_view(text).substr(static_cast<size_t>(rest));
  const size_t mark = tail.find('$');
  if (mark < kMinSaltText || mark == std::string_view::npos || tail.size() - mark - 1 < kMinHashText ||
      tail.find_first_not_of(kBase64, mark + 1) != std::string_view::npos || tail.find_first_not_of(kBase64) != mark) {
    return fmt::format("it is cut or damaged{}", kAdvice);
  }
  return {};
}

bool VerifyPassword(const std::string& encoded, std::string_view password) {
  if (password.empty() || password.size() > kMaxPasswordBytes) return false;
  KeepLargeBlocksMapped();
  return argon2id_verify(encoded.c_str(), password.data(), password.size()) == ARGON2_OK;
}

class PasswordChecker::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(boost::asio::io_context& io, std::string encoded) : io_(io), encoded_(std::move(encoded)) {}

  bool Check(std::string password, std::function<void(bool)> done) {
    if (waiting_.size() >= kMaxWaitingPasswords) return false;
    waiting_.push_back({std::move(password), std::move(done)});
    if (!running_) Next();
    return true;
  }

  void Stop() {
    stopped_ = true;
    waiting_.clear();
    if (thread_.joinable()) thread_.join();
  }

 private:
  struct Job {
    std::string password;
    std::function<void(bool)> done;
  };

  void Next() {
    Job job = std::move(waiting_.front());
    waiting_.pop_front();
    running_ = true;
    thread_ = std::thread([self = shared_from_this(), job = std::move(job)]() mutable {
      const bool right = VerifyPassword(self->encoded_, job.password);
      explicit_bzero(job.password.data(), job.password.size());
      PostToMain(self->io_, [self, right, done = std::move(job.done)] { self->Finished(right, done); });
    });
  }

  void Finished(bool right, const std::function<void(bool)>& done) {
    if (stopped_) return;
    thread_.join();
    running_ = false;
    if (!waiting_.empty()) Next();
    done(right);
  }

  boost::asio::io_context& io_;
  const std::string encoded_;
  std::deque<Job> waiting_;
  std::thread thread_;
  bool running_ = false;
  bool stopped_ = false;
};

PasswordChecker::PasswordChecker(boost::asio::io_context& io, std::string encoded)
    : impl_(std::make_shared<Impl>(io, std::move(encoded))) {}

PasswordChecker::~PasswordChecker() { impl_->Stop(); }

bool PasswordChecker::Check(std::string password, std::function<void(bool)> done) {
  return impl_->Check(std::move(password), std::move(done));
}

}  // namespace vesta::hub
