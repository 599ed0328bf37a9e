// What must hold for any input: the same events whatever the chunks, and no wrong block gets through.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "protocols/vedirect/vedirect_for_test.h"

namespace vesta::vedirect {
namespace {

std::string Solar() {
  return Block({{"PID", "0xA053"}, {"FW", "159"}, {"SER#", "HQ2101ABCDE"}, {"V", "12530"}, {"I", "640"}});
}

rc::Gen<std::string> Piece() {
  const std::string block = Solar();
  const std::string history = Block({{"H1", "-96470"}, {"H20", "7"}});
  const std::string hex = ":A0102000543\n";
  const std::string inside = block.substr(0, 30) + hex + block.substr(30);
  const auto cut =
      rc::gen::map(rc::gen::inRange<size_t>(0, block.size()), [block](size_t n) { return block.substr(0, n); });
  const auto noise = rc::gen::container<std::string>(rc::gen::arbitrary<char>());
  const auto marks = rc::gen::container<std::string>(rc::gen::element('\r', '\n', '\t', ':', 'A', '5', '\xFE', '\0'));
  return rc::gen::oneOf(rc::gen::element(block, history, hex, inside, std::string("\r\nChecksum\t")), cut, noise,
                        marks);
}

std::string Summary(const Log& log) {
  std::string text;
  for (const SeenFrame& frame : log.frames) {
    text += std::to_string(static_cast<int>(frame.verdict)) + frame.reason + "@" + std::to_string(frame.offset) + ":" +
            frame.raw + "=";
    for (const SeenReading& r : frame.readings) text += r.key + "=" + r.text + ",";
    text += "\n";
  }
  return text;
}

template <typename NextSize>
std::string Run(const std::string& stream, NextSize next_size) {
  Bench b;
  for (size_t i = 0; i < stream.size();) {
    const size_t n = std::min(stream.size() - i, next_size());
    b.Send(std::string_view(stream).substr(i, n));
    i += n;
  }
  b.session.LinkReset(b.now, b.log);
  RC_ASSERT(b.session.bytes_pending() == 0u);
  RC_ASSERT(b.session.bytes_received() == stream.size());
  return Summary(b.log);
}

RC_GTEST_PROP(VedirectProperty, AnyChunkingGivesTheSameEvents, ()) {
  const auto pieces = *rc::gen::container<std::vector<std::string>>(Piece());
  std::string stream;
  for (const std::string& piece : pieces) stream += piece;
  const auto sizes = *rc::gen::nonEmpty(rc::gen::container<std::vector<size_t>>(rc::gen::inRange<size_t>(1, 200)));
  size_t at = 0;
  const std::string whole = Run(stream, [] { return SIZE_MAX; });
  RC_ASSERT(Run(stream, [] { return size_t{1}; }) == whole);
  RC_ASSERT(Run(stream, [&] { return sizes[at++ % sizes.size()]; }) == whole);
}

RC_GTEST_PROP(VedirectProperty, AChangedByteIsNoticed, ()) {
  std::string block = Solar();
  const auto at = *rc::gen::inRange<size_t>(0, block.size());
  const auto flip = *rc::gen::inRange<int>(1, 256);
  block[at] = static_cast<char>(block[at] ^ flip);
  Bench b;
  b.Send(block);
  b.session.LinkReset(b.now, b.log);
  for (const SeenFrame& frame : b.log.frames) RC_ASSERT(frame.readings.empty());
}

RC_GTEST_PROP(VedirectProperty, ABlockAfterAnyNoiseAndASilenceIsRead, ()) {
  const std::string noise = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
  Bench b;
  b.Send(noise);
  b.Pass(kBlockTimeout_us);
  b.Send(Solar());
  RC_ASSERT(b.log.Last("battery_voltage") == "12.530");
}

RC_GTEST_PROP(VedirectProperty, HexFramesComeBackFromTheirEncoding, ()) {
  const auto code = *rc::gen::inRange<int>(0, 16);
  const auto data = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
  const bool carries_register = code == 7 || code == 8 || code == 10;
  RC_PRE(data.size() <= kMaxHexData && (!carries_register || data.size() >= 3));
  const std::string text = Frame(static_cast<uint8_t>(code), data);
  HexFrame frame;
  RC_ASSERT(DecodeHex(AsBytes(text), HexEnd::kLineFeed, &frame) == HexProblem::kNone);
  RC_ASSERT(frame.code == code);
  RC_ASSERT(std::string(frame.bytes().begin(), frame.bytes().end()) == data);
}

}  // namespace
}  // namespace vesta::vedirect
