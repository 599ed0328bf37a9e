#include "protocols/crypto.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace vesta::crypto {
namespace {

// NIST GCM test case 4: AES-128, 20 bytes of additional data.
constexpr uint8_t kKey[] = {0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c,
                            0x6d, 0x6a, 0x8f, 0x94, 0x67, 0x30, 0x83, 0x08};
constexpr uint8_t kIv[] = {0xca, 0xfe, 0xba, 0xbe, 0xfa, 0xce, 0xdb, 0xad, 0xde, 0xca, 0xf8, 0x88};
constexpr uint8_t kAad[] = {0xfe, 0xed, 0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xfe, 0xed,
                            0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xab, 0xad, 0xda, 0xd2};
constexpr uint8_t kPlain[] = {0xd9, 0x31, 0x32, 0x25, 0xf8, 0x84, 0x06, 0xe5, 0xa5, 0x59, 0x09, 0xc5, 0xaf, 0xf5, 0x26,
                              0x9a, 0x86, 0xa7, 0xa9, 0x53, 0x15, 0x34, 0xf7, 0xda, 0x2e, 0x4c, 0x30, 0x3d, 0x8a, 0x31,
                              0x8a, 0x72, 0x1c, 0x3c, 0x0c, 0x95, 0x95, 0x68, 0x09, 0x53, 0x2f, 0xcf, 0x0e, 0x24, 0x49,
                              0xa6, 0xb5, 0x25, 0xb1, 0x6a, 0xed, 0xf5, 0xaa, 0x0d, 0xe6, 0x57, 0xba, 0x63, 0x7b, 0x39};
constexpr uint8_t kTag[] = {0x5b, 0xc9, 0x4f, 0xbc, 0x32, 0x21, 0xa5, 0xdb,
                            0x94, 0xfa, 0xe9, 0x5a, 0xe7, 0x12, 0x1a, 0x47};

TEST(Gcm, GivesThePublishedTag) {
  Aes128Gcm gcm;
  ASSERT_TRUE(gcm.SetKey(kKey));
  std::array<uint8_t, sizeof(kPlain)> cipher;
  std::array<uint8_t, 16> tag;
  ASSERT_TRUE(gcm.Encrypt(kIv, kAad, kPlain, cipher.data(), tag));
  EXPECT_TRUE(std::equal(tag.begin(), tag.end(), kTag));
  EXPECT_EQ(cipher[0], 0x42);
  EXPECT_EQ(cipher[59], 0x91);
}

TEST(Gcm, ChecksATruncatedTag) {
  Aes128Gcm gcm;
  ASSERT_TRUE(gcm.SetKey(kKey));
  std::array<uint8_t, sizeof(kPlain)> cipher;
  std::array<uint8_t, 12> tag;
  ASSERT_TRUE(gcm.Encrypt(kIv, kAad, kPlain, cipher.data(), tag));
  EXPECT_TRUE(std::equal(tag.begin(), tag.end(), kTag));
  std::array<uint8_t, sizeof(kPlain)> plain;
  EXPECT_TRUE(gcm.Decrypt(kIv, kAad, cipher, tag, plain.data()));
  EXPECT_TRUE(std::equal(plain.begin(), plain.end(), kPlain));
  tag[11] ^= 1;
  EXPECT_FALSE(gcm.Decrypt(kIv, kAad, cipher, tag, plain.data()));
}

TEST(Ctr, ReadsWhatGcmWrote) {
  Aes128Gcm gcm;
  Aes128Ctr ctr;
  ASSERT_TRUE(gcm.SetKey(kKey));
  ASSERT_TRUE(ctr.SetKey(kKey));
  std::array<uint8_t, sizeof(kPlain)> cipher;
  std::array<uint8_t, 12> tag;
  ASSERT_TRUE(gcm.Encrypt(kIv, {}, kPlain, cipher.data(), tag));
  std::array<uint8_t, kAesBlockSize> counter{};
  std::copy(std::begin(kIv), std::end(kIv), counter.begin());
  counter[15] = 2;
  std::array<uint8_t, sizeof(kPlain)> plain;
  ASSERT_TRUE(ctr.Crypt(counter, cipher, plain.data()));
  EXPECT_TRUE(std::equal(plain.begin(), plain.end(), kPlain));
}

TEST(Keys, OfTheWrongLengthAreRefused) {
  Aes128Gcm gcm;
  Aes128Ctr ctr;
  const std::vector<uint8_t> short_key(15);
  EXPECT_FALSE(gcm.SetKey(short_key));
  EXPECT_FALSE(ctr.SetKey(short_key));
  uint8_t out[1];
  EXPECT_FALSE(gcm.Decrypt(kIv, {}, {}, kTag, out));
}

// NIST SP 800-38C, example 1: 7-byte nonce, 8 bytes of additional data, 4 bytes of payload, 4-byte tag.
TEST(Ccm, GivesThePublishedCiphertextAndChecksItsTag) {
  constexpr uint8_t kCcmKey[] = {0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47,
                                 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f};
  constexpr uint8_t kNonce[] = {0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16};
  constexpr uint8_t kData[] = {0, 1, 2, 3, 4, 5, 6, 7};
  constexpr uint8_t kPayload[] = {0x20, 0x21, 0x22, 0x23};
  Aes128Ccm ccm;
  std::array<uint8_t, 4> cipher;
  std::array<uint8_t, 4> tag;
  EXPECT_FALSE(ccm.Encrypt(kNonce, kData, kPayload, cipher.data(), tag));
  ASSERT_TRUE(ccm.SetKey(kCcmKey));
  ASSERT_TRUE(ccm.Encrypt(kNonce, kData, kPayload, cipher.data(), tag));
  EXPECT_EQ(cipher, (std::array<uint8_t, 4>{0x71, 0x62, 0x01, 0x5b}));
  EXPECT_EQ(tag, (std::array<uint8_t, 4>{0x4d, 0xac, 0x25, 0x5d}));
  std::array<uint8_t, 4> plain;
  EXPECT_TRUE(ccm.Decrypt(kNonce, kData, cipher, tag, plain.data()));
  EXPECT_TRUE(std::equal(plain.begin(), plain.end(), kPayload));
  tag[0] ^= 1;
  EXPECT_FALSE(ccm.Decrypt(kNonce, kData, cipher, tag, plain.data()));
}

// FIPS 197, appendix B.
TEST(Block, GivesThePublishedCiphertext) {
  constexpr uint8_t kBlockKey[] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6,
                                   0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c};
  constexpr std::array<uint8_t, 16> kIn = {0x32, 0x43, 0xf6, 0xa8, 0x88, 0x5a, 0x30, 0x8d,
                                           0x31, 0x31, 0x98, 0xa2, 0xe0, 0x37, 0x07, 0x34};
  Aes128Block block;
  std::array<uint8_t, 16> out{};
  EXPECT_FALSE(block.Encrypt(kIn, out));
  EXPECT_FALSE(block.SetKey({kBlockKey, 15}));
  ASSERT_TRUE(block.SetKey(kBlockKey));
  ASSERT_TRUE(block.Encrypt(kIn, out));
  EXPECT_EQ(out[0], 0x39);
  EXPECT_EQ(out[15], 0x32);
}

}  // namespace
}  // namespace vesta::crypto
