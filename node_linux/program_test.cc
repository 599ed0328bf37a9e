// The real program against the hub's end of the link, over UDP on this computer: pins, 1-Wire and display are folders
// and files as the kernel's.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <sstream>

#include "node_linux/files.h"
#include "node_linux/options.h"
#include "protocols/espnow/udp_air.h"
#include "protocols/link/hub.h"

namespace vesta::node_linux {
namespace {

namespace fs = std::filesystem;

int64_t Now_us() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return int64_t{t.tv_sec} * 1000000 + t.tv_nsec / 1000;
}

class SystemRandom final : public link::RandomSource {
 public:
  void Fill(std::span<uint8_t> out) override {
    for (uint8_t& b : out) b = static_cast<uint8_t>(device_());
  }

 private:
  std::random_device device_;
};

// A hub at a UDP port.
class UdpHub final : private link::HubEvents {
 public:
  UdpHub() {
    fd_ = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    socklen_t size = sizeof(address);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    hub.SetGateway(0, kAddress, 6);
  }
  ~UdpHub() override { close(fd_); }

  bool RunUntil(const std::function<bool()>& is_done, int seconds) {
    const int64_t until_us = Now_us() + int64_t{seconds} * 1000000;
    while (!is_done()) {
      if (Now_us() > until_us) return false;
      pollfd p{fd_, POLLIN, 0};
      poll(&p, 1, 20);
      uint8_t bytes[2048];
      ssize_t got = 0;
      socklen_t size = sizeof(peer_);
      while ((got = recvfrom(fd_, bytes, sizeof(bytes), 0, reinterpret_cast<sockaddr*>(&peer_), &size)) > 0) {
        espnow::Packet packet;
        if (!espnow::ReadUdpAir({bytes, static_cast<size_t>(got)}, &packet)) continue;
        if (!espnow::IsHeardOn(6, packet.radiotap.channel)) continue;
        hub.Receive({0, packet.sender, packet.receiver, 6, 0, packet.elements[0].body}, now(), *this);
      }
      if (hub.next_deadline_us() <= Now_us()) hub.Tick(now(), *this);
    }
    return true;
  }
  Now now() const { return {Now_us(), time(nullptr) * kUsPerSecond, ClockQuality::kSynchronised}; }
  void Set(uint8_t index, int64_t value) {
    const auto& [number, info] = *infos.begin();
    hub.SetItem(number, link::IntegerItem(index, value), now(), *this);
  }

  SystemRandom random;
  link::Hub hub{{1, 4, true}, random};
  uint16_t port = 0;
  std::map<uint16_t, link::NodeInfo> infos;
  std::map<uint8_t, int64_t> values;
  std::vector<link::Result> results;

 private:
  static constexpr link::Address kAddress = {2, 0xAA, 0, 0, 0, 1};

  void Send(uint8_t, const link::Address& from, const link::Address& to, link::Bytes frame) override {
    espnow::SendOptions options;
    options.sender = from;
    options.receiver = to;
    uint8_t out[espnow::kMaxUdpAirSize];
    const size_t size = espnow::WriteUdpAir(options, 6, -40, frame, out);
    sendto(fd_, out, size, 0, reinterpret_cast<sockaddr*>(&peer_), sizeof(peer_));
  }
  link::JoinPolicy OnJoinRequest(const link::JoinRequest&) override {
    link::JoinPolicy policy{link::JoinPolicy::Rule::kBySecret, {}, 0};
    policy.secret.fill(0x5A);
    return policy;
  }
  void OnRefused(const link::Address&, link::Refusal, const link::NodeInfo&) override {}
  void OnCode(const link::Address&, uint32_t, const link::NodeInfo&) override {}
  void OnJoined(const link::PeerRecord& record, const link::NodeInfo& info) override { infos[record.node] = info; }
  void OnSession(uint16_t node, const link::NodeInfo& info) override { infos[node] = info; }
  bool OnReport(uint16_t, const link::Report& report) override {
    link::ItemReader reader(report.items);
    link::Item item;
    while (reader.Next(&item)) {
      if (item.type != link::ValueType::kBytes && item.type != link::ValueType::kNone)
        values[item.index] = item.integer;
    }
    return true;
  }
  void OnResult(uint16_t, const link::Result& result) override { results.push_back(result); }
  void OnDescription(uint16_t, const link::Description&) override {}
  size_t ReadBlob(size_t, uint32_t, std::span<uint8_t>) override { return 0; }
  void OnBlobStatus(uint16_t, const link::BlobStatus&) override {}

  int fd_ = -1;
  sockaddr_in peer_ = {};
};

void Put(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

class Program {
 public:
  explicit Program(const fs::path& settings, const std::string& output = "") {
    pid_ = fork();
    if (pid_ != 0) return;
    if (!output.empty() && freopen(output.c_str(), "w", stdout) == nullptr) _exit(126);
    execl(VESTA_NODE_PROGRAM, "vesta-node", "--config", settings.c_str(), nullptr);
    _exit(127);
  }
  ~Program() { Stop(); }
  int Stop() {
    if (pid_ <= 0) return status_;
    kill(pid_, SIGTERM);
    waitpid(pid_, &status_, 0);
    pid_ = -1;
    return status_;
  }

 private:
  pid_t pid_ = -1;
  int status_ = 0;
};

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
    Program program(settings);
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
  Program program(settings);
  ASSERT_TRUE(hub.RunUntil([&] { return hub.values.count(6) != 0; }, 20));
  EXPECT_EQ(hub.values[6], 25500) << "kept over the restart";
  EXPECT_EQ(hub.infos.begin()->second.configuration, 2u);
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
  Program program(folder_ / "radio.json", (folder_ / "said").string());
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
