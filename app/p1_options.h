// How the bytes of a P1 port are to be understood, as commands are told it: the same settings as a source's `p1` part
// in the configuration.
#pragma once

#include <string>
#include <vector>

namespace vesta::app {

struct P1CommandOptions {
  std::string zone = "Europe/Amsterdam";
  std::string tariff_rule = "nl";
  std::string offset_rule = "letter";
  std::string crc = "arc";
  std::vector<std::string> repairs;  // "missing-crc", "bit7", "line-ends", "end-mark"
  std::string key;                   // 32 hex digits
  std::string key_file;
  std::string key_env;  // name of an environment variable
  std::string authentication_key;
  std::string authentication_key_file;
  std::string authentication_key_env;
  bool ignore_tag = false;
};

}  // namespace vesta::app
