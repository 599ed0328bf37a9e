// The ciphers that field protocols use, with the library that provides them out of sight.
//
// AES-128 in GCM (decrypt and verify, with a tag that may be cut to 4..16 bytes), in CCM, in CTR, and one block of it.
// A key is expanded once, when it is set, since setting up a key costs more than the few blocks of a frame. Setting a
// key may allocate; using it does not. Not thread-safe: each session owns its own. Facts: NIST SP 800-38A, 800-38C and
// 800-38D.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace vesta::crypto {

using Bytes = std::span<const uint8_t>;

inline constexpr size_t kAes128KeySize = 16;
inline constexpr size_t kAesBlockSize = 16;
inline constexpr size_t kGcmIvSize = 12;

class Aes128Gcm {
 public:
  Aes128Gcm();
  ~Aes128Gcm();
  Aes128Gcm(Aes128Gcm&&) noexcept;
  Aes128Gcm& operator=(Aes128Gcm&&) noexcept;

  // False when the key does not have 16 bytes or the library refused it.
  bool SetKey(Bytes key);

  // Writes ciphertext.size() bytes to `out`, which must not overlap the ciphertext. False when the tag does not fit;
  // then `out` holds nothing of use.
  bool Decrypt(Bytes iv, Bytes aad, Bytes ciphertext, Bytes tag, uint8_t* out);

  // The other way round, for simulators and tests.
  bool Encrypt(Bytes iv, Bytes aad, Bytes plaintext, uint8_t* out, std::span<uint8_t> tag);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class Aes128Ccm {
 public:
  Aes128Ccm();
  ~Aes128Ccm();
  Aes128Ccm(Aes128Ccm&&) noexcept;
  Aes128Ccm& operator=(Aes128Ccm&&) noexcept;

  bool SetKey(Bytes key);

  // Nonce of 7..13 bytes, tag of 4..16 (even). `out` takes ciphertext.size() bytes and must not overlap it. False when
  // the tag does not fit; then `out` holds nothing of use.
  bool Decrypt(Bytes nonce, Bytes aad, Bytes ciphertext, Bytes tag, uint8_t* out);

  // The other way round, for simulators and tests.
  bool Encrypt(Bytes nonce, Bytes aad, Bytes plaintext, uint8_t* out, std::span<uint8_t> tag);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// One block of plain AES: the keystream of formats whose whole message is a single block.
class Aes128Block {
 public:
  Aes128Block();
  ~Aes128Block();
  Aes128Block(Aes128Block&&) noexcept;
  Aes128Block& operator=(Aes128Block&&) noexcept;

  bool SetKey(Bytes key);

  bool Encrypt(std::span<const uint8_t, kAesBlockSize> in, std::span<uint8_t, kAesBlockSize> out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class Aes128Ctr {
 public:
  Aes128Ctr();
  ~Aes128Ctr();
  Aes128Ctr(Aes128Ctr&&) noexcept;
  Aes128Ctr& operator=(Aes128Ctr&&) noexcept;

  bool SetKey(Bytes key);

  // Encrypts or decrypts (the same thing) from the given first counter block, which counts up as one big-endian number.
  bool Crypt(std::span<const uint8_t, kAesBlockSize> first_counter, Bytes in, uint8_t* out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vesta::crypto
