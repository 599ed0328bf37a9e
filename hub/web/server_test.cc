// The server over real sockets: what belongs to HTTP itself, and what hostile or broken clients do.
#include "hub/web/server.h"

#include <gtest/gtest.h>

#include <random>

#include "hub/web/health.h"
#include "hub/web/testing/web_fixture.h"

namespace vesta::hub {
namespace {

using std::string;

class ServerTest : public WebFixture {};

TEST_F(ServerTest, KeepsTheConnectionAndAnswersPipelinedRequestsInOrder) {
  Start();
  RawClient client(port_);
  const string session = Request("GET", "/api/v1/session");
  client.Send(session + Request("GET", "/api/v1/nothing") + session);
  EXPECT_EQ(client.ReadAnswer().status, 200);
  EXPECT_EQ(client.ReadAnswer().status, 404);
  const RawAnswer last = client.ReadAnswer();
  EXPECT_EQ(last.status, 200);
  EXPECT_EQ(last.headers.at("connection"), "keep-alive");
  EXPECT_EQ(last.body, R"({"login_required":false,"logged_in":false,"scope":"operate"})");
  EXPECT_EQ(Main([&] { return server_->counters().connections; }), 1u);
}

TEST_F(ServerTest, ClosesWhenTheClientAsksForIt) {
  Start();
  RawClient client(port_);
  EXPECT_EQ(client.Ask(Request("GET", "/api/v1/session", "Connection: close\r\n")).headers.at("connection"), "close");
  EXPECT_TRUE(client.ReadEnd());
  RawClient old(port_);
  EXPECT_EQ(old.Ask("GET /api/v1/devices HTTP/1.0\r\nHost: localhost\r\n\r\n").status, 200);
  EXPECT_TRUE(old.ReadEnd());
}

TEST_F(ServerTest, AnswersHeadWithoutABody) {
  Start();
  RawClient client(port_);
  EXPECT_EQ(client.Ask(Request("HEAD", "/api/v1/session")).status, 200);
  EXPECT_EQ(client.Ask(Request("HEAD", "/api/v1/devices")).status, 200);
  EXPECT_EQ(client.Ask(Request("GET", "/api/v1/session")).status, 200);  // nothing was left in between
}

TEST_F(ServerTest, EveryAnswerBearsTheSecurityHeaders) {
  Start();
  for (const char* target : {"/api/v1/session", "/api/v1/nothing", "/", "/metrics"}) {
    const RawAnswer answer = Get(target);
    EXPECT_EQ(answer.headers.at("x-content-type-options"), "nosniff") << target;
    EXPECT_EQ(answer.headers.at("referrer-policy"), "no-referrer") << target;
    EXPECT_NE(answer.headers.at("content-security-policy").find("frame-ancestors 'none'"), string::npos) << target;
    EXPECT_EQ(answer.headers.at("content-security-policy").find("unsafe"), string::npos) << target;
    EXPECT_NE(answer.headers.at("cache-control"), "") << target;
  }
}

TEST_F(ServerTest, TellsWhichMethodsAnAddressKnows) {
  Start();
  RawClient client(port_);
  RawAnswer answer = client.Ask(Request("DELETE", "/api/v1/devices/x", Origin()));
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(answer.headers.at("allow"), "GET, PATCH");
  answer = client.Ask(Request("POST", "/", Origin()));
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(client.Ask(Request("OPTIONS", "/api/v1/latest")).status, 405);
}

TEST_F(ServerTest, SendsLongListsInChunks) {
  for (int i = 0; i < 300; ++i) {
    DeviceInfo info;
    const string identity = "X" + std::to_string(i);
    info.identity = identity;
    fake_.directory.Resolve("p1", "meter", info, 0);
  }
  Start();
  const RawAnswer answer = Get("/api/v1/devices");
  EXPECT_EQ(answer.headers.at("transfer-encoding"), "chunked");
  EXPECT_EQ(answer.headers.count("content-length"), 0u);
  size_t keys = 0;
  for (size_t at = 0; (at = answer.body.find(R"({"key":)", at)) != string::npos; ++at) ++keys;
  EXPECT_EQ(keys, 302u);
  EXPECT_TRUE(answer.body.ends_with("]}]}") || answer.body.ends_with("[]}]}"))
      << answer.body.substr(answer.body.size() - 20);
}

TEST_F(ServerTest, ValuesAreExact) {
  Start();
  const string body = Get("/api/v1/latest?device=p1_e0044007382246019").body;
  EXPECT_NE(body.find(R"("value":1234.567,)"), string::npos) << body;
  EXPECT_NE(body.find(R"("value":230.10,)"), string::npos) << body;
  EXPECT_NE(body.find(R"("value":"bulk",)"), string::npos) << body;
  EXPECT_NE(body.find(R"("value":true,)"), string::npos) << body;
  EXPECT_NE(body.find(R"("value":"say \"hi\"\u000a</script>",)"), string::npos) << body;
  EXPECT_NE(body.find(R"("time":"2026-08-11T06:21:25Z")"), string::npos) << body;
}

TEST_F(ServerTest, ReadingsAreWholeThinnedAndBounded) {
  Start();
  const string head = "/api/v1/readings?series=1&to=2026-08-11T06:21:25Z";
  RawAnswer answer = Get(head + "&from=1786429275000");
  EXPECT_NE(
      answer.body.find(R"("total":10,"thinned":false,"before":[1786429274000,1.090],"readings":[[1786429275000,)"),
      string::npos)
      << answer.body;
  answer = Get(head);
  EXPECT_NE(answer.body.find(R"([1786429272000,1.070,"suspect"])"), string::npos) << answer.body;
  EXPECT_NE(answer.body.find(R"("before":null)"), string::npos) << answer.body;
  answer = Get(head + "&points=4");
  EXPECT_NE(answer.body.find(R"("total":20,"thinned":true)"), string::npos) << answer.body;
  EXPECT_NE(answer.body.find(R"("readings":[[1786429265000,1.000],[1786429284000,1.190]])"), string::npos)
      << answer.body;
  // A year is cut into slices, so that others get their turn between them.
  Main([&] { fake_.reader.thinned_reads = 0; });
  answer = Get(head + "&from=2025-08-11T00:00:00Z&points=19");
  EXPECT_NE(answer.body.find(R"("total":20,"thinned":true)"), string::npos) << answer.body;
  EXPECT_EQ(Main([&] { return fake_.reader.thinned_reads; }), 4u);
  for (const char* bad : {"&points=0", "&points=10001", "&points=x", "&from=yesterday", "&to=1e3", "&from=-1",
                          "&from=2026-08-11T07:00:00Z&to=2026-08-11T06:00:00Z"}) {
    EXPECT_EQ(Get("/api/v1/readings?series=1" + string(bad)).status, 400) << bad;
  }
}

TEST_F(ServerTest, QueriesAtWorkAreBounded) {
  fake_.hold_queries = true;
  limits_.queries = 2;
  Start();
  RawClient first(port_);
  RawClient second(port_);
  first.Send(Request("GET", "/api/v1/readings?series=1"));
  second.Send(Request("GET", "/api/v1/unknown"));
  ASSERT_TRUE(Eventually([&] { return fake_.held.size() == 2; }));
  const RawAnswer busy = Get("/api/v1/readings?series=1");
  EXPECT_EQ(busy.status, 503);
  EXPECT_EQ(busy.headers.at("retry-after"), "1");
  EXPECT_EQ(Main([&] { return server_->counters().refused.at("busy"); }), 1u);
  Main([&] {
    fake_.hold_queries = false;
    for (const auto& [work, done] : std::exchange(fake_.held, {})) {
      work(fake_.reader);
      done();
    }
  });
  EXPECT_EQ(first.ReadAnswer().status, 200);
  EXPECT_EQ(second.ReadAnswer().status, 200);
  EXPECT_EQ(Get("/api/v1/readings?series=1").status, 200);
}

TEST_F(ServerTest, AClientThatLeftStopsItsQuery) {
  fake_.hold_queries = true;
  Start();
  {
    RawClient client(port_);
    client.Send(Request("GET", "/api/v1/readings?series=1&points=4"));
    ASSERT_TRUE(Eventually([&] { return fake_.held.size() == 1; }));
  }
  // While an answer is being made nobody reads from the client; the hub notices when it writes.
  Main([&] {
    const auto held = std::exchange(fake_.held, {});
    held[0].first(fake_.reader);
    held[0].second();
    fake_.hold_queries = false;
  });
  EXPECT_EQ(Get("/api/v1/readings?series=1").status, 200);
}

TEST_F(ServerTest, UnknownFramesComeInPages) {
  Start();
  RawAnswer answer = Get("/api/v1/unknown?limit=20");
  EXPECT_NE(answer.body.find(R"("frames":[{"id":70,)"), string::npos) << answer.body;
  EXPECT_NE(answer.body.find(R"("hex":"2f4100ff3c","text":"/A\u0000)"), string::npos) << answer.body;
  EXPECT_TRUE(answer.body.ends_with(R"("next_before":51})")) << answer.body;
  answer = Get("/api/v1/unknown?before=51&limit=500");
  EXPECT_NE(answer.body.find(R"("frames":[{"id":50,)"), string::npos) << answer.body;
  EXPECT_TRUE(answer.body.ends_with(R"("next_before":null})")) << answer.body;
  EXPECT_NE(Get("/api/v1/unknown?source=other").body.find(R"("frames":[])"), string::npos);
  Main([&] {
    for (ArchivedFrame& frame : fake_.reader.frames) frame.bytes.resize(16384, 'x');
  });
  answer = Get("/api/v1/unknown?limit=500");
  EXPECT_LT(answer.body.size(), 4 * kMaxFrameBytes);
  EXPECT_TRUE(answer.body.ends_with(R"("next_before":54})")) << answer.body.substr(answer.body.size() - 40);
}

TEST_F(ServerTest, UnknownObjectsOfUnderstoodFrames) {
  Start();
  const string object = R"x({"source":"cupboard","code":"0-0:96.99.9","example":"(0001)","count":3})x";
  EXPECT_NE(Get("/api/v1/unknown").body.find("\"objects\":[" + object + "]"), string::npos);
  EXPECT_NE(Get("/api/v1/unknown?source=other").body.find(R"("objects":[])"), string::npos);
}

TEST_F(ServerTest, AMergedSeriesShowsTheReadingsOfItsRoad) {
  Start();
  EXPECT_NE(Get("/api/v1/readings?series=1").body.find(R"("series":1,"road":null)"), string::npos);
  fake_.merged_series = 2;
  fake_.shown_series = 1;
  const string answer = Get("/api/v1/readings?series=2").body;
  EXPECT_NE(answer.find(R"("series":2,"road":"p1_e0044007382246019")"), string::npos) << answer;
}

TEST_F(ServerTest, ANameFromTheConfigurationStays) {
  Start();
  fake_.named_by_configuration = true;
  RawClient client(port_);
  const RawAnswer answer =
      client.Ask(Request("PATCH", "/api/v1/devices/p1_e0044007382246019", Origin(), R"({"name":"Mine"})"));
  EXPECT_EQ(answer.status, 409);
  EXPECT_NE(answer.body.find("named_by_configuration"), string::npos) << answer.body;
}

TEST_F(ServerTest, RenamesADevice) {
  Start();
  const auto patch = [&](const string& body) {
    RawClient client(port_);
    return client.Ask(Request("PATCH", "/api/v1/devices/p1_e0044007382246019", Origin(), body));
  };
  RawAnswer answer = patch(R"({"name":"Küche <b>","place":"Hall"})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.body.find(R"("name":"Küche <b>","place":"Hall","title":"Küche <b>")"), string::npos) << answer.body;
  answer = patch(R"({"place":""})");
  EXPECT_NE(answer.body.find(R"("name":"Küche <b>","place":"")"), string::npos) << answer.body;
  EXPECT_EQ(patch(R"({"name":")" + string(129, 'x') + "\"}").status, 400);
  EXPECT_EQ(patch(R"({"name":"a\u0000b"})").status, 400);
  EXPECT_EQ(patch(R"({"name":1})").status, 400);
  EXPECT_EQ(patch("[").status, 400);
  EXPECT_EQ(patch(string(60000, '[')).status, 400);
}

TEST_F(ServerTest, HealthTellsWhatIsWrong) {
  Start();
  EXPECT_NE(Get("/api/v1/health").body.find(R"({"status":"ok","reasons":[],)"), string::npos);
  Main([&] { fake_.clock().Advance(61 * kUsPerSecond); });
  RawAnswer answer = Get("/api/v1/health");
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.body.find(R"("status":"degraded","reasons":["source meter is silent for 61 s"])"), string::npos)
      << answer.body;
  Main([&] {
    fake_.outputs[0].connected = false;
    fake_.outputs[0].error = "refused";
    fake_.problems = {"source x is off: unknown type"};
    fake_.journal.error = "no space left";
  });
  answer = Get("/api/v1/health");
  EXPECT_EQ(answer.status, 503);
  for (const char* text : {R"("status":"failing")", "no space left", "output broker is not connected: refused",
                           "source x is off: unknown type"}) {
    EXPECT_NE(answer.body.find(text), string::npos) << text << " in " << answer.body;
  }
}

// --- hostile and broken clients

TEST_F(ServerTest, AnswersOnlyToItsOwnNames) {
  config_.allowed_hosts = {"vesta.lan"};
  Start();
  const string port = std::to_string(port_);
  const auto status = [&](const string& host_lines) {
    RawClient client(port_);
    return client.Ask("GET /api/v1/latest HTTP/1.1\r\n" + host_lines + "\r\n").status;
  };
  for (const string& host : {"localhost:" + port, string("127.0.0.1:" + port), string("[::1]"), string("LOCALHOST."),
                             string("localhost:9999"), string("vesta.lan")}) {
    EXPECT_EQ(status("Host: " + host + "\r\n"), 200) << host;
  }
  for (const string& host : {string("evil.example"), string("evil.example:" + port), string("localhost.evil.example"),
                             string("127.0.0.1.evil.example"), string(""), string("192.168.1.5"), string("a b")}) {
    EXPECT_EQ(status("Host: " + host + "\r\n"), 421) << host;
  }
  EXPECT_EQ(status(""), 421);
  EXPECT_EQ(status("Host: localhost\r\nHost: evil.example\r\n"), 421);
  RawClient absolute(port_);
  EXPECT_EQ(absolute.Ask("GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 400);
}

TEST_F(ServerTest, PagesOfOtherSitesGetNothing) {
  Start();
  const string port = std::to_string(port_);
  for (const string& origin :
       {string("http://evil.example"), string("null"), "http://localhost:" + std::to_string(port_ + 1),
        string("http://localhost"), string("file://"), string("")}) {
    EXPECT_EQ(Get("/api/v1/latest", "Origin: " + origin + "\r\n").status, 403) << origin;
    RawClient client(port_);
    EXPECT_EQ(client
                  .Ask(Request("PATCH", "/api/v1/devices/p1_e0044007382246019", "Origin: " + origin + "\r\n",
                               R"({"name":"x"})"))
                  .status,
              403)
        << origin;
  }
  EXPECT_EQ(Get("/api/v1/latest", "Origin: http://localhost:" + port + "\r\n").status, 200);
  EXPECT_EQ(Get("/api/v1/latest").headers.count("access-control-allow-origin"), 0u);
  // What a foreign form can send without asking first: a body that is not JSON.
  RawClient form(port_);
  EXPECT_EQ(form.Ask("PATCH /api/v1/devices/x HTTP/1.1\r\nHost: localhost:" + port + "\r\n" + Origin() +
                     "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}")
                .status,
            415);
}

TEST_F(ServerTest, LargeRequestsAreToldSo) {
  Start();
  RawClient header(port_);
  EXPECT_EQ(header.Ask(Request("GET", "/api/v1/latest", "X: " + string(kMaxHeaderBytes, 'x') + "\r\n")).status, 431);
  EXPECT_TRUE(header.ReadEnd());
  RawClient target(port_);
  EXPECT_EQ(target.Ask(Request("GET", "/" + string(kMaxHeaderBytes, 'x'))).status, 431);
  string many;
  for (size_t i = 0; i <= kMaxHeaderFields; ++i) many += "X" + std::to_string(i) + ": y\r\n";
  RawClient fields(port_);
  EXPECT_EQ(fields.Ask(Request("GET", "/api/v1/latest", many)).status, 431);
  // The whole body is sent, and the answer still arrives.
  RawClient body(port_);
  const RawAnswer answer = body.Ask(Request("POST", "/api/v1/login", Origin(), string(kMaxBodyBytes + 1, 'x')));
  EXPECT_EQ(answer.status, 413);
  EXPECT_TRUE(body.ReadEnd());
  RawClient chunked(port_);
  EXPECT_EQ(chunked
                .Ask(Request("POST", "/api/v1/login", Origin() + "Transfer-Encoding: chunked\r\n") + "fffffff\r\n" +
                     string(100, 'x'))
                .status,
            413);
  RawClient most(port_);
  EXPECT_EQ(most.Ask(Request("POST", "/api/v1/login", Origin(), string(kMaxBodyBytes, 'x'))).status, 400);
}

TEST_F(ServerTest, GarbageIsRefusedAndTheServerStands) {
  Start();
  std::mt19937 random(7);
  for (int round = 0; round < 60; ++round) {
    RawClient client(port_);
    string bytes;
    if (round % 3 == 1) bytes = "GET /api/v1/latest HTTP/1.1\r\n";
    if (round % 3 == 2) bytes = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 300; ++i) bytes += static_cast<char>(random());
    client.Send(bytes);
    client.CloseSend();
    EXPECT_TRUE(client.ReadEnd()) << round;
    const bool refused = client.received.starts_with("HTTP/1.1 4") || client.received.starts_with("HTTP/1.1 5");
    EXPECT_TRUE(client.received.empty() || refused) << client.received;
  }
  for (const string& bad :
       {string("GET / HTTP/2.0\r\n\r\n"), string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        string("GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n"), string("GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        string("GET * HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        string("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"),
        string("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n"),
        string("GET / HTTP/1.1\r\nHost : localhost\r\n\r\n")}) {
    RawClient client(port_);
    const int status = client.Ask(bad).status;
    EXPECT_TRUE(status == 400 || status == 505) << bad << status;
    EXPECT_TRUE(client.ReadEnd());
  }
  EXPECT_EQ(Get("/api/v1/session").status, 200);
}

TEST_F(ServerTest, ASlowRequestIsCutOff) {
  limits_.request_timeout_us = 150 * kUsPerMs;
  limits_.sweep_us = 10 * kUsPerMs;
  Start();
  RawClient client(port_);
  client.Send("GET /api/v1/latest HTTP/1.1\r\n");
  const auto start = std::chrono::steady_clock::now();
  // A byte now and then does not buy more time.
  while (!client.ReadUntil("\r\n\r\n", 20) && !client.ended) client.Send("X");
  EXPECT_TRUE(client.received.starts_with("HTTP/1.1 408")) << client.received;
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  EXPECT_TRUE(Eventually([&] { return server_->connections() == 0; }));
}

TEST_F(ServerTest, AnIdleConnectionIsClosed) {
  limits_.idle_timeout_us = 100 * kUsPerMs;
  limits_.sweep_us = 10 * kUsPerMs;
  Start();
  RawClient silent(port_);
  EXPECT_TRUE(silent.ReadEnd());
  EXPECT_EQ(silent.received, "");
  RawClient used(port_);
  EXPECT_EQ(used.Ask(Request("GET", "/api/v1/session")).status, 200);
  EXPECT_TRUE(used.ReadEnd());
}

TEST_F(ServerTest, ConnectionsAreBoundedAndIdleOnesMakeRoom) {
  limits_.connections = 3;
  Start();
  std::vector<std::unique_ptr<RawClient>> busy;
  for (int i = 0; i < 3; ++i) {
    busy.push_back(std::make_unique<RawClient>(port_));
    busy.back()->Send("GET / HTTP/1.1\r\n");  // not idle: a request has begun
  }
  ASSERT_TRUE(Eventually([&] { return server_->connections() == 3; }));
  RawClient refused(port_);
  const RawAnswer answer = refused.ReadAnswer();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.headers.at("retry-after"), "5");
  EXPECT_GE(Main([&] { return server_->counters().refused.at("too_many_connections"); }), 1u);
  // One of them becomes idle: it gives way.
  busy[0]->Send("Host: localhost\r\n\r\n");
  EXPECT_NE(busy[0]->ReadAnswer().status, 0);
  refused.CloseSend();
  EXPECT_EQ(Get("/api/v1/session").status, 200);
  EXPECT_TRUE(busy[0]->ReadEnd());
}

TEST_F(ServerTest, AClientThatReadsNothingCostsNoMemory) {
  static constexpr Field kField = {"x", Quantity::kPower, Unit::kWatt, 0, FieldKind::kGauge, Pace::kFast, false, {}};
  std::vector<SeriesId> many;
  for (int i = 0; i < 1000; ++i) {
    DeviceInfo info;
    const string identity = "many" + std::to_string(i);
    info.identity = identity;
    many.push_back(fake_.directory.ResolveSeries(fake_.directory.Resolve("p1", "meter", info, 0), kField));
    fake_.Hear(many.back(), Value::OfDecimal(i, 0));
  }
  limits_.event_interval_us = 5 * kUsPerMs;
  Start();
  RawClient deaf(port_, "127.0.0.1", 4096);
  deaf.Send(Request("GET", "/api/v1/events"));
  RawClient awake(port_);
  awake.Send(Request("GET", "/api/v1/events"));
  ASSERT_TRUE(awake.ReadUntil("event: outputs"));
  // A minute in which all series change ten times a second.
  const auto minute = [&](int value) {
    for (int i = 0; i < 600; ++i) {
      Main([&] {
        for (const SeriesId series : many) fake_.Hear(series, Value::OfDecimal(value, 0));
        fake_.clock().Advance(100 * kUsPerMs);
      });
    }
  };
  minute(1);  // the client's buffers in the kernel are full after this
  const uint64_t before = ReadProcessFacts().resident_bytes;
  minute(2);
  EXPECT_LT(ReadProcessFacts().resident_bytes, before + (1u << 20));
  EXPECT_EQ(Main([&] { return server_->connections(); }), 2u);
  // When it wakes up it gets what is in its buffers, then the newest of each series, and not all that was between.
  Main([&] {
    for (const SeriesId series : many) fake_.Hear(series, Value::OfDecimal(31337, 0));
    fake_.clock().Advance(kUsPerSecond);
  });
  ASSERT_TRUE(deaf.ReadUntil(R"("value":31337,)"));
  ASSERT_TRUE(deaf.ReadUntil("event: coalesced"));
  EXPECT_LT(deaf.received.size(), 4u << 20);
}

TEST_F(ServerTest, StopsWithoutHangingOnAnyone) {
  Start();
  RawClient idle(port_);
  RawClient half(port_);
  half.Send("GET / HT");
  RawClient stream(port_);
  stream.Send(Request("GET", "/api/v1/events"));
  ASSERT_TRUE(stream.ReadUntil("event: outputs"));
  std::promise<void> stopped;
  Main([&] { server_->Stop([&] { stopped.set_value(); }); });
  EXPECT_EQ(stopped.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
  EXPECT_TRUE(idle.ReadEnd());
  EXPECT_TRUE(half.ReadEnd());
  EXPECT_TRUE(stream.ReadEnd());
}

// --- what it refuses to start as

class StartTest : public testing::Test {
 protected:
  string Problem() {
    FakeHub fake(io_);
    auto server = WebServer::Start(io_, config_, fake.Context(), {});
    return server ? "" : server.error();
  }
  boost::asio::io_context io_;
  HttpConfig config_;
};

TEST_F(StartTest, RefusesToBeExposedWithoutALogin) {
  config_.port = 0;
  for (const char* address : {"0.0.0.0", "::", "192.0.2.1"}) {
    config_.address = address;
    EXPECT_NE(Problem().find("can be reached from other machines"), string::npos) << address;
  }
  config_.address = "0.0.0.0";
  config_.tokens = {{"scraper", Sha256Hex("secret"), "read"}};
  EXPECT_EQ(Problem(), "");
  config_.tokens = {{"scraper", "secret", "read"}};
  EXPECT_NE(Problem().find("64 hex digits"), string::npos);
  EXPECT_EQ(Problem().find("secret"), string::npos) << "a secret in an error text";
  config_.tokens.clear();
  config_.password_hash = HashPassword("secret");
  EXPECT_EQ(Problem(), "");
  config_.password_hash = "secret";
  EXPECT_NE(Problem().find("vesta passwd"), string::npos);
  config_.password_hash = "$argon2id$v=19$m=9999999,t=3,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaGhhc2g";
  EXPECT_NE(Problem().find("16 MiB"), string::npos);
}

TEST_F(StartTest, SaysWhatIsWrongWithTheAddress) {
  config_.address = "my-host";
  EXPECT_NE(Problem().find("neither an IP address nor localhost"), string::npos);
  config_.address = "127.0.0.1";
  config_.port = 0;
  FakeHub fake(io_);
  auto first = WebServer::Start(io_, config_, fake.Context(), {});
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ((*first)->address(), "http://127.0.0.1:" + std::to_string((*first)->port()) + "/");
  config_.port = (*first)->port();
  EXPECT_NE(Problem().find("in use"), string::npos);
  config_.cert_file = "/nowhere/cert.pem";
  EXPECT_NE(Problem().find("belong together"), string::npos);
  config_.key_file = "/nowhere/key.pem";
  EXPECT_NE(Problem().find("/nowhere/cert.pem"), string::npos);
}

}  // namespace
}  // namespace vesta::hub
