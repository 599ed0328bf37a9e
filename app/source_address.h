// A source as it is written on the command line, as the settings of an ordinary one.
#pragma once

#include <optional>
#include <string>

#include "hub/config/config.h"

namespace vesta::app {

// "serial:PATH", "tcp:HOST:PORT", "slcan:PATH" or "can:INTERFACE"; the last two speak MasterBus. Empty: `error` says
// what is wrong.
std::optional<hub::SourceConfig> ParseSource(const std::string& text, std::string* error);

}  // namespace vesta::app
