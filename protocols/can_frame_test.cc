#include "protocols/can_frame.h"

#include <gtest/gtest.h>

#include <vector>

namespace vesta::can {
namespace {

std::optional<Frame> Read(std::vector<uint8_t> bytes) { return ReadFrame(bytes); }

TEST(CanFrame, GoesThereAndBack) {
  Frame frame;
  frame.id = 0x086F1297;
  frame.is_extended = true;
  frame.size = 3;
  frame.data = {1, 2, 3};
  std::array<uint8_t, kMaxFrameSize> bytes{};
  const size_t size = WriteFrame(frame, bytes);
  ASSERT_EQ(size, 8u);
  EXPECT_EQ(bytes[0], 0x88);
  const auto again = ReadFrame({bytes.data(), size});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->id, frame.id);
  EXPECT_TRUE(again->is_extended);
  EXPECT_EQ(again->size, 3);
  EXPECT_EQ(again->data, frame.data);
}

TEST(CanFrame, ARemoteRequestHasALengthButNoData) {
  Frame frame;
  frame.id = 0x123;
  frame.is_remote = true;
  frame.size = 7;
  std::array<uint8_t, kMaxFrameSize> bytes{};
  const size_t size = WriteFrame(frame, bytes);
  EXPECT_EQ(size, kFrameHeaderSize);
  const auto again = ReadFrame({bytes.data(), size});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->size, 7);
  EXPECT_TRUE(again->is_remote);
}

TEST(CanFrame, RefusesWhatIsNone) {
  EXPECT_FALSE(Read({}));
  EXPECT_FALSE(Read({0, 0, 1, 0x23}));
  EXPECT_FALSE(Read({0, 0, 1, 0x23, 1}));     // a byte short
  EXPECT_FALSE(Read({0, 0, 1, 0x23, 0, 9}));  // a byte too many
  EXPECT_FALSE(Read({0, 0, 1, 0x23, 9, 1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_FALSE(Read({0, 0, 8, 0, 0}));  // 800 is no standard identifier
  EXPECT_TRUE(Read({0x80, 0, 8, 0, 0}));
  EXPECT_FALSE(Read({0x40, 0, 1, 0x23, 1, 0xFF}));  // a remote request with data
}

}  // namespace
}  // namespace vesta::can
