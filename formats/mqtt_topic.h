// Names of MQTT topics: made from cleaned levels, in a fixed buffer.
//
// A level that Vesta makes holds only [a-z0-9_-]: no space, no '+', '#', '/', no '$' at the start, nothing that a
// broker or a receiver reads as something else. A text that loses something on the way gets a short hash of the
// original, so that two names never meet in one topic. Source of the rules: MQTT 5.0, section 4.7, and Home Assistant's
// discovery, which takes ids of [a-zA-Z0-9_-] only.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string_view>

namespace vesta {

inline constexpr size_t kTopicLevelSize = 64;
inline constexpr size_t kTopicSize = 384;  // prefix, component, unique id and suffix at their longest

// A topic, zero-terminated. Empty when it did not fit.
class Topic {
 public:
  Topic() = default;
  // The levels with '/' between them; a level may itself hold several.
  Topic(std::initializer_list<std::string_view> levels);

  std::string_view view() const { return {text_, size_}; }
  const char* c_str() const { return text_; }
  bool empty() const { return size_ == 0; }

 private:
  char text_[kTopicSize] = {};
  size_t size_ = 0;
};

// Writes at most kTopicLevelSize bytes, returns how many. Never empty: an empty text becomes its hash.
size_t CleanTopicLevel(std::string_view text, char* out);

// The root of all topics as the user wrote it, made safe: slashes at both ends and empty levels go, and any byte but
// [A-Za-z0-9_-./] becomes '_'. Capitals stay, they are the user's choice. "vesta" when nothing is left.
size_t CleanTopicBase(std::string_view text, char* out, size_t capacity);

}  // namespace vesta
