#include "hub/store/frame_packer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

namespace vesta::hub {
namespace {

using Frame = std::vector<uint8_t>;

Frame Telegram(int number) {
  const std::string text = fmt::format(
      "/XMX5LGBBFG1009012345\r\n\r\n1-3:0.2.8(50)\r\n0-0:1.0.0(2603011200{:02}W)\r\n1-0:1.8.1({:010.3f}*kWh)\r\n"
      "1-0:1.7.0({:06.3f}*kW)\r\n1-0:32.7.0({:05.1f}*V)\r\n!{:04X}\r\n",
      number % 60, 1000 + number * 0.001, number % 7 * 0.311, 229 + number % 31 * 0.1, number * 7919 % 65536);
  return {text.begin(), text.end()};
}

std::vector<Frame> Telegrams(int from, int count) {
  std::vector<Frame> frames;
  for (int i = from; i < from + count; ++i) frames.push_back(Telegram(i));
  return frames;
}

TEST(FramePacker, FramesThatLookAlikeBecomeAQuarter) {
  const Frame dictionary = TrainFrameDictionary(Telegrams(0, 256));
  ASSERT_FALSE(dictionary.empty());
  EXPECT_LE(dictionary.size(), kFrameDictionaryBytes);
  FramePacker packer;
  packer.Add(7, "meter", dictionary);
  FrameUnpacker unpacker;
  unpacker.Add(7, dictionary);
  size_t raw = 0;
  size_t stored = 0;
  for (const Frame& frame : Telegrams(5000, 100)) {
    Frame packed;
    ASSERT_EQ(packer.Pack("meter", frame, &packed), 7);
    raw += frame.size();
    stored += packed.size();
    Frame unpacked;
    ASSERT_TRUE(unpacker.Unpack(7, packed, &unpacked));
    EXPECT_EQ(unpacked, frame);
  }
  EXPECT_LT(stored * 4, raw);
}

TEST(FramePacker, WhatLooksLikeNoiseIsKeptAsItIs) {
  std::mt19937 random(1);
  std::vector<Frame> sealed(300, Frame(24));
  for (Frame& frame : sealed) {
    for (uint8_t& byte : frame) byte = static_cast<uint8_t>(random());
  }
  EXPECT_TRUE(TrainFrameDictionary(sealed).empty());
  FramePacker packer;
  Frame packed = {1};
  EXPECT_EQ(packer.Pack("radio", sealed[0], &packed), 0) << "no dictionary";
  packer.Add(3, "radio", {});
  EXPECT_TRUE(packer.Knows("radio"));
  EXPECT_EQ(packer.Pack("radio", sealed[0], &packed), 0) << "not worth it";
  packer.Add(4, "meter", TrainFrameDictionary(Telegrams(0, 256)));
  EXPECT_EQ(packer.Pack("meter", sealed[0], &packed), 0) << "a frame of another kind";
  EXPECT_EQ(packed, Frame{1});
}

TEST(FramePacker, DamageGivesNoFrame) {
  const Frame dictionary = TrainFrameDictionary(Telegrams(0, 256));
  FramePacker packer;
  packer.Add(1, "meter", dictionary);
  FrameUnpacker unpacker;
  unpacker.Add(1, dictionary);
  Frame packed;
  ASSERT_EQ(packer.Pack("meter", Telegram(9), &packed), 1);
  Frame frame;
  EXPECT_FALSE(unpacker.Unpack(2, packed, &frame)) << "another dictionary";
  EXPECT_FALSE(unpacker.Unpack(1, {}, &frame));
  for (size_t cut = 1; cut < packed.size(); ++cut) {
    EXPECT_FALSE(unpacker.Unpack(1, std::span(packed).first(cut), &frame)) << cut;
    EXPECT_TRUE(frame.empty());
  }
  // A length that would eat the memory.
  Frame huge = {0x80, 0xFF, 0xFF, 0xFF, 0x7F};
  EXPECT_FALSE(unpacker.Unpack(1, huge, &frame));
}

}  // namespace
}  // namespace vesta::hub
