#include "hub/config/suggest.h"

#include <gtest/gtest.h>

namespace vesta::hub {
namespace {

TEST(Suggest, FindsTheNearest) {
  const std::vector<std::string> words = {"baud", "port", "framing", "commit_each_frame"};
  EXPECT_EQ(Suggest("buad", words), "baud");
  EXPECT_EQ(Suggest("BAUD", words), "baud");
  EXPECT_EQ(Suggest("prot", words), "port");
  EXPECT_EQ(Suggest("framming", words), "framing");
  EXPECT_EQ(Suggest("commit-each-frame", words), "commit_each_frame");
  EXPECT_EQ(Suggest("CommitEachFrame", words), "commit_each_frame");
}

TEST(Suggest, SaysNothingWhenNothingIsNear) {
  const std::vector<std::string> words = {"baud", "port"};
  EXPECT_EQ(Suggest("colour", words), "");
  EXPECT_EQ(Suggest("", words), "");
  EXPECT_EQ(Suggest("b", words), "");
  EXPECT_EQ(Suggest(std::string(100000, 'b'), words), "");
  EXPECT_EQ(Suggest("baud", {}), "");
}

}  // namespace
}  // namespace vesta::hub
