#include "hub/sources/capture_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace vesta::hub {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr UtcUs kTime = 1786429285123456;  // 2026-08-11T06:21:25.123456Z

std::string ErrorOf(std::string_view line) {
  CaptureFrame frame;
  const auto parsed = ParseCaptureLine(line, &frame);
  return parsed ? "" : parsed.error();
}

// A file that is removed at the end.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text) {
    char name[] = "capture_test_XXXXXX";
    close(mkstemp(name));
    path_ = name;
    std::ofstream(path_) << text;
  }
  ~TemporaryFile() { unlink(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(CaptureLine, ReadsAFrame) {
  CaptureFrame frame;
  const auto parsed = ParseCaptureLine(
      R"({"t":"2026-08-11T08:21:25.123456+02:00","source":"meter","link":"rssi -60","hex":"2F00fF","later":[1]})",
      &frame);
  ASSERT_TRUE(parsed) << parsed.error();
  EXPECT_EQ(*parsed, CaptureLine::kFrame);
  EXPECT_EQ(frame.time_us, kTime);
  EXPECT_EQ(frame.source, "meter");
  EXPECT_EQ(frame.link, "rssi -60");
  EXPECT_THAT(frame.bytes, ElementsAre(0x2F, 0x00, 0xFF));
}

TEST(CaptureLine, TimeMayBeMicroseconds) {
  CaptureFrame frame;
  ASSERT_TRUE(ParseCaptureLine(R"({"t":1786429285123456,"hex":""})", &frame));
  EXPECT_EQ(frame.time_us, kTime);
  EXPECT_THAT(frame.bytes, ElementsAre());
  EXPECT_EQ(frame.source, "");
}

TEST(CaptureLine, KnowsHeaderAndBlanks) {
  CaptureFrame frame;
  EXPECT_EQ(ParseCaptureLine(R"({"vesta_capture":1,"made_by":"x"})", &frame), CaptureLine::kHeader);
  EXPECT_EQ(ParseCaptureLine("", &frame), CaptureLine::kBlank);
  EXPECT_EQ(ParseCaptureLine(" \t\r", &frame), CaptureLine::kBlank);
  EXPECT_EQ(ErrorOf(R"({"vesta_capture":2})"), "this capture has another version than 1");
  EXPECT_EQ(ErrorOf(R"({"vesta_capture":"1"})"), "this capture has another version than 1");
}

TEST(CaptureLine, SaysWhatIsWrong) {
  EXPECT_EQ(ErrorOf("2f4953"), "this is not a JSON object");
  EXPECT_EQ(ErrorOf("{\"t\":1,\"hex\":\"00\""), "this is not a JSON object");
  EXPECT_EQ(ErrorOf("[1]"), "this is not a JSON object");
  EXPECT_EQ(ErrorOf(R"({"hex":"00"})"), "\"t\" (the time) is missing");
  EXPECT_THAT(ErrorOf(R"({"t":"yesterday","hex":"00"})"), HasSubstr("\"t\" is neither a time"));
  EXPECT_THAT(ErrorOf(R"({"t":-1,"hex":"00"})"), HasSubstr("\"t\" is neither a time"));
  EXPECT_THAT(ErrorOf(R"({"t":1.5,"hex":"00"})"), HasSubstr("\"t\" is neither a time"));
  EXPECT_THAT(ErrorOf(R"({"t":18446744073709551615,"hex":"00"})"), HasSubstr("\"t\" is neither a time"));
  EXPECT_EQ(ErrorOf(R"({"t":1})"), "\"hex\" (the bytes) is missing");
  EXPECT_EQ(ErrorOf(R"({"t":1,"hex":7})"), "\"hex\" (the bytes) is missing");
  EXPECT_EQ(ErrorOf(R"({"t":1,"hex":"000"})"), "\"hex\" has an odd number of digits");
  EXPECT_EQ(ErrorOf(R"({"t":1,"hex":"00 1"})"), "\"hex\" holds something else than hex digits (at digit 3)");
  EXPECT_THAT(ErrorOf(R"({"t":1,"hex":"00","source":5})"), HasSubstr("\"source\" is not a text"));
  EXPECT_THAT(ErrorOf(R"({"t":1,"hex":"00","link":")" + std::string(257, 'a') + "\"}"), HasSubstr("\"link\" is not"));
  EXPECT_THAT(ErrorOf(R"({"t":1,"hex":")" + std::string(2 * kMaxCaptureFrameBytes + 2, '0') + "\"}"),
              HasSubstr("more than 65536 bytes"));
  EXPECT_EQ(ErrorOf(std::string(kMaxCaptureLineBytes + 1, ' ')), "the line is too long");
  EXPECT_EQ(ErrorOf(std::string(kMaxCaptureLineBytes, '[')), "this is not a JSON object");
}

TEST(CaptureLine, WhatIsWrittenReadsBack) {
  std::vector<uint8_t> bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<uint8_t>(i));
  const std::string text = FormatCaptureFrame(kTime, "a\"b\n\xFF", bytes, "far away");
  ASSERT_EQ(text.back(), '\n');
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  CaptureFrame frame;
  const auto parsed = ParseCaptureLine(std::string_view(text).substr(0, text.size() - 1), &frame);
  ASSERT_TRUE(parsed) << parsed.error();
  EXPECT_EQ(frame.time_us, kTime);
  EXPECT_EQ(frame.source, "a\"b\n\xEF\xBF\xBD");
  EXPECT_EQ(frame.link, "far away");
  EXPECT_EQ(frame.bytes, bytes);
}

TEST(CaptureLine, ALongFrameGoesOnInFurtherLines) {
  const std::vector<uint8_t> bytes(2 * kMaxCaptureFrameBytes + 1, 0x55);
  const TemporaryFile file(FormatCaptureHeader() + FormatCaptureFrame(kTime, "s", bytes));
  CaptureReader reader;
  ASSERT_TRUE(reader.Open(file.path()));
  CaptureFrame frame;
  for (const size_t size : {kMaxCaptureFrameBytes, kMaxCaptureFrameBytes, size_t{1}}) {
    ASSERT_EQ(reader.Next(&frame), CaptureReader::Result::kFrame) << reader.error();
    EXPECT_EQ(frame.bytes.size(), size);
    EXPECT_EQ(frame.time_us, kTime);
  }
  EXPECT_EQ(reader.Next(&frame), CaptureReader::Result::kEnd);
}

TEST(CaptureReader, GoesOnBehindABadLine) {
  const TemporaryFile file("{\"vesta_capture\":1}\r\n\n{\"t\":1,\"hex\":\"01\"}\nnonsense\n" +
                           std::string(3 * kMaxCaptureLineBytes, 'x') +
                           "\n{\"t\":2,\"hex\":\"02\"}\r\n{\"t\":3,\"hex\":\"03\"}");
  CaptureReader reader;
  ASSERT_TRUE(reader.Open(file.path()));
  CaptureFrame frame;
  EXPECT_EQ(reader.Next(&frame), CaptureReader::Result::kFrame);
  EXPECT_EQ(reader.line_number(), 3U);
  EXPECT_EQ(reader.Next(&frame), CaptureReader::Result::kBadLine);
  EXPECT_EQ(reader.line_number(), 4U);
  EXPECT_EQ(reader.error(), "this is not a JSON object");
  EXPECT_EQ(reader.Next(&frame), CaptureReader::Result::kBadLine);
  EXPECT_EQ(reader.line_number(), 5U);
  EXPECT_EQ(reader.error(), "the line has more than 132096 bytes");
  EXPECT_EQ(reader.Next(&frame), CaptureReader::Result::kFrame);
  EXPECT_EQ(reader.line_number(), 6U);
  EXPECT_EQ(reader.Next(&frame), CaptureReader::Result::kFrame);
  EXPECT_THAT(frame.bytes, ElementsAre(3));
  EXPECT_EQ(reader.Next(&frame), CaptureReader::Result::kEnd);
  EXPECT_EQ(reader.Next(&frame), CaptureReader::Result::kEnd);
}

TEST(CaptureReader, SaysWhyAFileCannotBeOpened) {
  CaptureReader reader;
  EXPECT_EQ(reader.Open("nowhere.jsonl").error(), "nowhere.jsonl: No such file or directory");
  EXPECT_EQ(reader.Open(".").error(), ". is not an ordinary file");
}

TEST(CaptureLineSplitter, ChunksDoNotMatter) {
  const std::string text = "one\n\ntwo\n" + std::string(kMaxCaptureLineBytes + 5, 'x') + "\nthree";
  for (const size_t chunk : {size_t{1}, size_t{7}, size_t{4096}, text.size()}) {
    CaptureLineSplitter splitter;
    std::vector<std::string> seen;
    std::string_view line;
    const auto take = [&] {
      while (true) {
        const auto result = splitter.Next(&line);
        if (result == CaptureLineSplitter::Result::kNeedMore || result == CaptureLineSplitter::Result::kEnd) return;
        const bool too_long = result == CaptureLineSplitter::Result::kTooLong;
        seen.push_back(std::to_string(splitter.line_number()) + (too_long ? "!" : std::string(line)));
      }
    };
    for (size_t at = 0; at < text.size(); at += chunk) {
      splitter.Feed(std::string_view(text).substr(at, chunk));
      take();
    }
    splitter.Finish();
    take();
    EXPECT_THAT(seen, ElementsAre("1one", "2", "3two", "4!", "5three")) << chunk;
  }
}

}  // namespace
}  // namespace vesta::hub
