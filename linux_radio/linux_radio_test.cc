// What can be had without a radio; the rest is tested on simulated ones (docs/testing.md).
#include <gtest/gtest.h>
#include <net/if.h>

#include "linux_radio/monitor_socket.h"
#include "linux_radio/wifi_control.h"

namespace vesta::linux_radio {
namespace {

TEST(MonitorSocket, AnInterfaceThatIsNotThereIsMissing) {
  MonitorSocket socket;
  const auto fault = OpenMonitor("no-such-radio", &socket);
  ASSERT_TRUE(fault);
  EXPECT_TRUE(fault->is_missing);
  EXPECT_EQ(fault->what, "there is no interface no-such-radio");
  EXPECT_EQ(socket.fd, -1);
}

TEST(MonitorSocket, AnInterfaceThatIsNoRadioIsRefusedWithAReason) {
  MonitorSocket socket;
  const auto fault = OpenMonitor("lo", &socket);
  ASSERT_TRUE(fault);
  EXPECT_FALSE(fault->is_missing);
  EXPECT_FALSE(fault->what.empty());
  EXPECT_EQ(socket.fd, -1);
}

TEST(WifiControl, WhatIsNoRadioHasNoChannel) {
  WifiControl control;
  const unsigned loopback = if_nametoindex("lo");
  EXPECT_NE(control.SetChannel(loopback, 6), "");
  EXPECT_EQ(control.ReadChannel(loopback), 0);
}

}  // namespace
}  // namespace vesta::linux_radio
