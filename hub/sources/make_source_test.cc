#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/sources/recording_line.h"
#include "hub/sources/source.h"

namespace vesta::hub {
namespace {

using testing::HasSubstr;

TEST(MakeSource, MakesWhatTheTypeNames) {
  const struct {
    const char* type;
    const char* complaint;
  } cases[] = {{"serial", "/nowhere is not there (yet)"},
               {"tcp", "127.0.0.1:1: Connection refused"},
               {"tcp-listen", "that needs exposed and allow"},
               {"capture", "/nowhere: No such file or directory"}};
  for (const auto& [type, complaint] : cases) {
    SourceConfig config;
    config.type = type;
    config.port = config.file = "/nowhere";
    config.host = "127.0.0.1";
    config.tcp_port = 1;  // nobody listens there
    config.listen = "0.0.0.0";
    boost::asio::io_context io;
    RecordingLine line;
    const auto source = MakeSource(io, config, line);
    source->Start();
    ASSERT_TRUE(RunUntil(io, [&] { return line.closed == 1; })) << type;
    EXPECT_THAT(line.reason, HasSubstr(complaint));
  }
}

}  // namespace
}  // namespace vesta::hub
