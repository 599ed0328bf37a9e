#include "app/whole_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace vesta::app {
namespace {

bool WriteAndSync(int fd, const std::string& content) {
  size_t done = 0;
  while (done < content.size()) {
    const ssize_t wrote = write(fd, content.data() + done, content.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    done += static_cast<size_t>(wrote);
  }
  return fsync(fd) == 0;
}

}  // namespace

std::optional<std::string> ReadWholeFile(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error || size > kMaxWholeFile) return std::nullopt;
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

tl::expected<void, std::string> ReplaceFile(const std::string& path, const std::string& content) {
  const std::string fresh = path + ".new";
  const auto failed = [&](const char* what) {
    return tl::unexpected(fmt::format("{} {}: {}", what, fresh, std::strerror(errno)));
  };
  const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return failed("can't write");
  const bool written = WriteAndSync(fd, content);
  const int error = errno;
  close(fd);
  errno = error;
  if (!written) return failed("can't write");
  if (std::rename(fresh.c_str(), path.c_str()) != 0) return failed("can't rename");
  // The new name is on disk when the folder is.
  const int folder = open(std::filesystem::path(path).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    fsync(folder);
    close(folder);
  }
  return {};
}

}  // namespace vesta::app
