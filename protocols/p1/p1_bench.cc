// Prints whether the P1 session keeps its two bars: "bar NAME VALUE LIMIT ok|short".
//
// p1_telegram_vs_crc_ratio: a telegram to readings (framing, checksum, decoding) against one byte-wise table-driven
// CRC-16 pass over the same bytes in the same run. p1_one_byte_chunk_ratio: the same work in 1-byte chunks against 4-kB
// chunks.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <vector>

#include "protocols/p1/session.h"

namespace {

using vesta::Now;
using vesta::p1::P1Session;

constexpr int kRounds = 5;  // the median counts
constexpr int kLoops = 20;  // per measurement, so that it lasts some tens of milliseconds
constexpr size_t kTelegrams = 566;
constexpr size_t kNumbersPerTelegram = 27;
constexpr size_t kBigChunk = 4096;
constexpr double kCrcRatioLimit = 1.5;
constexpr double kChunkRatioLimit = 2.0;

class Counter : public vesta::SessionEvents {
 public:
  void OnDevice(uint16_t, const vesta::DeviceInfo&) override {}
  void OnFrame(const vesta::FrameEvent& frame) override {
    if (frame.verdict == vesta::FrameVerdict::kAccepted) ++accepted;
    if (!frame.readings.empty()) ++with_readings;
    for (const vesta::Reading& r : frame.readings) sum += r.value.kind() == vesta::ValueKind::kDecimal ? r.field : 0;
    readings += frame.readings.size();
  }
  size_t accepted = 0;
  size_t with_readings = 0;
  size_t readings = 0;
  size_t sum = 0;
};

constexpr std::array<uint16_t, 256> MakeTable() {
  std::array<uint16_t, 256> table{};
  for (unsigned i = 0; i < 256; ++i) {
    auto crc = static_cast<uint16_t>(i);
    for (int bit = 0; bit < 8; ++bit) crc = static_cast<uint16_t>((crc & 1) != 0 ? (crc >> 1) ^ 0xA001 : crc >> 1);
    table[i] = crc;
  }
  return table;
}
constexpr std::array<uint16_t, 256> kTable = MakeTable();

double NowNs() {
  return static_cast<double>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
          .count());
}

template <typename Work>
double NsPerTelegram(const Work& work) {
  const double start = NowNs();
  for (int i = 0; i < kLoops; ++i) work();
  return (NowNs() - start) / (kLoops * static_cast<double>(kTelegrams));
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

volatile uint16_t g_crc_sink;

bool PrintBar(const char* name, double value, double limit) {
  const bool ok = value <= limit;
  std::printf("bar %s %.2f %.2f %s\n", name, value, limit, ok ? "ok" : "short");
  return ok;
}

}  // namespace

int main() {
  std::ifstream in(VESTA_SOURCE_DIR "/tests/vectors/dsmr/str-real-isk-m550t-566.telegram", std::ios::binary);
  const std::vector<char> chars((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const std::vector<uint8_t> bytes(chars.begin(), chars.end());
  if (bytes.empty()) {
    std::fprintf(stderr, "p1_bench: the stream of 566 telegrams is not there\n");
    return 1;
  }

  const auto crc_pass = [&bytes] {
    uint16_t crc = 0;
    for (const uint8_t b : bytes) crc = static_cast<uint16_t>((crc >> 8) ^ kTable[(crc ^ b) & 0xFF]);
    g_crc_sink = crc;
  };
  bool honest = true;
  const auto session_pass = [&bytes, &honest](size_t chunk) {
    P1Session session{vesta::p1::Options()};
    Counter counter;
    const Now now;
    if (chunk == 1) {
      for (const uint8_t& b : bytes) session.Receive({&b, 1}, now, counter);
    } else {
      for (size_t i = 0; i < bytes.size(); i += chunk) {
        session.Receive({bytes.data() + i, std::min(chunk, bytes.size() - i)}, now, counter);
      }
    }
    // Every telegram of this stream has a stamp of its own: all must give all their numbers.
    honest = honest && counter.accepted == kTelegrams && counter.with_readings == kTelegrams &&
             counter.readings >= kTelegrams * kNumbersPerTelegram;
  };

  std::vector<double> crc_ns;
  std::vector<double> big_ns;
  std::vector<double> one_ns;
  std::vector<double> crc_ratio;
  std::vector<double> chunk_ratio;
  for (int round = 0; round < kRounds; ++round) {
    crc_ns.push_back(NsPerTelegram(crc_pass));
    big_ns.push_back(NsPerTelegram([&session_pass] { session_pass(kBigChunk); }));
    one_ns.push_back(NsPerTelegram([&session_pass] { session_pass(1); }));
    crc_ratio.push_back(big_ns.back() / crc_ns.back());
    chunk_ratio.push_back(one_ns.back() / big_ns.back());
  }
  std::printf("per telegram: CRC pass %.0f ns, 4-kB chunks %.0f ns, 1-byte chunks %.0f ns\n", Median(crc_ns),
              Median(big_ns), Median(one_ns));
  if (!honest) {
    std::fprintf(stderr, "p1_bench: not every telegram gave its readings\n");
    return 1;
  }
  const bool crc_ok = PrintBar("p1_telegram_vs_crc_ratio", Median(crc_ratio), kCrcRatioLimit);
  const bool chunk_ok = PrintBar("p1_one_byte_chunk_ratio", Median(chunk_ratio), kChunkRatioLimit);
  return crc_ok && chunk_ok ? 0 : 1;
}
