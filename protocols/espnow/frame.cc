#include "protocols/espnow/frame.h"

#include <algorithm>
#include <cstring>

#include "protocols/little_endian.h"

namespace vesta::espnow {

namespace {

constexpr uint8_t kActionFrame = 0xD0;
constexpr uint8_t kAckFrame = 0xD4;
constexpr uint8_t kDistributionBits = 0x03;
constexpr uint8_t kMoreFragments = 0x04;
constexpr uint8_t kRetry = 0x08;
constexpr uint8_t kProtected = 0x40;
constexpr uint8_t kVendorCategory = 127;
constexpr uint8_t kVendorElement = 221;
constexpr uint8_t kOui[3] = {0x18, 0xFE, 0x34};
constexpr uint8_t kElementType = 4;
constexpr uint8_t kMinElementLength = 5;
constexpr uint8_t kMoreData = 0x10;
constexpr size_t kAckSize = 10;
constexpr uint16_t kAckDuration6M_us = 60;
constexpr uint16_t kAckDuration1M_us = 314;
constexpr uint32_t kOfdmRate_kbps = 6000;

constexpr std::array<uint32_t, 256> MakeCrcTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
    table[i] = crc;
  }
  return table;
}
constexpr std::array<uint32_t, 256> kCrcTable = MakeCrcTable();

Packet Judged(Packet packet, Verdict verdict, const char* reason) {
  packet.verdict = verdict;
  packet.reason = reason;
  return packet;
}

// Steps over the elements from `at`; fills verdict and reason.
void ReadElements(Bytes frame, bool is_cut, Packet* out) {
  const auto judge = [out](Verdict verdict, const char* reason) {
    out->verdict = verdict;
    out->reason = reason;
  };
  size_t at = kMacHeaderSize + kActionHeaderSize;
  bool more = true;
  while (more) {
    const Bytes rest = frame.subspan(at);
    const bool is_first = out->element_count == 0;
    if (rest.empty() && !is_first && !is_cut) return judge(Verdict::kMalformed, "missing-continuation");
    if (rest.size() < kElementHeaderSize) {
      return judge(Verdict::kMalformed, is_cut ? "capture-truncated" : "element-header");
    }
    const uint8_t length = rest[1];
    const uint8_t version = rest[6] & 0x0F;
    // Behind a promised continuation anything else breaks the chain; in front it is just another vendor's frame.
    const Verdict foreign = is_first ? Verdict::kNotEspNow : Verdict::kMalformed;
    if (rest[0] != kVendorElement) return judge(foreign, "element-id");
    if (length < kMinElementLength) return judge(Verdict::kMalformed, "element-length-below-5");
    if (std::memcmp(&rest[2], kOui, sizeof(kOui)) != 0) return judge(foreign, "element-oui");
    if (rest[5] != kElementType) return judge(foreign, "element-type");
    if (version != 1 && version != 2) return judge(foreign, "version");
    if (!is_first && version != out->elements[0].version) return judge(Verdict::kMalformed, "version-changes");
    if (size_t{2} + length > rest.size()) {
      return judge(Verdict::kMalformed, is_cut ? "capture-truncated" : "element-length-overrun");
    }
    if (out->element_count == kMaxElements) return judge(Verdict::kMalformed, "too-many-elements");
    const size_t body_size = length - kMinElementLength;
    if (out->body_size + body_size > kMaxBody2) return judge(Verdict::kMalformed, "body-length");
    more = version == 2 && (rest[6] & kMoreData) != 0;
    out->elements[out->element_count++] = {version, more, rest.subspan(kElementHeaderSize, body_size)};
    out->body_size += body_size;
    at += size_t{2} + length;
  }
  out->trailing_bytes = frame.size() - at;
  judge(Verdict::kEspNow, "");
}

Address AddressAt(Bytes frame, size_t at) {
  Address address;
  std::copy_n(frame.begin() + static_cast<ptrdiff_t>(at), address.size(), address.begin());
  return address;
}

// The frame without checksum, known to begin as an action frame does.
Packet Judge(Bytes frame, bool is_cut, Packet out) {
  if (frame.size() < kMacHeaderSize) {
    return Judged(out, Verdict::kMalformed, is_cut ? "capture-truncated" : "mac-header");
  }
  out.has_mac_header = true;
  out.retry = (frame[1] & kRetry) != 0;
  out.duration_us = wire::Get16(&frame[2]);
  out.receiver = AddressAt(frame, 4);
  out.sender = AddressAt(frame, 10);
  out.third = AddressAt(frame, 16);
  const uint16_t control = wire::Get16(&frame[22]);
  out.fragment = control & 0x0F;
  out.sequence = control >> 4;
  if ((frame[1] & kDistributionBits) != 0) return Judged(out, Verdict::kNotEspNow, "distribution-bits");
  if (out.fragment != 0 || (frame[1] & kMoreFragments) != 0) return Judged(out, Verdict::kNotEspNow, "fragment");
  if ((frame[1] & kProtected) != 0) {
    if (frame.size() >= kMacHeaderSize + kCcmpHeaderSize) {
      out.ccmp_header = frame.subspan(kMacHeaderSize, kCcmpHeaderSize);
    }
    return Judged(out, Verdict::kEncrypted, "protected-flag");
  }

  const Bytes action = frame.subspan(kMacHeaderSize);
  if (!action.empty() && action[0] != kVendorCategory) return Judged(out, Verdict::kNotEspNow, "category");
  if (action.size() >= 4 && std::memcmp(&action[1], kOui, sizeof(kOui)) != 0) {
    return Judged(out, Verdict::kNotEspNow, "action-oui");
  }
  if (action.size() < kActionHeaderSize) {
    return Judged(out, Verdict::kMalformed, is_cut ? "capture-truncated" : "action-header");
  }
  out.has_random = true;
  std::copy_n(action.begin() + 4, out.random.size(), out.random.begin());
  ReadElements(frame, is_cut, &out);
  // What is left may end in the middle of the checksum: whole, but never checked.
  if (is_cut && out.verdict == Verdict::kEspNow) return Judged(out, Verdict::kMalformed, "capture-truncated");
  return out;
}

}  // namespace

uint32_t FrameChecksum(Bytes bytes) {
  uint32_t crc = 0xFFFFFFFF;
  for (const uint8_t b : bytes) crc = crc >> 8 ^ kCrcTable[(crc ^ b) & 0xFF];
  return ~crc;
}

Packet ReadPacket(Bytes packet, size_t air_size) {
  Packet out;
  if (const char* reason = ReadRadiotap(packet, &out.radiotap)) return Judged(out, Verdict::kMalformed, reason);
  out.has_radiotap = true;
  const bool is_cut = air_size > packet.size();
  Bytes frame = packet.subspan(out.radiotap.size);
  if (!frame.empty() && frame[0] != kActionFrame) return Judged(out, Verdict::kNotEspNow, "not-an-action-frame");

  if (is_cut) {
    out.fcs = Fcs::kNotCaptured;
    // What is left may hold part of the checksum; every length below is refused when it reaches the cut.
  } else if (out.radiotap.fcs_present() || out.radiotap.bad_fcs_flag()) {
    out.fcs = Fcs::kBad;
    if (out.radiotap.fcs_present() && !out.radiotap.bad_fcs_flag() && frame.size() >= kFcsSize) {
      const Bytes checked = frame.first(frame.size() - kFcsSize);
      if (FrameChecksum(checked) == wire::Get32(frame.data() + checked.size())) out.fcs = Fcs::kOk;
      frame = checked;
    }
    if (out.fcs == Fcs::kBad) return Judged(out, Verdict::kDropped, "bad-fcs");
  } else {
    out.fcs = Fcs::kAbsent;
  }

  return Judge(frame, is_cut, out);
}

Packet ReadFrame(Bytes frame) {
  if (!frame.empty() && frame[0] != kActionFrame) return Judged({}, Verdict::kNotEspNow, "not-an-action-frame");
  Packet out;
  out.fcs = Fcs::kAbsent;
  return Judge(frame, false, out);
}

Bytes JoinBody(const Packet& packet, std::span<uint8_t, kMaxBody2> scratch) {
  if (packet.element_count == 1) return packet.elements[0].body;
  size_t at = 0;
  for (size_t i = 0; i < packet.element_count; ++i) {
    const Bytes part = packet.elements[i].body;
    std::copy(part.begin(), part.end(), scratch.begin() + static_cast<ptrdiff_t>(at));
    at += part.size();
  }
  return Bytes(scratch).first(at);
}

std::optional<Address> ReadAcknowledgement(Bytes packet) {
  Radiotap radiotap;
  if (ReadRadiotap(packet, &radiotap) != nullptr || radiotap.bad_fcs_flag()) return std::nullopt;
  Bytes frame = packet.subspan(radiotap.size);
  if (radiotap.fcs_present()) {
    if (frame.size() < kFcsSize) return std::nullopt;
    const Bytes checked = frame.first(frame.size() - kFcsSize);
    if (FrameChecksum(checked) != wire::Get32(frame.data() + checked.size())) return std::nullopt;
    frame = checked;
  }
  if (frame.size() != kAckSize || frame[0] != kAckFrame) return std::nullopt;
  return AddressAt(frame, 4);
}

size_t WritePacket(const SendOptions& options, Bytes body, std::span<uint8_t> out) {
  if (options.version != 1 && options.version != 2) return 0;
  if (body.size() > (options.version == 1 ? kMaxBody1 : kMaxBody2)) return 0;
  const size_t elements = body.empty() ? 1 : (body.size() + kMaxElementBody - 1) / kMaxElementBody;
  const size_t frame_at = kTransmitRadiotapSize;
  const size_t size = frame_at + kMacHeaderSize + kActionHeaderSize + elements * kElementHeaderSize + body.size();
  if (size > out.size()) return 0;

  const bool is_broadcast = (options.receiver[0] & 1) != 0;
  WriteTransmitRadiotap(options.rate_kbps, !is_broadcast, out.first<kTransmitRadiotapSize>());
  uint8_t* p = out.data() + frame_at;
  p[0] = kActionFrame;
  p[1] = 0;
  const uint16_t duration_us = options.rate_kbps >= kOfdmRate_kbps ? kAckDuration6M_us : kAckDuration1M_us;
  wire::Put16(p + 2, is_broadcast ? 0 : duration_us);
  std::copy(options.receiver.begin(), options.receiver.end(), p + 4);
  std::copy(options.sender.begin(), options.sender.end(), p + 10);
  std::copy(kBroadcast.begin(), kBroadcast.end(), p + 16);
  wire::Put16(p + 22, static_cast<uint32_t>(options.sequence & 0x0FFF) << 4);
  p += kMacHeaderSize;
  p[0] = kVendorCategory;
  std::copy(std::begin(kOui), std::end(kOui), p + 1);
  std::copy(options.random.begin(), options.random.end(), p + 4);
  p += kActionHeaderSize;
  for (size_t i = 0; i < elements; ++i) {
    const Bytes part = body.subspan(i * kMaxElementBody, std::min(kMaxElementBody, body.size() - i * kMaxElementBody));
    const bool more = i + 1 < elements;
    p[0] = kVendorElement;
    p[1] = static_cast<uint8_t>(kMinElementLength + part.size());
    std::copy(std::begin(kOui), std::end(kOui), p + 2);
    p[5] = kElementType;
    p[6] = static_cast<uint8_t>(options.version | (more ? kMoreData : 0));
    std::copy(part.begin(), part.end(), p + kElementHeaderSize);
    p += kElementHeaderSize + part.size();
  }
  return size;
}

}  // namespace vesta::espnow
