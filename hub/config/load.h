// Reads a configuration: JSON with comments in, plain structs and every problem at once out.
//
// Nothing here throws, opens a port or writes. A configuration with one wrong part still starts what is right:
//   - a wrong entry of sources, outputs or devices is left out;
//   - a wrong http part switches the page and the API off (never half protected), readings are still kept;
//   - an unknown key at the top is named and ignored;
//   - a text that is not JSON, or a wrong hub or storage part, stops: usable is false. Ids and folders are not guessed.
// `off` says each of these in words. Whoever wants none of it (--strict) refuses when `problems` is not empty.
//
// Secrets: each may stand in the text (NAME), in a file (NAME_file) or in the environment (NAME_env). No problem ever
// repeats one. Relative file names are relative to `base_dir`, the folder of the configuration file.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/config/config.h"
#include "hub/config/problem.h"

namespace vesta::hub {

// A secret's file holds one line; more is another file.
inline constexpr size_t kMaxSecretBytes = 4096;

struct LoadedConfig {
  Config config;  // what is right; holds no part that is off
  std::vector<ConfigProblem> problems;
  std::vector<std::string> off;  // "sources[1] (meter): left out"
  bool usable = true;            // false: do not start
};

using EnvironmentLookup = std::function<std::optional<std::string>(const std::string& name)>;

// The process's own environment.
std::optional<std::string> ReadEnvironment(const std::string& name);

LoadedConfig LoadConfig(std::string_view text, const std::string& base_dir,
                        const EnvironmentLookup& environment = ReadEnvironment);

// A file that cannot be read is a problem too.
LoadedConfig LoadConfigFile(const std::string& path);

}  // namespace vesta::hub
