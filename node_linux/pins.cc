#include "node_linux/pins.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "node/functions/ds18b20.h"
#include "node_linux/files.h"

namespace vesta::node_linux {

namespace {

namespace fs = std::filesystem;

// The kernel's files are written in place.
bool Put(const std::string& path, const std::string& text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC | O_TRUNC);
  if (fd < 0) return false;
  const bool is_good = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(fd);
  return is_good;
}

bool DotAt(const node::DisplayDots& dots, int x, int y) {
  return (dots[static_cast<size_t>(y / 8 * node::kDisplayWidth + x)] >> (y % 8) & 1) != 0;
}

}  // namespace

std::string SysfsPins::FileOf(int pin, const char* name) const {
  return folder_ + "/gpio" + std::to_string(pin) + "/" + name;
}

bool SysfsPins::Configure(int pin, Mode mode) {
  std::error_code error;
  if (!fs::exists(FileOf(pin, "direction"), error)) Put(folder_ + "/export", std::to_string(pin));
  // "low" sets the direction and the level at once; an output that is an output already keeps its level.
  if (mode != Mode::kOutput) return Put(FileOf(pin, "direction"), "in");
  const std::string now = ReadFile(FileOf(pin, "direction")).value_or("");
  return now.rfind("out", 0) == 0 || Put(FileOf(pin, "direction"), "out");
}

void SysfsPins::Write(int pin, bool level) { Put(FileOf(pin, "value"), level ? "1" : "0"); }

bool SysfsPins::Read(int pin) { return ReadFile(FileOf(pin, "value")).value_or("").rfind("1", 0) == 0; }

bool SysfsPins::Watch(int pin) {
  watched_[pin] = Read(pin);
  return true;
}

bool SysfsPins::NextEdge(int pin, node::Edge* out) {
  const bool level = Read(pin);
  const auto found = watched_.find(pin);
  if (found == watched_.end() || found->second == level) return false;
  found->second = level;
  *out = {now_us_, level};
  return true;
}

std::span<const node::SensorId> KernelOneWire::Sensors(int /*pin*/) {
  sensors_.clear();
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    // Family, then six bytes, the highest first: the other way round than on the wire.
    const std::string name = entry.path().filename().string();
    if (name.size() != 15 || name[2] != '-') continue;
    node::SensorId id = {};
    unsigned value = 0;
    if (std::sscanf(name.c_str(), "%2x", &value) != 1) continue;
    id[0] = static_cast<uint8_t>(value);
    bool is_good = true;
    for (size_t i = 0; i < 6; ++i) {
      is_good = is_good && std::sscanf(name.c_str() + 3 + 2 * i, "%2x", &value) == 1;
      id[6 - i] = static_cast<uint8_t>(value);
    }
    id[7] = node::OneWireChecksum(std::span(id).first(7));
    if (is_good) sensors_.push_back(id);
  }
  return sensors_;
}

bool KernelOneWire::Read(const node::SensorId& id, node::Scratchpad* out) {
  char name[16];
  std::snprintf(name, sizeof(name), "%02x-%02x%02x%02x%02x%02x%02x", id[0], id[6], id[5], id[4], id[3], id[2], id[1]);
  const std::optional<std::string> text = ReadFile(folder_ + "/" + name + "/w1_slave");
  if (!text) return false;
  const char* p = text->c_str();
  for (uint8_t& b : *out) {
    unsigned value = 0;
    int used = 0;
    if (std::sscanf(p, "%2x%n", &value, &used) != 1) return false;
    b = static_cast<uint8_t>(value);
    p += used;
  }
  return true;
}

std::string DotsAsText(const node::DisplayDots& dots) {
  constexpr const char* kBlocks[] = {" ", "\xE2\x96\x80", "\xE2\x96\x84", "\xE2\x96\x88"};
  std::string text;
  for (int y = 0; y < node::kDisplayHeight; y += 2) {
    for (int x = 0; x < node::kDisplayWidth; ++x) {
      text += kBlocks[(DotAt(dots, x, y) ? 1 : 0) + (DotAt(dots, x, y + 1) ? 2 : 0)];
    }
    text += "\n";
  }
  return text;
}

bool DisplayFile::Show(const node::DisplayDots& dots) {
  if (is_written_ && dots == last_) return true;
  std::string text;
  if (path_.size() > 4 && path_.compare(path_.size() - 4, 4, ".pbm") == 0) {
    text = "P4\n128 64\n";
    for (int y = 0; y < node::kDisplayHeight; ++y) {
      for (int x = 0; x < node::kDisplayWidth; x += 8) {
        unsigned byte = 0;
        for (int bit = 0; bit < 8; ++bit) byte = byte << 1 | (DotAt(dots, x + bit, y) ? 1u : 0u);
        text += static_cast<char>(byte);
      }
    }
  } else {
    text = DotsAsText(dots);
  }
  const std::string beside = path_ + ".new";
  // Not through WriteFile: a picture of this second need not survive the power.
  const int fd = open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return false;
  is_written_ = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(fd);
  is_written_ = is_written_ && std::rename(beside.c_str(), path_.c_str()) == 0;
  last_ = dots;
  return is_written_;
}

}  // namespace vesta::node_linux
