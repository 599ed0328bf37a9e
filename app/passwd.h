// vesta passwd: makes the lines of the configuration that let people and programs in.
#pragma once

#include <string>

namespace vesta::app {

struct PasswdOptions {
  bool from_stdin = false;  // the first line of standard input, not asked for
  std::string token;        // name of a token to make instead
  std::string scope = "read";
  bool json = false;
};

int RunPasswd(const PasswdOptions& options);

}  // namespace vesta::app
