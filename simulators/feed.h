// Anything that sends bytes at known moments of a virtual time: a simulated meter, a capture that is replayed. Who
// drives it (a paced port, a test) decides how virtual time passes.
#pragma once

#include <optional>
#include <string>

#include "model/time.h"

namespace vesta::simulators {

class Feed {
 public:
  virtual ~Feed() = default;
  // When the next bytes leave; none: it has ended.
  virtual std::optional<UtcUs> next_us() const = 0;
  // The bytes that leave then; may be empty.
  virtual std::string Next() = 0;
};

}  // namespace vesta::simulators
