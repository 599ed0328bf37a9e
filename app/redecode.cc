#include "app/redecode.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/exit_code.h"
#include "app/printable.h"

namespace vesta::app {
namespace {

constexpr char kRedecodePath[] = "/api/v1/redecode";
constexpr auto kLook = std::chrono::milliseconds(250);

tl::expected<nlohmann::json, std::string> AskState(const RedecodeOptions& options, const std::string& method,
                                                   const std::string& body) {
  const auto answer = AskHubForBody(options.url, method, kRedecodePath, body);
  if (!answer) return tl::unexpected(answer.error());
  nlohmann::json json = nlohmann::json::parse(*answer, nullptr, false);
  if (!json.is_object()) return tl::unexpected(std::string("the hub's answer can't be read"));
  return json;
}

uint64_t CountIn(const nlohmann::json& state, const char* key) { return state.value(key, uint64_t{0}); }

bool IsBusy(const nlohmann::json& state) { return state.value("running", false) || CountIn(state, "waiting") > 0; }

}  // namespace

int RunRedecode(const RedecodeOptions& options) {
  const auto fail = [](const std::string& why) {
    fmt::print(stderr, "vesta redecode: {}\n", why);
    return kExitProblems;
  };
  const auto before = AskState(options, "GET", "");
  if (!before) return fail(before.error());
  auto now = AskState(options, "POST", nlohmann::json{{"source", options.source}}.dump());
  if (!now) return fail(now.error());
  const bool is_terminal = isatty(STDERR_FILENO) == 1;
  while (options.wait && IsBusy(*now)) {
    if (is_terminal) {
      fmt::print(stderr, "\r{}: {} of {} frames \x1b[K", Printable(now->value("source", "")),
                 CountIn(*now, "run_tried"), CountIn(*now, "run_frames"));
    }
    std::this_thread::sleep_for(kLook);
    now = AskState(options, "GET", "");
    if (!now) return fail(now.error());
  }
  if (is_terminal) fmt::print(stderr, "\r\x1b[K");
  if (!options.wait) {
    fmt::print("It is begun.\n");
    return kExitOk;
  }
  fmt::print("{} frames tried, {} understood now, {} readings.\n", CountIn(*now, "tried") - CountIn(*before, "tried"),
             CountIn(*now, "decoded") - CountIn(*before, "decoded"),
             CountIn(*now, "readings") - CountIn(*before, "readings"));
  if (const std::string error = now->value("error", ""); !error.empty()) return fail(Printable(error));
  return kExitOk;
}

}  // namespace vesta::app
