// The ciphers of the node link: key agreement, key derivation, authenticated encryption and signatures, with the
// library that provides them out of sight.
//
// X25519 (RFC 7748), SHA-256, HMAC and HKDF over it (RFC 2104, 5869), ChaCha20-Poly1305 with a 12-byte nonce and a
// 16-byte tag (RFC 8439), ECDSA over P-256 with SHA-256 (FIPS 186-4). All functions are stateless; the authenticated
// encryption and the hashes take no heap. X25519 and ECDSA take some from the library while they work: they run when a
// node joins or is offered firmware, never for a message. False means that the library refused, or that a check failed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace vesta::crypto {

using Bytes = std::span<const uint8_t>;

inline constexpr size_t kKeySize = 32;
inline constexpr size_t kTagSize = 16;
inline constexpr size_t kNonceSize = 12;
inline constexpr size_t kDigestSize = 32;
inline constexpr size_t kSignatureSize = 64;  // r and s, big-endian
inline constexpr size_t kP256KeySize = 64;    // x and y, big-endian

using Key = std::array<uint8_t, kKeySize>;
using Digest = std::array<uint8_t, kDigestSize>;
using Nonce = std::array<uint8_t, kNonceSize>;
using Signature = std::array<uint8_t, kSignatureSize>;
using P256Key = std::array<uint8_t, kP256KeySize>;

// The public key of a private one; any 32 random bytes are a private key.
bool X25519PublicKey(const Key& private_key, Key* public_key);
// False for the few public keys that make the secret zero.
bool X25519(const Key& private_key, const Key& other_public_key, Key* shared);

Digest Sha256(Bytes data);
Digest HmacSha256(Bytes key, Bytes data);

// HKDF-Extract, then Expand with one info; `out` has at most 255 * 32 bytes.
Digest HkdfExtract(Bytes salt, Bytes secret);
bool HkdfExpand(const Digest& key, Bytes info, std::span<uint8_t> out);

// `out` has the size of `in` and may be the same memory.
bool Seal(const Key& key, const Nonce& nonce, Bytes aad, Bytes in, uint8_t* out, std::span<uint8_t, kTagSize> tag);
// False when the tag does not fit; then `out` holds nothing of use.
bool Open(const Key& key, const Nonce& nonce, Bytes aad, Bytes in, std::span<const uint8_t, kTagSize> tag,
          uint8_t* out);

// In a time that does not depend on where they differ.
bool SameBytes(Bytes a, Bytes b);
// Overwrites a secret in a way that the compiler keeps.
void Wipe(std::span<uint8_t> secret);

bool VerifyP256(const P256Key& public_key, const Digest& digest, const Signature& signature);

// A hash in pieces, for images that do not fit into memory.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(const Sha256Stream&) = delete;
  Sha256Stream& operator=(const Sha256Stream&) = delete;
  void Add(Bytes data);
  Digest Finish();  // and begins anew

 private:
  static constexpr size_t kStateSize = 128;
  alignas(8) std::array<uint8_t, kStateSize> state_;
};

}  // namespace vesta::crypto
