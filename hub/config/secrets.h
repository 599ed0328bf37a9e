// Fetches secrets from the text, a file or the environment, and says what is wrong without ever repeating one.
#pragma once

#include <string>
#include <utility>

#include "hub/config/json_tree.h"
#include "hub/config/load.h"

namespace vesta::hub {

class SecretReader {
 public:
  // `text_is_public`: every user may read the configuration file itself.
  SecretReader(std::string base_dir, EnvironmentLookup environment, bool text_is_public, ProblemList* problems)
      : base_dir_(std::move(base_dir)),
        environment_(std::move(environment)),
        text_is_public_(text_is_public),
        problems_(problems) {}

  // The secret `key` of an object: at most one of `key`, `key`_file and `key`_env may be there. Empty when there is
  // none or when it could not be had (then a problem was added).
  std::string Read(const JsonNode& object, const std::string& path, const std::string& key) const;

  // The same for a key of 128 bits: 32 hex digits, or a problem that says exactly what was found instead.
  std::string ReadHexKey(const JsonNode& object, const std::string& path, const std::string& key) const;

 private:
  std::string ReadSecretFile(const JsonNode& node, const std::string& path) const;
  void Report(const JsonNode& at, const std::string& path, std::string what, std::string allowed,
              bool fatal = true) const;

  std::string base_dir_;
  EnvironmentLookup environment_;
  bool text_is_public_;
  ProblemList* problems_;
};

// `name` itself when it is absolute or empty, else below the folder.
std::string ResolvePath(const std::string& base_dir, const std::string& name);

}  // namespace vesta::hub
