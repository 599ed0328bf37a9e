#include "protocols/slcan/slcan.h"

#include <algorithm>

#include "model/hex_digit.h"

namespace vesta::slcan {
namespace {

constexpr size_t kStampDigits = 4;

bool ReadHex(std::string_view digits, uint32_t* out) {
  uint32_t value = 0;
  for (const char c : digits) {
    const int digit = HexDigitValue(c);
    if (digit < 0) return false;
    value = value << 4 | static_cast<uint32_t>(digit);
  }
  *out = value;
  return true;
}

bool ReadNumber(std::string_view digits, uint16_t* out) {
  uint32_t value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<uint32_t>(c - '0');
  }
  *out = static_cast<uint16_t>(value);
  return true;
}

Event Discard(std::string_view line, const char* reason) {
  Event event;
  event.text = line;
  event.reason = reason;
  return event;
}

Event ReadFrameLine(std::string_view line) {
  Event event;
  event.kind = EventKind::kFrame;
  can::Frame& frame = event.frame;
  frame.is_extended = line[0] == 'T' || line[0] == 'R';
  frame.is_remote = line[0] == 'r' || line[0] == 'R';
  const size_t id_digits = frame.is_extended ? 8 : 3;
  if (line.size() < 2 + id_digits || !ReadHex(line.substr(1, id_digits), &frame.id)) return Discard(line, "malformed");
  if (frame.id > (frame.is_extended ? can::kExtendedIdMask : can::kStandardIdMask)) return Discard(line, "malformed");
  const char length = line[1 + id_digits];
  if (length < '0' || length > '8') return Discard(line, "malformed");
  frame.size = static_cast<uint8_t>(length - '0');
  std::string_view rest = line.substr(2 + id_digits);
  const size_t data_digits = frame.is_remote ? 0 : 2u * frame.size;
  if (rest.size() != data_digits && rest.size() != data_digits + kStampDigits) return Discard(line, "malformed");
  for (size_t i = 0; i < data_digits / 2; ++i) {
    uint32_t byte = 0;
    if (!ReadHex(rest.substr(2 * i, 2), &byte)) return Discard(line, "malformed");
    frame.data[i] = static_cast<uint8_t>(byte);
  }
  rest.remove_prefix(data_digits);
  if (!rest.empty()) {
    uint32_t stamp = 0;
    if (!ReadHex(rest, &stamp)) return Discard(line, "malformed");
    event.timestamp_ms = static_cast<int32_t>(stamp);
  }
  return event;
}

// "e3bcO": so many letters.
Event ReadBusError(std::string_view line) {
  Event event;
  event.kind = EventKind::kBusError;
  if (line.size() < 2 || line[1] < '1' || line[1] > '9') return Discard(line, "unknown");
  event.text = line.substr(2);
  if (event.text.size() != static_cast<size_t>(line[1] - '0')) return Discard(line, "unknown");
  for (const char letter : event.text) {
    if (BusErrorName(letter)[0] == '\0') return Discard(line, "unknown");
  }
  return event;
}

// "sa057033": state, receive and transmit error counters.
Event ReadBusState(std::string_view line) {
  Event event;
  event.kind = EventKind::kBusState;
  constexpr std::string_view kLetters = "awpb";
  const size_t state = line.size() == 8 ? kLetters.find(line[1]) : std::string_view::npos;
  if (state == std::string_view::npos || !ReadNumber(line.substr(2, 3), &event.rx_errors) ||
      !ReadNumber(line.substr(5, 3), &event.tx_errors)) {
    return Discard(line, "unknown");
  }
  event.state = static_cast<BusState>(state);
  return event;
}

Event ReadReply(std::string_view line) {
  Event event;
  event.text = line.substr(1);
  uint32_t flags = 0;
  switch (line[0]) {
    case 'V': {
      uint32_t ignored = 0;
      if (line.size() != 5 || !ReadHex(event.text, &ignored)) return Discard(line, "unknown");
      event.kind = EventKind::kVersion;
      return event;
    }
    case 'v':
      event.kind = EventKind::kVersionText;
      return event;
    case 'N':
      event.kind = EventKind::kSerial;
      return event;
    case 'F':
      if (line.size() != 3 || !ReadHex(event.text, &flags)) return Discard(line, "unknown");
      event.kind = EventKind::kStatusFlags;
      event.flags = static_cast<uint8_t>(flags);
      return event;
    default:  // z, Z
      if (line.size() != 1) return Discard(line, "unknown");
      event.kind = EventKind::kSent;
      return event;
  }
}

Event ReadLine(std::string_view line) {
  switch (line[0]) {
    case 't':
    case 'T':
    case 'r':
    case 'R':
      return ReadFrameLine(line);
    case 'e':
      return ReadBusError(line);
    case 's':
      return ReadBusState(line);
    case 'V':
    case 'v':
    case 'N':
    case 'F':
    case 'z':
    case 'Z':
      return ReadReply(line);
    default:
      return Discard(line, "unknown");
  }
}

}  // namespace

void Receiver::Receive(Bytes bytes, EventSink& sink) {
  for (const uint8_t byte : bytes) {
    if (byte == '\r' || byte == 0x07) {
      EndLine(byte == 0x07, sink);
    } else if (byte == '\n') {
      continue;
    } else if (size_ < line_.size()) {
      line_[size_++] = static_cast<char>(byte);
    } else {
      overflow_ = true;
    }
  }
}

void Receiver::EndLine(bool bell, EventSink& sink) {
  const std::string_view line(line_.data(), size_);
  Event event;
  if (overflow_) {
    event = Discard(line, "overflow");
  } else if (line.empty()) {
    event.kind = bell ? EventKind::kRefused : EventKind::kAccepted;
  } else if (bell) {
    event = Discard(line, "refused");
  } else {
    event = ReadLine(line);
  }
  size_ = 0;
  overflow_ = false;
  sink.OnEvent(event);
}

void Receiver::Reset() {
  size_ = 0;
  overflow_ = false;
}

const char* BusErrorName(char letter) {
  switch (letter) {
    case 'a':
      return "ack";
    case 'b':
      return "bit0";
    case 'B':
      return "bit1";
    case 'c':
      return "crc";
    case 'f':
      return "form";
    case 'o':
      return "rx_overrun";
    case 'O':
      return "tx_overrun";
    case 's':
      return "stuff";
    default:
      return "";
  }
}

const char* BusStateName(BusState state) {
  static constexpr const char* kNames[] = {"active", "warning", "passive", "bus_off"};
  return kNames[static_cast<size_t>(state)];
}

size_t FormatFrame(const can::Frame& frame, char* out) {
  if (frame.is_error || frame.size > can::kMaxFrameData) return 0;
  char* at = out;
  *at++ = frame.is_remote ? (frame.is_extended ? 'R' : 'r') : (frame.is_extended ? 'T' : 't');
  for (int shift = frame.is_extended ? 28 : 8; shift >= 0; shift -= 4) *at++ = kUpperHexDigits[frame.id >> shift & 15];
  *at++ = static_cast<char>('0' + frame.size);
  for (size_t i = 0; i < (frame.is_remote ? 0 : frame.size); ++i) {
    *at++ = kUpperHexDigits[frame.data[i] >> 4];
    *at++ = kUpperHexDigits[frame.data[i] & 15];
  }
  *at++ = '\r';
  return static_cast<size_t>(at - out);
}

std::optional<std::string_view> OpenSequence(uint32_t bitrate, bool listen_only) {
  struct Row {
    uint32_t bitrate;
    std::string_view listen;
    std::string_view open;
  };
  static constexpr Row kRows[] = {
      {10000, "C\rS0\rL\r", "C\rS0\rO\r"},  {20000, "C\rS1\rL\r", "C\rS1\rO\r"},  {50000, "C\rS2\rL\r", "C\rS2\rO\r"},
      {100000, "C\rS3\rL\r", "C\rS3\rO\r"}, {125000, "C\rS4\rL\r", "C\rS4\rO\r"}, {250000, "C\rS5\rL\r", "C\rS5\rO\r"},
      {500000, "C\rS6\rL\r", "C\rS6\rO\r"}, {800000, "C\rS7\rL\r", "C\rS7\rO\r"}, {1000000, "C\rS8\rL\r", "C\rS8\rO\r"},
  };
  for (const Row& row : kRows) {
    if (row.bitrate == bitrate) return listen_only ? row.listen : row.open;
  }
  return std::nullopt;
}

}  // namespace vesta::slcan
