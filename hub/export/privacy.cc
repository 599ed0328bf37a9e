#include "hub/export/privacy.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace vesta::hub {
namespace {

constexpr int64_t kDay_us = 86400 * kUsPerSecond;
constexpr size_t kNameBytes = 12;

}  // namespace

std::array<uint8_t, 32> Privacy::Mac(std::string_view purpose, std::string_view text) const {
  // The zero byte keeps purpose and text apart.
  const std::string message = std::string(purpose) + '\0' + std::string(text);
  std::array<uint8_t, 32> mac{};
  unsigned int size = mac.size();
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), reinterpret_cast<const uint8_t*>(message.data()),
       message.size(), mac.data(), &size);
  return mac;
}

std::string Privacy::NameOf(std::string_view device_key) const {
  const auto mac = Mac("vesta device", device_key);
  std::string name = "d-";
  for (size_t i = 0; i < kNameBytes; ++i) name += fmt::format("{:02x}", mac[i]);
  return name;
}

int64_t Privacy::ShiftUs(std::string_view device_key) const {
  const auto mac = Mac("vesta shift", device_key);
  uint64_t number = 0;
  for (size_t i = 0; i < 8; ++i) number = number << 8 | mac[i];
  return -static_cast<int64_t>(1 + number % kMaxShiftDays) * kDay_us;
}

bool IsAnonymous(const SeriesField& field) {
  return field.kind != FieldKind::kText && field.quantity != Quantity::kIdentifier &&
         field.quantity != Quantity::kMessage && field.quantity != Quantity::kInstant;
}

tl::expected<std::string, std::string> ReadExportKey(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return tl::unexpected(fmt::format("{}: {}", path, std::strerror(errno)));
  struct stat status {};
  std::string key(kMaxExportKeyBytes + 2, '\0');
  const bool regular = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
  const ssize_t size = regular ? read(fd, key.data(), key.size()) : -1;
  close(fd);
  if (!regular) return tl::unexpected(fmt::format("{} is not an ordinary file", path));
  if (size < 0) return tl::unexpected(fmt::format("{}: {}", path, std::strerror(errno)));
  key.resize(static_cast<size_t>(size));
  while (!key.empty() && (key.back() == '\n' || key.back() == '\r')) key.pop_back();
  if (key.size() > kMaxExportKeyBytes) return tl::unexpected(fmt::format("{} is too long for a key", path));
  if (key.size() < kMinExportKeyBytes) {
    return tl::unexpected(fmt::format("the key in {} is shorter than {} bytes: `openssl rand -hex 32` makes one", path,
                                      kMinExportKeyBytes));
  }
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return tl::unexpected(fmt::format("other users may read {}: chmod 600 {}", path, path));
  }
  return key;
}

tl::expected<std::string, std::string> ReadOrMakeExportKey(const std::string& path) {
  if (access(path.c_str(), F_OK) == 0) return ReadExportKey(path);
  std::array<uint8_t, 32> random{};
  if (RAND_bytes(random.data(), random.size()) != 1) return tl::unexpected(std::string("there are no random numbers"));
  std::string text;
  for (const uint8_t byte : random) text += fmt::format("{:02x}", byte);
  text += '\n';
  // Under another name first: half a key must never stand there.
  const std::string part = path + ".part";
  const int fd = open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool written = fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       fsync(fd) == 0 && rename(part.c_str(), path.c_str()) == 0;
  const int code = errno;
  if (fd >= 0) close(fd);
  if (!written) return tl::unexpected(fmt::format("{}: {}", path, std::strerror(code)));
  return ReadExportKey(path);
}

}  // namespace vesta::hub
