#include "node/portal.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vesta::node {
namespace {

constexpr std::string_view kPassword = "correct horse";

class FakeHost final : public PortalHost {
 public:
  const NodeStatus& portal_status() override { return status; }
  size_t ReadConfigurationText(uint32_t offset, std::span<uint8_t> out) override {
    return TextView(active).Read(offset, out);
  }
  Settings ReadBoardSettings() override { return settings; }
  bool WriteBoardSettings(const Settings& s) override {
    settings = s;
    ++writes;
    return true;
  }
  bool BeginConfigurationText() override {
    text.clear();
    ++begins;
    return true;
  }
  bool WriteConfigurationText(uint32_t offset, std::span<const uint8_t> bytes) override {
    EXPECT_EQ(offset, text.size());
    text.append(bytes.begin(), bytes.end());
    return text.size() <= 4096;
  }
  bool EndConfigurationText(uint32_t size, Problem* problem) override {
    EXPECT_EQ(size, text.size());
    NodeConfig config;
    TextView view(text);
    if (!ReadConfig(view, &config, problem)) return false;
    active = text;
    return true;
  }

  NodeStatus status;
  Settings settings;
  std::string active = R"({"version":1,"name":"A<b>"})";
  std::string text;
  int begins = 0;
  int writes = 0;
};

class PortalTest : public testing::Test {
 protected:
  // The whole answer to bytes that come in pieces of this size.
  std::string Ask(const std::string& request, size_t piece = 1000) {
    portal_.Open(now_us_);
    for (size_t at = 0; at < request.size(); at += piece) {
      const std::string part = request.substr(at, piece);
      portal_.Receive({reinterpret_cast<const uint8_t*>(part.data()), part.size()}, now_us_, host_);
    }
    std::string answer;
    for (std::span<const uint8_t> out; !(out = portal_.Transmit(host_)).empty();) {
      const size_t taken = std::min<size_t>(out.size(), 100);
      answer.append(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(taken));
      portal_.Transmitted(taken);
    }
    return answer;
  }
  std::string Post(const std::string& path, const std::string& form, size_t piece = 1000) {
    return Ask("POST " + path +
                   " HTTP/1.1\r\nHost: node\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
                   std::to_string(form.size()) + "\r\n\r\n" + form,
               piece);
  }
  static int StatusOf(const std::string& answer) {
    return answer.size() < 12 || !answer.starts_with("HTTP/1.1 ") ? 0 : std::stoi(answer.substr(9, 3));
  }

  FakeHost host_;
  Portal portal_{kPassword};
  int64_t now_us_ = 1000000;
};

TEST_F(PortalTest, ThePageShowsWhatTheNodeDoesAndNoSecret) {
  host_.status.name.Set("<script>");
  host_.status.problem = "this is <wrong> & more";
  host_.status.is_waiting = true;
  host_.status.code = 4711;
  host_.settings.has_secret = true;
  host_.settings.secret.fill(0xAB);
  host_.settings.name.Set("Pi \"x\"");
  const std::string page = Ask("GET / HTTP/1.1\r\nHost: node\r\n\r\n");
  EXPECT_EQ(StatusOf(page), 200);
  EXPECT_EQ(page.find("<script>"), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;"), std::string::npos);
  EXPECT_NE(page.find("this is &lt;wrong&gt; &amp; more"), std::string::npos);
  EXPECT_NE(page.find("code 004711"), std::string::npos);
  EXPECT_NE(page.find("value=\"Pi &quot;x&quot;\""), std::string::npos);
  EXPECT_NE(page.find("{&quot;version&quot;:1,&quot;name&quot;:&quot;A&lt;b&gt;&quot;}"), std::string::npos);
  EXPECT_NE(page.find("</html>"), std::string::npos);
  EXPECT_EQ(page.find("abab"), std::string::npos);
  EXPECT_EQ(page.find("ABAB"), std::string::npos);
}

TEST_F(PortalTest, FormsChangeNameSecretAndConfigurationWhateverPiecesTheyComeIn) {
  for (const size_t piece : {size_t{1}, size_t{7}, size_t{1000}}) {
    EXPECT_EQ(StatusOf(Post("/name", "password=correct+horse&name=Hen%20house", piece)), 200) << piece;
    EXPECT_EQ(host_.settings.name.view(), "Hen house");
    EXPECT_EQ(StatusOf(Post("/secret", "password=correct%20horse&secret=00112233-44556677-8899aabb-ccddeeff", piece)),
              200);
    EXPECT_TRUE(host_.settings.has_secret);
    EXPECT_EQ(host_.settings.secret[15], 0xFF);
    const std::string good =
        "password=correct+horse&text=%7B%22version%22%3A2%2C%22name%22%3A%22" + std::string(20, 'n') + "%22%7D";
    EXPECT_EQ(StatusOf(Post("/configuration", good, piece)), 200);
    EXPECT_EQ(host_.active, R"({"version":2,"name":")" + std::string(20, 'n') + "\"}");
  }
  const std::string refused = Post("/configuration", "password=correct+horse&text=%7B%22versio%22%3A2%7D");
  EXPECT_EQ(StatusOf(refused), 422);
  EXPECT_NE(refused.find("unknown key"), std::string::npos) << refused;
  EXPECT_EQ(StatusOf(Post("/name", "password=correct+horse&name=" + std::string(25, 'x'))), 422);
  EXPECT_EQ(StatusOf(Post("/secret", "password=correct+horse&secret=00")), 422);
  EXPECT_EQ(host_.settings.name.view(), "Hen house");
}

TEST_F(PortalTest, NothingIsWrittenWithoutThePassword) {
  const std::string forms[] = {
      "name=x",
      "text=%7B%7D",
      "name=x&password=correct+horse",
      "text=%7B%7D&password=correct+horse",
      "password=&name=x",
      "password=correct+hors&name=x",
      "password=correct+horse%00&name=x",
      "password=correct+horse" + std::string(200, 'e') + "&name=x",
      "password=wrong&password=correct+horse&name=x",
      "other=1&name=x",
  };
  for (const std::string& form : forms) {
    for (const char* path : {"/name", "/secret", "/configuration"}) {
      now_us_ += kWrongPassword_us + 1;
      EXPECT_EQ(StatusOf(Post(path, form)), 403) << path << " " << form;
    }
  }
  EXPECT_EQ(host_.writes, 0);
  EXPECT_EQ(host_.begins, 0);
  EXPECT_GT(portal_.wrong_passwords(), 0u);
  // Guessing is slow: for a while the right one is not looked at either.
  now_us_ += kWrongPassword_us + 1;
  EXPECT_EQ(StatusOf(Post("/name", "password=wrong&name=x")), 403);
  EXPECT_EQ(StatusOf(Post("/name", "password=correct+horse&name=x")), 429);
  now_us_ += kWrongPassword_us + 1;
  EXPECT_EQ(StatusOf(Post("/name", "password=correct+horse&name=x")), 200);
  Portal open("short");
  FakeHost host;
  open.Open(0);
  const std::string request =
      "POST /name HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 21\r\n\r\n"
      "password=short&name=x";
  open.Receive({reinterpret_cast<const uint8_t*>(request.data()), request.size()}, 0, host);
  EXPECT_EQ(host.writes, 0);
}

TEST_F(PortalTest, OddRequestsAreRefusedWithAReason) {
  const auto ask = [&](const std::string& head) { return StatusOf(Ask(head + "\r\n\r\n")); };
  EXPECT_EQ(ask("GET /etc/passwd HTTP/1.1"), 404);
  EXPECT_EQ(ask("GET /name HTTP/1.1"), 404);
  EXPECT_EQ(ask("PUT / HTTP/1.1"), 405);
  EXPECT_EQ(ask("GET / FTP/1.1"), 400);
  EXPECT_EQ(ask("GET"), 400);
  EXPECT_EQ(ask("GET /" + std::string(500, 'a') + " HTTP/1.1"), 404);
  EXPECT_EQ(ask("GET / HTTP/1.1\r\nCookie: " + std::string(5000, 'a')), 431);
  EXPECT_EQ(ask("GET / HTTP/1.1\r\nCookie: " + std::string(3000, 'a')), 200);
  EXPECT_EQ(ask("POST /name HTTP/1.1\r\nContent-Length: 5"), 415);
  const std::string form = "\r\nContent-Type: application/x-www-form-urlencoded";
  EXPECT_EQ(ask("POST /name HTTP/1.1" + form), 411);
  EXPECT_EQ(ask("POST /name HTTP/1.1" + form + "\r\nContent-Length: x"), 400);
  EXPECT_EQ(ask("POST /name HTTP/1.1" + form + "\r\nContent-Length: 5\r\nContent-Length: 6"), 400);
  EXPECT_EQ(ask("POST /name HTTP/1.1" + form + "\r\nContent-Length: 99999"), 413);
  EXPECT_EQ(ask("POST /name HTTP/1.1" + form + "\r\nTransfer-Encoding: chunked"), 411);
  EXPECT_EQ(StatusOf(Post("/name", "password=correct+horse&name=%4")), 400);
  EXPECT_EQ(StatusOf(Post("/name", "password=correct+horse&name=%zz")), 400);
  EXPECT_EQ(StatusOf(Post("/name", "password=correct+horse&nam")), 400);
  EXPECT_EQ(StatusOf(Post("/configuration", "password=correct+horse&text=" + std::string(5000, 'x'))), 413);
  EXPECT_EQ(host_.writes, 0);
}

class FakePort final : public TcpPort {
 public:
  bool Accept() override { return !std::exchange(is_taken, true); }
  bool is_open() const override { return is_up; }
  size_t Read(std::span<uint8_t> bytes) override {
    const size_t size = std::min(bytes.size(), in.size());
    std::copy_n(in.begin(), size, bytes.begin());
    in.erase(0, size);
    return size;
  }
  size_t Write(std::span<const uint8_t> bytes) override {
    const size_t size = std::min(bytes.size(), window);
    out.append(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    return size;
  }
  void Close() override { is_closed = true; }

  std::string in;
  std::string out;
  size_t window = 1000;
  bool is_taken = false;
  bool is_up = true;
  bool is_closed = false;
};

TEST_F(PortalTest, AConnectionThatDoesNotMoveIsClosedAndTheNextIsServed) {
  FakePort slow;
  slow.in = "GET / HT";
  portal_.Run(now_us_, slow, host_);
  portal_.Run(now_us_ + kPortalTime_us, slow, host_);
  EXPECT_FALSE(slow.is_closed);
  portal_.Run(now_us_ + kPortalTime_us + 1, slow, host_);
  EXPECT_TRUE(slow.is_closed);
  FakePort deaf;
  deaf.in = "GET / HTTP/1.1\r\n\r\n";
  deaf.window = 0;
  portal_.Run(now_us_, deaf, host_);
  deaf.is_up = false;
  portal_.Run(now_us_, deaf, host_);
  EXPECT_TRUE(deaf.is_closed);
  FakePort good;
  good.in = "GET / HTTP/1.1\r\n\r\n";
  good.window = 33;
  portal_.Run(now_us_, good, host_);
  EXPECT_TRUE(good.is_closed);
  EXPECT_TRUE(good.out.ends_with("</html>\n"));
}

}  // namespace
}  // namespace vesta::node
