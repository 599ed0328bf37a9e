#include "protocols/link/wire.h"

#include <algorithm>

#include "protocols/link/cursor.h"
#include "protocols/little_endian.h"

namespace vesta::link {

namespace {

constexpr uint8_t kKnownFlags = kFlagSealed | kFlagSleepy;

constexpr bool IsKnown(uint8_t type) { return (type >= 0x01 && type <= 0x08) || (type >= 0x10 && type <= 0x19); }
// Hello, offer and refusal are clear; everything else is sealed, a join from behind its head.
constexpr bool IsSealed(uint8_t type) { return type > 0x03; }

size_t IntegerSize(ValueType type) {
  switch (type) {
    case ValueType::kInt8:
    case ValueType::kState:
      return 1;
    case ValueType::kInt16:
      return 2;
    case ValueType::kInt32:
      return 4;
    case ValueType::kInt64:
      return 8;
    default:
      return 0;
  }
}

bool IsKind(uint8_t kind) {
  return kind == static_cast<uint8_t>(BlobKind::kFirmware) || kind == static_cast<uint8_t>(BlobKind::kConfiguration);
}

}  // namespace

const char* ReadHeader(Bytes frame, Header* out) {
  if (frame.size() < kHeaderSize) return "short";
  if (wire::Get16(&frame[0]) != kFrameMark) return "magic";
  if ((frame[2] & 0x0F) != kLinkVersion) return "version";
  if (frame.size() > kMaxFrame) return "long";
  out->flags = frame[2] & 0xF0;
  if ((out->flags & ~kKnownFlags) != 0) return "flags";
  if (!IsKnown(frame[3])) return "type";
  if (((out->flags & kFlagSealed) != 0) != IsSealed(frame[3])) return "flags";
  if (IsSealed(frame[3]) && frame.size() < kHeaderSize + kTagSize) return "short";
  out->type = static_cast<Type>(frame[3]);
  out->network = wire::Get16(&frame[4]);
  out->node = wire::Get16(&frame[6]);
  out->session = wire::Get32(&frame[8]);
  out->counter = wire::Get32(&frame[12]);
  return nullptr;
}

void WriteHeader(const Header& header, uint8_t* out) {
  wire::Put16(out, kFrameMark);
  out[2] = static_cast<uint8_t>(kLinkVersion | header.flags);
  out[3] = static_cast<uint8_t>(header.type);
  wire::Put16(out + 4, header.network);
  wire::Put16(out + 6, header.node);
  wire::Put32(out + 8, header.session);
  wire::Put32(out + 12, header.counter);
}

bool WriteItem(const Item& item, std::span<uint8_t> out, size_t* at) {
  const size_t integer_size = IntegerSize(item.type);
  size_t size = 2 + integer_size;
  if (item.type == ValueType::kFloat) size += 4;
  if (item.type == ValueType::kBytes) size += 1 + item.bytes.size();
  if (item.bytes.size() > 255 || *at > out.size() || size > out.size() - *at) return false;
  uint8_t* p = out.data() + *at;
  p[0] = item.index;
  p[1] = static_cast<uint8_t>(static_cast<uint8_t>(item.status) << 4 | static_cast<uint8_t>(item.type));
  for (size_t i = 0; i < integer_size; ++i) p[2 + i] = static_cast<uint8_t>(item.integer >> (8 * i));
  if (item.type == ValueType::kFloat) wire::PutFloat(p + 2, item.real);
  if (item.type == ValueType::kBytes) {
    p[2] = static_cast<uint8_t>(item.bytes.size());
    std::copy(item.bytes.begin(), item.bytes.end(), p + 3);
  }
  *at += size;
  return true;
}

Item IntegerItem(uint8_t index, int64_t value) {
  Item item;
  item.index = index;
  item.integer = value;
  item.type = value == static_cast<int8_t>(value)    ? ValueType::kInt8
              : value == static_cast<int16_t>(value) ? ValueType::kInt16
              : value == static_cast<int32_t>(value) ? ValueType::kInt32
                                                     : ValueType::kInt64;
  return item;
}

bool ItemReader::Next(Item* out) {
  if (rest_.empty() || is_malformed_) return false;
  is_malformed_ = true;
  if (rest_.size() < 2) return false;
  const uint8_t type = rest_[1] & 0x0F;
  const uint8_t status = rest_[1] >> 4;
  if (type > static_cast<uint8_t>(ValueType::kState) || status > static_cast<uint8_t>(Status::kFault)) return false;
  Item item;
  item.index = rest_[0];
  item.type = static_cast<ValueType>(type);
  item.status = static_cast<Status>(status);
  size_t size = 2 + IntegerSize(item.type);
  if (item.type == ValueType::kFloat) size += 4;
  if (item.type == ValueType::kBytes) {
    if (rest_.size() < 3) return false;
    size += size_t{1} + rest_[2];
  }
  if (rest_.size() < size) return false;
  const uint8_t* p = rest_.data() + 2;
  switch (item.type) {
    case ValueType::kInt8:
      item.integer = static_cast<int8_t>(p[0]);
      break;
    case ValueType::kState:
      item.integer = p[0];
      break;
    case ValueType::kInt16:
      item.integer = static_cast<int16_t>(wire::Get16(p));
      break;
    case ValueType::kInt32:
      item.integer = static_cast<int32_t>(wire::Get32(p));
      break;
    case ValueType::kInt64:
      item.integer = static_cast<int64_t>(wire::Get64(p));
      break;
    case ValueType::kFloat:
      item.real = wire::GetFloat(p);
      break;
    case ValueType::kBytes:
      item.bytes = rest_.subspan(3, p[0]);
      break;
    case ValueType::kNone:
      break;
  }
  rest_ = rest_.subspan(size);
  is_malformed_ = false;
  *out = item;
  return true;
}

bool AreItems(Bytes items) {
  ItemReader reader(items);
  Item item;
  while (reader.Next(&item)) {
  }
  return !reader.is_malformed();
}

namespace {

void PutInfo(const NodeInfo& in, Putter* p) {
  const size_t name_size = std::min<size_t>(in.name_size, kMaxName);
  p->U32(in.firmware).U32(in.description_hash).U32(in.configuration).U32(in.epoch).U32(in.hardware);
  p->U16(in.capabilities).U8(in.channel).U8(static_cast<uint8_t>(name_size));
  for (size_t i = 0; i < name_size; ++i) p->U8(static_cast<uint8_t>(in.name[i]));
}

void TakeInfo(Taker* t, NodeInfo* out) {
  *out = {};
  t->U32(&out->firmware).U32(&out->description_hash).U32(&out->configuration).U32(&out->epoch).U32(&out->hardware);
  t->U16(&out->capabilities).U8(&out->channel).U8(&out->name_size);
  const Bytes name = out->name_size <= kMaxName ? t->Some(out->name_size) : t->Fail();
  std::transform(name.begin(), name.end(), out->name.begin(), [](uint8_t c) { return static_cast<char>(c); });
}

bool TakeItem(Bytes bytes, Item* out) {
  ItemReader reader(bytes);
  Item more;
  return reader.Next(out) && out->type != ValueType::kBytes && !reader.Next(&more) && !reader.is_malformed();
}

}  // namespace

size_t Write(const Hello& in, Body out) {
  Putter p(out);
  p.Array(in.commit).U32(in.secret_id);
  PutInfo(in.info, &p);
  return p.size();
}
bool Read(Bytes body, Hello* out) {
  Taker t(body);
  t.Array(&out->commit).U32(&out->secret_id);
  TakeInfo(&t, &out->info);
  return t.AtEnd();
}

size_t Write(const Offer& in, Body out) {
  Putter p(out);
  p.Array(in.cookie).Array(in.hub_key).Array(in.hub_address).U8(in.channel).U8(static_cast<uint8_t>(in.mode));
  p.Array(in.commit);
  return p.size();
}
bool Read(Bytes body, Offer* out) {
  Taker t(body);
  uint8_t mode = 0;
  t.Array(&out->cookie).Array(&out->hub_key).Array(&out->hub_address).U8(&out->channel).U8(&mode).Array(&out->commit);
  out->mode = static_cast<OfferMode>(mode);
  return t.AtEnd() && (mode == 1 || mode == 2);
}

size_t Write(const Refuse& in, Body out) {
  return Putter(out).U8(static_cast<uint8_t>(in.reason)).U8(in.channel).size();
}
bool Read(Bytes body, Refuse* out) {
  Taker t(body);
  uint8_t reason = 0;
  t.U8(&reason).U8(&out->channel);
  out->reason = static_cast<Refusal>(reason);
  return t.AtEnd() && reason >= 1 && reason <= static_cast<uint8_t>(Refusal::kBusy);
}

size_t Write(const JoinHead& in, Body out) {
  return Putter(out).Array(in.node_key).Array(in.node_random).Array(in.cookie).size();
}
bool Read(Bytes body, JoinHead* out) {
  Taker t(body);
  t.Array(&out->node_key).Array(&out->node_random).Array(&out->cookie);
  return !t.is_short();
}

size_t Write(const NodeInfo& in, Body out) {
  Putter p(out);
  PutInfo(in, &p);
  return p.size();
}
bool Read(Bytes body, NodeInfo* out) {
  Taker t(body);
  TakeInfo(&t, out);
  return t.AtEnd();
}

size_t Write(const Accept& in, Body out) {
  return Putter(out).U8(static_cast<uint8_t>(in.result)).U16(in.node).U8(in.channel).size();
}
bool Read(Bytes body, Accept* out) {
  Taker t(body);
  uint8_t result = 0;
  t.U8(&result).U16(&out->node).U8(&out->channel);
  out->result = static_cast<AcceptResult>(result);
  return t.AtEnd() && result <= 1;
}

size_t Write(const Resume& in, Body out) {
  Putter p(out);
  p.Array(in.node_random);
  PutInfo(in.info, &p);
  return p.size();
}
bool Read(Bytes body, Resume* out) {
  Taker t(body);
  t.Array(&out->node_random);
  TakeInfo(&t, &out->info);
  return t.AtEnd();
}

size_t Write(const Resumed& in, Body out) {
  Putter p(out);
  p.Array(in.node_random).Array(in.hub_random).Array(in.hub_address).U32(in.session);
  p.U8(in.channel).U32(in.received);
  return p.size();
}
bool Read(Bytes body, Resumed* out) {
  Taker t(body);
  t.Array(&out->node_random).Array(&out->hub_random).Array(&out->hub_address).U32(&out->session);
  t.U8(&out->channel).U32(&out->received);
  return t.AtEnd() && out->session != 0;
}

size_t Write(const ResumeWanted& in, Body out) {
  return Putter(out).Array(in.tag).U8(static_cast<uint8_t>(in.reason)).size();
}
bool Read(Bytes body, ResumeWanted* out) {
  Taker t(body);
  uint8_t reason = 0;
  t.Array(&out->tag).U8(&reason);
  out->reason = static_cast<ResumeReason>(reason);
  return t.AtEnd() && (reason == 1 || reason == 2);
}

size_t Write(const Data& in, Body out) { return Putter(out).U32(in.sequence).U32(in.age_ms).Raw(in.items).size(); }
bool Read(Bytes body, Data* out) {
  Taker t(body);
  t.U32(&out->sequence).U32(&out->age_ms);
  out->items = t.Rest();
  return t.AtEnd() && AreItems(out->items);
}

size_t Write(const Ack& in, Body out) {
  Putter p(out);
  p.U32(in.counter).U32(in.sequence).U32(in.kept).U48(in.time_ms);
  p.U8(static_cast<uint8_t>(in.result)).U8(in.flags).U8(in.channel).U8(in.waiting);
  return p.size();
}
bool Read(Bytes body, Ack* out) {
  Taker t(body);
  uint8_t result = 0;
  t.U32(&out->counter).U32(&out->sequence).U32(&out->kept).U48(&out->time_ms);
  t.U8(&result).U8(&out->flags).U8(&out->channel).U8(&out->waiting);
  out->result = static_cast<AckResult>(result);
  return t.AtEnd() && result <= 2;
}

size_t Write(const Command& in, Body out) {
  size_t at = Putter(out).U32(in.version).size();
  WriteItem(in.item, out, &at);
  return at;
}
bool Read(Bytes body, Command* out) {
  Taker t(body);
  t.U32(&out->version);
  return !t.is_short() && TakeItem(t.Rest(), &out->item);
}

size_t Write(const Result& in, Body out) {
  size_t at = Putter(out).U32(in.version).U8(static_cast<uint8_t>(in.outcome)).size();
  WriteItem(in.item, out, &at);
  return at;
}
bool Read(Bytes body, Result* out) {
  Taker t(body);
  uint8_t outcome = 0;
  t.U32(&out->version).U8(&outcome);
  out->outcome = static_cast<Outcome>(outcome);
  return !t.is_short() && outcome <= 3 && TakeItem(t.Rest(), &out->item);
}

size_t Write(const Describe& in, Body out) { return Putter(out).U8(in.chunk).size(); }
bool Read(Bytes body, Describe* out) {
  Taker t(body);
  t.U8(&out->chunk);
  return t.AtEnd();
}

size_t Write(const Description& in, Body out) {
  return Putter(out).U32(in.hash).U8(in.chunk).U8(in.count).Raw(in.bytes).size();
}
bool Read(Bytes body, Description* out) {
  Taker t(body);
  t.U32(&out->hash).U8(&out->chunk).U8(&out->count);
  out->bytes = t.Rest();
  return t.AtEnd() && out->chunk < out->count && out->bytes.size() <= kDescriptionChunk;
}

size_t Write(const BlobManifest& in, Body out) {
  Putter p(out);
  p.U8(static_cast<uint8_t>(in.kind)).U32(in.target).U32(in.version).U32(in.size).Array(in.digest);
  p.Array(in.signature);
  return p.size();
}
bool Read(Bytes body, BlobManifest* out) {
  Taker t(body);
  uint8_t kind = 0;
  t.U8(&kind).U32(&out->target).U32(&out->version).U32(&out->size).Array(&out->digest).Array(&out->signature);
  out->kind = static_cast<BlobKind>(kind);
  return t.AtEnd() && IsKind(kind) && out->size > 0 && out->size <= kMaxBlobSize;
}

size_t Write(const BlobRequest& in, Body out) {
  return Putter(out).U8(static_cast<uint8_t>(in.kind)).U32(in.version).U16(in.first).U32(in.wanted).size();
}
bool Read(Bytes body, BlobRequest* out) {
  Taker t(body);
  uint8_t kind = 0;
  t.U8(&kind).U32(&out->version).U16(&out->first).U32(&out->wanted);
  out->kind = static_cast<BlobKind>(kind);
  return t.AtEnd() && IsKind(kind);
}

size_t Write(const BlobBlock& in, Body out) {
  return Putter(out).U8(static_cast<uint8_t>(in.kind)).U32(in.version).U16(in.block).Raw(in.bytes).size();
}
bool Read(Bytes body, BlobBlock* out) {
  Taker t(body);
  uint8_t kind = 0;
  t.U8(&kind).U32(&out->version).U16(&out->block);
  out->bytes = t.Rest();
  out->kind = static_cast<BlobKind>(kind);
  return t.AtEnd() && IsKind(kind) && !out->bytes.empty() && out->bytes.size() <= kBlockSize;
}

size_t Write(const BlobStatus& in, Body out) {
  return Putter(out).U8(static_cast<uint8_t>(in.kind)).U32(in.version).U8(static_cast<uint8_t>(in.result)).size();
}
bool Read(Bytes body, BlobStatus* out) {
  Taker t(body);
  uint8_t kind = 0;
  uint8_t result = 0;
  t.U8(&kind).U32(&out->version).U8(&result);
  out->kind = static_cast<BlobKind>(kind);
  out->result = static_cast<BlobResult>(result);
  return t.AtEnd() && IsKind(kind) && result <= static_cast<uint8_t>(BlobResult::kWriteFailed);
}

}  // namespace vesta::link
