// Where simulated bytes go: the far end of a serial line or of a network connection.
//
// Like a meter, a port never waits for its reader: what nobody takes in time is lost, as whole sends, and counted.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace vesta::simulators {

// One reader may be this far behind: some 60 telegrams, more than a minute of a one-second meter.
inline constexpr size_t kPortBacklogMax_bytes = 128 * 1024;

struct PortCounts {
  uint64_t sent_bytes = 0;
  uint64_t lost_bytes = 0;  // nobody listened, or the reader was too slow
};

class Port {
 public:
  virtual ~Port() = default;
  virtual void Send(std::string_view bytes) = 0;
  // What comes back from whoever is at the other end goes to `take`; without this it is read and forgotten, or left.
  virtual void Listen(std::function<void(std::string_view)> take) = 0;
  // Bytes that the slowest reader has still to take; beyond kPortBacklogMax_bytes they are lost.
  virtual size_t backlog() const = 0;
  virtual bool has_reader() const = 0;
  // What a reader opens: "/tmp/p1", "127.0.0.1:2323".
  virtual std::string where() const = 0;
  virtual const PortCounts& counts() const = 0;
};

}  // namespace vesta::simulators
