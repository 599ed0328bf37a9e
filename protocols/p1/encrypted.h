// Encrypted P1 frames (Luxembourg, parts of Austria): DLMS general-glo-ciphering around a whole telegram.
//
//   DB 08 <system title 8> 82 <length 2> <security 1> <frame counter 4> <ciphertext n> [<tag 12>]
//
// Security 30: authenticated and encrypted, length = 17 + n. Security 20: encrypted only, length = 5 + n, no tag. The
// nonce is title and counter; the additional data is 30 and the authentication key. Facts: reference of the P1 port,
// section on encrypted frames.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "protocols/crypto.h"

namespace vesta::p1 {

inline constexpr uint8_t kEncryptedStart = 0xDB;
inline constexpr size_t kEncryptedHeaderSize = 18;  // up to the ciphertext
inline constexpr size_t kEncryptedLengthEnd = 13;   // what the length field counts begins here
inline constexpr size_t kEncryptedTagSize = 12;
inline constexpr size_t kEncryptedOverhead = kEncryptedHeaderSize + kEncryptedTagSize;
inline constexpr uint8_t kSecurityAuthenticated = 0x30;
inline constexpr uint8_t kSecurityEncryptedOnly = 0x20;

using Key = std::array<uint8_t, crypto::kAes128KeySize>;

// kLength: all of a header but for a length that no frame of ours can have.
enum class HeaderCheck : uint8_t { kMore, kNo, kLength, kYes };

// Whether an encrypted frame begins here, as far as the bytes tell; `total` is its whole size when they do.
HeaderCheck CheckEncryptedHeader(std::span<const uint8_t> bytes, size_t max_plaintext, size_t* total);

// A whole frame, taken apart.
struct EncryptedFrame {
  std::span<const uint8_t, 8> system_title;
  uint16_t declared_length;
  uint8_t security;
  uint32_t frame_counter;
  std::span<const uint8_t> ciphertext;
  std::span<const uint8_t> tag;  // empty when encrypted only
};
EncryptedFrame SplitEncryptedFrame(std::span<const uint8_t> frame);

// Key and authentication key of one meter, expanded.
class FrameCipher {
 public:
  // Without an authentication key the tag covers the ciphertext only.
  void SetKeys(const Key& key, bool has_authentication_key, const Key& authentication_key);
  bool has_key() const { return has_key_; }

  // True when the tag fits; `plain` then holds the telegram.
  bool DecryptChecked(const EncryptedFrame& frame, uint8_t* plain);
  // Whatever the tag says.
  bool DecryptUnchecked(const EncryptedFrame& frame, uint8_t* plain);

 private:
  crypto::Aes128Gcm gcm_;
  crypto::Aes128Ctr ctr_;
  bool has_key_ = false;
  size_t aad_size_ = 0;
  std::array<uint8_t, 1 + crypto::kAes128KeySize> aad_{};
};

}  // namespace vesta::p1
