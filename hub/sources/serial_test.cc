#include "hub/sources/serial.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "hub/sources/recording_line.h"
#include "hub/sources/serial_port.h"

namespace vesta::hub {
namespace {

using testing::HasSubstr;

constexpr StreamTiming kFast = {
    .back_off_first_us = 10 * kUsPerMs, .back_off_last_us = 50 * kUsPerMs, .missing_port_us = 10 * kUsPerMs};

// The two ends of a cable: the test holds the master, the source opens the slave.
class Pty {
 public:
  Pty() : master_(posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)) {
    grantpt(master_);
    unlockpt(master_);
    std::array<char, 128> name{};
    EXPECT_EQ(ptsname_r(master_, name.data(), name.size()), 0);
    path_ = name.data();
  }
  ~Pty() { Unplug(); }
  void Unplug() {
    if (master_ >= 0) close(std::exchange(master_, -1));
  }
  void Write(const std::string& text) const {
    EXPECT_EQ(write(master_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::string Read() const {
    std::array<char, 256> buffer{};
    const ssize_t size = read(master_, buffer.data(), buffer.size());
    return size > 0 ? std::string(buffer.data(), static_cast<size_t>(size)) : "";
  }
  int master() const { return master_; }
  const std::string& path() const { return path_; }

 private:
  int master_;
  std::string path_;
};

class SerialSource : public testing::Test {
 protected:
  SerialSource() {
    char name[] = "serial_test_XXXXXX";
    folder_ = mkdtemp(name);
    config_.name = "meter";
    config_.type = "serial";
    config_.port = folder_ + "/usb-FTDI_1234-if00";
  }
  ~SerialSource() override {
    unlink((folder_ + "/usb-FTDI_1234-if00").c_str());
    rmdir(folder_.c_str());
  }

  // As udev does: the stable name leads to whatever the port is called now.
  void Plug(const Pty& pty) {
    const std::string link = folder_ + "/usb-FTDI_1234-if00";
    unlink(link.c_str());
    ASSERT_EQ(symlink(pty.path().c_str(), link.c_str()), 0);
  }

  std::unique_ptr<Source> Make() { return MakeSerialSource(io_, config_, line_, kFast); }
  bool Until(const std::function<bool()>& condition) { return RunUntil(io_, condition); }

  std::string folder_;
  boost::asio::io_context io_;
  SourceConfig config_;
  RecordingLine line_;
};

TEST_F(SerialSource, ReadsAndWrites) {
  Pty pty;
  Plug(pty);
  line_.to_send = "hello meter";
  const auto source = Make();
  source->Start();
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
  EXPECT_THAT(line_.events, testing::ElementsAre("opening", "opened"));
  const std::string all = std::string("/ISK5\r\n\x03\x04\x11\x13\x00\xFF!", 14);
  pty.Write(all);
  ASSERT_TRUE(Until([&] { return line_.received.size() == all.size(); }));
  EXPECT_EQ(line_.received, all);  // raw: no byte is swallowed or changed
  std::string out;
  ASSERT_TRUE(Until([&] { return (out += pty.Read()) == "hello meter"; }));
  EXPECT_EQ(line_.to_send, "");
}

TEST_F(SerialSource, SetsTheLine) {
  Pty pty;
  Plug(pty);
  config_.baud = 9600;
  config_.framing = "7E1";
  const auto source = Make();
  source->Start();
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
  // What a pty keeps of it, seen from the other end. Its framing is always 8N1; that is tested on SetLine.
  termios seen{};
  ASSERT_EQ(tcgetattr(pty.master(), &seen), 0);
  EXPECT_EQ(cfgetispeed(&seen), static_cast<speed_t>(B9600));
  EXPECT_EQ(cfgetospeed(&seen), static_cast<speed_t>(B9600));
  EXPECT_EQ(seen.c_lflag & (ICANON | ECHO | ISIG), 0U);
  EXPECT_EQ(seen.c_iflag & (ICRNL | IXON | ISTRIP), 0U);
  EXPECT_EQ(seen.c_oflag & OPOST, 0U);
  EXPECT_EQ(seen.c_cflag & CRTSCTS, 0U);
}

TEST(SetLine, KnowsEveryFraming) {
  const struct {
    const char* framing;
    tcflag_t bits;
  } cases[] = {
      {"8N1", CS8}, {"7E1", CS7 | PARENB}, {"8E1", CS8 | PARENB}, {"8O1", CS8 | PARENB | PARODD}, {"7N1", CS7}};
  for (const auto& [framing, bits] : cases) {
    termios settings{};
    settings.c_cflag = CSTOPB | PARODD | CRTSCTS;
    ASSERT_TRUE(SetLine(115200, framing, &settings)) << framing;
    EXPECT_EQ(settings.c_cflag & (CSIZE | PARENB | PARODD | CSTOPB | CRTSCTS), bits) << framing;
    EXPECT_EQ(cfgetispeed(&settings), static_cast<speed_t>(B115200));
  }
  termios settings{};
  for (const char* framing : {"", "9N1", "8N2", "7E2"}) EXPECT_FALSE(SetLine(9600, framing, &settings)) << framing;
  EXPECT_FALSE(SetLine(9601, "8N1", &settings));
}

TEST_F(SerialSource, WaitsForAPortThatIsNotThere) {
  const auto source = Make();
  source->Start();
  ASSERT_TRUE(Until([&] { return line_.closed >= 3; }));
  EXPECT_EQ(line_.reason, config_.port + " is not there (yet)");
  EXPECT_THAT(line_.health().hint, HasSubstr("plugged in"));
  Pty pty;
  Plug(pty);
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
  EXPECT_EQ(line_.health().hint, "");
}

TEST_F(SerialSource, FindsThePortAgainAfterItWasUnplugged) {
  auto first = std::make_unique<Pty>();
  Plug(*first);
  const auto source = Make();
  source->Start();
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
  first->Write("one");
  ASSERT_TRUE(Until([&] { return line_.received == "one"; }));
  const std::string first_path = first->path();
  first->Unplug();
  ASSERT_TRUE(Until([&] { return line_.Saw("closed: " + config_.port + " went away (unplugged?)"); }));
  // It comes back under another number behind the same stable name.
  Pty second;
  Plug(second);
  ASSERT_TRUE(Until([&] { return line_.opened == 2; }));
  second.Write("two");
  ASSERT_TRUE(Until([&] { return line_.received == "onetwo"; }));
}

TEST_F(SerialSource, TakesTheFirstMatchOfAPattern) {
  Pty pty;
  Plug(pty);
  const std::string path = config_.port;
  config_.port = folder_ + "/usb-FTDI*";
  const auto source = Make();
  source->Start();
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
  EXPECT_EQ(line_.health().where, config_.port + " (" + path + ")");
  pty.Write("x");
  ASSERT_TRUE(Until([&] { return line_.received == "x"; }));
}

TEST_F(SerialSource, SaysThatAPortIsInUseAndTakesItWhenFree) {
  Pty pty;
  Plug(pty);
  const int other = open(pty.path().c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_EQ(flock(other, LOCK_EX), 0);
  const auto source = Make();
  source->Start();
  ASSERT_TRUE(Until([&] { return line_.closed >= 2; }));
  EXPECT_EQ(line_.reason, config_.port + " is in use by another program");
  EXPECT_THAT(line_.health().hint, HasSubstr("fuser"));
  EXPECT_EQ(line_.opened, 0);
  close(other);
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
}

TEST_F(SerialSource, KeepsThePortForItself) {
  Pty pty;
  Plug(pty);
  const auto source = Make();
  source->Start();
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
  RecordingLine second_line;
  const auto second = MakeSerialSource(io_, config_, second_line, kFast);
  second->Start();
  ASSERT_TRUE(Until([&] { return second_line.closed >= 1; }));
  EXPECT_THAT(second_line.reason, HasSubstr("in use"));
  source->Stop();
  ASSERT_TRUE(Until([&] { return second_line.opened == 1; }));
}

TEST_F(SerialSource, ExplainsAMissingPermission) {
  Pty pty;
  chmod(pty.path().c_str(), 0);
  // Root may open anything: for a moment we are somebody else.
  constexpr uid_t kNobody = 65534;
  const bool is_root = geteuid() == 0;
  ASSERT_TRUE(!is_root || seteuid(kNobody) == 0);
  const auto opened = OpenSerialPort(pty.path(), 115200, "8N1");
  ASSERT_TRUE(!is_root || seteuid(0) == 0);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().what, "no permission to open " + pty.path());
  EXPECT_THAT(opened.error().hint, HasSubstr("dialout"));
  EXPECT_FALSE(opened.error().missing);
}

TEST_F(SerialSource, RefusesWhatIsNoSerialPort) {
  config_.port = "/dev/null";
  const auto source = Make();
  source->Start();
  ASSERT_TRUE(Until([&] { return line_.closed >= 1; }));
  EXPECT_EQ(line_.reason, "/dev/null is not a serial port");
}

TEST_F(SerialSource, StopsInAnyState) {
  for (const bool plugged : {false, true}) {
    Pty pty;
    if (plugged) Plug(pty);
    RecordingLine line;
    const auto source = MakeSerialSource(io_, config_, line, kFast);
    source->Start();
    ASSERT_TRUE(Until([&] { return plugged ? line.opened == 1 : line.closed >= 1; }));
    source->Stop();
    source->Stop();
    const size_t events = line.events.size();
    pty.Write("late");
    RunFor(io_, std::chrono::milliseconds(60));
    EXPECT_EQ(line.events.size(), events);
    EXPECT_EQ(line.received, "");
  }
}

TEST_F(SerialSource, MayBeStoppedByWhatItBrings) {
  Pty pty;
  Plug(pty);
  auto source = Make();
  line_.on_received = [&] { source->Stop(); };
  source->Start();
  ASSERT_TRUE(Until([&] { return line_.opened == 1; }));
  pty.Write("x");
  ASSERT_TRUE(Until([&] { return line_.received == "x"; }));
  pty.Write("y");
  RunFor(io_, std::chrono::milliseconds(30));
  EXPECT_EQ(line_.received, "x");
}

}  // namespace
}  // namespace vesta::hub
