// Opens a serial port: raw, exclusive, with the speed and framing wanted. Any tty will do, a pty too.
//
// Never blocks on modem lines. Also for whoever looks for a port (vesta doctor, vesta capture).
#pragma once

#include <termios.h>

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>

namespace vesta::hub {

struct SerialError {
  std::string what;      // for people, names the port
  std::string hint;      // what to do about it; may be empty
  bool missing = false;  // no such port, at the moment
};

struct OpenedPort {
  int fd = -1;        // non-blocking, close-on-exec; the caller's to close
  std::string path;   // what the pattern stood for
  std::string doubt;  // the port took the settings only in part; may be empty
};

// `port` is a path or a glob pattern; the first match in order of names is opened.
tl::expected<OpenedPort, SerialError> OpenSerialPort(const std::string& port, uint32_t baud,
                                                     const std::string& framing);

// The settings of a raw line over what the port has now; false when the speed or framing ("8N1", "7E1", "8E1", "7N1")
// is not known.
bool SetLine(uint32_t baud, const std::string& framing, termios* settings);

// The path that a path or pattern stands for now; empty when there is none.
std::optional<std::string> FindPort(const std::string& port);

}  // namespace vesta::hub
