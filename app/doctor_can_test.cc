// The doctor and an slcan adapter that the test plays on a pseudo terminal, well and ill.
#include "app/doctor_can.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <thread>

namespace vesta::app {
namespace {

using testing::Contains;
using testing::HasSubstr;

// A shunt's announce and a value.
constexpr char kBoat[] = "T046F129781B97120300010000\rT086F1297600006042BB42\r";

class FakeAdapter {
 public:
  // answer: to a whole command, with the bit rate code that is set. Called on the adapter's thread.
  using Answer = std::function<std::string(const std::string& command, char rate)>;

  explicit FakeAdapter(Answer answer) : answer_(std::move(answer)) {
    master_ = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    grantpt(master_);
    unlockpt(master_);
    path = ptsname(master_);
    slave_ = open(path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    termios settings{};
    tcgetattr(slave_, &settings);
    cfmakeraw(&settings);
    tcsetattr(slave_, TCSANOW, &settings);
    thread_ = std::thread([this] { Play(); });
  }
  ~FakeAdapter() {
    stop_ = true;
    thread_.join();
    close(slave_);
    close(master_);
  }

  std::string path;
  std::string commands;  // to be read when the doctor is done

 private:
  void Play() {
    std::string command;
    char rate = '?';
    while (!stop_) {
      pollfd wait{master_, POLLIN, 0};
      if (poll(&wait, 1, 5) <= 0) continue;
      char bytes[256];
      const ssize_t size = read(master_, bytes, sizeof bytes);
      for (ssize_t i = 0; i < size; ++i) {
        command += bytes[i];
        if (bytes[i] != '\r') continue;
        commands += command;
        if (command[0] == 'S') rate = command[1];
        const std::string text = answer_(command, rate);
        if (!text.empty() && write(master_, text.data(), text.size()) < 0) return;
        command.clear();
      }
    }
  }

  Answer answer_;
  int master_ = -1;
  int slave_ = -1;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

hub::SourceConfig Config(const std::string& port) {
  hub::SourceConfig config;
  config.name = "boat";
  config.type = "slcan";
  config.protocol = "masterbus";
  config.port = port;
  return config;
}

std::string Plain(const std::string& command) {
  if (command[0] == 'V') return "V1013\r";
  return command[0] == 'F' ? "F00\r" : "\r";
}

std::string Repeated(const char* text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST(DoctorSlcan, ABusThatIsWell) {
  FakeAdapter adapter(
      [](const std::string& command, char) { return Plain(command) + (command[0] == 'L' ? Repeated(kBoat, 15) : ""); });
  const PatientReport report = ExamineSlcan(Config(adapter.path), 1);
  EXPECT_TRUE(report.well) << report.error << report.hint;
  EXPECT_THAT(report.findings, Contains("adapter version 1013"));
  EXPECT_THAT(report.findings, Contains(HasSubstr("status flags 0x00")));
  EXPECT_THAT(report.findings, Contains(HasSubstr("at 250000 bit/s: 30 frames of 1 MasterBus devices")));
  EXPECT_EQ(adapter.commands.find('O'), std::string::npos) << "it only listens";
  EXPECT_EQ(adapter.commands.find('T'), std::string::npos);
}

TEST(DoctorSlcan, AnotherBitRateIsFoundByListening) {
  FakeAdapter adapter([](const std::string& command, char rate) {
    if (command[0] == 'F') return std::string(rate == '5' ? "FA4\r" : "F00\r");
    return Plain(command) + (command[0] == 'L' && rate == '6' ? Repeated(kBoat, 15) : "");
  });
  const PatientReport report = ExamineSlcan(Config(adapter.path), 0.3);
  EXPECT_FALSE(report.well);
  EXPECT_THAT(report.hint, HasSubstr("\"bitrate\": 500000"));
  EXPECT_THAT(report.findings,
              Contains(HasSubstr("status flags 0xA4 (where the maker follows LAWICEL: error warning")));
  EXPECT_EQ(adapter.commands.find('O'), std::string::npos);
}

TEST(DoctorSlcan, SilenceAndErrorsAreToldApart) {
  FakeAdapter silent([](const std::string& command, char) { return Plain(command); });
  const PatientReport nothing = ExamineSlcan(Config(silent.path), 0.2);
  EXPECT_FALSE(nothing.well);
  EXPECT_THAT(nothing.hint, HasSubstr("nothing at all"));
  FakeAdapter noisy([](const std::string& command, char rate) {
    return Plain(command) + (command[0] == 'L' && rate == '5' ? "e2fs\rsp000128\r" : "");
  });
  const PatientReport errors = ExamineSlcan(Config(noisy.path), 0.2);
  EXPECT_THAT(errors.findings, Contains(HasSubstr("0 frames, 2 error reports")));
  EXPECT_THAT(errors.hint, HasSubstr("only errors"));
}

TEST(DoctorSlcan, AnAdapterThatCanNotListenOnlySaysSo) {
  FakeAdapter adapter(
      [](const std::string& command, char) { return command[0] == 'L' ? std::string("\a") : Plain(command); });
  const PatientReport report = ExamineSlcan(Config(adapter.path), 0.2);
  EXPECT_EQ(report.error, "the adapter refused to listen only");
  EXPECT_THAT(report.hint, HasSubstr("\"listen_only\": false"));
}

TEST(DoctorSlcan, OneThatRefusesToCloseAndKnowsNoVersionIsFine) {
  FakeAdapter adapter([](const std::string& command, char) {
    if (command[0] == 'C' || command[0] == 'V' || command[0] == 'F') return std::string("\a");
    return Plain(command) + (command[0] == 'L' ? Repeated(kBoat, 15) : "");
  });
  EXPECT_TRUE(ExamineSlcan(Config(adapter.path), 1).well);
}

TEST(DoctorSlcan, OneThatAnswersNothingButSendsFramesIsFine) {
  FakeAdapter adapter(
      [](const std::string& command, char) { return command[0] == 'L' ? Repeated(kBoat, 15) : std::string(); });
  EXPECT_TRUE(ExamineSlcan(Config(adapter.path), 1).well);
}

TEST(DoctorSlcan, OneThatHangsIsTold) {
  FakeAdapter adapter([](const std::string&, char) { return std::string(); });
  const PatientReport report = ExamineSlcan(Config(adapter.path), 0.2);
  EXPECT_FALSE(report.well);
  EXPECT_THAT(report.hint, HasSubstr("it may hang"));
}

TEST(DoctorSlcan, FramesOfAnotherBus) {
  FakeAdapter adapter([](const std::string& command, char) {
    return Plain(command) + (command[0] == 'L' ? Repeated("t1232AABB\r", 30) : "");
  });
  const PatientReport report = ExamineSlcan(Config(adapter.path), 0.5);
  EXPECT_FALSE(report.well);
  EXPECT_THAT(report.hint, HasSubstr("another kind of bus"));
}

TEST(DoctorSlcan, NoSuchPort) {
  const PatientReport report = ExamineSlcan(Config("/dev/no-such-port"), 0.2);
  EXPECT_FALSE(report.error.empty());
  EXPECT_FALSE(report.hint.empty());
}

PatientReport Examine(hub::CanInterface facts) {
  hub::SourceConfig config = Config("");
  config.can_interface = "nocan0";
  return ExamineCan(config, 0.1, [facts](const std::string&) { return facts; });
}

TEST(DoctorCan, TellsBitRateStateAndCounters) {
  hub::CanInterface facts;
  facts.is_can = facts.is_up = facts.has_counters = true;
  facts.bitrate = 125000;
  facts.state = "passive";
  facts.rx_errors = 135;
  PatientReport report = Examine(facts);
  EXPECT_FALSE(report.well);
  EXPECT_THAT(report.findings, Contains("nocan0: 125000 bit/s, passive, error counters rx 135 tx 0"));
  EXPECT_THAT(report.hint, HasSubstr("a MasterBus runs at 250000"));
  facts.bitrate = 250000;
  facts.state = "bus_off";
  EXPECT_THAT(Examine(facts).hint, HasSubstr("restart-ms 100"));
  facts.is_up = false;
  EXPECT_THAT(Examine(facts).hint, HasSubstr("ip link set nocan0 up type can bitrate 250000"));
}

TEST(DoctorCan, NoSuchInterface) {
  hub::SourceConfig config = Config("");
  config.can_interface = "nocan0";
  const PatientReport report = ExamineCan(config, 0.1);
  EXPECT_THAT(report.error, HasSubstr("no interface nocan0"));
}

}  // namespace
}  // namespace vesta::app
