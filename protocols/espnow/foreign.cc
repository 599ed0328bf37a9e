#include "protocols/espnow/foreign.h"

#include <algorithm>

namespace vesta::espnow {

namespace {

constexpr size_t kWizRemoteSize = 13;
constexpr size_t kWizMotionSize = 17;
constexpr size_t kComponentHeaderSize = 20;
constexpr uint8_t kComponentVersion = 2;
constexpr size_t kTasMeshOverhead = 36;
constexpr size_t kTasMeshPayload = 160;
constexpr size_t kFdrsReadingSize = 7;
constexpr size_t kFdrsCommandSize = 5;

bool IsComponent(Bytes b) {
  // Type, version 2 and the size of what follows the header.
  return b.size() >= kComponentHeaderSize && (b[0] >> 4 & 3) == kComponentVersion &&
         kComponentHeaderSize + b[1] == b.size();
}

}  // namespace

const char* ForeignName(Bytes b, const Address& sender) {
  if (b.size() == kWizRemoteSize && (b[0] == 0x91 || b[0] == 0x81 || b[0] == 0x80) && b[5] == 0x20 && b[7] == 0x01) {
    return "wiz_remote";
  }
  if (b.size() == kWizMotionSize && b[0] == 0x81 && b[5] == 0x42) return "wiz_motion";
  if (b.size() >= 4 && b[0] == 'W' && b[2] != 0 && b[1] < b[2]) return "wled_sync";
  if (b.size() >= 4 && b[0] == 0x53 && b[1] == 0x45) return "esphome_packet_transport";
  if (b.size() >= 4 && b[0] == 0x48 && b[1] == 0x50) return "esphome_ping";
  if (b.size() >= kTasMeshOverhead && b.size() <= kTasMeshOverhead + kTasMeshPayload &&
      std::equal(sender.begin(), sender.end(), b.begin())) {
    return "tasmesh";
  }
  if (IsComponent(b)) return "esp_now_component";
  if ((b.size() == 65 || b.size() == 67 || b.size() == 53 || b.size() == 27) && b[0] >= 0xFB) return "enigmaiot";
  if (b.size() == kFdrsCommandSize && b[0] <= 3) return "fdrs_system";
  if (b.size() >= kFdrsReadingSize && b.size() % kFdrsReadingSize == 0) return "fdrs";
  return "";
}

}  // namespace vesta::espnow
