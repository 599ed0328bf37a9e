// The TCP port of the node's page: one listening socket, one connection at a time. On this computer only, unless it is
// exposed.
#pragma once

#include <string>

#include "node/ports/tcp_port.h"

namespace vesta::node_linux {

class TcpServer final : public node::TcpPort {
 public:
  TcpServer(uint16_t port, bool exposed);
  ~TcpServer() override;
  TcpServer(const TcpServer&) = delete;
  TcpServer& operator=(const TcpServer&) = delete;

  bool Accept() override;
  bool is_open() const override { return connection_ >= 0 && !is_broken_; }
  size_t Read(std::span<uint8_t> out) override;
  size_t Write(std::span<const uint8_t> bytes) override;
  void Close() override;

  // To wait for; -1: nothing to wait for.
  int listener() const { return connection_ < 0 ? listener_ : -1; }
  int connection() const { return connection_; }
  // Why nobody can come; "" when all is well.
  const std::string& problem() const { return problem_; }

 private:
  int listener_ = -1;
  int connection_ = -1;
  bool is_broken_ = false;
  std::string problem_;
};

}  // namespace vesta::node_linux
