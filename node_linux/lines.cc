#include "node_linux/lines.h"

#include <fcntl.h>
#include <linux/can.h>
#include <linux/can/raw.h>
#include <linux/i2c-dev.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace vesta::node_linux {

namespace {

constexpr int64_t kReopen_ms = 1000;

int64_t NowMs() {
  timespec t;
  clock_gettime(CLOCK_BOOTTIME, &t);
  return int64_t{t.tv_sec} * 1000 + t.tv_nsec / 1000000;
}

speed_t SpeedOf(uint32_t baud) {
  struct Row {
    uint32_t baud;
    speed_t speed;
  };
  constexpr Row kRows[] = {{1200, B1200},   {2400, B2400},   {4800, B4800},   {9600, B9600},
                           {19200, B19200}, {38400, B38400}, {57600, B57600}, {115200, B115200}};
  for (const Row& row : kRows) {
    if (row.baud == baud) return row.speed;
  }
  return B0;
}

}  // namespace

void SerialLine::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

bool SerialLine::Open(const node::SerialMode& mode) {
  mode_ = mode;
  is_wanted_ = !mode.is_inverted && SpeedOf(mode.baud) != B0;
  return is_wanted_ && OpenNow();
}

bool SerialLine::OpenNow() {
  Close();
  next_open_ms_ = NowMs() + kReopen_ms;
  fd_ = open(path_.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  termios t;
  if (fd_ < 0 || tcgetattr(fd_, &t) != 0) {
    Close();
    return false;
  }
  cfmakeraw(&t);
  t.c_cflag |= CLOCAL | CREAD;
  if (mode_.even_parity) t.c_cflag |= PARENB;
  if (mode_.is_7_bit) t.c_cflag = (t.c_cflag & ~static_cast<tcflag_t>(CSIZE)) | CS7;
  cfsetspeed(&t, SpeedOf(mode_.baud));
  if (tcsetattr(fd_, TCSANOW, &t) != 0) Close();
  return fd_ >= 0;
}

size_t SerialLine::Read(std::span<uint8_t> out) {
  if (fd_ < 0 && (!is_wanted_ || NowMs() < next_open_ms_ || !OpenNow())) return 0;
  const ssize_t size = read(fd_, out.data(), out.size());
  if (size > 0) return static_cast<size_t>(size);
  // 0 or an error: it was unplugged. A raw line without bytes says EAGAIN.
  if (size == 0 || (errno != EAGAIN && errno != EINTR)) Close();
  return 0;
}

size_t SerialLine::Write(std::span<const uint8_t> bytes) {
  const ssize_t size = fd_ < 0 ? 0 : write(fd_, bytes.data(), bytes.size());
  return size > 0 ? static_cast<size_t>(size) : 0;
}

I2cBus::I2cBus(const std::string& path) : fd_(open(path.c_str(), O_RDWR | O_CLOEXEC)) {}

I2cBus::~I2cBus() {
  if (fd_ >= 0) close(fd_);
}

bool I2cBus::Select(uint8_t address) { return fd_ >= 0 && ioctl(fd_, I2C_SLAVE, static_cast<long>(address)) == 0; }

bool I2cBus::Write(uint8_t address, std::span<const uint8_t> bytes) {
  return Select(address) && write(fd_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
}

bool I2cBus::Read(uint8_t address, std::span<uint8_t> out) {
  return Select(address) && read(fd_, out.data(), out.size()) == static_cast<ssize_t>(out.size());
}

CanBus::~CanBus() {
  if (fd_ >= 0) close(fd_);
}

bool CanBus::Open(uint32_t /*bit_rate*/, bool /*listen_only*/) {
  if (fd_ >= 0) return true;
  fd_ = socket(PF_CAN, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, CAN_RAW);
  sockaddr_can address = {};
  address.can_family = AF_CAN;
  address.can_ifindex = static_cast<int>(if_nametoindex(interface_.c_str()));
  const bool is_good = fd_ >= 0 && address.can_ifindex != 0 &&
                       bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  if (is_good) return true;
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  return false;
}

bool CanBus::Next(can::Frame* out) {
  can_frame frame;
  if (fd_ < 0 || read(fd_, &frame, sizeof(frame)) != static_cast<ssize_t>(sizeof(frame))) return false;
  *out = {};
  out->is_extended = (frame.can_id & CAN_EFF_FLAG) != 0;
  out->is_remote = (frame.can_id & CAN_RTR_FLAG) != 0;
  out->is_error = (frame.can_id & CAN_ERR_FLAG) != 0;
  out->id = frame.can_id & (out->is_extended || out->is_error ? CAN_EFF_MASK : CAN_SFF_MASK);
  out->size = std::min<uint8_t>(frame.can_dlc, CAN_MAX_DLEN);
  std::copy_n(frame.data, out->size, out->data.begin());
  return true;
}

}  // namespace vesta::node_linux
