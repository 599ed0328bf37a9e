#include "app/input_bytes.h"

#include <gtest/gtest.h>

namespace vesta::app {
namespace {

TEST(InputBytes, FormsAreToldApart) {
  EXPECT_EQ(GuessForm("/ISK5\\2M550T-1013\r\n"), InputForm::kRaw);
  EXPECT_EQ(GuessForm("0-0:96.1.1(00)\r\n"), InputForm::kRaw);
  EXPECT_EQ(GuessForm("\xDB\x08SAG"), InputForm::kRaw);
  EXPECT_EQ(GuessForm(""), InputForm::kRaw);
  EXPECT_EQ(GuessForm("\r\n"), InputForm::kRaw);
  EXPECT_EQ(GuessForm("2F 49 53\n4b35"), InputForm::kHex);
  EXPECT_EQ(GuessForm("0x2F, 0x49"), InputForm::kHex);
  EXPECT_EQ(GuessForm("\n{\"vesta_capture\":1}"), InputForm::kCapture);
}

std::string ReadAll(const std::vector<std::string>& chunks, std::string* error) {
  HexReader reader;
  std::vector<uint8_t> bytes;
  for (const std::string& chunk : chunks) {
    if (!reader.Read(chunk, &bytes, error)) break;
  }
  if (error->empty() && reader.odd()) *error = "odd";
  return std::string(bytes.begin(), bytes.end());
}

TEST(InputBytes, HexInAnyChunks) {
  std::string error;
  EXPECT_EQ(ReadAll({"2F4", "9 5", "3"}, &error), "/IS");
  EXPECT_EQ(ReadAll({"0", "x2F,", "0x49"}, &error), "/I");
  EXPECT_EQ(ReadAll({"00 0A"}, &error), std::string("\0\n", 2));
  EXPECT_EQ(error, "");
}

TEST(InputBytes, HexFaultsHaveAPlace) {
  std::string error;
  EXPECT_EQ(ReadAll({"2F\n49 5G"}, &error), "/I");
  EXPECT_EQ(error, "line 2, column 5: \"G\" is not a hex digit");
  error.clear();
  ReadAll({"2F4"}, &error);
  EXPECT_EQ(error, "odd");
  error.clear();
  ReadAll({"10x2F"}, &error);
  EXPECT_EQ(error, "line 1, column 3: \"x\" is not a hex digit");
}

}  // namespace
}  // namespace vesta::app
