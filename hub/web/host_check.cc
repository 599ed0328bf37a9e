#include "hub/web/host_check.h"

#include <algorithm>

#include "hub/web/wire.h"

namespace vesta::hub {
namespace {

bool IsDigits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

bool ParseAuthority(std::string_view text, Authority* out) {
  std::string_view name = text;
  std::string_view port;
  if (!text.empty() && text.front() == '[') {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    name = text.substr(1, end - 1);
    std::string_view rest = text.substr(end + 1);
    if (!rest.empty()) {
      if (rest.front() != ':') return false;
      port = rest.substr(1);
    }
  } else if (const size_t colon = text.find(':'); colon != std::string_view::npos) {
    name = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  if (!name.empty() && name.back() == '.') name.remove_suffix(1);
  if (name.empty() || port.size() > 5 || !IsDigits(port)) return false;
  out->name.clear();
  for (const char c : name) out->name += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  out->port = port;
  return true;
}

HostCheck::HostCheck(const std::vector<std::string>& allowed_hosts) {
  for (const std::string& entry : allowed_hosts) {
    Authority authority;
    if (ParseAuthority(entry, &authority)) allowed_.push_back(std::move(authority));
  }
}

bool HostCheck::HostAllowed(const HttpRequest& request) const {
  const size_t count = request.HeaderCount("host");
  if (count == 0) return !request.http_1_1;
  Authority host;
  if (count > 1 || !ParseAuthority(request.Header("host"), &host)) return false;
  // The port does not matter here: a forwarded port (ssh -L, a container) changes it, an attacker can't use it.
  if (host.name == "localhost" || IsLoopbackAddress(host.name) || host.name == request.local_address) return true;
  return std::any_of(allowed_.begin(), allowed_.end(), [&](const Authority& entry) { return entry.name == host.name; });
}

HostCheck::Origin HostCheck::CheckOrigin(const HttpRequest& request) const {
  const size_t count = request.HeaderCount("origin");
  if (count == 0) return Origin::kAbsent;
  std::string_view origin = request.Header("origin");
  std::string default_port;
  if (origin.starts_with("http://")) {
    origin.remove_prefix(7);
    default_port = "80";
  } else if (origin.starts_with("https://")) {
    origin.remove_prefix(8);
    default_port = "443";
  } else {
    return Origin::kForeign;  // "null", extensions, ...
  }
  Authority from;
  Authority host;
  if (count > 1 || !ParseAuthority(origin, &from) || !ParseAuthority(request.Header("host"), &host)) {
    return Origin::kForeign;
  }
  if (from.port.empty()) from.port = default_port;
  // The same name and port as the request itself went to. Another port is another program. A proxy that ends TLS
  // before the hub leaves the scheme different, which is why that is not compared.
  if (from.name == host.name && from.port == (host.port.empty() ? default_port : host.port)) return Origin::kOwn;
  // A proxy may put its own name into Host; then the name that the browser sees is configured.
  for (const Authority& entry : allowed_) {
    if (entry.name == from.name && (entry.port.empty() ? default_port : entry.port) == from.port) return Origin::kOwn;
  }
  return Origin::kForeign;
}

}  // namespace vesta::hub
