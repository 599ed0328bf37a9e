#include "app/serial_ports.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace vesta::app {
namespace {

namespace fs = std::filesystem;

class SerialPortsTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(root_);
    fs::create_directories(root_ / "dev/serial/by-id");
  }
  void TearDown() override { fs::remove_all(root_); }

  void Put(const std::string& path, const std::string& text = "") {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text << "\n";
  }

  const fs::path root_ = fs::path(testing::TempDir()) / ("vesta-serial-ports-" + std::to_string(getpid()));
};

TEST_F(SerialPortsTest, FindsRealPortsByTheNameThatLasts) {
  Put("dev/ttyUSB0");
  Put("dev/ttyACM1");
  Put("dev/ttyS0");
  Put("dev/ttyS1");
  Put("dev/tty1");
  Put("dev/ttyprintk");
  Put("sys/class/tty/ttyS0/type", "0");
  Put("sys/class/tty/ttyS1/type", "4");
  Put("sys/devices/usb1/1-1/product", "P1 \x1B cable");
  fs::create_directories(root_ / "sys/devices/usb1/1-1/1-1:1.0/ttyUSB0");
  fs::create_directories(root_ / "sys/class/tty/ttyUSB0");
  fs::create_directory_symlink(root_ / "sys/devices/usb1/1-1/1-1:1.0/ttyUSB0", root_ / "sys/class/tty/ttyUSB0/device");
  fs::create_symlink("../../ttyUSB0", root_ / "dev/serial/by-id/usb-FTDI_P1-if00-port0");
  fs::create_symlink("../../ttyUSB7", root_ / "dev/serial/by-id/usb-gone");

  const std::vector<SerialPort> ports = FindSerialPorts(root_.string());
  ASSERT_EQ(ports.size(), 3u);
  EXPECT_EQ(ports[0].path, root_ / "dev/serial/by-id/usb-FTDI_P1-if00-port0");
  EXPECT_EQ(ports[0].device, root_ / "dev/ttyUSB0");
  EXPECT_EQ(ports[0].product, "P1 \\x1B cable");
  EXPECT_EQ(ports[1].path, root_ / "dev/ttyACM1");
  EXPECT_EQ(ports[2].path, root_ / "dev/ttyS1");
}

TEST_F(SerialPortsTest, NothingThereIsNoFault) {
  EXPECT_TRUE(FindSerialPorts(root_.string()).empty());
  EXPECT_TRUE(FindSerialPorts("/no/such/root").empty());
}

}  // namespace
}  // namespace vesta::app
