// vesta-node: the node application as a Linux program.
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "node_linux/program.h"
#include "node_linux/supervisor.h"

namespace {

// Of the program as it was installed: 0.1.0. One that the hub sent has the version of its package.
constexpr uint32_t kInstalled = 0x000100;

std::atomic<bool> g_stops = false;

void OnSignal(int) { g_stops = true; }

}  // namespace

int main(int argc, char** argv) {
  constexpr char kUsage[] =
      "usage: vesta-node --config FILE\n"
      "Runs this computer as a node of a Vesta hub. FILE: docs/nodes.md.\n";
  if (argc == 2 && std::strcmp(argv[1], "--help") == 0) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  // --image: by the supervisor, of a program that the hub sent.
  uint32_t version = 0;
  const bool is_image = argc == 5 && std::strcmp(argv[3], "--image") == 0;
  if (is_image) {
    const std::string_view text = argv[4];
    if (std::from_chars(text.data(), text.data() + text.size(), version).ec != std::errc()) version = 0;
  }
  if ((argc != 3 && !is_image) || (is_image && version == 0) || std::strcmp(argv[1], "--config") != 0) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  std::string problem;
  const auto options = vesta::node_linux::ReadOptions(argv[2], &problem);
  if (!options) {
    std::fprintf(stderr, "%s\n", problem.c_str());
    return 2;
  }
  // No SA_RESTART: the wait ends at once.
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  const auto run = [&] { return vesta::node_linux::Program(*options, is_image ? version : kInstalled).Run(g_stops); };
  if (is_image || !options->signer) return run();
  const vesta::node_linux::SupervisorOptions supervisor{options->state, argv[2],
                                                        std::chrono::seconds(options->trial_s)};
  return vesta::node_linux::Supervise(supervisor, g_stops, run);
}
