#include "simulators/pty_port.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace vesta::simulators {
namespace {

constexpr auto kListenAgain = std::chrono::milliseconds(20);

std::string Reason(const std::string& what) { return what + ": " + std::strerror(errno); }

// A link left by a simulator that was killed may be replaced, a file of the user's not.
bool ReplaceLink(const std::string& device, const std::string& path, std::string* error) {
  char target[256];
  const ssize_t size = readlink(path.c_str(), target, sizeof target - 1);
  if (size >= 0) {
    target[size] = '\0';
    if (std::strncmp(target, "/dev/pts/", 9) != 0) {
      *error = path + " is a link to " + target + ", not to a terminal; choose another path";
      return false;
    }
    unlink(path.c_str());
  }
  if (symlink(device.c_str(), path.c_str()) != 0) {
    *error = Reason("cannot make " + path);
    return false;
  }
  return true;
}

}  // namespace

std::unique_ptr<PtyPort> PtyPort::Open(boost::asio::io_context& io, const std::string& link_path, std::string* error) {
  const int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) {
    *error = Reason("cannot open a pseudo terminal");
    return nullptr;
  }
  char name[128];
  if (grantpt(fd) != 0 || unlockpt(fd) != 0 || ptsname_r(fd, name, sizeof name) != 0) {
    *error = Reason("cannot set up a pseudo terminal");
    close(fd);
    return nullptr;
  }
  // Raw from the start, so that no byte is changed or echoed before the reader has set its own mode. Opened and closed
  // once, since only then the kernel tells that nobody has it open.
  const int slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
  termios settings = {};
  if (slave < 0 || tcgetattr(slave, &settings) != 0) {
    *error = Reason(std::string("cannot open ") + name);
    if (slave >= 0) close(slave);
    close(fd);
    return nullptr;
  }
  cfmakeraw(&settings);
  tcsetattr(slave, TCSANOW, &settings);
  close(slave);
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);

  std::unique_ptr<PtyPort> port(new PtyPort(io, fd));
  port->device_ = name;
  if (!link_path.empty()) {
    if (!ReplaceLink(name, link_path, error)) return nullptr;
    port->link_path_ = link_path;
  }
  return port;
}

PtyPort::~PtyPort() {
  *alive_ = false;
  if (!link_path_.empty()) unlink(link_path_.c_str());
}

bool PtyPort::has_reader() const {
  pollfd query = {const_cast<PtyPort*>(this)->master_.native_handle(), POLLOUT, 0};
  return poll(&query, 1, 0) >= 0 && (query.revents & POLLHUP) == 0;
}

// What the kernel holds counts, too: it is lost when this end closes.
size_t PtyPort::backlog() const {
  if (!has_reader()) return 0;
  int unread = 0;
  const int slave = open(device_.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (slave >= 0) {
    ioctl(slave, FIONREAD, &unread);
    close(slave);
  }
  return pending_.size() + static_cast<size_t>(unread);
}

void PtyPort::Send(std::string_view bytes) {
  if (!has_reader()) {
    counts_.lost_bytes += pending_.size() + bytes.size();
    pending_.clear();
    return;
  }
  if (pending_.size() + bytes.size() > kPortBacklogMax_bytes) {
    counts_.lost_bytes += bytes.size();
    return;
  }
  pending_ += bytes;
  Flush();
}

void PtyPort::Listen(std::function<void(std::string_view)> take) {
  take_ = std::move(take);
  Read();
}

void PtyPort::Read() {
  master_.async_read_some(boost::asio::buffer(heard_),
                          [this, alive = alive_](const boost::system::error_code& failed, size_t count) {
                            if (!*alive || failed == boost::asio::error::operation_aborted) return;
                            if (!failed) {
                              take_({heard_.data(), count});
                              return Read();
                            }
                            // Nobody has the other end open.
                            again_.expires_after(kListenAgain);
                            again_.async_wait([this, alive](const boost::system::error_code& stopped) {
                              if (!stopped && *alive) Read();
                            });
                          });
}

void PtyPort::Flush() {
  while (!pending_.empty()) {
    const ssize_t written = write(master_.native_handle(), pending_.data(), pending_.size());
    if (written <= 0) break;
    counts_.sent_bytes += static_cast<uint64_t>(written);
    pending_.erase(0, static_cast<size_t>(written));
  }
  if (pending_.empty() || waiting_) return;
  waiting_ = true;
  master_.async_wait(boost::asio::posix::stream_descriptor::wait_write,
                     [this, alive = alive_](const boost::system::error_code& failed) {
                       if (!*alive) return;
                       waiting_ = false;
                       if (!failed && has_reader()) return Flush();
                       counts_.lost_bytes += pending_.size();
                       pending_.clear();
                     });
}

}  // namespace vesta::simulators
