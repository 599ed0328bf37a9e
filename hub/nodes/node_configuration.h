// The configuration that a node is sent, made of what the network's description says of its functions: docs/nodes.md
// has the form.
//
// The hub counts the versions, whatever the operator wrote: a node takes only a version above the one that it runs.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace vesta::hub {

// What a node takes in all; the version and the name that the hub adds leave kMaxFunctionsBytes to the functions.
inline constexpr size_t kMaxNodeConfigurationBytes = 4096;

// As the operator wrote them (an object or a list of functions), in the order that a node reads them in: the type
// first.
std::string NodeFunctionsText(const nlohmann::json& functions);

// functions: of NodeFunctionsText. The name is left out when it is empty or stands there already.
std::string NodeConfigurationText(std::string_view functions, uint32_t version, std::string_view name);

}  // namespace vesta::hub
