// A TCP port that the node answers at: one connection at a time, the next one waits. Who may come is the driver's to
// check: this computer only, unless it was told otherwise; a chip listens while its own access point is open.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vesta::node {

class TcpPort {
 public:
  virtual ~TcpPort() = default;
  // True at most once for each connection: it is the one that Read and Write mean from now on.
  virtual bool Accept() = 0;
  virtual bool is_open() const = 0;                          // false: the other side hung up, or it failed
  virtual size_t Read(std::span<uint8_t> out) = 0;           // what is there now
  virtual size_t Write(std::span<const uint8_t> bytes) = 0;  // returns how many were taken
  virtual void Close() = 0;                                  // when what was written is on its way
};

}  // namespace vesta::node
