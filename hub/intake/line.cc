#include "hub/intake/line.h"

namespace vesta::hub {

std::string_view SourceStateName(SourceState state) {
  constexpr std::string_view kNames[] = {"stopped", "opening", "open", "waiting", "failed"};
  return kNames[static_cast<size_t>(state)];
}

}  // namespace vesta::hub
