#include "hub/config/check.h"

#include <fmt/format.h>
#include <regex.h>

#include <map>
#include <nlohmann/json.hpp>

#include "hub/config/schema.h"
#include "hub/config/suggest.h"

namespace vesta::hub {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMaxShown = 60;  // bytes of a value that a message repeats

std::string Shown(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, kMaxShown)) {
    const bool plain = static_cast<uint8_t>(c) >= ' ' && c != '\x7f' && static_cast<uint8_t>(c) < 0x80;
    out += plain ? c : '?';
  }
  return out + (text.size() > kMaxShown ? "...\"" : "\"");
}

std::string_view KindWords(JsonNode::Kind kind) {
  switch (kind) {
    case JsonNode::Kind::kNull:
      return "null";
    case JsonNode::Kind::kBoolean:
      return "true or false";
    case JsonNode::Kind::kInteger:
      return "a whole number";
    case JsonNode::Kind::kNumber:
      return "a number with a point";
    case JsonNode::Kind::kText:
      return "a text";
    case JsonNode::Kind::kArray:
      return "a list";
    case JsonNode::Kind::kObject:
      return "an object";
  }
  return "";
}

bool HasType(const JsonNode& node, std::string_view type) {
  switch (node.kind) {
    case JsonNode::Kind::kNull:
      return false;
    case JsonNode::Kind::kBoolean:
      return type == "boolean";
    case JsonNode::Kind::kInteger:
      return type == "integer" || type == "number";
    case JsonNode::Kind::kNumber:
      return type == "number";
    case JsonNode::Kind::kText:
      return type == "string";
    case JsonNode::Kind::kArray:
      return type == "array";
    case JsonNode::Kind::kObject:
      return type == "object";
  }
  return false;
}

bool Equals(const JsonNode& node, const Json& value) {
  if (value.is_string()) return node.is_text() && node.text == value.get_ref<const std::string&>();
  if (value.is_number()) return node.kind == JsonNode::Kind::kInteger && node.number == value.get<double>();
  return false;  // the schema has no other kinds in an enum
}

size_t Characters(std::string_view text) {
  size_t count = 0;
  for (const char c : text) count += (static_cast<uint8_t>(c) & 0xC0) != 0x80;
  return count;
}

// The pattern as a POSIX extended expression, which all of the schema's are. Short texts only: maxLength was checked.
bool MatchesPattern(const std::string& text, const std::string& pattern) {
  regex_t expression;
  if (regcomp(&expression, pattern.c_str(), REG_EXTENDED | REG_NOSUB) != 0) return false;
  const bool matches = regexec(&expression, text.c_str(), 0, nullptr, 0) == 0;
  regfree(&expression);
  return matches;
}

JsonNode FromDefault(const Json& value) {
  JsonNode node;
  if (value.is_boolean()) {
    node.kind = JsonNode::Kind::kBoolean;
    node.boolean = value.get<bool>();
  } else if (value.is_number()) {
    node.kind = value.is_number_float() ? JsonNode::Kind::kNumber : JsonNode::Kind::kInteger;
    node.number = value.get<double>();
  } else if (value.is_string()) {
    node.kind = JsonNode::Kind::kText;
    node.text = value.get<std::string>();
  } else {
    node.kind = value.is_array() ? JsonNode::Kind::kArray : JsonNode::Kind::kObject;
  }
  return node;
}

const Json* FindDefault(const Json& schema) {
  if (schema.contains("default")) return &schema["default"];
  const Json& definition = ResolveSchema(schema);
  return definition.contains("default") ? &definition["default"] : nullptr;
}

class Checker {
 public:
  explicit Checker(ProblemList* problems) : problems_(problems) {}

  void Check(const Json& schema_or_ref, JsonNode* node, const std::string& path) {
    const Json& schema = ResolveSchema(schema_or_ref);
    const bool secret = schema.value("x-secret", false);
    if (schema.contains("type") && !HasType(*node, schema["type"].get_ref<const std::string&>())) {
      return Report(*node, path, fmt::format("this is {}", KindWords(node->kind)), DescribeAllowed(schema));
    }
    if (schema.contains("enum")) return CheckEnum(schema, *node, path);
    // Only the `type` by which the variant was chosen.
    if (schema.contains("const")) return;
    if (node->is_text()) CheckText(schema, *node, path, secret);
    if (node->kind == JsonNode::Kind::kInteger || node->kind == JsonNode::Kind::kNumber) {
      CheckNumber(schema, *node, path);
    }
    if (node->is_array()) CheckArray(schema, node, path);
    if (node->is_object()) CheckObject(schema, node, path);
  }

 private:
  void Report(const JsonNode& at, const std::string& path, std::string what, std::string allowed,
              std::string suggestion = {}) {
    Report(at.line, at.column, path, std::move(what), std::move(allowed), std::move(suggestion));
  }

  void Report(int line, int column, const std::string& path, std::string what, std::string allowed,
              std::string suggestion) {
    ConfigProblem problem;
    problem.line = line;
    problem.column = column;
    problem.path = path;
    problem.what = std::move(what);
    problem.allowed = std::move(allowed);
    problem.suggestion = std::move(suggestion);
    problems_->Add(std::move(problem));
  }

  void CheckEnum(const Json& schema, const JsonNode& node, const std::string& path) {
    std::vector<std::string> candidates;
    for (const Json& value : schema["enum"]) {
      if (Equals(node, value)) return;
      candidates.push_back(value.is_string() ? value.get<std::string>() : value.dump());
    }
    std::string shown = fmt::format("{}", KindWords(node.kind));
    std::string word;
    if (node.is_text()) {
      shown = Shown(node.text);
      word = node.text;
    } else if (node.kind == JsonNode::Kind::kInteger) {
      shown = word = fmt::format("{:.0f}", node.number);
    }
    // The right word as the wrong kind: 115200 as a text.
    Report(node, path, fmt::format("{} is not one of the allowed values", shown), DescribeAllowed(schema),
           Suggest(word, candidates));
  }

  void CheckText(const Json& schema, const JsonNode& node, const std::string& path, bool secret) {
    const std::string shown = secret ? "this text" : Shown(node.text);
    const size_t length = Characters(node.text);
    if (node.text.find('\0') != std::string::npos) {
      return Report(node, path, "this text holds a character with the code 0", DescribeAllowed(schema));
    }
    if (length > schema.value("maxLength", SIZE_MAX)) {
      return Report(node, path, fmt::format("{} has {} characters", secret ? "this text" : "this", length),
                    DescribeAllowed(schema));
    }
    if (length < schema.value("minLength", size_t{0})) {
      return Report(node, path, length == 0 ? "this text is empty" : fmt::format("{} has {} characters", shown, length),
                    DescribeAllowed(schema));
    }
    if (schema.contains("pattern") && !MatchesPattern(node.text, schema["pattern"])) {
      Report(node, path, fmt::format("{} has not the right form", shown), DescribeAllowed(schema));
    }
  }

  void CheckNumber(const Json& schema, const JsonNode& node, const std::string& path) {
    const bool too_small = schema.contains("minimum") && node.number < schema["minimum"].get<double>();
    const bool too_large = schema.contains("maximum") && node.number > schema["maximum"].get<double>();
    if (!too_small && !too_large) return;
    Report(node, path, fmt::format("{:.15g} is too {}", node.number, too_small ? "small" : "large"),
           DescribeAllowed(schema));
  }

  void CheckArray(const Json& schema, JsonNode* node, const std::string& path) {
    const size_t most = schema.value("maxItems", SIZE_MAX);
    if (node->items.size() > most) {
      Report(node->items[most], path, fmt::format("{} entries", node->items.size()), DescribeAllowed(schema));
      node->items.resize(most);
    }
    for (size_t i = 0; i < node->items.size(); ++i) {
      Check(schema["items"], &node->items[i], fmt::format("{}[{}]", path, i));
    }
  }

  void CheckObject(const Json& schema, JsonNode* node, const std::string& path) {
    if (schema.contains("allOf")) return CheckVariant(schema, node, path);
    const Json& properties = schema["properties"];
    std::map<std::string, int> first_line;
    std::vector<std::string> candidates;
    for (const auto& [key, unused] : properties.items()) candidates.push_back(key);
    for (JsonMember& member : node->members) {
      const std::string member_path = path.empty() ? member.key : path + "." + member.key;
      const auto [first, is_new] = first_line.emplace(member.key, member.line);
      if (!is_new) {
        Report(member.line, member.column,
               properties.contains(member.key) ? member_path
               : path.empty()                  ? Shown(member.key)
                                               : path,
               fmt::format("the key {} stands here again, first in line {}", Shown(member.key), first->second),
               "each key once", "");
      } else if (properties.contains(member.key)) {
        Check(properties[member.key], &member.value, member_path);
      } else {
        ReportUnknown(member, path, candidates);
      }
    }
    for (const Json& key : schema.value("required", Json::array())) {
      if (first_line.contains(key.get<std::string>())) continue;
      const std::string& name = key.get_ref<const std::string&>();
      Report(*node, path.empty() ? name : path + "." + name, fmt::format("\"{}\" is missing", name),
             DescribeAllowed(properties[name]));
    }
    for (const auto& [key, property] : properties.items()) {
      const Json* value = FindDefault(property);
      if (first_line.contains(key) || value == nullptr) continue;
      JsonMember& member = node->members.emplace_back();
      member.key = key;
      member.value = FromDefault(*value);
      // Its own keys have defaults too.
      Check(property, &member.value, path.empty() ? key : path + "." + key);
    }
  }

  void ReportUnknown(const JsonMember& member, const std::string& path, const std::vector<std::string>& candidates) {
    std::string allowed;
    for (const std::string& key : candidates) allowed += (allowed.empty() ? "" : ", ") + key;
    Report(member.line, member.column, path.empty() ? Shown(member.key) : path,
           fmt::format("unknown key {}", Shown(member.key)), allowed, Suggest(member.key, candidates));
  }

  // First the type, then all the rest by the variant that it chooses.
  void CheckVariant(const Json& schema, JsonNode* node, const std::string& path) {
    JsonNode* type = node->Find("type");
    const Json& type_schema = schema["properties"]["type"];
    if (type == nullptr) return Report(*node, path + ".type", "\"type\" is missing", DescribeAllowed(type_schema));
    const Json* variant = type->is_text() ? FindVariant(schema, type->text) : nullptr;
    if (variant == nullptr) return Check(type_schema, type, path + ".type");
    Check(*variant, node, path);
  }

  ProblemList* problems_;
};

}  // namespace

void CheckAndComplete(JsonNode* root, ProblemList* problems) { Checker(problems).Check(Schema(), root, ""); }

}  // namespace vesta::hub
