#include "simulators/frame_cipher.h"

#include <algorithm>
#include <cassert>

#include "protocols/crypto.h"

namespace vesta::simulators {
namespace {

constexpr uint8_t kAuthenticatedAndEncrypted = 0x30;
constexpr size_t kTagSize = 12;
constexpr size_t kOverhead = 1 + 4 + kTagSize;  // what the length counts besides the telegram

void PutBigEndian(uint32_t v, uint8_t* out) {
  for (int i = 0; i < 4; ++i) out[i] = static_cast<uint8_t>(v >> (24 - 8 * i));
}

}  // namespace

std::string EncryptFrame(std::string_view telegram, const AesKey& key, const AesKey& authentication_key,
                         const SystemTitle& title, uint32_t frame_counter) {
  assert(telegram.size() + kOverhead <= 0xFFFF);
  uint8_t iv[12];
  std::copy(title.begin(), title.end(), iv);
  PutBigEndian(frame_counter, iv + 8);
  uint8_t associated[17] = {kAuthenticatedAndEncrypted};
  std::copy(authentication_key.begin(), authentication_key.end(), associated + 1);

  const size_t length = telegram.size() + kOverhead;
  std::string frame = {'\xDB', '\x08'};
  frame.append(title.begin(), title.end());
  frame += '\x82';
  frame += static_cast<char>(length >> 8);
  frame += static_cast<char>(length & 0xFF);
  frame += static_cast<char>(kAuthenticatedAndEncrypted);
  frame.append(iv + 8, iv + 12);
  const size_t text_at = frame.size();
  frame.resize(text_at + telegram.size() + kTagSize);

  crypto::Aes128Gcm gcm;
  auto* out = reinterpret_cast<uint8_t*>(frame.data()) + text_at;
  const crypto::Bytes plain{reinterpret_cast<const uint8_t*>(telegram.data()), telegram.size()};
  // Neither call can fail: the key has one of the allowed sizes and both buffers are ours.
  gcm.SetKey(key);
  gcm.Encrypt(iv, associated, plain, out, {out + telegram.size(), kTagSize});
  return frame;
}

}  // namespace vesta::simulators
