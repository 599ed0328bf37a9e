#include "protocols/radio_serial/frame.h"

#include <algorithm>

#include "protocols/espnow/frame.h"
#include "protocols/little_endian.h"

namespace vesta::radio_serial {

namespace {

constexpr size_t kWelcomeSize = 11;
constexpr size_t kSentSize = 3;
constexpr size_t kStatusSize = 13;
constexpr uint8_t kFullBlock = 0xFF;

uint32_t Crc(Bytes bytes) { return espnow::FrameChecksum(bytes); }

void Put(const Address& address, uint8_t* out) { std::copy(address.begin(), address.end(), out); }
void Take(const uint8_t* in, Address* out) { std::copy_n(in, out->size(), out->begin()); }

// `message` has room for the checksum behind `size` bytes.
size_t Stuff(std::array<uint8_t, kMaxMessage>& message, size_t size, Wire out) {
  wire::Put32(&message[size], Crc(Bytes(message).first(size)));
  size += kCrcSize;
  size_t at = 1;
  size_t code_at = 0;
  uint8_t code = 1;
  const auto end_block = [&] {
    out[code_at] = code;
    code_at = at++;
    code = 1;
  };
  for (size_t i = 0; i < size; ++i) {
    if (message[i] == 0) {
      end_block();
      continue;
    }
    out[at++] = message[i];
    if (++code == kFullBlock && i + 1 < size) end_block();
  }
  out[code_at] = code;
  out[at++] = 0;
  return at;
}

size_t WriteMessage(Type type, uint8_t sequence, Bytes head, Bytes rest, Wire out) {
  if (head.size() + rest.size() > kMaxBody) return 0;
  std::array<uint8_t, kMaxMessage> message;
  message[0] = static_cast<uint8_t>(type);
  message[1] = sequence;
  std::copy(head.begin(), head.end(), message.begin() + kHeadSize);
  std::copy(rest.begin(), rest.end(), message.begin() + static_cast<std::ptrdiff_t>(kHeadSize + head.size()));
  return Stuff(message, kHeadSize + head.size() + rest.size(), out);
}

}  // namespace

bool Read(const Message& message, Welcome* out) {
  const Bytes b = message.body;
  // A later version may have more behind.
  if (message.type != Type::kWelcome || b.size() < kWelcomeSize) return false;
  out->version = b[0];
  Take(&b[1], &out->address);
  out->channel = b[7];
  out->window = b[8];
  out->max_body = wire::Get16(&b[9]);
  return out->window != 0 && out->channel <= 14;
}

bool Read(const Message& message, Sent* out) {
  const Bytes b = message.body;
  if (message.type != Type::kSent || b.size() != kSentSize || b[2] > static_cast<uint8_t>(SendResult::kRefused))
    return false;
  *out = {wire::Get16(b.data()), static_cast<SendResult>(b[2])};
  return true;
}

bool Read(const Message& message, Status* out) {
  const Bytes b = message.body;
  if (message.type != Type::kStatus || b.size() < kStatusSize || b[0] > 14) return false;
  *out = {b[0], wire::Get32(&b[1]), wire::Get32(&b[5]), wire::Get32(&b[9])};
  return true;
}

bool Read(const Message& message, Received* out) {
  const Bytes b = message.body;
  if (message.type != Type::kReceived || b.size() < kReceivedHeadSize || b[12] > 14) return false;
  Take(&b[0], &out->from);
  Take(&b[6], &out->to);
  out->channel = b[12];
  out->rssi_dbm = static_cast<int8_t>(b[13]);
  out->age_ms = wire::Get16(&b[14]);
  out->body = b.subspan(kReceivedHeadSize);
  return true;
}

bool Read(const Message& message, Send* out) {
  const Bytes b = message.body;
  if (message.type != Type::kSend || b.size() < kSendHeadSize) return false;
  out->id = wire::Get16(b.data());
  Take(&b[2], &out->to);
  out->body = b.subspan(kSendHeadSize);
  return true;
}

size_t WriteHello(uint8_t sequence, Wire out) {
  const uint8_t body[] = {kVersion};
  return WriteMessage(Type::kHello, sequence, body, {}, out);
}

size_t WriteSetChannel(uint8_t sequence, uint8_t channel, Wire out) {
  const uint8_t body[] = {channel};
  return WriteMessage(Type::kSetChannel, sequence, body, {}, out);
}

size_t Write(uint8_t sequence, const Send& send, Wire out) {
  std::array<uint8_t, kSendHeadSize> head;
  wire::Put16(head.data(), send.id);
  Put(send.to, &head[2]);
  return WriteMessage(Type::kSend, sequence, head, send.body, out);
}

size_t Write(uint8_t sequence, const Welcome& welcome, Wire out) {
  std::array<uint8_t, kWelcomeSize> body;
  body[0] = welcome.version;
  Put(welcome.address, &body[1]);
  body[7] = welcome.channel;
  body[8] = welcome.window;
  wire::Put16(&body[9], welcome.max_body);
  return WriteMessage(Type::kWelcome, sequence, body, {}, out);
}

size_t Write(uint8_t sequence, const Sent& sent, Wire out) {
  std::array<uint8_t, kSentSize> body;
  wire::Put16(body.data(), sent.id);
  body[2] = static_cast<uint8_t>(sent.result);
  return WriteMessage(Type::kSent, sequence, body, {}, out);
}

size_t Write(uint8_t sequence, const Status& status, Wire out) {
  std::array<uint8_t, kStatusSize> body;
  body[0] = status.channel;
  wire::Put32(&body[1], status.received);
  wire::Put32(&body[5], status.sent);
  wire::Put32(&body[9], status.dropped);
  return WriteMessage(Type::kStatus, sequence, body, {}, out);
}

size_t Write(uint8_t sequence, const Received& received, Wire out) {
  std::array<uint8_t, kReceivedHeadSize> head;
  Put(received.from, &head[0]);
  Put(received.to, &head[6]);
  head[12] = received.channel;
  head[13] = static_cast<uint8_t>(received.rssi_dbm);
  wire::Put16(&head[14], received.age_ms);
  return WriteMessage(Type::kReceived, sequence, head, received.body, out);
}

bool Reader::Take(uint8_t byte, Message* out) {
  if (byte == 0) return Finish(out);
  if (left_ == 0) {
    // A block's code: the block before it ended with a zero, unless it was a full one.
    if (is_started_ && !is_full_block_) {
      if (size_ < message_.size()) {
        message_[size_++] = 0;
      } else {
        is_bad_ = true;
      }
    }
    is_started_ = true;
    is_full_block_ = byte == kFullBlock;
    left_ = static_cast<uint8_t>(byte - 1);
    return false;
  }
  --left_;
  if (size_ < message_.size()) {
    message_[size_++] = byte;
  } else {
    is_bad_ = true;
  }
  return false;
}

bool Reader::Finish(Message* out) {
  const size_t size = size_;
  const bool is_whole = is_started_ && left_ == 0 && !is_bad_ && size >= kHeadSize + kCrcSize;
  const bool is_silence = !is_started_;
  size_ = 0;
  left_ = 0;
  is_full_block_ = false;
  is_bad_ = false;
  is_started_ = false;
  if (is_silence) return false;  // a zero that only wakes the line
  const Bytes message(message_.data(), size);
  if (!is_whole || wire::Get32(&message_[size - kCrcSize]) != Crc(message.first(size - kCrcSize))) {
    ++bad_;
    return false;
  }
  *out = {static_cast<Type>(message[0]), message[1], message.subspan(kHeadSize, size - kHeadSize - kCrcSize)};
  const auto gap = static_cast<uint8_t>(out->sequence - sequence_ - 1);
  if (has_sequence_) lost_ += gap;
  has_sequence_ = true;
  sequence_ = out->sequence;
  return true;
}

}  // namespace vesta::radio_serial
