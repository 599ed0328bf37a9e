#include "protocols/crypto_link.h"

#include <mbedtls/chachapoly.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>
#include <mbedtls/md.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/sha256.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace vesta::crypto {

namespace {

constexpr size_t kBlockSize = 64;  // of SHA-256

struct Group {
  explicit Group(mbedtls_ecp_group_id id) {
    mbedtls_ecp_group_init(&group);
    mbedtls_ecp_point_init(&point);
    mbedtls_mpi_init(&scalar);
    mbedtls_mpi_init(&other);
    is_loaded = mbedtls_ecp_group_load(&group, id) == 0;
  }
  ~Group() {
    mbedtls_mpi_free(&other);
    mbedtls_mpi_free(&scalar);
    mbedtls_ecp_point_free(&point);
    mbedtls_ecp_group_free(&group);
  }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  mbedtls_ecp_group group;
  mbedtls_ecp_point point;
  mbedtls_mpi scalar;
  mbedtls_mpi other;
  bool is_loaded;
};

Key Reversed(const Key& key) {
  Key out;
  std::reverse_copy(key.begin(), key.end(), out.begin());
  return out;
}

// Sets the scalar as RFC 7748 clamps it.
bool SetScalar(const Key& private_key, Group* g) {
  Key big = Reversed(private_key);
  big[31] &= 0xF8;
  big[0] = static_cast<uint8_t>((big[0] & 0x7F) | 0x40);
  const bool ok = mbedtls_mpi_read_binary(&g->scalar, big.data(), big.size()) == 0;
  Wipe(big);
  return ok;
}

bool TakeX(const mbedtls_ecp_point& point, Key* out) {
  Key big;
  if (mbedtls_mpi_write_binary(&point.X, big.data(), big.size()) != 0) return false;
  *out = Reversed(big);
  Wipe(big);
  return true;
}

void Hmac(Bytes key, Bytes first, Bytes second, Bytes third, Digest* out) {
  uint8_t pad[kBlockSize] = {};
  if (key.size() > kBlockSize) {
    const Digest digest = Sha256(key);
    std::memcpy(pad, digest.data(), digest.size());
  } else if (!key.empty()) {
    std::memcpy(pad, key.data(), key.size());
  }
  Sha256Stream stream;
  for (uint8_t& b : pad) b ^= 0x36;
  stream.Add(pad);
  stream.Add(first);
  stream.Add(second);
  stream.Add(third);
  const Digest inner = stream.Finish();
  for (uint8_t& b : pad) b ^= 0x36 ^ 0x5C;
  stream.Add(pad);
  stream.Add(inner);
  *out = stream.Finish();
  Wipe(pad);
}

}  // namespace

bool X25519PublicKey(const Key& private_key, Key* public_key) {
  Group g(MBEDTLS_ECP_DP_CURVE25519);
  // The library blinds with a generator of its own, seeded with the scalar, when it is given none.
  return g.is_loaded && SetScalar(private_key, &g) &&
         mbedtls_ecp_mul(&g.group, &g.point, &g.scalar, &g.group.G, nullptr, nullptr) == 0 &&
         TakeX(g.point, public_key);
}

bool X25519(const Key& private_key, const Key& other_public_key, Key* shared) {
  Group g(MBEDTLS_ECP_DP_CURVE25519);
  Key big = Reversed(other_public_key);
  big[0] &= 0x7F;  // RFC 7748: the top bit is ignored
  if (!g.is_loaded || !SetScalar(private_key, &g)) return false;
  mbedtls_ecp_point other;
  mbedtls_ecp_point_init(&other);
  bool ok = mbedtls_mpi_read_binary(&other.X, big.data(), big.size()) == 0 && mbedtls_mpi_lset(&other.Z, 1) == 0 &&
            mbedtls_ecp_mul(&g.group, &g.point, &g.scalar, &other, nullptr, nullptr) == 0 && TakeX(g.point, shared);
  mbedtls_ecp_point_free(&other);
  const Key zero = {};
  ok = ok && !SameBytes(*shared, zero);
  return ok;
}

Digest Sha256(Bytes data) {
  Sha256Stream stream;
  stream.Add(data);
  return stream.Finish();
}

Digest HmacSha256(Bytes key, Bytes data) {
  Digest out;
  Hmac(key, data, {}, {}, &out);
  return out;
}

Digest HkdfExtract(Bytes salt, Bytes secret) { return HmacSha256(salt, secret); }

bool HkdfExpand(const Digest& key, Bytes info, std::span<uint8_t> out) {
  if (out.size() > 255 * kDigestSize) return false;
  Digest block = {};
  size_t block_size = 0;
  uint8_t number = 1;
  for (size_t at = 0; at < out.size(); ++number) {
    const Digest before = block;
    Hmac(key, Bytes(before).first(block_size), info, {&number, 1}, &block);
    block_size = kDigestSize;
    const size_t n = std::min(kDigestSize, out.size() - at);
    std::copy_n(block.begin(), n, out.begin() + static_cast<ptrdiff_t>(at));
    at += n;
  }
  Wipe(block);
  return true;
}

bool Seal(const Key& key, const Nonce& nonce, Bytes aad, Bytes in, uint8_t* out, std::span<uint8_t, kTagSize> tag) {
  mbedtls_chachapoly_context context;
  mbedtls_chachapoly_init(&context);
  const bool ok = mbedtls_chachapoly_setkey(&context, key.data()) == 0 &&
                  mbedtls_chachapoly_encrypt_and_tag(&context, in.size(), nonce.data(), aad.data(), aad.size(),
                                                     in.data(), out, tag.data()) == 0;
  mbedtls_chachapoly_free(&context);
  return ok;
}

bool Open(const Key& key, const Nonce& nonce, Bytes aad, Bytes in, std::span<const uint8_t, kTagSize> tag,
          uint8_t* out) {
  mbedtls_chachapoly_context context;
  mbedtls_chachapoly_init(&context);
  const bool ok = mbedtls_chachapoly_setkey(&context, key.data()) == 0 &&
                  mbedtls_chachapoly_auth_decrypt(&context, in.size(), nonce.data(), aad.data(), aad.size(), tag.data(),
                                                  in.data(), out) == 0;
  mbedtls_chachapoly_free(&context);
  return ok;
}

bool SameBytes(Bytes a, Bytes b) {
  if (a.size() != b.size()) return false;
  volatile uint8_t difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference = static_cast<uint8_t>(difference | (a[i] ^ b[i]));
  return difference == 0;
}

void Wipe(std::span<uint8_t> secret) { mbedtls_platform_zeroize(secret.data(), secret.size()); }

bool VerifyP256(const P256Key& public_key, const Digest& digest, const Signature& signature) {
  Group g(MBEDTLS_ECP_DP_SECP256R1);
  std::array<uint8_t, 1 + kP256KeySize> encoded;
  encoded[0] = 0x04;  // both coordinates follow
  std::copy(public_key.begin(), public_key.end(), encoded.begin() + 1);
  constexpr size_t kHalf = kSignatureSize / 2;
  return g.is_loaded && mbedtls_ecp_point_read_binary(&g.group, &g.point, encoded.data(), encoded.size()) == 0 &&
         mbedtls_ecp_check_pubkey(&g.group, &g.point) == 0 &&
         mbedtls_mpi_read_binary(&g.scalar, signature.data(), kHalf) == 0 &&
         mbedtls_mpi_read_binary(&g.other, signature.data() + kHalf, kHalf) == 0 &&
         mbedtls_ecdsa_verify(&g.group, digest.data(), digest.size(), &g.point, &g.scalar, &g.other) == 0;
}

namespace {
mbedtls_sha256_context* Context(uint8_t* state) { return reinterpret_cast<mbedtls_sha256_context*>(state); }
}  // namespace

Sha256Stream::Sha256Stream() {
  static_assert(sizeof(mbedtls_sha256_context) <= kStateSize);
  mbedtls_sha256_init(new (state_.data()) mbedtls_sha256_context);
  mbedtls_sha256_starts_ret(Context(state_.data()), 0);
}

Sha256Stream::~Sha256Stream() { mbedtls_sha256_free(Context(state_.data())); }

void Sha256Stream::Add(Bytes data) {
  if (!data.empty()) mbedtls_sha256_update_ret(Context(state_.data()), data.data(), data.size());
}

Digest Sha256Stream::Finish() {
  Digest out;
  mbedtls_sha256_finish_ret(Context(state_.data()), out.data());
  mbedtls_sha256_starts_ret(Context(state_.data()), 0);
  return out;
}

}  // namespace vesta::crypto
