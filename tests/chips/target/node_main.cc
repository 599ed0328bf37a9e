// The unit tests of the node and of what it stands on, on a chip: the host's own (x_test.cc), compiled for the chip,
// but for those that simulate so much that an emulated core takes long. Among them the node application joins the hub's
// end of the link in the simulated air, in virtual time (simulators/air_node_test.cc). Also says what memory each
// session and the node's state take on this chip.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <memory>
#include <string_view>

#include "node/app.h"
#include "protocols/espnow/legacy_gateway.h"
#include "protocols/link/hub.h"
#include "protocols/masterbus/session.h"
#include "protocols/medibus/session.h"
#include "protocols/p1/session.h"
#include "protocols/slcan/slcan.h"
#include "protocols/vedirect/session.h"
#include "protocols/vesmart/receiver.h"
#include "protocols/victron/session.h"
#include "tests/chips/target/host.h"
#include "tests/chips/target/stack_watch.h"

namespace testing {
namespace {

Registered* first = nullptr;
Registered** last = &first;
int failures = 0;

}  // namespace

bool Register(Registered* test) {
  *last = test;
  last = &test->next;
  return true;
}

Failure::Failure(const char* file, int line, const char* what) {
  ++failures;
  std::printf("%s:%d: expected %s\n", file, line, what);
}

}  // namespace testing

namespace {

// Hours of many nodes, or every moment of a power cut: the host's run has them.
constexpr std::string_view kTooLong[] = {"FiftyNodesJoinReportAndGetTheirSetPoints",
                                         "ASleeperSendsAtEachWakeUpAndFindsTheHubAgain",
                                         "ASleeperWithoutAHubKeepsItsReadingsWithTheirTimes",
                                         "AnOutboxThatIsFullCountsWhatItGivesUp",
                                         "ReportsThatWaitedLongSurviveALossOfPowerWithTheirTimes",
                                         "PowerMayGoAtEveryWrite",
                                         "ManyNodesTogetherLoseNothing",
                                         "WithoutAHubItCallsLessAndLessOften",
                                         "TheFlashIsSpared"};

// Itself and what it takes from the heap when it is made.
template <typename T, typename... Arguments>
void SayMemory(const char* name, const Arguments&... arguments) {
  const size_t before = vesta::chips::HeapTaken();
  const auto made = std::make_unique<T>(arguments...);
  std::printf("memory %s %zu\n", name, vesta::chips::HeapTaken() - before);
}

void SayMemories() {
  using namespace vesta;
  SayMemory<p1::P1Session>("p1", p1::Options());
  SayMemory<medibus::MedibusSession>("medibus", medibus::Options());
  SayMemory<vedirect::VedirectSession>("vedirect", vedirect::Options());
  static const victron::KeyRing keys;
  SayMemory<victron::BleSession>("victron", &keys);
  SayMemory<masterbus::MasterBusSession>("masterbus", masterbus::Options());
  SayMemory<vesmart::Receiver>("vesmart");
  std::printf("memory link_node %zu\n", sizeof(link::Node));
  std::printf("memory node_app %zu\n", sizeof(node::App));
  std::printf("memory node_state %zu\n", sizeof(node::App) + node::kUsualSleepMemory);
}

}  // namespace

int ChipMain() {
  SayMemories();
  int passed = 0;
  int failed = 0;
  for (const testing::Registered* test = testing::first; test != nullptr; test = test->next) {
    if (std::find(std::begin(kTooLong), std::end(kTooLong), test->name) != std::end(kTooLong)) {
      std::printf("left to the host: %s.%s\n", test->suite, test->name);
      continue;
    }
    vesta::chips::NowAt(test->name);
    const int before = testing::failures;
    const std::unique_ptr<testing::Test> made(test->make());
    made->Run();
    const bool good = testing::failures == before;
    ++(good ? passed : failed);
    std::printf("%s %s.%s\n", good ? "ok" : "FAILED", test->suite, test->name);
  }
  vesta::chips::SayStacks();
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}
