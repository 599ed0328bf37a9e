#include "app/source_address.h"

#include <charconv>

namespace vesta::app {

std::optional<hub::SourceConfig> ParseSource(const std::string& text, std::string* error) {
  hub::SourceConfig config;
  config.name = "command-line";
  config.protocol = "p1";
  const size_t colon = text.find(':');
  const std::string rest = colon == std::string::npos ? "" : text.substr(colon + 1);
  config.type = text.substr(0, colon);
  if (config.type == "serial" && !rest.empty()) {
    config.port = rest;
    return config;
  }
  if ((config.type == "slcan" || config.type == "can") && !rest.empty()) {
    (config.type == "can" ? config.can_interface : config.port) = rest;
    config.protocol = "masterbus";
    return config;
  }
  const size_t last = rest.rfind(':');
  if (config.type == "tcp" && last != std::string::npos && last > 0) {
    std::string host = rest.substr(0, last);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    const char* end = rest.data() + rest.size();
    const auto [stop, code] = std::from_chars(rest.data() + last + 1, end, config.tcp_port);
    if (code == std::errc() && stop == end && config.tcp_port != 0) {
      config.host = host;
      return config;
    }
  }
  *error = "\"" + text +
           "\" is not serial:PATH, tcp:HOST:PORT, slcan:PATH or can:INTERFACE, such as serial:/dev/ttyUSB0, "
           "tcp:192.168.1.20:23 or can:can0";
  return std::nullopt;
}

}  // namespace vesta::app
