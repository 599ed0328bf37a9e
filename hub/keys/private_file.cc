#include "hub/keys/private_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace vesta::hub {
namespace {

std::string ErrnoText(const std::string& path, const char* doing) {
  return fmt::format("{}: {}: {}", path, doing, std::strerror(errno));
}

// Closes itself.
class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = write(fd, text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return false;
    text.remove_prefix(static_cast<size_t>(size));
  }
  return true;
}

}  // namespace

tl::expected<std::string, std::string> ReadPrivateFile(const std::string& path, size_t max_bytes) {
  const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.fd() < 0) return tl::unexpected(ErrnoText(path, "cannot read the keys"));
  struct stat status {};
  if (fstat(file.fd(), &status) != 0) return tl::unexpected(ErrnoText(path, "cannot read the keys"));
  if (!S_ISREG(status.st_mode)) return tl::unexpected(fmt::format("{}: this is no file", path));
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return tl::unexpected(
        fmt::format("{}: other users may read these keys, so they are not used: `chmod 600 {}`", path, path));
  }
  std::string text;
  std::array<char, 4096> chunk{};
  while (true) {
    const ssize_t size = read(file.fd(), chunk.data(), chunk.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return tl::unexpected(ErrnoText(path, "cannot read the keys"));
    if (size == 0) return text;
    text.append(chunk.data(), static_cast<size_t>(size));
    if (text.size() > max_bytes) return tl::unexpected(fmt::format("{}: too large for a file of keys", path));
  }
}

tl::expected<void, std::string> WritePrivateFile(const std::string& path, std::string_view text) {
  const std::string fresh = path + ".new";
  unlink(fresh.c_str());  // of a write that was cut off; its permissions are not to be taken over
  {
    const File file(open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (file.fd() < 0) return tl::unexpected(ErrnoText(fresh, "cannot store the keys"));
    if (!WriteAll(file.fd(), text) || fsync(file.fd()) != 0) {
      return tl::unexpected(ErrnoText(fresh, "cannot store the keys"));
    }
  }
  if (rename(fresh.c_str(), path.c_str()) != 0) return tl::unexpected(ErrnoText(path, "cannot store the keys"));
  const size_t slash = path.rfind('/');
  const File folder(
      open(slash == std::string::npos ? "." : path.substr(0, slash + 1).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.fd() < 0 || fsync(folder.fd()) != 0) return tl::unexpected(ErrnoText(path, "cannot store the keys"));
  return {};
}

}  // namespace vesta::hub
