#include "protocols/crypto.h"

#include <mbedtls/aes.h>
#include <mbedtls/ccm.h>
#include <mbedtls/gcm.h>

#include <cstring>

namespace vesta::crypto {

namespace {
constexpr unsigned kKeyBits = 128;
}

struct Aes128Gcm::State {
  State() { mbedtls_gcm_init(&context); }
  ~State() { mbedtls_gcm_free(&context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  mbedtls_gcm_context context;
  bool has_key = false;
};

Aes128Gcm::Aes128Gcm() : state_(std::make_unique<State>()) {}
Aes128Gcm::~Aes128Gcm() = default;
Aes128Gcm::Aes128Gcm(Aes128Gcm&&) noexcept = default;
Aes128Gcm& Aes128Gcm::operator=(Aes128Gcm&&) noexcept = default;

bool Aes128Gcm::SetKey(Bytes key) {
  if (key.size() != kAes128KeySize) return false;
  state_->has_key = mbedtls_gcm_setkey(&state_->context, MBEDTLS_CIPHER_ID_AES, key.data(), kKeyBits) == 0;
  return state_->has_key;
}

bool Aes128Gcm::Decrypt(Bytes iv, Bytes aad, Bytes ciphertext, Bytes tag, uint8_t* out) {
  if (!state_->has_key) return false;
  return mbedtls_gcm_auth_decrypt(&state_->context, ciphertext.size(), iv.data(), iv.size(), aad.data(), aad.size(),
                                  tag.data(), tag.size(), ciphertext.data(), out) == 0;
}

bool Aes128Gcm::Encrypt(Bytes iv, Bytes aad, Bytes plaintext, uint8_t* out, std::span<uint8_t> tag) {
  if (!state_->has_key) return false;
  return mbedtls_gcm_crypt_and_tag(&state_->context, MBEDTLS_GCM_ENCRYPT, plaintext.size(), iv.data(), iv.size(),
                                   aad.data(), aad.size(), plaintext.data(), out, tag.size(), tag.data()) == 0;
}

struct Aes128Ccm::State {
  State() { mbedtls_ccm_init(&context); }
  ~State() { mbedtls_ccm_free(&context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  mbedtls_ccm_context context;
  bool has_key = false;
};

Aes128Ccm::Aes128Ccm() : state_(std::make_unique<State>()) {}
Aes128Ccm::~Aes128Ccm() = default;
Aes128Ccm::Aes128Ccm(Aes128Ccm&&) noexcept = default;
Aes128Ccm& Aes128Ccm::operator=(Aes128Ccm&&) noexcept = default;

bool Aes128Ccm::SetKey(Bytes key) {
  if (key.size() != kAes128KeySize) return false;
  state_->has_key = mbedtls_ccm_setkey(&state_->context, MBEDTLS_CIPHER_ID_AES, key.data(), kKeyBits) == 0;
  return state_->has_key;
}

bool Aes128Ccm::Decrypt(Bytes nonce, Bytes aad, Bytes ciphertext, Bytes tag, uint8_t* out) {
  if (!state_->has_key) return false;
  return mbedtls_ccm_auth_decrypt(&state_->context, ciphertext.size(), nonce.data(), nonce.size(), aad.data(),
                                  aad.size(), ciphertext.data(), out, tag.data(), tag.size()) == 0;
}

bool Aes128Ccm::Encrypt(Bytes nonce, Bytes aad, Bytes plaintext, uint8_t* out, std::span<uint8_t> tag) {
  if (!state_->has_key) return false;
  return mbedtls_ccm_encrypt_and_tag(&state_->context, plaintext.size(), nonce.data(), nonce.size(), aad.data(),
                                     aad.size(), plaintext.data(), out, tag.data(), tag.size()) == 0;
}

struct Aes128Block::State {
  State() { mbedtls_aes_init(&context); }
  ~State() { mbedtls_aes_free(&context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  mbedtls_aes_context context;
  bool has_key = false;
};

Aes128Block::Aes128Block() : state_(std::make_unique<State>()) {}
Aes128Block::~Aes128Block() = default;
Aes128Block::Aes128Block(Aes128Block&&) noexcept = default;
Aes128Block& Aes128Block::operator=(Aes128Block&&) noexcept = default;

bool Aes128Block::SetKey(Bytes key) {
  if (key.size() != kAes128KeySize) return false;
  state_->has_key = mbedtls_aes_setkey_enc(&state_->context, key.data(), kKeyBits) == 0;
  return state_->has_key;
}

bool Aes128Block::Encrypt(std::span<const uint8_t, kAesBlockSize> in, std::span<uint8_t, kAesBlockSize> out) {
  if (!state_->has_key) return false;
  return mbedtls_aes_crypt_ecb(&state_->context, MBEDTLS_AES_ENCRYPT, in.data(), out.data()) == 0;
}

struct Aes128Ctr::State {
  State() { mbedtls_aes_init(&context); }
  ~State() { mbedtls_aes_free(&context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  mbedtls_aes_context context;
  bool has_key = false;
};

Aes128Ctr::Aes128Ctr() : state_(std::make_unique<State>()) {}
Aes128Ctr::~Aes128Ctr() = default;
Aes128Ctr::Aes128Ctr(Aes128Ctr&&) noexcept = default;
Aes128Ctr& Aes128Ctr::operator=(Aes128Ctr&&) noexcept = default;

bool Aes128Ctr::SetKey(Bytes key) {
  if (key.size() != kAes128KeySize) return false;
  state_->has_key = mbedtls_aes_setkey_enc(&state_->context, key.data(), kKeyBits) == 0;
  return state_->has_key;
}

bool Aes128Ctr::Crypt(std::span<const uint8_t, kAesBlockSize> first_counter, Bytes in, uint8_t* out) {
  if (!state_->has_key) return false;
  unsigned char counter[kAesBlockSize];
  unsigned char keystream[kAesBlockSize] = {};
  size_t used = 0;
  std::memcpy(counter, first_counter.data(), sizeof(counter));
  return mbedtls_aes_crypt_ctr(&state_->context, in.size(), &used, counter, keystream, in.data(), out) == 0;
}

}  // namespace vesta::crypto
