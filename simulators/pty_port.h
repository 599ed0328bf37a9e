// A pseudo terminal that stands in for a serial port: the simulated device writes to one end, the reader opens the
// other by a symbolic link at a chosen path.
//
// What is sent while nobody has the port open is lost, as on a real line. The link is made anew when it is there
// already and points to a terminal, and removed at the end; any other file at that path is an error.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "simulators/port.h"

namespace vesta::simulators {

class PtyPort final : public Port {
 public:
  // nullptr: `error` says why. Without a link path the reader opens device().
  static std::unique_ptr<PtyPort> Open(boost::asio::io_context& io, const std::string& link_path, std::string* error);
  ~PtyPort() override;

  void Send(std::string_view bytes) override;
  void Listen(std::function<void(std::string_view)> take) override;
  size_t backlog() const override;
  bool has_reader() const override;
  std::string where() const override { return link_path_.empty() ? device_ : link_path_; }
  const PortCounts& counts() const override { return counts_; }
  const std::string& device() const { return device_; }  // "/dev/pts/7"

 private:
  PtyPort(boost::asio::io_context& io, int fd) : master_(io, fd), again_(io) {}
  void Flush();
  void Read();

  boost::asio::posix::stream_descriptor master_;
  boost::asio::steady_timer again_;
  std::function<void(std::string_view)> take_;
  std::array<char, 512> heard_;
  std::string device_;
  std::string link_path_;
  std::string pending_;
  bool waiting_ = false;
  PortCounts counts_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vesta::simulators
