#include "hub/store/disk_wear.h"

#include <gtest/gtest.h>

namespace vesta::hub {
namespace {

constexpr char kMounts[] =
    "22 1 179:2 / / rw,noatime shared:1 - ext4 /dev/root rw\n"
    "23 22 0:5 / /dev rw,relatime shared:2 master:3 - devtmpfs udev rw,size=4k\n"
    "40 22 8:1 / /data rw,relatime - ext4 /dev/sda1 rw,discard,commit=60,stripe=4\n"
    "41 22 8:2 / /more rw - f2fs /dev/sda2 rw,lazytime\n";

TEST(DiskWear, Ext4AsItIsMountedByDefaultGetsAdvice) {
  const auto disk = DiskInMounts(kMounts, "179:2", 4096);
  ASSERT_TRUE(disk);
  EXPECT_EQ(disk->type, "ext4");
  EXPECT_EQ(disk->journal_s, 5);
  EXPECT_NE(SpareDiskAdvice(*disk).find("commit=60"), std::string::npos);
  EXPECT_EQ(SpareDiskAdvice({"ext4", 1024, 5}), "");
}

TEST(DiskWear, WhatSparesAlreadyGetsNone) {
  const auto disk = DiskInMounts(kMounts, "8:1", 4096);
  ASSERT_TRUE(disk);
  EXPECT_EQ(disk->journal_s, 60);
  EXPECT_EQ(SpareDiskAdvice(*disk), "");
}

TEST(DiskWear, OfOthersNothingIsClaimed) {
  const auto disk = DiskInMounts(kMounts, "8:2", 4096);
  ASSERT_TRUE(disk);
  EXPECT_EQ(disk->type, "f2fs");
  EXPECT_EQ(SpareDiskAdvice(*disk), "");
  EXPECT_FALSE(DiskInMounts(kMounts, "9:9", 4096));
  EXPECT_FALSE(DiskInMounts("", "8:1", 4096));
  EXPECT_FALSE(DiskOf("/no/such/folder"));
}

TEST(DiskWear, OfThisMachineSomethingIsSaid) {
  const auto disk = DiskOf("/proc");
  ASSERT_TRUE(disk);
  EXPECT_EQ(disk->type, "proc");
}

}  // namespace
}  // namespace vesta::hub
