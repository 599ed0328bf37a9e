// vesta check: every problem of a configuration file with its place, what is wrong and what is allowed.
#pragma once

#include <string>

namespace vesta::app {

struct CheckOptions {
  std::string file = "/etc/vesta/vesta.json";
  bool json = false;
  bool strict = false;  // warnings count as problems
};

// kExitOk: the hub would start with all of it. kExitProblems: something is wrong.
int RunCheck(const CheckOptions& options);

}  // namespace vesta::app
