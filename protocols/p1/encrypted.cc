#include "protocols/p1/encrypted.h"

#include <cstring>

namespace vesta::p1 {
namespace {

constexpr size_t kTitleSize = 8;
constexpr uint8_t kTitleLengthByte = 0x08;
constexpr size_t kTitleOffset = 2;
constexpr size_t kLengthMarkOffset = 10;
constexpr uint8_t kTwoLengthBytes = 0x82;
constexpr size_t kLengthOffset = 11;
constexpr size_t kSecurityOffset = 13;
constexpr size_t kCounterOffset = 14;
constexpr size_t kCountedBeforeCiphertext = 5;  // security byte and frame counter

void MakeNonce(const EncryptedFrame& frame, uint8_t* out) {
  std::memcpy(out, frame.system_title.data(), kTitleSize);
  for (size_t i = 0; i < 4; ++i) out[kTitleSize + i] = static_cast<uint8_t>(frame.frame_counter >> (24 - 8 * i));
}

}  // namespace

HeaderCheck CheckEncryptedHeader(std::span<const uint8_t> b, size_t max_plaintext, size_t* total) {
  const size_t n = b.size();
  if (n > 0 && b[0] != kEncryptedStart) return HeaderCheck::kNo;
  if (n > 1 && b[1] != kTitleLengthByte) return HeaderCheck::kNo;
  if (n > kLengthMarkOffset && b[kLengthMarkOffset] != kTwoLengthBytes) return HeaderCheck::kNo;
  if (n <= kSecurityOffset) return HeaderCheck::kMore;
  const size_t length = static_cast<size_t>(b[kLengthOffset] << 8 | b[kLengthOffset + 1]);
  const uint8_t security = b[kSecurityOffset];
  if (security != kSecurityAuthenticated && security != kSecurityEncryptedOnly) return HeaderCheck::kNo;
  const size_t around = kCountedBeforeCiphertext + (security == kSecurityAuthenticated ? kEncryptedTagSize : 0);
  if (length < around || length - around > max_plaintext) return HeaderCheck::kLength;
  *total = kEncryptedLengthEnd + length;
  return HeaderCheck::kYes;
}

EncryptedFrame SplitEncryptedFrame(std::span<const uint8_t> f) {
  const bool tagged = f[kSecurityOffset] == kSecurityAuthenticated;
  const size_t tag_size = tagged ? kEncryptedTagSize : 0;
  uint32_t counter = 0;
  for (size_t i = 0; i < 4; ++i) counter = counter << 8 | f[kCounterOffset + i];
  return {f.subspan<kTitleOffset, kTitleSize>(),
          static_cast<uint16_t>(f[kLengthOffset] << 8 | f[kLengthOffset + 1]),
          f[kSecurityOffset],
          counter,
          f.subspan(kEncryptedHeaderSize, f.size() - kEncryptedHeaderSize - tag_size),
          f.subspan(f.size() - tag_size)};
}

void FrameCipher::SetKeys(const Key& key, bool has_authentication_key, const Key& authentication_key) {
  has_key_ = gcm_.SetKey(key) && ctr_.SetKey(key);
  aad_size_ = 0;
  if (!has_authentication_key) return;
  aad_[0] = kSecurityAuthenticated;
  std::memcpy(aad_.data() + 1, authentication_key.data(), authentication_key.size());
  aad_size_ = aad_.size();
}

bool FrameCipher::DecryptChecked(const EncryptedFrame& frame, uint8_t* plain) {
  if (frame.tag.empty()) return false;
  uint8_t nonce[crypto::kGcmIvSize];
  MakeNonce(frame, nonce);
  return gcm_.Decrypt(nonce, {aad_.data(), aad_size_}, frame.ciphertext, frame.tag, plain);
}

bool FrameCipher::DecryptUnchecked(const EncryptedFrame& frame, uint8_t* plain) {
  std::array<uint8_t, crypto::kAesBlockSize> counter{};
  MakeNonce(frame, counter.data());
  counter.back() = 2;  // GCM keeps block 1 for the tag
  return ctr_.Crypt(counter, frame.ciphertext, plain);
}

}  // namespace vesta::p1
