// vesta-node: the node application as a Linux program.
#include <csignal>
#include <cstdio>
#include <cstring>

#include "node_linux/program.h"

namespace {

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
  if (argc != 3 || std::strcmp(argv[1], "--config") != 0) {
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
  vesta::node_linux::Program program(*options);
  return program.Run(g_stops);
}
