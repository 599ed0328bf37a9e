// The real program against the hub's end of the link, over UDP on this computer: pins, 1-Wire and display are folders
// and files as the kernel's.
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

#include "node_linux/files.h"
#include "node_linux/options.h"
#include "node_linux/program_for_test.h"

namespace vesta::node_linux {
namespace {

class ProgramTest : public testing::Test {
 protected:
  ProgramTest() {
    char name[] = "/tmp/vesta-node-test-XXXXXX";
    folder_ = mkdtemp(name);
    Put(folder_ / "gpio/gpio5/direction", "in");
    Put(folder_ / "gpio/gpio5/value", "0");
    // 21.5 degrees, as the kernel prints it.
    Put(folder_ / "w1/28-665544332211/w1_slave",
        "58 01 4b 46 7f ff 08 10 f9 : crc=f9 YES\n58 01 4b 46 7f ff 08 10 f9 t=21500\n");
    Put(folder_ / "secret", "5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A\n");
    Put(folder_ / "node.json",
        R"({"version":2,"name":"Pi","ping_s":1,"functions":[
          {"type":"thermometer","name":"Tank","pin":4,"period_s":1},
          {"type":"relay","name":"Burner","pin":5},
          {"type":"thermostat","name":"Tank","sensor":"2811223344556656","relay":"Burner"},
          {"type":"display","screens":["status"]}]})");
  }
  ~ProgramTest() override { fs::remove_all(folder_); }

  fs::path Settings(uint16_t port) {
    const std::string dir = folder_.string();
    std::ostringstream text;
    text << R"({"port":)" << port << R"(,"state":")" << dir << R"(/state","secret_file":")" << dir
         << R"(/secret","configuration":")" << dir << R"(/node.json","gpio":")" << dir << R"(/gpio","one_wire":")"
         << dir << R"(/w1","display":")" << dir << R"(/screen.txt"})";
    Put(folder_ / "settings.json", text.str());
    return folder_ / "settings.json";
  }
  std::string Content(const std::string& name) { return ReadFile((folder_ / name).string()).value_or(""); }

  fs::path folder_;
};

// Items: 1 to 4 the thermometer's places, 5 the relay, 6 the set-point, 7 heating.
TEST_F(ProgramTest, JoinsSendsReadingsTakesASetPointAndKeepsIt) {
  UdpHub hub;
  const fs::path settings = Settings(hub.port);
  {
    NodeProcess program(settings);
    ASSERT_TRUE(hub.RunUntil([&] { return hub.values.count(1) != 0 && hub.values.count(6) != 0; }, 20));
    EXPECT_EQ(hub.values[1], 215000) << "21.5 degrees, times 10^-4";
    EXPECT_EQ(hub.values[6], 20000);
    hub.Set(6, 25500);
    ASSERT_TRUE(hub.RunUntil([&] { return !hub.results.empty() && hub.values[7] == 1; }, 20));
    EXPECT_EQ(hub.results[0].outcome, link::Outcome::kApplied);
    EXPECT_EQ(hub.results[0].item.integer, 25500);
    EXPECT_EQ(Content("gpio/gpio5/value").substr(0, 1), "1") << "21.5 is below 25.5: the burner runs";
    // The screen is drawn once a second.
    ASSERT_TRUE(hub.RunUntil([&] { return !Content("screen.txt").empty(); }, 5));
    EXPECT_EQ(program.Stop(), 0);
  }
  hub.values.clear();
  NodeProcess program(settings);
  ASSERT_TRUE(hub.RunUntil([&] { return hub.values.count(6) != 0; }, 20));
  EXPECT_EQ(hub.values[6], 25500) << "kept over the restart";
  EXPECT_EQ(hub.infos.begin()->second.configuration, 2u);
}

TEST_F(ProgramTest, ASleepingNodeReportsAtEachWakeUpAndTakesASetPointThere) {
  Put(folder_ / "node.json",
      R"({"version":2,"name":"Pi","sleep_s":1,"functions":[
          {"type":"thermometer","name":"Tank","pin":4,"period_s":1,"sensors":[{"id":"2811223344556656"}]},
          {"type":"relay","name":"Burner","pin":5},
          {"type":"thermostat","name":"Tank","sensor":"2811223344556656","relay":"Burner"}]})");
  UdpHub hub;
  NodeProcess program(Settings(hub.port));
  ASSERT_TRUE(hub.RunUntil([&] { return hub.reports >= 2; }, 20));
  EXPECT_TRUE(hub.hub.Find(hub.infos.begin()->first)->is_sleepy);
  const int before = hub.reports;
  hub.Set(3, 25500);
  ASSERT_TRUE(hub.RunUntil([&] { return !hub.results.empty() && hub.reports >= before + 3; }, 20));
  EXPECT_EQ(hub.results[0].outcome, link::Outcome::kApplied);
  EXPECT_EQ(hub.values[1], 215000);
}

TEST_F(ProgramTest, ThePageChangesNameSecretAndFunctionsWithThePassword) {
  Put(folder_ / "password", "correct horse\n");
  UdpHub hub;
  const uint16_t page = FreeTcpPort();
  const fs::path settings = Settings(hub.port);
  std::string text = ReadFile(settings.string()).value_or("");
  text.back() = ',';
  Put(settings, text + R"("page_port":)" + std::to_string(page) + R"(,"page_password_file":")" +
                    (folder_ / "password").string() + "\"}");
  NodeProcess program(settings);
  ASSERT_TRUE(hub.RunUntil([&] { return hub.values.count(6) != 0; }, 20));
  const std::string shown = Ask(page, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_NE(shown.find("linked to the hub"), std::string::npos) << shown;
  EXPECT_NE(shown.find("&quot;thermostat&quot;"), std::string::npos);
  EXPECT_EQ(shown.find("5A5A5A5A"), std::string::npos);
  EXPECT_NE(Post(page, "/configuration", "password=wrong+horse&text=%7B%22version%22%3A3%7D").find("403"),
            std::string::npos);
  // Guessing is slow.
  hub.RunUntil([] { return false; }, 3);
  const std::string done = Post(page, "/configuration",
                                "password=correct+horse&text=%7B%22version%22%3A3%2C%22name%22%3A%22Cellar%22%2C%22"
                                "ping_s%22%3A1%7D");
  EXPECT_NE(done.find("200 OK"), std::string::npos) << done;
  ASSERT_TRUE(hub.RunUntil([&] { return hub.infos.begin()->second.configuration == 3; }, 20));
  EXPECT_EQ(std::string(hub.infos.begin()->second.name.data(), 6), "Cellar");
  EXPECT_NE(Post(page, "/configuration", "password=correct+horse&text=%7B%22version%22%3A3%7D").find("above 3"),
            std::string::npos);
}

TEST_F(ProgramTest, BadSettingsAreRefusedWithAReason) {
  Put(folder_ / "bad.json", R"({"gatway":"127.0.0.1"})");
  std::string problem;
  EXPECT_FALSE(ReadOptions((folder_ / "bad.json").string(), &problem));
  EXPECT_NE(problem.find("'gatway'"), std::string::npos) << problem;
  Put(folder_ / "bad.json", "{}");
  problem.clear();
  EXPECT_FALSE(ReadOptions((folder_ / "bad.json").string(), &problem));
  EXPECT_NE(problem.find("'state'"), std::string::npos) << problem;
}

TEST_F(ProgramTest, ARadioIsAnAirOfItsOwn) {
  std::string problem;
  Put(folder_ / "both.json", R"({"state":"s","radio_interface":"mon0","gateway":"192.0.2.1"})");
  EXPECT_FALSE(ReadOptions((folder_ / "both.json").string(), &problem));
  EXPECT_NE(problem.find("'radio_interface'"), std::string::npos) << problem;
  Put(folder_ / "radio.json", R"({"state":"s","radio_interface":"mon0"})");
  const auto options = ReadOptions((folder_ / "radio.json").string(), &problem);
  ASSERT_TRUE(options) << problem;
  EXPECT_EQ(options->radio_interface, "mon0");
}

TEST_F(ProgramTest, WaitsForARadioThatIsNotThereAndEndsWhenItIsTold) {
  Put(folder_ / "radio.json", R"({"state":")" + folder_.string() + R"(/state","radio_interface":"no-such-radio"})");
  NodeProcess program(folder_ / "radio.json", (folder_ / "said").string());
  const int64_t give_up_us = Now_us() + 20 * 1000000;
  while (Content("said").empty() && Now_us() < give_up_us) usleep(10000);
  EXPECT_EQ(Content("said"), "there is no interface no-such-radio\n");
  EXPECT_EQ(program.Stop(), 0);
}

TEST(Files, AreWrittenWholeOrNotAtAll) {
  char name[] = "/tmp/vesta-node-test-XXXXXX";
  const fs::path folder = mkdtemp(name);
  const std::string path = (folder / "record").string();
  const uint8_t bytes[] = {'a', 'b'};
  EXPECT_TRUE(WriteFile(path, bytes));
  EXPECT_EQ(ReadFile(path), "ab");
  EXPECT_FALSE(WriteFile((folder / "no/such").string(), bytes));
  EXPECT_FALSE(fs::exists(path + ".new"));
  EXPECT_EQ(fs::status(path).permissions() & fs::perms::all, fs::perms::owner_read | fs::perms::owner_write);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace vesta::node_linux
