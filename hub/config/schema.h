// The JSON Schema (draft-07) of the configuration: the only truth about its names, types, ranges, defaults and texts.
//
// It travels inside the program: editors get it by SchemaText(), docs/configuration.md by DescribeConfigMarkdown().
// Beside the standard words it uses two of its own, which other validators ignore: "x-allowed" says in words what a
// pattern means, "x-secret" marks a value that no message may repeat. "description" and "default" may stand beside a
// "$ref" and win over those of the definition.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace vesta::hub {

std::string_view SchemaText();

// The same, parsed once.
const nlohmann::ordered_json& Schema();

// Follows "$ref" to its definition; a schema without one is its own.
const nlohmann::ordered_json& ResolveSchema(const nlohmann::ordered_json& schema);

// The branch of an if/then that the object's `type` chooses, or null: how variants are written in this schema.
const nlohmann::ordered_json* FindVariant(const nlohmann::ordered_json& schema, std::string_view type);

// "a whole number from 1 to 65535", "one of 8N1, 7E1, 8E1, 7N1", ... "" when there is nothing to say.
std::string DescribeAllowed(const nlohmann::ordered_json& schema);

// The reference part of docs/configuration.md: one table for each object and variant.
std::string DescribeConfigMarkdown();

}  // namespace vesta::hub
