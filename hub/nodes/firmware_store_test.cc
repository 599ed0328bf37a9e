#include "hub/nodes/firmware_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace vesta::hub {
namespace {

class FirmwareStoreTest : public testing::Test {
 protected:
  FirmwareStoreTest() {
    char name[] = "/tmp/vesta-firmware-test-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~FirmwareStoreTest() override { std::filesystem::remove_all(folder_); }

  static std::vector<uint8_t> Package(uint32_t target, uint32_t version, size_t size) {
    std::vector<uint8_t> image(size);
    for (size_t i = 0; i < size; ++i) image[i] = static_cast<uint8_t>(i * 7 + version);
    link::BlobManifest manifest;
    manifest.target = target;
    manifest.version = version;
    manifest.size = static_cast<uint32_t>(size);
    manifest.digest = crypto::Sha256(image);
    const std::string head = WriteFirmwareHead(manifest);
    std::vector<uint8_t> package(head.begin(), head.end());
    package.insert(package.end(), image.begin(), image.end());
    return package;
  }
  // The error of the piece that was not taken.
  static std::string Upload(FirmwareStore& store, const std::vector<uint8_t>& package, size_t piece) {
    for (size_t at = 0; at < package.size(); at += piece) {
      const auto part = std::span(package).subspan(at, std::min(piece, package.size() - at));
      const auto done = store.Upload(at, part);
      if (!done) return done.error();
      EXPECT_EQ(done->is_complete, at + part.size() == package.size());
    }
    return "";
  }

  std::string folder_;
};

TEST_F(FirmwareStoreTest, APackageInPiecesIsKeptAndReadInBlocks) {
  FirmwareStore store(folder_);
  EXPECT_EQ(Upload(store, Package(1, 2, 5000), 1000), "");
  EXPECT_EQ(Upload(store, Package(1, 3, 4001), 999), "");
  EXPECT_EQ(Upload(store, Package(2, 1, 10), 200), "");
  FirmwareStore later(folder_);
  std::vector<std::string> problems;
  later.Load(&problems);
  EXPECT_TRUE(problems.empty());
  ASSERT_EQ(later.all().size(), 2u);
  ASSERT_NE(later.Find(1), nullptr);
  EXPECT_EQ(later.Find(1)->version, 3u);
  EXPECT_EQ(later.Find(3), nullptr);
  std::array<uint8_t, 192> block;
  EXPECT_EQ(later.Read(1, 192, block), 192u);
  EXPECT_EQ(block[0], static_cast<uint8_t>(192 * 7 + 3));
  EXPECT_EQ(later.Read(1, 3840, block), 161u);
  EXPECT_EQ(later.Read(1, 5000, block), 0u);
}

TEST_F(FirmwareStoreTest, WhatIsDamagedOrOutOfOrderIsRefusedAndTheOldOneStays) {
  FirmwareStore store(folder_);
  ASSERT_EQ(Upload(store, Package(1, 2, 5000), 1000), "");
  std::vector<uint8_t> damaged = Package(1, 3, 5000);
  damaged.back() ^= 1;
  EXPECT_NE(Upload(store, damaged, 1000).find("damaged"), std::string::npos);
  EXPECT_EQ(store.Find(1)->version, 2u);
  const std::vector<uint8_t> garbage(200, 'x');
  EXPECT_NE(Upload(store, garbage, 200).find("no firmware package"), std::string::npos);
  const std::vector<uint8_t> good = Package(1, 3, 5000);
  ASSERT_TRUE(store.Upload(0, std::span(good).first(1000)));
  EXPECT_FALSE(store.Upload(2000, std::span(good).subspan(2000, 1000)));
  EXPECT_FALSE(store.Upload(1000, std::span(good).first(0)));
  EXPECT_TRUE(store.Upload(1000, std::span(good).subspan(1000, 1000)));
  std::ofstream(folder_ + "/hardware-9") << "short";
  std::vector<std::string> problems;
  store.Load(&problems);
  EXPECT_EQ(problems.size(), 1u);
  EXPECT_EQ(store.all().size(), 1u);
}

}  // namespace
}  // namespace vesta::hub
