#include "hub/sources/bluetooth/bluez_words.h"

#include <gtest/gtest.h>

namespace vesta::hub {
namespace {

// A slow bluetoothd must not turn passive listening into a scan that asks.
TEST(BluezWords, NoAnswerIsNoRefusal) {
  EXPECT_TRUE(IsNoAnswer("org.freedesktop.DBus.Error.NoReply"));
  EXPECT_TRUE(IsNoAnswer("org.freedesktop.DBus.Error.Timeout"));
  EXPECT_FALSE(IsNoAnswer("org.freedesktop.DBus.Error.UnknownMethod"));
  EXPECT_FALSE(IsNoAnswer("org.bluez.Error.Failed"));
  EXPECT_NE(ExplainDbusError("org.freedesktop.DBus.Error.NoReply", "", "hci0: listening").error.find("does not answer"),
            std::string::npos);
}

}  // namespace
}  // namespace vesta::hub
