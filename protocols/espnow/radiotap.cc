#include "protocols/espnow/radiotap.h"

#include <algorithm>

#include "protocols/little_endian.h"

namespace vesta::espnow {

namespace {

constexpr size_t kFixedSize = 8;  // version, pad, length, first presence word
constexpr unsigned kBitFlags = 1;
constexpr unsigned kBitRate = 2;
constexpr unsigned kBitChannel = 3;
constexpr unsigned kBitSignal = 5;
constexpr unsigned kBitTxFlags = 15;
constexpr unsigned kBitMcs = 19;
constexpr uint32_t kAnotherWord = 0x80000000;
constexpr uint16_t kTxNoAck = 0x0008;
constexpr unsigned kRateUnit_kbps = 500;

struct FieldShape {
  uint8_t size;
  uint8_t align;
};
// Bits 0 to 22; what stands behind an unknown bit can't be found.
constexpr FieldShape kShapes[] = {{8, 8}, {1, 1}, {1, 1}, {4, 2}, {2, 2}, {1, 1},  {1, 1}, {2, 2},
                                  {2, 2}, {2, 2}, {1, 1}, {1, 1}, {1, 1}, {1, 1},  {2, 2}, {2, 2},
                                  {1, 1}, {1, 1}, {8, 4}, {3, 1}, {8, 4}, {12, 2}, {12, 8}};

void TakeField(unsigned bit, const uint8_t* p, Radiotap* out) {
  switch (bit) {
    case kBitFlags:
      out->has_flags = true;
      out->flags = p[0];
      break;
    case kBitRate:
      out->has_rate = true;
      out->rate_kbps = p[0] * kRateUnit_kbps;
      break;
    case kBitChannel:
      out->has_channel = true;
      out->frequency_mhz = wire::Get16(p);
      out->channel = ChannelOf(out->frequency_mhz);
      break;
    case kBitSignal:
      out->has_signal = true;
      out->signal_dbm = static_cast<int8_t>(p[0]);
      break;
    case kBitTxFlags:
      out->has_tx_flags = true;
      out->tx_flags = wire::Get16(p);
      break;
    case kBitMcs:
      out->has_mcs = true;
      out->mcs_index = p[2];
      break;
    default:
      break;
  }
}

}  // namespace

const char* ReadRadiotap(Bytes packet, Radiotap* out) {
  *out = {};
  if (packet.size() < kFixedSize || packet[0] != 0) return "radiotap-length";
  const size_t size = wire::Get16(&packet[2]);
  if (size < kFixedSize || size > packet.size()) return "radiotap-length";
  const uint32_t first = wire::Get32(&packet[4]);
  size_t at = kFixedSize;
  for (uint32_t word = first; (word & kAnotherWord) != 0; at += 4) {
    if (at + 4 > size) return "radiotap-present-overrun";
    word = wire::Get32(&packet[at]);
  }
  out->size = size;
  for (unsigned bit = 0; bit < std::size(kShapes); ++bit) {
    if ((first >> bit & 1) == 0) continue;
    const FieldShape shape = kShapes[bit];
    at = (at + shape.align - 1) / shape.align * shape.align;
    if (at + shape.size > size) break;  // the header promises more than it holds: what was read stands
    TakeField(bit, &packet[at], out);
    at += shape.size;
  }
  return nullptr;
}

uint8_t ChannelOf(uint16_t frequency_mhz) {
  if (frequency_mhz == 2484) return 14;
  if (frequency_mhz < 2412 || frequency_mhz > 2472 || (frequency_mhz - 2407) % 5 != 0) return 0;
  return static_cast<uint8_t>((frequency_mhz - 2407) / 5);
}

void WriteTransmitRadiotap(uint32_t rate_kbps, bool expects_ack, std::span<uint8_t, kTransmitRadiotapSize> out) {
  std::fill(out.begin(), out.end(), uint8_t{0});
  wire::Put16(&out[2], kTransmitRadiotapSize);
  wire::Put32(&out[4], 1u << kBitRate | 1u << kBitTxFlags);
  out[8] = static_cast<uint8_t>(rate_kbps / kRateUnit_kbps);
  wire::Put16(&out[10], expects_ack ? 0 : kTxNoAck);  // byte 9 aligns it
}

}  // namespace vesta::espnow
