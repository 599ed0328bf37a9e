// vesta replay: sends a capture file's frames to a terminal or a TCP port as they once came.
#pragma once

#include <string>

namespace vesta::app {

struct ReplayOptions {
  std::string file;
  std::string to;    // "pty:PATH", "tcp:ADDRESS:PORT" or "tcp:PORT" on loopback
  double speed = 1;  // 0 = as fast as the reader takes it
  bool repeat = false;
};

int RunReplay(const ReplayOptions& options);

}  // namespace vesta::app
