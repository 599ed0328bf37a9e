#include "protocols/medibus/wire.h"

#include <gtest/gtest.h>

#include <set>
#include <type_traits>

#include "protocols/medibus/read_only_check_for_test.h"

namespace vesta::medibus {
namespace {

// A command can't be asked for by its byte.
template <typename T>
concept Askable = requires(Outbox& outbox, T what) {
  outbox.Ask(what);
};
static_assert(Askable<Request>);
static_assert(!Askable<uint8_t> && !Askable<int> && !Askable<char>);
static_assert(!std::is_convertible_v<uint8_t, Request> && !std::is_convertible_v<uint8_t, DeviceCommand>);

TEST(MedibusWire, EveryRequestIsOnTheReadOnlyList) {
  // From the published list of commands: none of these changes a setting. 4A (restricts answers) is not among them.
  const std::set<uint8_t> reading = {0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2A, 0x2B, 0x2C,
                                     0x2D, 0x2E, 0x30, 0x51, 0x52, 0x53, 0x54, 0x55};
  std::set<uint8_t> ours;
  for (const Request request : kAllRequests) {
    ours.insert(static_cast<uint8_t>(request));
    Outbox outbox;
    ReadOnlyCheck check;
    outbox.Ask(request);
    check.Take(outbox.pending());
    EXPECT_TRUE(check.ok()) << check.wrong();
    EXPECT_EQ(check.messages(), request == Request::kRealtimeSelection ? 0u : 1u);
  }
  EXPECT_EQ(ours, reading);
}

// Whatever a caller casts together, an answer is never a command.
TEST(MedibusWire, AnswersAreNeverCommands) {
  for (int code = 0; code < 256; ++code) {
    Outbox outbox;
    outbox.Echo(DeviceCommand(static_cast<uint8_t>(code)));
    ASSERT_EQ(outbox.pending()[0], kSoh);
    ReadOnlyCheck check;
    check.Take(outbox.pending());
    EXPECT_TRUE(check.ok()) << code;
  }
}

TEST(MedibusWire, TheCheckSeesWhatIsNotAllowed) {
  for (const std::string& wrong : {std::string("\x1BJ$6565\r"), std::string("\x1B#3E\r"), std::string("\x1B$40\r"),
                                   std::string("\x1BK66\r"), std::string("x"), std::string("\x1B$A80\r")}) {
    ReadOnlyCheck check;
    check.Take({reinterpret_cast<const uint8_t*>(wrong.data()), wrong.size()});
    EXPECT_FALSE(check.ok()) << wrong;
  }
}

TEST(MedibusWire, StreamsAreChosenByCode) {
  Outbox outbox;
  RealtimeSelection selection;
  selection.codes = {0x00, 0x1C, 0, 0};
  selection.count = 2;
  ASSERT_TRUE(outbox.AskForStreams(selection));
  const std::string sent(reinterpret_cast<const char*>(outbox.pending().data()), outbox.pending().size());
  EXPECT_EQ(sent.substr(0, 10), "\x1BT00011C01");
  outbox.Clear();
  ASSERT_TRUE(outbox.EnableStreams(2));
  EXPECT_EQ(outbox.pending()[2], 0xC3);
}

TEST(MedibusWire, AFullOutboxTakesNothingMore) {
  Outbox outbox;
  size_t messages = 0;
  while (outbox.Ask(Request::kNop)) ++messages;
  EXPECT_EQ(messages, kOutboxSize / 5);
  outbox.Sent(5);
  EXPECT_TRUE(outbox.Ask(Request::kNop));
}

}  // namespace
}  // namespace vesta::medibus
