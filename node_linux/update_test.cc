// The program is replaced by one that the hub sends, and comes back when the new one is of no use.
#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "node_linux/files.h"
#include "node_linux/program_for_test.h"
#include "node_linux/program_slot.h"
#include "protocols/link/seal.h"

namespace vesta::node_linux {
namespace {

constexpr uint32_t kInstalled = 0x000100;

class Signer {
 public:
  Signer() : key_(EVP_EC_gen("P-256"), EVP_PKEY_free) {}
  std::string PublicHex() const {
    unsigned char* bytes = nullptr;
    const size_t size = EVP_PKEY_get1_encoded_public_key(key_.get(), &bytes);
    std::string hex;
    for (size_t i = 1; i < size; ++i) {
      char digits[3];
      std::snprintf(digits, sizeof(digits), "%02x", bytes[i]);
      hex += digits;
    }
    OPENSSL_free(bytes);
    return hex;
  }
  void Sign(link::BlobManifest* manifest) const {
    const crypto::Digest digest = link::ManifestDigest(*manifest);
    EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(key_.get(), nullptr);
    unsigned char der[128];
    size_t size = sizeof(der);
    EVP_PKEY_sign_init(context);
    ASSERT_GT(EVP_PKEY_sign(context, der, &size, digest.data(), digest.size()), 0);
    EVP_PKEY_CTX_free(context);
    const unsigned char* at = der;
    ECDSA_SIG* parts = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size));
    BN_bn2binpad(ECDSA_SIG_get0_r(parts), manifest->signature.data(), 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(parts), manifest->signature.data() + 32, 32);
    ECDSA_SIG_free(parts);
  }

 private:
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
};

class UpdateTest : public testing::Test {
 protected:
  UpdateTest() {
    char name[] = "/tmp/vesta-node-test-XXXXXX";
    folder_ = mkdtemp(name);
    Put(folder_ / "secret", "5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A\n");
    Put(folder_ / "signer", signer_.PublicHex() + "\n");
    Put(folder_ / "functions.json", R"({"version":1,"name":"Pi","ping_s":1})");
  }
  ~UpdateTest() override { fs::remove_all(folder_); }

  fs::path Settings(int trial_s = 60) {
    const std::string dir = folder_.string();
    const nlohmann::json settings = {{"port", hub_.port},
                                     {"state", dir + "/state"},
                                     {"secret_file", dir + "/secret"},
                                     {"signer_file", dir + "/signer"},
                                     {"configuration", dir + "/functions.json"},
                                     {"trial_s", trial_s}};
    Put(folder_ / "settings.json", settings.dump());
    return folder_ / "settings.json";
  }
  uint32_t Runs() const { return hub_.infos.empty() ? 0 : hub_.infos.begin()->second.firmware; }
  link::BlobManifest Manifest(uint32_t version, uint32_t target = 1) const {
    link::BlobManifest manifest;
    manifest.target = target;
    manifest.version = version;
    manifest.size = static_cast<uint32_t>(hub_.image.size());
    manifest.digest = crypto::Sha256({reinterpret_cast<const uint8_t*>(hub_.image.data()), hub_.image.size()});
    signer_.Sign(&manifest);
    return manifest;
  }
  void Offer(const link::BlobManifest& manifest) {
    hub_.blob_statuses.clear();
    hub_.hub.SetBlob(0, manifest);
    hub_.hub.OfferBlob(hub_.infos.begin()->first, 0);
  }
  bool IsAnswered() {
    return hub_.RunUntil([&] { return !hub_.blob_statuses.empty(); }, 60);
  }

  UdpHub hub_;
  Signer signer_;
  fs::path folder_;
};

std::string OwnProgram() {
  std::ifstream file(VESTA_NODE_PROGRAM, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(UpdateTest, ANewProgramIsLoadedThroughALostLinkStartedAndKept) {
  const fs::path settings = Settings();
  hub_.image = OwnProgram();
  {
    NodeProcess node(settings);
    ASSERT_TRUE(hub_.RunUntil([&] { return Runs() == kInstalled; }, 20));
    Offer(Manifest(0x010000));
    const uint32_t blocks = static_cast<uint32_t>(hub_.image.size() / link::kBlockSize);
    ASSERT_TRUE(hub_.RunUntil([&] { return hub_.highest_block > blocks / 2; }, 60));
    // The link is lost in the middle: it goes on where it was.
    hub_.is_deaf = true;
    hub_.RunUntil([] { return false; }, 6);
    hub_.is_deaf = false;
    ASSERT_TRUE(IsAnswered());
    EXPECT_EQ(hub_.blob_statuses[0].result, link::BlobResult::kComplete);
    EXPECT_EQ(hub_.begun_anew, 0);
    ASSERT_TRUE(hub_.RunUntil([&] { return Runs() == 0x010000; }, 20));
    EXPECT_EQ(node.Stop(), 0);
  }
  // Without a trial: it has proven itself.
  hub_.infos.clear();
  NodeProcess node(settings);
  ASSERT_TRUE(hub_.RunUntil([&] { return Runs() == 0x010000; }, 20));
  EXPECT_FALSE(fs::exists(folder_ / "state/program-trial"));
  EXPECT_FALSE(fs::exists(folder_ / "state/program-tried"));
}

TEST_F(UpdateTest, OneThatDoesNotReachTheHubIsThrownAway) {
  // The first ends at once, the second runs and says nothing.
  const std::string useless[] = {"#!/bin/sh\nexit 1\n", "#!/bin/sh\nexec sleep 60\n"};
  NodeProcess node(Settings(2));
  ASSERT_TRUE(hub_.RunUntil([&] { return Runs() == kInstalled; }, 20));
  for (uint32_t i = 0; i < 2; ++i) {
    hub_.image = useless[i];
    hub_.highest_block = 0;
    Offer(Manifest(0x010000 + i));
    ASSERT_TRUE(IsAnswered());
    ASSERT_EQ(hub_.blob_statuses[0].result, link::BlobResult::kComplete);
    hub_.infos.clear();
    ASSERT_TRUE(hub_.RunUntil([&] { return Runs() == kInstalled; }, 30)) << i;
    EXPECT_FALSE(fs::exists(folder_ / "state" / ("program-" + std::to_string(0x010000 + i))));
  }
}

TEST_F(UpdateTest, WhatIsUnsignedOlderOrForOtherHardwareIsRefusedBeforeABlockIsLoaded) {
  NodeProcess node(Settings());
  ASSERT_TRUE(hub_.RunUntil([&] { return Runs() == kInstalled; }, 20));
  hub_.image = "#!/bin/sh\n";
  link::BlobManifest forged = Manifest(0x010000);
  forged.signature[0] ^= 1;
  Offer(forged);
  ASSERT_TRUE(IsAnswered());
  EXPECT_EQ(hub_.blob_statuses[0].result, link::BlobResult::kBadSignature);
  Offer(Manifest(0x000001));
  ASSERT_TRUE(IsAnswered());
  EXPECT_EQ(hub_.blob_statuses[0].result, link::BlobResult::kOlder);
  Offer(Manifest(0x010000, 2));
  ASSERT_TRUE(IsAnswered());
  EXPECT_EQ(hub_.blob_statuses[0].result, link::BlobResult::kOtherTarget);
  EXPECT_FALSE(fs::exists(folder_ / "state/program-new"));
  // Another content under a good signature: loaded, and never started.
  link::BlobManifest manifest = Manifest(0x010000);
  hub_.image[0] = '%';
  Offer(manifest);
  ASSERT_TRUE(IsAnswered());
  EXPECT_EQ(hub_.blob_statuses[0].result, link::BlobResult::kBadDigest);
  EXPECT_FALSE(fs::exists(folder_ / "state/program-trial"));
}

// A loss of power at any step leaves a program that starts.
TEST(ProgramFiles, EachStepOfTheSwapLeavesTheOldOneOrTheNewOne) {
  char name[] = "/tmp/vesta-node-test-XXXXXX";
  const fs::path folder = mkdtemp(name);
  const ProgramFiles files(folder.string());
  const auto image = [&](uint32_t version) {
    Put(files.image(version), "#!/bin/sh\n");
    fs::permissions(files.image(version), fs::perms::owner_all);
  };
  image(1);
  ASSERT_TRUE(files.SetLink(files.good(), 1));
  EXPECT_EQ(files.VersionOf(files.good()), 1u);
  image(2);
  EXPECT_EQ(files.VersionOf(files.trial()), std::nullopt);
  ASSERT_TRUE(files.SetLink(files.trial(), 2));
  EXPECT_EQ(files.VersionOf(files.trial()), 2u);
  // Confirmed, and the power went before the trial's link was removed: the image stays.
  ASSERT_TRUE(files.SetLink(files.good(), 2));
  files.RemoveTrial();
  EXPECT_EQ(files.VersionOf(files.good()), 2u);
  // A link to nothing, or to something else, is no program.
  fs::remove(files.image(2));
  EXPECT_EQ(files.VersionOf(files.good()), std::nullopt);
  fs::remove(files.good());
  fs::create_symlink("/bin/sh", files.good());
  EXPECT_EQ(files.VersionOf(files.good()), std::nullopt);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace vesta::node_linux
