#include "app/nodes_firmware.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "hub/nodes/firmware_store.h"
#include "protocols/link/seal.h"

namespace vesta::app {
namespace {

crypto::P256Key KeyOfHex(const std::string& hex) {
  crypto::P256Key key = {};
  for (size_t i = 0; i < key.size() && 2 * i + 1 < hex.size(); ++i) {
    key[i] = static_cast<uint8_t>(std::stoi(hex.substr(2 * i, 2), nullptr, 16));
  }
  return key;
}

TEST(NodesFirmware, WhatIsSignedIsWhatANodeChecks) {
  char name[] = "/tmp/vesta-key-test-XXXXXX";
  const std::string folder = mkdtemp(name);
  const std::string path = folder + "/key.pem";
  const auto made = NewSigningKey(path);
  ASSERT_TRUE(made) << made.error();
  EXPECT_EQ(made->size(), 2 * crypto::kP256KeySize);
  EXPECT_EQ(PublicKeyOf(path).value_or(""), *made);
  EXPECT_FALSE(NewSigningKey(path)) << "a key is never overwritten";
  const auto package = SignFirmware("image", 1, 0x010203, path);
  ASSERT_TRUE(package) << package.error();
  link::BlobManifest manifest;
  ASSERT_TRUE(hub::ReadFirmwareHead({reinterpret_cast<const uint8_t*>(package->data()), package->size()}, &manifest));
  EXPECT_EQ(manifest.version, 0x010203u);
  EXPECT_EQ(manifest.size, 5u);
  EXPECT_TRUE(crypto::VerifyP256(KeyOfHex(*made), link::ManifestDigest(manifest), manifest.signature));
  ++manifest.version;
  EXPECT_FALSE(crypto::VerifyP256(KeyOfHex(*made), link::ManifestDigest(manifest), manifest.signature));
  EXPECT_FALSE(SignFirmware("", 1, 1, path));
  EXPECT_FALSE(SignFirmware("image", 1, 1, folder + "/none.pem"));
  unlink(path.c_str());
  rmdir(folder.c_str());
}

TEST(NodesFirmware, VersionsAndHardware) {
  uint32_t value = 0;
  EXPECT_TRUE(ParseFirmwareVersion("1.2.3", &value));
  EXPECT_EQ(value, 0x010203u);
  EXPECT_TRUE(ParseFirmwareVersion("7", &value));
  EXPECT_EQ(value, 7u);
  for (const char* bad : {"", "0", "1.2", "1.2.256", "a", "1.2.3.4", "-1"}) {
    EXPECT_FALSE(ParseFirmwareVersion(bad, &value)) << bad;
  }
  EXPECT_TRUE(ParseHardware("esp8266", &value));
  EXPECT_EQ(value, 3u);
  EXPECT_FALSE(ParseHardware("esp", &value));
}

}  // namespace
}  // namespace vesta::app
