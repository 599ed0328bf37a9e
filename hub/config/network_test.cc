#include "hub/config/network.h"

#include <gtest/gtest.h>

namespace vesta::hub {
namespace {

bool Contains(const char* network, const char* address) {
  return ParseNetwork(network).value().Contains(ParseAddress(address).value());
}

TEST(Network, ParsesAddressesOnly) {
  for (const char* text : {"127.0.0.1", "0.0.0.0", "::", "::1", "fe80::1", "::ffff:10.0.0.1"}) {
    EXPECT_TRUE(ParseAddress(text)) << text;
  }
  for (const char* text :
       {"", "localhost", "10.0.0", "10.0.0.256", "[::1]", "10.0.0.1:80", "fe80::1%eth0", " 10.0.0.1"}) {
    EXPECT_FALSE(ParseAddress(text)) << text;
  }
  EXPECT_FALSE(ParseAddress(std::string_view("10.0.0.1\0", 9)));
}

TEST(Network, KnowsLoopback) {
  for (const char* text : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(IsLoopback(ParseAddress(text).value())) << text;
  }
  for (const char* text : {"0.0.0.0", "::", "128.0.0.1", "::2", "192.168.1.1", "::127.0.0.1"}) {
    EXPECT_FALSE(IsLoopback(ParseAddress(text).value())) << text;
  }
}

TEST(Network, ContainsByPrefix) {
  EXPECT_TRUE(Contains("192.168.1.0/24", "192.168.1.255"));
  EXPECT_FALSE(Contains("192.168.1.0/24", "192.168.2.0"));
  EXPECT_TRUE(Contains("192.168.1.128/25", "192.168.1.200"));
  EXPECT_FALSE(Contains("192.168.1.128/25", "192.168.1.127"));
  EXPECT_TRUE(Contains("10.1.2.3", "10.1.2.3"));
  EXPECT_FALSE(Contains("10.1.2.3", "10.1.2.4"));
  EXPECT_TRUE(Contains("10.1.2.3", "::ffff:10.1.2.3"));
  EXPECT_TRUE(Contains("0.0.0.0/0", "1.2.3.4"));
  EXPECT_FALSE(Contains("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(Contains("::/0", "1.2.3.4"));
  EXPECT_TRUE(Contains("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(Contains("2001:db8::/33", "2001:db8:8000::1"));
}

TEST(Network, RefusesWhatIsNoNetwork) {
  for (const char* text : {"", "/24", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/24", "::/129", "10.0.0.0/2x", "10.0.0.0/-1",
                           "10.0.0.0/255.0.0.0", "2001:db8::1/64"}) {
    EXPECT_FALSE(ParseNetwork(text)) << text;
  }
}

}  // namespace
}  // namespace vesta::hub
