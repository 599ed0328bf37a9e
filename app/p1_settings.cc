#include "app/p1_settings.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>

#include "model/calendar.h"

namespace vesta::app {
namespace {

constexpr size_t kKeyDigits = 32;

std::string WithoutBlanks(std::string text) {
  std::erase_if(text, [](unsigned char c) { return std::isspace(c) != 0; });
  return text;
}

// One of: given in full, in a file, in the environment. False: `error` is set.
bool FetchKey(const std::string& name, const std::string& given, const std::string& file, const std::string& variable,
              std::string* key, std::string* error) {
  if (!file.empty()) {
    std::ifstream in(file);
    std::string line;
    if (!std::getline(in, line)) {
      *error = "--" + name + "-file: cannot read a line from " + file;
      return false;
    }
    *key = line;
  } else if (!variable.empty()) {
    const char* value = std::getenv(variable.c_str());
    if (value == nullptr) {
      *error = "--" + name + "-env: the environment has no " + variable;
      return false;
    }
    *key = value;
  } else {
    *key = given;
  }
  const bool wanted = !given.empty() || !file.empty() || !variable.empty();
  *key = WithoutBlanks(*key);
  if (!wanted) return true;
  const bool hex = std::all_of(key->begin(), key->end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
  if (hex && key->size() == kKeyDigits) return true;
  *error = "the " + std::string(name == "key" ? "key" : "authentication key") + " has to be " +
           std::to_string(kKeyDigits) + " hex digits; " +
           (hex ? "this one has " + std::to_string(key->size()) : "this one holds something else");
  return false;
}

bool Wants(const P1CommandOptions& options, const char* repair) {
  return std::find(options.repairs.begin(), options.repairs.end(), repair) != options.repairs.end();
}

}  // namespace

std::optional<hub::P1Config> MakeP1Config(const P1CommandOptions& options, std::string* error) {
  Zone zone;
  if (!FindZone(options.zone, &zone)) {
    *error = "--zone: " + options.zone + " is not known; a European zone such as Europe/Amsterdam, or UTC";
    return std::nullopt;
  }
  std::string key, authentication_key;
  if (!FetchKey("key", options.key, options.key_file, options.key_env, &key, error)) return std::nullopt;
  if (!FetchKey("auth-key", options.authentication_key, options.authentication_key_file, options.authentication_key_env,
                &authentication_key, error)) {
    return std::nullopt;
  }
  hub::P1Config config;
  config.zone = options.zone;
  config.tariff_rule = options.tariff_rule;
  config.offset_rule = options.offset_rule;
  config.crc = options.crc;
  config.encryption_key = hub::Secret(key);
  config.authentication_key = hub::Secret(authentication_key);
  config.check_tag = !options.ignore_tag;
  config.accept_missing_crc = Wants(options, "missing-crc");
  config.strip_bit7 = Wants(options, "bit7");
  config.repair_line_ends = Wants(options, "line-ends");
  config.lenient_end_mark = Wants(options, "end-mark");
  return config;
}

}  // namespace vesta::app
