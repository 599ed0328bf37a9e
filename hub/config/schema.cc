#include "hub/config/schema.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "hub/config/schema_text.h"

namespace vesta::hub {
namespace {

using Json = nlohmann::ordered_json;

std::string Plain(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

std::string Joined(const Json& list) {
  std::string text;
  for (const Json& value : list) {
    if (!text.empty()) text += ", ";
    text += Plain(value);
  }
  return text;
}

std::string Range(const Json& schema, std::string_view noun) {
  const bool from = schema.contains("minimum");
  const bool to = schema.contains("maximum");
  if (from && to) return fmt::format("{} from {} to {}", noun, Plain(schema["minimum"]), Plain(schema["maximum"]));
  if (from) return fmt::format("{} from {}", noun, Plain(schema["minimum"]));
  if (to) return fmt::format("{} up to {}", noun, Plain(schema["maximum"]));
  return std::string(noun);
}

std::string LengthRange(const Json& schema) {
  const size_t from = schema.value("minLength", size_t{0});
  const size_t to = schema.value("maxLength", size_t{0});
  if (to == 0) return "a text";
  if (from == 0) return fmt::format("a text of at most {} characters", to);
  if (from == to) return fmt::format("a text of {} characters", to);
  return fmt::format("a text of {} to {} characters", from, to);
}

// What beside a "$ref" wins over the definition.
Json Annotation(const Json& schema, const char* word) {
  if (schema.contains(word)) return schema[word];
  const Json& definition = ResolveSchema(schema);
  return definition.contains(word) ? definition[word] : Json();
}

std::string Cell(std::string text) {
  for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.replace(at, 1, "\\|");
  return text;
}

std::string DefaultCell(const Json& schema, bool required) {
  if (required) return "required";
  const Json value = Annotation(schema, "default");
  if (value.is_null() || value.is_object()) return "";
  if (value.is_string() && value.get_ref<const std::string&>().empty()) return "empty";
  return fmt::format("`{}`", value.dump());
}

class Describer {
 public:
  std::string Describe() {
    const Json& root = Schema();
    for (const auto& [key, schema] : root["properties"].items()) {
      if (key.front() == '$') continue;
      Section(key, schema);
    }
    return std::move(text_);
  }

 private:
  void Section(const std::string& path, const Json& schema) {
    const Json& definition = ResolveSchema(schema);
    if (definition.contains("items")) {
      const Json& item = ResolveSchema(definition["items"]);
      if (!item.contains("allOf")) return Object(path + "[]", item);
      text_ += fmt::format("## `{}[]`\n\n{}", path, item["description"].get<std::string>());
      text_ +=
          fmt::format(" Its `type` says which: {}.\n\n", Joined(ResolveSchema(item)["properties"]["type"]["enum"]));
      for (const Json& type : item["properties"]["type"]["enum"]) {
        Object(fmt::format("{}[] with type {}", path, type.get<std::string>()),
               *FindVariant(item, type.get<std::string>()));
      }
      return;
    }
    Object(path, definition);
  }

  void Object(const std::string& path, const Json& definition) {
    text_ += fmt::format("## `{}`\n\n{}\n\n", path, definition["description"].get<std::string>());
    text_ += "| key | allowed | default | meaning |\n|---|---|---|---|\n";
    std::vector<std::pair<std::string, const Json*>> inner;
    const Json required = definition.value("required", Json::array());
    for (const auto& [key, schema] : definition["properties"].items()) {
      const Json& property = ResolveSchema(schema);
      const bool is_required = std::find(required.begin(), required.end(), key) != required.end();
      std::string allowed = DescribeAllowed(schema);
      if (property.contains("properties")) {
        allowed = fmt::format("see `{}`", key);
        inner.emplace_back(key, &property);
      } else if (property.contains("items") && ResolveSchema(property["items"]).contains("properties")) {
        allowed = fmt::format("a list, see `{}[]`", key);
        inner.emplace_back(key + "[]", &ResolveSchema(property["items"]));
      }
      text_ += fmt::format("| `{}` | {} | {} | {} |\n", key, Cell(allowed), DefaultCell(schema, is_required),
                           Cell(Annotation(schema, "description").get<std::string>()));
    }
    text_ += "\n";
    for (const auto& [key, property] : inner) {
      if (std::find(seen_.begin(), seen_.end(), property) != seen_.end()) continue;
      seen_.push_back(property);
      Object(key, *property);
    }
  }

  std::string text_;
  std::vector<const Json*> seen_;
};

}  // namespace

std::string_view SchemaText() { return {kSchemaText, sizeof kSchemaText - 1}; }

const Json& Schema() {
  static const Json schema = Json::parse(SchemaText());
  return schema;
}

const Json& ResolveSchema(const Json& schema) {
  constexpr std::string_view kPrefix = "#/definitions/";
  if (!schema.contains("$ref")) return schema;
  return Schema()["definitions"][schema["$ref"].get_ref<const std::string&>().substr(kPrefix.size())];
}

const Json* FindVariant(const Json& schema, std::string_view type) {
  if (!schema.contains("allOf")) return nullptr;
  for (const Json& branch : schema["allOf"]) {
    if (branch["if"]["properties"]["type"]["const"] == type) return &ResolveSchema(branch["then"]);
  }
  return nullptr;
}

std::string DescribeAllowed(const Json& schema) {
  const Json& definition = ResolveSchema(schema);
  if (definition.contains("x-allowed")) return definition["x-allowed"];
  if (definition.contains("const")) return Plain(definition["const"]);
  if (definition.contains("enum")) return Joined(definition["enum"]);
  const std::string type = definition.value("type", "");
  if (type == "integer") return Range(definition, "a whole number");
  if (type == "number") return Range(definition, "a number");
  if (type == "boolean") return "true or false";
  if (type == "string") return LengthRange(definition);
  if (type == "array") {
    std::string text = fmt::format("a list of at most {}", definition["maxItems"].get<int>());
    if (!ResolveSchema(definition["items"]).contains("properties")) {
      text += fmt::format(", each {}", DescribeAllowed(definition["items"]));
    }
    return text;
  }
  return type == "object" ? "an object in { and }" : "";
}

std::string DescribeConfigMarkdown() { return Describer().Describe(); }

}  // namespace vesta::hub
