#include "formats/mqtt_topic.h"

#include <cstdint>
#include <cstring>

namespace vesta {
namespace {

constexpr size_t kHashSize = 9;  // '_' and 8 hex digits

bool IsLevelByte(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; }

// FNV-1a, 32 bits: names are not secrets, they must only not meet by accident.
uint32_t Hash(std::string_view text) {
  uint32_t hash = 2166136261u;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
  return hash;
}

}  // namespace

Topic::Topic(std::initializer_list<std::string_view> levels) {
  for (const std::string_view level : levels) {
    const size_t separator = size_ == 0 ? 0 : 1;
    if (size_ + separator + level.size() >= kTopicSize) {
      size_ = 0;
      text_[0] = '\0';
      return;
    }
    if (separator != 0) text_[size_++] = '/';
    std::memcpy(text_ + size_, level.data(), level.size());
    size_ += level.size();
  }
}

size_t CleanTopicLevel(std::string_view text, char* out) {
  bool lossless = !text.empty() && text.size() <= kTopicLevelSize;
  for (const char c : text) lossless = lossless && IsLevelByte(c);
  if (lossless) {
    std::memcpy(out, text.data(), text.size());
    return text.size();
  }
  size_t size = 0;
  for (const char c : text) {
    if (size == kTopicLevelSize - kHashSize) break;
    const char lower = (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
    out[size++] = IsLevelByte(lower) ? lower : '_';
  }
  out[size++] = '_';
  const uint32_t hash = Hash(text);
  for (int shift = 28; shift >= 0; shift -= 4) out[size++] = "0123456789abcdef"[(hash >> shift) & 0xF];
  return size;
}

size_t CleanTopicBase(std::string_view text, char* out, size_t capacity) {
  size_t size = 0;
  for (const char c : text) {
    if (c == '/' && (size == 0 || out[size - 1] == '/')) continue;
    if (size == capacity) break;
    const bool keep = IsLevelByte(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '/';
    out[size++] = keep ? c : '_';
  }
  while (size > 0 && out[size - 1] == '/') --size;
  if (size == 0) {
    constexpr std::string_view kDefault = "vesta";
    size = kDefault.size() < capacity ? kDefault.size() : capacity;
    std::memcpy(out, kDefault.data(), size);
  }
  return size;
}

}  // namespace vesta
