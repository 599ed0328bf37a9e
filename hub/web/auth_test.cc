#include "hub/web/auth.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include "hub/web/testing/web_fixture.h"

namespace vesta::hub {
namespace {

using std::string;

// One hash for all tests: each costs as much as a login.
const string& PasswordHash() {
  static const string hash = HashPassword("correct horse");
  return hash;
}

TEST(Password, HashesCheckOutAndDiffer) {
  EXPECT_TRUE(PasswordHash().starts_with("$argon2id$v=19$m=16384,t=3,p=1$")) << PasswordHash();
  EXPECT_NE(PasswordHash(), HashPassword("correct horse"));
  EXPECT_TRUE(VerifyPassword(PasswordHash(), "correct horse"));
  EXPECT_FALSE(VerifyPassword(PasswordHash(), "correct horsf"));
  EXPECT_FALSE(VerifyPassword(PasswordHash(), ""));
  EXPECT_FALSE(VerifyPassword("nonsense", "correct horse"));
  EXPECT_EQ(HashPassword(""), "");
  EXPECT_EQ(HashPassword(string(kMaxPasswordBytes + 1, 'x')), "");
}

TEST(Password, SaysWhatIsWrongWithAHash) {
  EXPECT_EQ(CheckPasswordHash(PasswordHash()), "");
  EXPECT_NE(CheckPasswordHash(""), "");
  EXPECT_NE(CheckPasswordHash(PasswordHash().substr(0, 40)), "");
  EXPECT_NE(CheckPasswordHash(PasswordHash() + "$"), "");
  EXPECT_NE(CheckPasswordHash("$argon2i$v=19$m=16384,t=3,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaGhhc2g"), "");
  EXPECT_NE(CheckPasswordHash("$argon2id$v=19$m=16384,t=999,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaGhhc2g"), "");
}

TEST(Password, GivesItsMemoryBack) {
  const auto held = [] { return mallinfo2().hblkhd + mallinfo2().arena; };
  EXPECT_TRUE(VerifyPassword(PasswordHash(), "correct horse"));
  const size_t before = held();
  for (int i = 0; i < 3; ++i) VerifyPassword(PasswordHash(), "correct horse");
  EXPECT_LT(held(), before + (1u << 20));
}

TEST(Sha256, IsTheKnownOne) {
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(LoginLimiter, SlowsDownOneAddressAndAllTogether) {
  LoginLimiter limiter;
  int64_t now_us = 0;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(limiter.Take("192.0.2.1", now_us), 0);
  const int64_t wait_us = limiter.Take("192.0.2.1", now_us);
  EXPECT_GT(wait_us, kLoginRefillPerAddress_us - kUsPerSecond);
  EXPECT_EQ(limiter.Take("192.0.2.2", now_us), 0);
  EXPECT_EQ(limiter.Take("192.0.2.1", now_us + wait_us), 0);
  EXPECT_GT(limiter.Take("192.0.2.1", now_us + wait_us), 0);
  // From many addresses the common bound holds.
  now_us += 3600 * kUsPerSecond;
  int taken = 0;
  for (int i = 0; i < 1000; ++i)
    taken += limiter.Take("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250), now_us) == 0;
  EXPECT_EQ(taken, static_cast<int>(kLoginTriesAll));
  EXPECT_LE(limiter.size(), kMaxLoginAddresses);
  // The addresses of one IPv6 network are one.
  now_us += 3600 * kUsPerSecond;
  taken = 0;
  for (int i = 1; i < 100; ++i) taken += limiter.Take("2001:db8:1:2::" + std::to_string(i), now_us) == 0;
  EXPECT_EQ(taken, static_cast<int>(kLoginTriesPerAddress));
}

class LoginTest : public WebFixture {
 protected:
  LoginTest() {
    config_.password_hash = PasswordHash();
    config_.tokens = {{"scraper", Sha256Hex("read-me"), "read"}, {"script", Sha256Hex("do-it"), "operate"}};
  }

  RawAnswer Login(const string& body, const string& headers = "") {
    RawClient client(port_);
    return client.Ask(Request("POST", "/api/v1/login", (headers.empty() ? Origin() : headers), body));
  }
  RawAnswer Send(const string& method, const string& target, const string& headers, const string& body = "") {
    RawClient client(port_);
    return client.Ask(Request(method, target, headers, body));
  }
  // "Cookie: ..." out of an answer to a login.
  static string CookieLine(const RawAnswer& answer) {
    const string& cookie = answer.headers.at("set-cookie");
    return "Cookie: a=b; " + cookie.substr(0, cookie.find(';')) + "\r\n";
  }

  const string device_ = "/api/v1/devices/p1_e0044007382246019";
  const string name_ = R"({"name":"x"})";
};

TEST_F(LoginTest, EverythingButThePageAndTheSessionNeedsALogin) {
  Start();
  size_t closed = 0;
  for (const Route& route : server_->routes()) {
    string target = route.pattern;
    if (const size_t open = target.find('{'); open != string::npos) {
      target.replace(open, target.find('}') - open + 1, "1");
    }
    const string body = route.method == "GET" ? "" : "{}";
    const RawAnswer answer = Send(route.method, target, Origin(), body);
    if (route.scope == Scope::kNone) {
      EXPECT_NE(answer.status, 0);
      continue;
    }
    EXPECT_EQ(answer.status, 401) << route.method << " " << target;
    EXPECT_EQ(answer.headers.at("www-authenticate"), "Bearer realm=\"vesta\"");
    ++closed;
  }
  EXPECT_GT(closed, 10u);
  EXPECT_EQ(Get("/api/v1/session").body, R"({"login_required":true,"logged_in":false,"scope":null})");
}

TEST_F(LoginTest, ThePasswordOpensASessionAndLogoutEndsIt) {
  Start();
  const RawAnswer login = Login(R"({"password":"correct horse"})");
  ASSERT_EQ(login.status, 204);
  const string& set = login.headers.at("set-cookie");
  EXPECT_NE(set.find("; HttpOnly"), string::npos) << set;
  EXPECT_NE(set.find("; SameSite=Strict"), string::npos) << set;
  EXPECT_EQ(set.find("; Secure"), string::npos) << set;
  const string cookie = CookieLine(login);
  EXPECT_EQ(Get("/api/v1/session", cookie).body, R"({"login_required":true,"logged_in":true,"scope":"operate"})");
  EXPECT_EQ(Get("/api/v1/latest", cookie).status, 200);
  // The cookie alone changes nothing: a foreign page's form would bring it along too.
  EXPECT_EQ(Send("PATCH", device_, cookie, name_).status, 403);
  EXPECT_EQ(Send("PATCH", device_, cookie + "Origin: http://evil.example\r\n", name_).status, 403);
  EXPECT_EQ(Send("PATCH", device_, cookie + Origin(), name_).status, 200);
  EXPECT_EQ(Send("POST", "/api/v1/logout", cookie + Origin()).status, 204);
  EXPECT_EQ(Get("/api/v1/latest", cookie).status, 401);
}

TEST_F(LoginTest, SessionsEndByThemselves) {
  Start();
  const string cookie = CookieLine(Login(R"({"password":"correct horse"})"));
  for (int day = 0; day < 29; ++day) {
    Main([&] { fake_.clock().Advance(24ll * 3600 * kUsPerSecond); });
    ASSERT_EQ(Get("/api/v1/latest", cookie).status, 200) << day;  // in use it stays
  }
  Main([&] { fake_.clock().Advance(2ll * 24 * 3600 * kUsPerSecond); });
  EXPECT_EQ(Get("/api/v1/latest", cookie).status, 401);  // but not for ever
  const string idle = CookieLine(Login(R"({"password":"correct horse"})"));
  Main([&] { fake_.clock().Advance(kSessionIdle_us + 1); });
  EXPECT_EQ(Get("/api/v1/latest", idle).status, 401);
}

TEST_F(LoginTest, WrongPasswordsAreSlowedDownAndNeverOpen) {
  Start();
  for (int i = 0; i < 5; ++i) {
    const RawAnswer answer = Login(R"({"password":"wrong"})");
    EXPECT_EQ(answer.status, 401);
    EXPECT_EQ(answer.headers.count("set-cookie"), 0u);
  }
  const RawAnswer answer = Login(R"({"password":"correct horse"})");
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.headers.at("retry-after"), "30");
  Main([&] { fake_.clock().Advance(31 * kUsPerSecond); });
  EXPECT_EQ(Login(R"({"password":"correct horse"})").status, 204);
}

TEST_F(LoginTest, TheHubGoesOnWhileAPasswordIsChecked) {
  Start();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<RawClient>(port_));
    clients.back()->Send(Request("POST", "/api/v1/login", Origin(), R"({"password":"correct horse"})"));
  }
  EXPECT_EQ(Get("/api/v1/session").status, 200);
  for (const auto& client : clients) EXPECT_EQ(client->ReadAnswer().status, 204);
}

TEST_F(LoginTest, TokensHaveAScope) {
  Start();
  EXPECT_EQ(Get("/api/v1/latest", "Authorization: Bearer read-me\r\n").status, 200);
  EXPECT_EQ(Get("/metrics", "authorization: bearer read-me\r\n").status, 200);
  EXPECT_EQ(Get("/api/v1/latest", "Authorization: Bearer read-mf\r\n").status, 401);
  EXPECT_EQ(Get("/api/v1/latest", "Authorization: Basic read-me\r\n").status, 401);
  EXPECT_EQ(Get("/api/v1/latest", "Authorization: Bearer " + string(3000, 'x') + "\r\n").status, 401);
  EXPECT_EQ(Send("PATCH", device_, "Authorization: Bearer read-me\r\n", name_).status, 403);
  // A program needs no Origin; but a foreign one is refused even with a token.
  EXPECT_EQ(Send("PATCH", device_, "Authorization: Bearer do-it\r\n", name_).status, 200);
  EXPECT_EQ(Send("PATCH", device_, "Authorization: Bearer do-it\r\nOrigin: http://evil.example\r\n", name_).status,
            403);
}

TEST_F(LoginTest, ATokenOpensASessionWithItsScope) {
  config_.password_hash.clear();
  Start();
  EXPECT_EQ(Login(R"({"password":"correct horse"})").status, 401);
  const string cookie = CookieLine(Login(R"({"token":"read-me"})"));
  EXPECT_EQ(Get("/api/v1/session", cookie).body, R"({"login_required":true,"logged_in":true,"scope":"read"})");
  EXPECT_EQ(Send("PATCH", device_, cookie + Origin(), name_).status, 403);
  EXPECT_EQ(Login(R"({"token":"read-m"})").status, 401);
}

TEST_F(LoginTest, SessionsAreBounded) {
  Start();
  const string first = CookieLine(Login(R"({"token":"read-me"})"));
  string last;
  for (size_t i = 0; i < kMaxSessions; ++i) {
    Main([&] { fake_.clock().Advance(31 * kUsPerSecond); });
    last = CookieLine(Login(R"({"token":"read-me"})"));
  }
  EXPECT_EQ(Get("/api/v1/latest", first).status, 401);
  EXPECT_EQ(Get("/api/v1/latest", last).status, 200);
}

TEST_F(LoginTest, ALogoutEndsTheLiveStream) {
  limits_.ping_interval_us = 30 * kUsPerMs;
  limits_.event_interval_us = 10 * kUsPerMs;
  Start();
  const string cookie = CookieLine(Login(R"({"token":"read-me"})"));
  RawClient stream(port_);
  stream.Send(Request("GET", "/api/v1/events", cookie));
  ASSERT_TRUE(stream.ReadUntil("event: outputs"));
  Main([&] { fake_.clock().Advance(kUsPerSecond); });
  ASSERT_TRUE(stream.ReadUntil(": ping"));
  EXPECT_EQ(Send("POST", "/api/v1/logout", cookie + Origin()).status, 204);
  Main([&] { fake_.clock().Advance(kUsPerSecond); });
  EXPECT_TRUE(stream.ReadUntil("\r\n0\r\n\r\n"));
}

}  // namespace
}  // namespace vesta::hub
