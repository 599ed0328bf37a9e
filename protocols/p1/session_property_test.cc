// What must hold for any input: the same events whatever the chunks, and no harm from random bytes.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "protocols/p1/telegram_for_test.h"

namespace vesta::p1 {
namespace {

// Pieces of which interesting streams are made.
rc::Gen<std::string> Piece() {
  const std::string telegram = MakeTelegram(kBasicLines);
  const std::string later = MakeTelegram(At(kBasicLines, "240615123506S"));
  const std::string bare = MakeTelegram({"1-0:1.8.1(00001.000*kWh)"}, "/ISk5\\2MT382-1004", false);
  const auto cut = rc::gen::map(rc::gen::inRange<size_t>(0, telegram.size()),
                                [telegram](size_t n) { return telegram.substr(0, n); });
  const auto noise = rc::gen::container<std::string>(rc::gen::arbitrary<char>());
  const auto marks =
      rc::gen::container<std::string>(rc::gen::element('/', '!', '\r', '\n', '(', ')', '\xDB', '\x08', 'A'));
  return rc::gen::oneOf(rc::gen::element(telegram, later, bare), cut, noise, marks);
}

std::string Summary(const Recorder& recorder) {
  std::string text;
  for (const SeenFrame& f : recorder.frames) {
    text += std::to_string(static_cast<int>(f.verdict)) + f.reason + "@" + std::to_string(f.offset) + ":" + f.raw + "=";
    for (const SeenReading& r : f.readings) text += r.key + "=" + r.text + ",";
    text += "\n";
  }
  return text;
}

template <typename NextSize>
std::string Run(const Options& options, const std::string& stream, NextSize next_size) {
  P1Session session(options);
  Recorder recorder;
  Now now;
  for (size_t i = 0; i < stream.size();) {
    const size_t n = std::min(stream.size() - i, next_size());
    session.Receive(AsBytes(std::string_view(stream).substr(i, n)), now, recorder);
    i += n;
  }
  now.monotonic_us += 10 * kUsPerSecond;
  session.Tick(now, recorder);
  RC_ASSERT(session.bytes_pending() == 0u);
  RC_ASSERT(session.bytes_received() == stream.size());
  return Summary(recorder) + std::to_string(session.bytes_outside_telegrams());
}

RC_GTEST_PROP(Property, AnyChunkingGivesTheSameEvents, ()) {
  const auto pieces = *rc::gen::container<std::vector<std::string>>(Piece());
  std::string stream;
  for (const std::string& piece : pieces) stream += piece;
  Options options;
  options.lenient_end_mark = *rc::gen::arbitrary<bool>();
  options.repair_line_ends = *rc::gen::arbitrary<bool>();
  options.strip_bit7 = *rc::gen::arbitrary<bool>();
  options.max_telegram = kMinMaxTelegram;
  const auto sizes = *rc::gen::nonEmpty(rc::gen::container<std::vector<size_t>>(rc::gen::inRange<size_t>(1, 200)));
  size_t at = 0;
  const std::string whole = Run(options, stream, [] { return SIZE_MAX; });
  RC_ASSERT(Run(options, stream, [] { return size_t{1}; }) == whole);
  RC_ASSERT(Run(options, stream, [&] { return sizes[at++ % sizes.size()]; }) == whole);
}

RC_GTEST_PROP(Property, RandomBytesInATelegramNeverGetThrough, ()) {
  // Any single changed byte between the marks is noticed.
  std::string telegram = MakeTelegram(kBasicLines);
  const auto at = *rc::gen::inRange<size_t>(1, telegram.size() - 8);
  const auto flip = *rc::gen::inRange<int>(1, 256);
  telegram[at] = static_cast<char>(telegram[at] ^ flip);
  Bench b;
  b.session.Receive(AsBytes(telegram), b.now, b.recorder);
  b.Pass(10 * kUsPerSecond);
  for (const SeenFrame& f : b.recorder.frames) RC_ASSERT(f.verdict != FrameVerdict::kAccepted);
}

RC_GTEST_PROP(Property, AGoodTelegramAfterAnyNoiseIsRead, ()) {
  const std::string noise = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
  Bench b;
  b.session.Receive(AsBytes(noise), b.now, b.recorder);
  b.Pass(2 * kUsPerSecond);
  b.session.Receive(AsBytes(MakeTelegram(kBasicLines)), b.now, b.recorder);
  RC_ASSERT(!b.recorder.frames.empty());
  RC_ASSERT(b.recorder.last().verdict == FrameVerdict::kAccepted);
}

}  // namespace
}  // namespace vesta::p1
