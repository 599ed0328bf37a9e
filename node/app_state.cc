// What the application keeps over sleep and loss of power, and how often it writes.
#include <algorithm>
#include <cstring>

#include "node/app.h"
#include "protocols/link/cursor.h"
#include "protocols/little_endian.h"

namespace vesta::node {

namespace {

// Reports that wait so long for a hub are written, in case the power goes.
constexpr int64_t kCopyAfter_us = 600 * kUsPerSecond;
constexpr int64_t kCopyEvery_us = 3600 * kUsPerSecond;
// The hub answers but does not know the time: reports of before a loss of power go without.
constexpr int64_t kHoldPatience_us = 30 * kUsPerSecond;

// State record: 0 version 1; 1 joined; 2 channel; 3 network 2; 5 node 2; 7 hub 6; 13 key 32; 45 number of commands;
// each: index, outcome, type, version 4, real 4, integer 8; then the size of the functions' state 2, and that.
constexpr uint8_t kStateVersion = 1;
constexpr size_t kJoinedSize = 45;
constexpr size_t kAppliedSize = 19;
constexpr size_t kMaxState = kJoinedSize + 1 + link::kNodeItems * kAppliedSize + 2 + kMaxSavedBytes;
constexpr size_t kChannelAt = 2;

uint64_t HashOf(Bytes bytes) {
  uint64_t hash = 14695981039346656037u;
  for (const uint8_t b : bytes) hash = (hash ^ b) * 1099511628211u;
  return hash;
}

// What names the state of a function, whatever its place in the configuration.
uint32_t NameHash(const FunctionConfig& config) {
  uint32_t hash = 2166136261u ^ static_cast<uint32_t>(config.type);
  for (const char c : config.name.view()) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
  return hash;
}

uint32_t BitsOf(float real) {
  uint32_t bits;
  static_assert(sizeof(bits) == sizeof(real));
  std::memcpy(&bits, &real, sizeof(bits));
  return bits;
}

}  // namespace

void App::GatherSaved(SavedState* out) const {
  link::Putter putter(out->bytes);
  std::array<uint8_t, kMaxSaved> bytes;
  for (const Function* f : functions()) {
    const size_t size = f->Save(bytes);
    if (size == 0 || putter.size() + 5 + size > out->bytes.size()) continue;
    putter.U32(NameHash(f->config())).U8(static_cast<uint8_t>(size)).Raw(Bytes(bytes).first(size));
  }
  out->size = static_cast<uint16_t>(putter.size());
}

void App::ApplySaved(const SavedState& saved) {
  link::Taker taker(Bytes(saved.bytes).first(std::min<size_t>(saved.size, saved.bytes.size())));
  for (;;) {
    uint32_t name = 0;
    uint8_t size = 0;
    taker.U32(&name).U8(&size);
    const Bytes bytes = taker.Some(size);
    if (taker.is_short()) return;
    for (Function* f : functions()) {
      if (NameHash(f->config()) == name) f->Restore(bytes);
    }
  }
}

size_t App::WriteState(std::span<uint8_t> out) const {
  const link::NodeRecord& r = link_->record();
  link::Putter putter(out);
  putter.U8(kStateVersion).U8(r.is_joined ? 1 : 0).U8(r.channel).U16(r.network).U16(r.node);
  putter.Array(r.hub_address).Array(r.pair_key);
  const auto is_kept = [this](const link::AppliedItem& item) {
    uint8_t place = 0;
    const Function* f = FunctionOf(item.index, &place);
    return item.version != 0 && f != nullptr && f->KeepsCommands();
  };
  putter.U8(static_cast<uint8_t>(std::count_if(r.items.begin(), r.items.end(), is_kept)));
  for (const link::AppliedItem& i : r.items) {
    if (!is_kept(i)) continue;
    putter.U8(i.index).U8(static_cast<uint8_t>(i.outcome)).U8(static_cast<uint8_t>(i.type)).U32(i.version);
    putter.U32(BitsOf(i.real)).U32(static_cast<uint32_t>(i.integer)).U32(static_cast<uint32_t>(i.integer >> 32));
  }
  SavedState saved;
  GatherSaved(&saved);
  putter.U16(saved.size).Raw(Bytes(saved.bytes).first(saved.size));
  return putter.size();
}

bool App::ReadState(link::NodeRecord* record, SavedState* saved) {
  std::array<uint8_t, kMaxState> bytes;
  const size_t size = ports_.store.Read(StoreRecord::kState, bytes);
  if (size == 0 || size > bytes.size()) return false;
  link::Taker taker(Bytes(bytes).first(size));
  uint8_t version = 0;
  uint8_t is_joined = 0;
  uint8_t count = 0;
  link::NodeRecord r;
  taker.U8(&version).U8(&is_joined).U8(&r.channel).U16(&r.network).U16(&r.node).Array(&r.hub_address);
  taker.Array(&r.pair_key).U8(&count);
  if (version != kStateVersion || count > r.items.size()) return false;
  r.is_joined = is_joined == 1;
  for (uint8_t n = 0; n < count; ++n) {
    link::AppliedItem& i = r.items[n];
    uint8_t outcome = 0;
    uint8_t type = 0;
    uint32_t real = 0;
    uint32_t low = 0;
    uint32_t high = 0;
    taker.U8(&i.index).U8(&outcome).U8(&type).U32(&i.version).U32(&real).U32(&low).U32(&high);
    i.outcome = static_cast<link::Outcome>(outcome);
    i.type = static_cast<link::ValueType>(type);
    std::memcpy(&i.real, &real, sizeof(real));
    i.integer = static_cast<int64_t>(uint64_t{high} << 32 | low);
  }
  taker.U16(&saved->size);
  const Bytes state = taker.Some(std::min<size_t>(saved->size, saved->bytes.size()));
  if (taker.is_short()) return false;
  std::copy(state.begin(), state.end(), saved->bytes.begin());
  *record = r;
  written_hash_ = HashOf(Bytes(bytes).first(size));
  joined_hash_ = HashOf(Bytes(bytes).subspan(kChannelAt + 1, kJoinedSize - kChannelAt - 1));
  return true;
}

// must: something that has to be there after a loss of power; else it waits its time.
bool App::SaveState(bool must) {
  if (!must && !wear_.MayWriteLazily(now_us)) return false;
  std::array<uint8_t, kMaxState> bytes;
  const size_t size = WriteState(bytes);
  const uint64_t hash = HashOf(Bytes(bytes).first(size));
  if (hash == written_hash_) return true;
  wear_.Wrote(now_us);
  is_store_good_ = ports_.store.Write(StoreRecord::kState, Bytes(bytes).first(size));
  if (is_store_good_) {
    written_hash_ = hash;
  } else {
    problem_.Clear();
    problem_.Add("the non-volatile memory can't be written");
  }
  return is_store_good_;
}

void App::OnSave(const link::NodeRecord& record) {
  // Another hub, or none: at once. A command: when its function keeps it.
  std::array<uint8_t, kJoinedSize> bytes;
  link::Putter putter(bytes);
  putter.U16(record.network).U16(record.node).Array(record.hub_address).Array(record.pair_key);
  const uint64_t hash = HashOf(Bytes(bytes).first(putter.size()));
  const bool is_other = hash != joined_hash_;
  joined_hash_ = hash;
  if (is_other || is_changed_) {
    is_changed_ = false;
    SaveState(true);
  } else {
    SaveState(false);
  }
}

void App::RestoreAfterPowerLoss() {
  uint8_t bytes[4] = {};
  ports_.store.Read(StoreRecord::kRestarts, bytes);
  restarts_ = wire::Get32(bytes) + 1;
  wire::Put32(bytes, restarts_);
  ports_.store.Write(StoreRecord::kRestarts, bytes);
  wear_.Wrote(now_us);
  copy_ = kept_outbox_.Restore(config_.version, &lost_before_);
  is_held_ = copy_.is_there;
  if (is_held_) wear_.Wrote(now_us);
}

void App::Stop() {
  now_us = ports_.clock.now_us();
  SaveState(true);
  const link::Outbox& outbox = link_->outbox();
  if (is_held_ || (outbox.size() == 0 && !kept_outbox_.is_written())) return;
  wear_.Wrote(now_us);
  kept_outbox_.Write(outbox, config_.version, now_us, status.has_utc, status.utc_minus_clock_us);
}

void App::CareForOutboxCopy() {
  const link::Outbox& outbox = link_->outbox();
  const bool is_linked = link_->state() == link::Node::State::kLinked;
  if (is_held_ && is_linked) {
    if (held_since_us_ == 0) held_since_us_ = now_us;
    if (now_us - held_since_us_ > kHoldPatience_us) {
      link_->outbox().ForgetTimes(copy_.before);
      is_held_ = false;
      link_->HoldReports(false);
    }
  }
  if (kept_outbox_.is_written() && !is_held_ && outbox.size() == 0 && wear_.MayWrite(now_us)) {
    wear_.Wrote(now_us);
    kept_outbox_.Erase();
    return;
  }
  const bool is_old =
      kept_outbox_.is_written() && outbox.next_number() - kept_outbox_.written_next() > KeptOutbox::kRenewAfter;
  const bool has_news =
      outbox.waiting() > 0 && (!kept_outbox_.is_written() || outbox.next_number() != kept_outbox_.written_next());
  const bool is_due = !is_linked && has_news && !is_held_ && now_us - unlinked_since_us_ > kCopyAfter_us &&
                      now_us - copied_us_ > kCopyEvery_us && wear_.MayWrite(now_us);
  if (!is_old && !is_due) return;
  copied_us_ = now_us;
  wear_.Wrote(now_us);
  kept_outbox_.Write(outbox, config_.version, now_us, status.has_utc, status.utc_minus_clock_us);
}

}  // namespace vesta::node
