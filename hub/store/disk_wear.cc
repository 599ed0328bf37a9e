#include "hub/store/disk_wear.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include <charconv>
#include <fstream>
#include <iterator>

namespace vesta::hub {
namespace {

constexpr int64_t kExt4Journal_s = 5;  // without the option `commit`
// From here on the journal takes several commits at a time.
constexpr int64_t kSparing_s = 60;

// The next word of a line, and what is behind it.
std::string_view Word(std::string_view* line) {
  const size_t end = std::min(line->find(' '), line->size());
  const std::string_view word = line->substr(0, end);
  line->remove_prefix(std::min(end + 1, line->size()));
  return word;
}

}  // namespace

std::optional<StoreDisk> DiskInMounts(std::string_view mounts, std::string_view device, uint64_t block_bytes) {
  while (!mounts.empty()) {
    const size_t end = std::min(mounts.find('\n'), mounts.size());
    std::string_view line = mounts.substr(0, end);
    mounts.remove_prefix(std::min(end + 1, mounts.size()));
    Word(&line);
    Word(&line);
    if (Word(&line) != device) continue;
    // Optional words of any number end with a lone dash; then type, source, and options of the file system.
    while (!line.empty() && Word(&line) != "-") continue;
    StoreDisk disk;
    disk.type = Word(&line);
    disk.block_bytes = block_bytes;
    Word(&line);
    if (disk.type != "ext4") return disk;
    disk.journal_s = kExt4Journal_s;
    std::string_view options = Word(&line);
    constexpr std::string_view kCommit = "commit=";
    while (!options.empty()) {
      const size_t comma = std::min(options.find(','), options.size());
      const std::string_view option = options.substr(0, comma);
      options.remove_prefix(std::min(comma + 1, options.size()));
      if (option.substr(0, kCommit.size()) != kCommit) continue;
      std::from_chars(option.data() + kCommit.size(), option.data() + option.size(), disk.journal_s);
    }
    return disk;
  }
  return {};
}

std::optional<StoreDisk> DiskOf(const std::string& path) {
  struct stat file {};
  struct statvfs system {};
  if (stat(path.c_str(), &file) != 0 || statvfs(path.c_str(), &system) != 0) return {};
  std::ifstream in("/proc/self/mountinfo");
  const std::string mounts((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  return DiskInMounts(mounts, fmt::format("{}:{}", major(file.st_dev), minor(file.st_dev)), system.f_bsize);
}

std::string SpareDiskAdvice(const StoreDisk& disk) {
  if (disk.type != "ext4" || disk.block_bytes < 4096 || disk.journal_s >= kSparing_s) return "";
  return fmt::format(
      "ext4 with blocks of {} bytes writes its own journal after each commit, some three times as much as the commit "
      "itself. To spare an SD card, mount it with commit=60 (/etc/fstab; readings are as safe as before)",
      disk.block_bytes);
}

}  // namespace vesta::hub
