// Asks the running hub over its HTTP API, for the commands that need it.
#pragma once

#include <string>
#include <tl/expected.hpp>

namespace vesta::app {

struct HubAddress {
  std::string url = "http://127.0.0.1:8600";
  std::string token;  // "" = none; never on the command line, where others could see it
};

struct HubAnswer {
  int status = 0;
  std::string body;
};

// One call; waits at most kHubAnswer_s for the answer. The error says why there was none, for people. TLS is not
// spoken: on the hub's own computer loopback does.
inline constexpr int kHubAnswer_s = 15;
inline constexpr size_t kMaxHubAnswerBytes = 16u << 20;
// The body of an answer that is good, with the token of VESTA_TOKEN; else why not, in the hub's own words where it has
// some.
tl::expected<std::string, std::string> AskHubForBody(const std::string& url, const std::string& method,
                                                     const std::string& path, const std::string& json_body);
tl::expected<HubAnswer, std::string> AskHub(const HubAddress& hub, const std::string& method, const std::string& path,
                                            const std::string& json_body);

}  // namespace vesta::app
