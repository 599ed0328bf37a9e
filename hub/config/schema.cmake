# Puts the text of schema.json into a generated header, so that the program carries its own truth.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/schema.json)
file(READ ${CMAKE_CURRENT_LIST_DIR}/schema.json VESTA_SCHEMA_JSON)
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/hub/config/schema_text.h @ONLY CONTENT
[=[// Made from hub/config/schema.json.
#pragma once

namespace vesta::hub {

inline constexpr char kSchemaText[] = R"schema(@VESTA_SCHEMA_JSON@)schema";

}  // namespace vesta::hub
]=])
