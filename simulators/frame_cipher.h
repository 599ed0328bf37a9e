// The binary frame around an encrypted telegram: DLMS general-glo-ciphering, security suite 0, authenticated and
// encrypted (security control 0x30), AES-128-GCM with a 12-byte tag. Smarty 1.1.3.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "simulators/p1_meter.h"

namespace vesta::simulators {

using SystemTitle = std::array<uint8_t, 8>;

// The telegram may be 65,518 bytes long, since the frame's length field has 16 bits.
std::string EncryptFrame(std::string_view telegram, const AesKey& key, const AesKey& authentication_key,
                         const SystemTitle& title, uint32_t frame_counter);

}  // namespace vesta::simulators
