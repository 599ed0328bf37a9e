// vesta decode: bytes in, readings out, with the reason for everything that is not believed.
#pragma once

#include <string>

#include "app/p1_options.h"

namespace vesta::app {

struct DecodeOptions {
  std::string file = "-";  // "-" = standard input
  std::string protocol = "p1";
  std::string input = "auto";  // "auto", "raw", "hex", "capture"
  bool json = false;
  P1CommandOptions p1;
};

// kExitOk: at least one frame was understood. kExitProblems: none was.
int RunDecode(const DecodeOptions& options);

}  // namespace vesta::app
