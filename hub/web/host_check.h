// Who a browser thinks it talks to, and for whom: the Host and Origin headers.
//
// A page on the internet can make a browser send requests to 127.0.0.1, and by DNS rebinding even read the answers:
// then the browser sends the attacker's name as Host. So only names that belong to this hub are answered, on loopback
// too: loopback names, the address that the client reached, and the configured ones. Whatever changes something must
// come from the hub's own page (Origin) or bear a token, which no foreign page has.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hub/web/http_message.h"

namespace vesta::hub {

// "name:port", "[::1]:port", "name" taken apart; the name in lower case and without brackets or a last dot.
struct Authority {
  std::string name;
  std::string port;  // "" when none was given
};
bool ParseAuthority(std::string_view text, Authority* out);

class HostCheck {
 public:
  // Entries of http.allowed_hosts: "vesta.lan" or "vesta.lan:8443".
  explicit HostCheck(const std::vector<std::string>& allowed_hosts);

  // Exactly one Host header, with a name of this hub. HTTP/1.0 may leave it out: no browser does.
  bool HostAllowed(const HttpRequest& request) const;

  enum class Origin { kAbsent, kOwn, kForeign };
  Origin CheckOrigin(const HttpRequest& request) const;

 private:
  std::vector<Authority> allowed_;
};

}  // namespace vesta::hub
