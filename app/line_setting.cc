#include "app/line_setting.h"

namespace vesta::app {
namespace {

// P1: 4.0 and later, 2.2 and 3.0, and the few old meters that send eight bits.
constexpr LineSetting kP1[] = {{115200, "8N1"}, {9600, "7E1"}, {9600, "8N1"}};
constexpr LineSetting kVedirect[] = {{19200, "8N1"}};
// Speed and parity are chosen in the device's menu; these are what was met, the most likely ones first.
constexpr LineSetting kMedibus[] = {{19200, "8E1"}, {38400, "8E1"}, {38400, "8O1"},
                                    {9600, "8E1"},  {19200, "8N1"}, {38400, "8N1"}};

}  // namespace

std::span<const LineSetting> LineSettingsOf(std::string_view protocol) {
  if (protocol == "medibus") return kMedibus;
  if (protocol == "vedirect") return kVedirect;
  return kP1;
}

}  // namespace vesta::app
