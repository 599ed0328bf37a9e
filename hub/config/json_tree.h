// A JSON text as a tree that knows where each value stands, for messages with line and column.
//
// Comments (// and /* */) are allowed, trailing commas are not. Errors are values: a text that is not JSON gives one
// problem that says where and why. Texts from the file are never repeated in a message, they may be secrets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hub/config/problem.h"

namespace vesta::hub {

// A configuration is written by hand; more than this is something else.
inline constexpr size_t kMaxConfigBytes = 1024 * 1024;
// The schema itself is 5 deep.
inline constexpr size_t kMaxConfigDepth = 32;

struct JsonMember;

struct JsonNode {
  enum class Kind : uint8_t { kNull, kBoolean, kInteger, kNumber, kText, kArray, kObject };
  Kind kind = Kind::kNull;
  bool boolean = false;
  double number = 0;  // of an integer too
  std::string text;
  std::vector<JsonNode> items;      // of an array
  std::vector<JsonMember> members;  // of an object, in order, possibly with duplicates
  int line = 0;                     // from 1; 0 = filled in from a default
  int column = 0;                   // from 1, in characters

  bool is_object() const { return kind == Kind::kObject; }
  bool is_array() const { return kind == Kind::kArray; }
  bool is_text() const { return kind == Kind::kText; }

  // The first member of that name, or null.
  const JsonNode* Find(std::string_view key) const;
  JsonNode* Find(std::string_view key);
};

struct JsonMember {
  std::string key;
  int line = 0;  // of the key
  int column = 0;
  JsonNode value;
};

// Fills `root` and returns true, or adds a problem and returns false.
bool ParseJsonTree(std::string_view text, JsonNode* root, ProblemList* problems);

}  // namespace vesta::hub
