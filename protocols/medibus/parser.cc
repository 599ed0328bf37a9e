#include "protocols/medibus/parser.h"

namespace vesta::medibus {
namespace {

constexpr size_t kFramingSize = 5;  // start, code, two checksum digits, CR

}  // namespace

void Parser::Receive(Bytes bytes, const Now& now) {
  DropPaused(now);
  for (const uint8_t byte : bytes) {
    ++bytes_received_;
    if (byte >= kRealtimeBit) {
      sink_->OnRealtimeByte(byte, now);
      continue;
    }
    switch (byte) {
      case kSuspend:
      case kResume:
        sink_->OnFlow(byte == kSuspend, now);
        continue;
      case kCancel:
        DropAll("aborted");
        continue;
      case kSoh:
        DropAll("truncated");
        Begin(&response_, byte, now);
        break;
      case kEsc:
        if (command_.open) Drop(&command_, "truncated");
        Begin(&command_, byte, now);
        break;
      default:
        if (command_.open) {
          Append(&command_, byte, now);
        } else if (response_.open) {
          Append(&response_, byte, now);
        } else {
          ++stray_bytes_;
        }
    }
  }
}

void Parser::Tick(const Now& now) { DropPaused(now); }

// A command inside a response does not keep the response waiting.
void Parser::DropPaused(const Now& now) {
  const int64_t before_us = now.monotonic_us - kOpenFramePause_us;
  if (response_.open && response_.last_byte_us <= before_us) Drop(&response_, "truncated");
  if (command_.open && command_.last_byte_us <= before_us) Drop(&command_, "truncated");
}

void Parser::Reset() { DropAll("truncated"); }

template <size_t kSize>
void Parser::Begin(Open<kSize>* frame, uint8_t start, const Now& now) {
  frame->open = true;
  frame->size = 1;
  frame->offset = bytes_received_ - 1;
  frame->started = now;
  frame->last_byte_us = now.monotonic_us;
  frame->bytes[0] = start;
}

template <size_t kSize>
void Parser::Append(Open<kSize>* frame, uint8_t byte, const Now& now) {
  if (frame->size == kSize) {
    ++stray_bytes_;
    return Drop(frame, "overlong");
  }
  frame->last_byte_us = now.monotonic_us;
  frame->bytes[frame->size++] = byte;
  if (byte == kCr) Close(frame);
}

template <size_t kSize>
void Parser::Close(Open<kSize>* frame) {
  if (frame->size < kFramingSize) return Drop(frame, "truncated");
  frame->open = false;
  const Bytes raw{frame->bytes.data(), frame->size};
  Frame parsed;
  parsed.is_command = raw[0] == kEsc;
  parsed.code = raw[1];
  parsed.payload = raw.subspan(2, raw.size() - kFramingSize);
  parsed.raw = raw;
  parsed.offset = frame->offset;
  parsed.started = frame->started;
  parsed.checksum_computed = Checksum(raw.first(raw.size() - 3));
  parsed.checksum_ok = HexByte(raw[raw.size() - 3], raw[raw.size() - 2]) == parsed.checksum_computed;
  sink_->OnParsed(parsed);
}

template <size_t kSize>
void Parser::Drop(Open<kSize>* frame, const char* reason) {
  frame->open = false;
  sink_->OnDropped({frame->bytes.data(), frame->size}, frame->offset, reason);
}

// The outer frame is the older one.
void Parser::DropAll(const char* reason) {
  if (response_.open) Drop(&response_, reason);
  if (command_.open) Drop(&command_, reason);
}

}  // namespace vesta::medibus
