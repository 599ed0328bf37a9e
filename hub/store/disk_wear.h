// What the file system under the store adds to each commit, as far as its kind tells.
//
// A write moves the file's time stamps, and a file system with a journal of its own writes them down a few seconds
// later, whatever the program does: on ext4 three of its blocks a commit, beside the one that the store writes
// (docs/history.md has the figures). How the file system was made and mounted decides, so people are told.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vesta::hub {

struct StoreDisk {
  std::string type;  // "ext4"
  uint64_t block_bytes = 0;
  int64_t journal_s = 0;  // its journal is written so often; 0: not known
};

// Of the file or folder; nothing when the system does not say.
std::optional<StoreDisk> DiskOf(const std::string& path);
// The same from the text of /proc/self/mountinfo, for the device "major:minor".
std::optional<StoreDisk> DiskInMounts(std::string_view mounts, std::string_view device, uint64_t block_bytes);

// What to do to spare the disk, for people; "" where nothing is known that helps.
std::string SpareDiskAdvice(const StoreDisk& disk);

}  // namespace vesta::hub
