// vesta capture: writes what arrives on a port to a capture file (docs/formats/capture.md), whether it decodes or not.
#pragma once

#include <cstdint>
#include <string>

namespace vesta::app {

struct CaptureOptions {
  std::string source;     // "serial:/dev/...", "tcp:HOST:PORT"
  std::string out = "-";  // "-" = standard output
  std::string protocol = "p1";
  uint32_t baud = 0;    // 0 = what the protocol's ports use
  std::string framing;  // "" = what the protocol's ports use
  double seconds = 0;   // 0 = until interrupted or full
  uint64_t frames = 0;  // 0 = no bound
  uint64_t megabytes_max = 100;
};

int RunCapture(const CaptureOptions& options);

}  // namespace vesta::app
