#include "hub/sources/serial_port.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace vesta::hub {
namespace {

constexpr std::pair<uint32_t, speed_t> kSpeeds[] = {
    {300, B300},       {600, B600},       {1200, B1200},    {2400, B2400},   {4800, B4800},
    {9600, B9600},     {19200, B19200},   {38400, B38400},  {57600, B57600}, {115200, B115200},
    {230400, B230400}, {460800, B460800}, {921600, B921600}};

// Of the kernel's list of devices: the slave sides of Unix98 ptys.
constexpr unsigned kFirstPtyMajor = 136;
constexpr unsigned kLastPtyMajor = 143;

constexpr tcflag_t kFramingBits = CSIZE | PARENB | PARODD | CSTOPB;

class OwnedFd {
 public:
  explicit OwnedFd(int fd) : fd_(fd) {}
  ~OwnedFd() {
    if (fd_ >= 0) close(fd_);
  }
  OwnedFd(const OwnedFd&) = delete;
  OwnedFd& operator=(const OwnedFd&) = delete;
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

tl::unexpected<SerialError> PortFault(std::string what, std::string hint = {}, bool missing = false) {
  return tl::unexpected<SerialError>(SerialError{std::move(what), std::move(hint), missing});
}

tl::unexpected<SerialError> OpenFault(const std::string& path, int error) {
  switch (error) {
    case ENOENT:
    case ENXIO:
    case ENODEV:
      return PortFault(fmt::format("{} is not there (yet)", path),
                       "is the cable plugged in? `vesta doctor` lists the ports", true);
    case EACCES:
    case EPERM:
      return PortFault(fmt::format("no permission to open {}", path),
                       "let the user that runs the hub into the port's group, on Debian: usermod -aG dialout USER");
    case EBUSY:
    case EWOULDBLOCK:
      return PortFault(fmt::format("{} is in use by another program", path),
                       fmt::format("find it with: fuser -v {}; only one program can read a port", path));
    default:
      return PortFault(fmt::format("{} cannot be opened: {}", path, std::strerror(error)));
  }
}

bool IsPty(int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return false;
  return major(status.st_rdev) >= kFirstPtyMajor && major(status.st_rdev) <= kLastPtyMajor;
}

// What of the settings did not arrive. A pty has no line and keeps 8N1 whatever it is told.
std::string Doubt(int fd, const std::string& path, const termios& wanted) {
  termios taken{};
  if (tcgetattr(fd, &taken) != 0 || IsPty(fd)) return "";
  const bool same_speed = cfgetispeed(&taken) == cfgetispeed(&wanted);
  const bool same_framing = (taken.c_cflag & kFramingBits) == (wanted.c_cflag & kFramingBits);
  if (same_speed && same_framing) return "";
  return fmt::format("{} does not take this {}", path, same_speed ? "framing" : "speed");
}

}  // namespace

bool SetLine(uint32_t baud, const std::string& framing, termios* settings) {
  const speed_t* speed = nullptr;
  for (const auto& [bits_per_second, code] : kSpeeds) {
    if (bits_per_second == baud) speed = &code;
  }
  const bool seven = framing == "7E1" || framing == "7N1";
  const bool even = framing == "7E1" || framing == "8E1";
  const bool odd = framing == "8O1";
  if (speed == nullptr || (!seven && !even && !odd && framing != "8N1")) return false;
  cfmakeraw(settings);
  settings->c_cflag &= ~(kFramingBits | CRTSCTS);
  settings->c_cflag |= CREAD | CLOCAL | (seven ? CS7 : CS8) | (even ? PARENB : 0U) | (odd ? PARENB | PARODD : 0U);
  // A byte with a parity error is passed on as it is: the frame's checksum tells, and a counter shows it.
  settings->c_iflag &= ~(IXON | IXOFF | IXANY | INPCK);
  settings->c_cc[VMIN] = 1;
  settings->c_cc[VTIME] = 0;
  return cfsetispeed(settings, *speed) == 0 && cfsetospeed(settings, *speed) == 0;
}

std::optional<std::string> FindPort(const std::string& port) {
  if (port.find_first_of("*?[") == std::string::npos) {
    return access(port.c_str(), F_OK) == 0 ? std::optional<std::string>(port) : std::nullopt;
  }
  glob_t found{};
  std::optional<std::string> first;
  if (glob(port.c_str(), 0, nullptr, &found) == 0 && found.gl_pathc > 0) first = found.gl_pathv[0];
  globfree(&found);
  return first;
}

tl::expected<OpenedPort, SerialError> OpenSerialPort(const std::string& port, uint32_t baud,
                                                     const std::string& framing) {
  const std::optional<std::string> path = FindPort(port);
  if (!path) return OpenFault(port, ENOENT);
  // Not blocking, or the open waits for a modem's carrier.
  OwnedFd fd(open(path->c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  if (fd.get() < 0) return OpenFault(*path, errno);
  termios settings{};
  if (tcgetattr(fd.get(), &settings) != 0) {
    if (errno == ENOTTY || errno == EINVAL) return PortFault(fmt::format("{} is not a serial port", *path));
    return OpenFault(*path, errno);
  }
  // The lock tells other programs that ask, TIOCEXCL keeps out those that do not; root walks through the second.
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0 || ioctl(fd.get(), TIOCEXCL) != 0) return OpenFault(*path, errno);
  if (!SetLine(baud, framing, &settings)) return PortFault(fmt::format("{} baud {} is not known", baud, framing));
  if (tcsetattr(fd.get(), TCSANOW, &settings) != 0) return OpenFault(*path, errno);
  // What came in with other settings is noise.
  tcflush(fd.get(), TCIFLUSH);
  OpenedPort opened;
  opened.doubt = Doubt(fd.get(), *path, settings);
  opened.fd = fd.Release();
  opened.path = *path;
  return opened;
}

}  // namespace vesta::hub
