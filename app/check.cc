#include "app/check.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "app/exit_code.h"
#include "hub/config/load.h"

namespace vesta::app {
namespace {

void PrintJson(const CheckOptions& options, const hub::LoadedConfig& loaded, bool ok) {
  nlohmann::ordered_json out = {{"file", options.file}, {"ok", ok}, {"usable", loaded.usable}};
  out["problems"] = nlohmann::ordered_json::array();
  for (const hub::ConfigProblem& problem : loaded.problems) {
    nlohmann::ordered_json entry = {{"line", problem.line},
                                    {"column", problem.column},
                                    {"path", problem.path},
                                    {"what", problem.what},
                                    {"allowed", problem.allowed},
                                    {"suggestion", problem.suggestion},
                                    {"warning", !problem.fatal_for_part}};
    out["problems"].push_back(std::move(entry));
  }
  out["off"] = loaded.off;
  // Texts of the file may hold anything: what is not UTF-8 is replaced.
  fmt::print("{}\n", out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

size_t EnabledSources(const hub::Config& config) {
  size_t count = 0;
  for (const hub::SourceConfig& source : config.sources) count += source.enabled ? 1 : 0;
  return count;
}

}  // namespace

int RunCheck(const CheckOptions& options) {
  if (access(options.file.c_str(), R_OK) != 0) {
    fmt::print(stderr, "vesta: cannot read {}: {}\n", options.file, std::strerror(errno));
    return kExitCannotStart;
  }
  const hub::LoadedConfig loaded = hub::LoadConfigFile(options.file);
  size_t wrong = 0;
  for (const hub::ConfigProblem& problem : loaded.problems) wrong += problem.fatal_for_part || options.strict ? 1 : 0;
  const bool ok = wrong == 0 && loaded.usable;
  if (options.json) {
    PrintJson(options, loaded, ok);
    return ok ? kExitOk : kExitProblems;
  }
  for (const hub::ConfigProblem& problem : loaded.problems) {
    fmt::print("{}\n", hub::FormatProblem(options.file, problem));
  }
  for (const std::string& off : loaded.off) fmt::print("off: {}\n", off);
  if (ok) {
    fmt::print("{} is fine: {} sources, {} outputs\n", options.file, EnabledSources(loaded.config),
               loaded.config.outputs.size());
    return kExitOk;
  }
  fmt::print("{} problem{}; the hub would {}\n", wrong, wrong == 1 ? "" : "s",
             loaded.usable ? "start without the parts that are off" : "not start");
  return kExitProblems;
}

}  // namespace vesta::app
