#include "protocols/crypto_link.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vesta::crypto {
namespace {

std::vector<uint8_t> Hex(const std::string& text) {
  std::vector<uint8_t> out;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    out.push_back(static_cast<uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
  }
  return out;
}

template <size_t n>
std::array<uint8_t, n> Array(const std::string& text) {
  std::array<uint8_t, n> out{};
  const std::vector<uint8_t> bytes = Hex(text);
  EXPECT_EQ(bytes.size(), n);
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

TEST(LinkCrypto, AgreesAsInRfc7748) {
  Key a;
  a.fill(0x77);
  const Key b = Array<32>("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
  Key a_public, b_public, one, two;
  ASSERT_TRUE(X25519PublicKey(a, &a_public));
  ASSERT_TRUE(X25519PublicKey(b, &b_public));
  // RFC 7748, section 6.1.
  EXPECT_EQ(b_public, Array<32>("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"));
  ASSERT_TRUE(X25519(a, b_public, &one));
  ASSERT_TRUE(X25519(b, a_public, &two));
  EXPECT_EQ(one, two);
}

TEST(LinkCrypto, ScalarTimesPointAsInRfc7748) {
  // Section 5.2, first vector.
  const Key scalar = Array<32>("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4");
  const Key point = Array<32>("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c");
  Key out;
  ASSERT_TRUE(X25519(scalar, point, &out));
  EXPECT_EQ(out, Array<32>("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"));
}

TEST(LinkCrypto, RefusesPublicKeysOfSmallOrder) {
  Key scalar;
  scalar.fill(0x42);
  Key out;
  Key zero = {};
  EXPECT_FALSE(X25519(scalar, zero, &out));
  Key one = {1};
  EXPECT_FALSE(X25519(scalar, one, &out));
}

TEST(LinkCrypto, DerivesAsInRfc5869) {
  // Appendix A.1.
  const Digest prk =
      HkdfExtract(Hex("000102030405060708090a0b0c"), Hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"));
  EXPECT_EQ(prk, Array<32>("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"));
  std::array<uint8_t, 42> out;
  ASSERT_TRUE(HkdfExpand(prk, Hex("f0f1f2f3f4f5f6f7f8f9"), out));
  EXPECT_EQ(out, Array<42>("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"));
}

TEST(LinkCrypto, SealsAsInRfc8439) {
  // Section 2.8.2.
  const std::string text =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be "
      "it.";
  const Key key = Array<32>("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
  const Nonce nonce = Array<12>("070000004041424344454647");
  const std::vector<uint8_t> aad = Hex("50515253c0c1c2c3c4c5c6c7");
  std::vector<uint8_t> bytes(text.begin(), text.end());
  std::array<uint8_t, kTagSize> tag;
  ASSERT_TRUE(Seal(key, nonce, aad, bytes, bytes.data(), tag));
  EXPECT_EQ(tag, Array<16>("1ae10b594f09e26a7e902ecbd0600691"));
  EXPECT_EQ(Hex("d31a8d34648e60db7b86afbc53ef7ec2"), std::vector<uint8_t>(bytes.begin(), bytes.begin() + 16));
  std::vector<uint8_t> opened(bytes.size());
  ASSERT_TRUE(Open(key, nonce, aad, bytes, tag, opened.data()));
  EXPECT_EQ(std::string(opened.begin(), opened.end()), text);
  tag[3] ^= 1;
  EXPECT_FALSE(Open(key, nonce, aad, bytes, tag, opened.data()));
}

TEST(LinkCrypto, VerifiesAsInRfc6979) {
  // Appendix A.2.5, SHA-256, message "sample".
  const P256Key key = Array<64>(
      "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
      "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299");
  Signature signature = Array<64>(
      "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
      "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8");
  const std::string text = "sample";
  const Digest digest = Sha256({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  EXPECT_TRUE(VerifyP256(key, digest, signature));
  signature[40] ^= 1;
  EXPECT_FALSE(VerifyP256(key, digest, signature));
  P256Key nowhere = key;
  nowhere[0] ^= 1;  // a point that is not on the curve
  EXPECT_FALSE(VerifyP256(nowhere, digest, signature));
  EXPECT_FALSE(VerifyP256(key, digest, Signature{}));
}

TEST(LinkCrypto, ComparesBytes) {
  EXPECT_TRUE(SameBytes(Hex("0102"), Hex("0102")));
  EXPECT_FALSE(SameBytes(Hex("0102"), Hex("0103")));
  EXPECT_FALSE(SameBytes(Hex("0102"), Hex("01")));
  EXPECT_TRUE(SameBytes({}, {}));
}

}  // namespace
}  // namespace vesta::crypto
