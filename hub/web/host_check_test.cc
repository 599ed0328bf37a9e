#include "hub/web/host_check.h"

#include <gtest/gtest.h>

namespace vesta::hub {
namespace {

HttpRequest With(const std::string& host, const std::string& origin) {
  HttpRequest request;
  request.local_address = "192.0.2.7";
  request.fields.emplace_back("host", host);
  if (!origin.empty()) request.fields.emplace_back("origin", origin);
  return request;
}

TEST(HostCheck, TakesAuthoritiesApart) {
  Authority out;
  ASSERT_TRUE(ParseAuthority("Vesta.LAN:8600", &out));
  EXPECT_EQ(out.name, "vesta.lan");
  EXPECT_EQ(out.port, "8600");
  ASSERT_TRUE(ParseAuthority("[fe80::1]:80", &out));
  EXPECT_EQ(out.name, "fe80::1");
  EXPECT_EQ(out.port, "80");
  for (const char* bad : {"", ":80", "[::1", "[::1]x", "a:b", "a:123456", "::1"}) {
    EXPECT_FALSE(ParseAuthority(bad, &out)) << bad;
  }
}

TEST(HostCheck, KnowsTheAddressThatWasReached) {
  const HostCheck check({});
  EXPECT_TRUE(check.HostAllowed(With("192.0.2.7:8600", "")));
  EXPECT_FALSE(check.HostAllowed(With("192.0.2.8:8600", "")));
}

TEST(HostCheck, ComparesNameAndPortOfTheOrigin) {
  using Origin = HostCheck::Origin;
  const HostCheck check({"vesta.example", "other.example:8443"});
  EXPECT_EQ(check.CheckOrigin(With("h:1", "")), Origin::kAbsent);
  EXPECT_EQ(check.CheckOrigin(With("h:1", "http://h:1")), Origin::kOwn);
  EXPECT_EQ(check.CheckOrigin(With("h", "http://h")), Origin::kOwn);
  EXPECT_EQ(check.CheckOrigin(With("h", "https://h:443")), Origin::kOwn);
  EXPECT_EQ(check.CheckOrigin(With("h:1", "http://h:2")), Origin::kForeign);
  EXPECT_EQ(check.CheckOrigin(With("h:1", "http://x:1")), Origin::kForeign);
  EXPECT_EQ(check.CheckOrigin(With("h:1", "null")), Origin::kForeign);
  // Behind a proxy the browser knows another name.
  EXPECT_EQ(check.CheckOrigin(With("localhost:8600", "https://vesta.example")), Origin::kOwn);
  EXPECT_EQ(check.CheckOrigin(With("localhost:8600", "https://vesta.example:9000")), Origin::kForeign);
  EXPECT_EQ(check.CheckOrigin(With("localhost:8600", "https://other.example:8443")), Origin::kOwn);
}

}  // namespace
}  // namespace vesta::hub
