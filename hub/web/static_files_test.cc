#include "hub/web/static_files.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "hub/web/testing/web_fixture.h"

namespace vesta::hub {
namespace {

std::string Pack(const std::string& text) {
  z_stream stream = {};
  deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string packed(text.size() + 100, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

class StaticFilesTest : public WebFixture {
 protected:
  StaticFilesTest() : page_("<!doctype html>" + std::string(200000, 'x')), packed_(Pack(page_)) {
    assets_ = {{"/index.html", "text/html; charset=utf-8", packed_, "\"v1\""},
               {"/bad.js", "text/javascript", "not gzip", "\"b1\""}};
  }
  const std::string page_;
  const std::string packed_;
};

TEST_F(StaticFilesTest, ServesPackedOrUnpackedAndValidates) {
  Start();
  RawAnswer answer = Get("/", "Accept-Encoding: deflate, gzip;q=0.8\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("content-encoding"), "gzip");
  EXPECT_EQ(answer.headers.at("content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(answer.headers.at("vary"), "Accept-Encoding");
  EXPECT_EQ(answer.headers.at("content-security-policy"), kContentSecurityPolicy);
  EXPECT_EQ(answer.body, packed_);
  answer = Get("/index.html");
  EXPECT_EQ(answer.headers.count("content-encoding"), 0u);
  EXPECT_EQ(answer.body, page_);
  answer = Get("/", "If-None-Match: \"v0\", W/\"v1\"\r\n");
  EXPECT_EQ(answer.status, 304);
  EXPECT_EQ(answer.headers.at("etag"), "\"v1\"");
  EXPECT_EQ(Get("/", "If-None-Match: \"v0\"\r\n").status, 200);
}

TEST_F(StaticFilesTest, KnowsOnlyItsOwnFiles) {
  Start();
  for (const char* path : {"/nothing", "/../index.html", "/%2e%2e/etc/passwd", "/index.html/", "//index.html"}) {
    EXPECT_EQ(Get(path).status, 404) << path;
  }
  EXPECT_EQ(Get("/bad.js").status, 500);
  EXPECT_EQ(Get("/bad.js", "Accept-Encoding: gzip\r\n").status, 200);
}

TEST_F(StaticFilesTest, ThePageNeedsNoLoginButTheHubsName) {
  config_.tokens = {{"t", Sha256Hex("t"), "read"}};
  Start();
  EXPECT_EQ(Get("/").status, 200);
  RawClient client(port_);
  EXPECT_EQ(client.Ask("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n").status, 421);
}

TEST(AcceptsGzip, ReadsTheHeader) {
  EXPECT_TRUE(AcceptsGzip("gzip"));
  EXPECT_TRUE(AcceptsGzip("br, gzip;q=0.5"));
  EXPECT_TRUE(AcceptsGzip("*"));
  EXPECT_FALSE(AcceptsGzip(""));
  EXPECT_FALSE(AcceptsGzip("identity"));
  EXPECT_FALSE(AcceptsGzip("gzip;q=0"));
  EXPECT_FALSE(AcceptsGzip("gzip; q=0.000"));
}

}  // namespace
}  // namespace vesta::hub
