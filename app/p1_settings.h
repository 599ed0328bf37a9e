// From the options of a command to the settings of a source, with the keys fetched from where they are kept.
#pragma once

#include <optional>
#include <string>

#include "app/p1_options.h"
#include "hub/config/config.h"

namespace vesta::app {

// Empty: `error` says which option is wrong and what is allowed. It never repeats a key.
std::optional<hub::P1Config> MakeP1Config(const P1CommandOptions& options, std::string* error);

}  // namespace vesta::app
