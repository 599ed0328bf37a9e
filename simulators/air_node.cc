#include "simulators/air_node.h"

#include <algorithm>

#include "node/functions/ds18b20.h"

namespace vesta::simulators {

namespace {

constexpr uint8_t kConvert = 0x44;
constexpr uint8_t kReadScratchpad = 0xBE;
constexpr int64_t kLoop_us = 100;        // of the main loop
constexpr int64_t kBootTime_us = 60000;  // of the chip, until the application runs

}  // namespace

AirNode::AirNode(Air& air, uint32_t number, const AirNodeOptions& options)
    : air_(air),
      random_(air.random().Next()),
      address_{0x02,
               0xBB,
               static_cast<uint8_t>(number >> 24),
               static_cast<uint8_t>(number >> 16),
               static_cast<uint8_t>(number >> 8),
               static_cast<uint8_t>(number)},
      drift_ppm_(options.drift_ppm),
      sleep_memory_(options.sleep_memory),
      active_(options.configuration.begin(), options.configuration.end()) {
  station_ = air.Add(address_, *this, false, true);
  options_.firmware = 1;
  options_.has_secret = options.has_secret;
  options_.joins_by_window = !options.has_secret;
  std::copy(address_.begin(), address_.end(), options_.secret.begin());
  options_.name.Set("node");
}

void AirNode::PowerUp() {
  CutPower();
  is_cut_ = false;
  random_.Fill(sleep_memory_);
  is_kept_ = false;
  wake_at_us_ = 0;  // one that slept when its power went does not go on sleeping
  clock_zero_us_ = air_.now_us();
  air_.SetTimer(station_, air_.now_us() + kBootTime_us, ++life_);
  timer_us_ = 0;
}

void AirNode::CutPower() {
  is_cut_ = true;
  ++life_;
  app_.reset();
  heard_.clear();
  next_heard_ = 0;
  air_.SetOn(station_, false);
}

void AirNode::Begin() {
  air_.SetOn(station_, true);
  ++wakes_;
  awake_since_us_ = air_.now_us();
  app_ = std::make_unique<node::App>(node::Ports{*this, *this, *this, *this, *this, *this, random_,
                                                 static_cast<node::Gpio*>(this), static_cast<node::OneWire*>(this)},
                                     options_);
  app_->Start();
}

void AirNode::OnTimer(uint64_t what) {
  if (what != life_) return;
  if (app_ == nullptr) {
    if (air_.now_us() < wake_at_us_) return;
    Begin();
  }
  if (timer_us_ <= air_.now_us()) timer_us_ = 0;
  Run();
}

void AirNode::Run() {
  const int64_t next_us = app_->Run();
  if (app_ != nullptr && !is_cut_) NoteApplied();
  if (is_cut_) {
    app_.reset();
    air_.SetOn(station_, false);
    return;
  }
  if (app_->is_over()) {
    awake_us_ += air_.now_us() - awake_since_us_;
    app_.reset();
    heard_.clear();
    next_heard_ = 0;
    is_kept_ = true;
    air_.SetOn(station_, false);
    ++life_;
    timer_us_ = 0;
    return air_.SetTimer(station_, wake_at_us_, life_);
  }
  // One timer at a time: an earlier one makes the later one come too often, which does no harm.
  const int64_t at_us = std::max(RealTime(next_us), air_.now_us() + kLoop_us);
  if (timer_us_ != 0 && timer_us_ <= at_us) return;
  timer_us_ = at_us;
  air_.SetTimer(station_, at_us, life_);
}

// The link keeps the version that it applied last of each item: a change of it is one command.
void AirNode::NoteApplied() {
  const auto& items = app_->link_node().record().items;
  for (size_t i = 0; i < items.size(); ++i) {
    const link::AppliedItem& item = items[i];
    if (item.version == 0 || item.version == seen_versions_[i]) continue;
    seen_versions_[i] = item.version;
    applied_.push_back({item.index, item.version, item.integer});
  }
}

void AirNode::OnFrame(const link::Address& from, const link::Address& to, uint8_t /*sent_on*/, link::Bytes body) {
  if (app_ == nullptr || heard_.size() - next_heard_ >= node::kRadioQueue) return;
  heard_.push_back({from, to, {body.begin(), body.end()}});
  if (timer_us_ == 0 || timer_us_ > air_.now_us() + kLoop_us) {
    timer_us_ = air_.now_us() + kLoop_us;  // until the main loop has it
    air_.SetTimer(station_, timer_us_, life_);
  }
}

bool AirNode::Next(node::RadioFrame* out) {
  if (next_heard_ == heard_.size()) {
    heard_.clear();
    next_heard_ = 0;
    return false;
  }
  Heard& h = heard_[next_heard_++];
  current_ = std::move(h.body);
  *out = {h.from, h.to, -60, current_};
  return true;
}

bool AirNode::Send(const link::Address& to, link::Bytes body) {
  if (is_cut_) return false;
  if (first_request_us_ == 0) first_request_us_ = air_.now_us();
  ++sent_;
  air_.Send(station_, to, body);
  return true;
}

void AirNode::Tune(uint8_t channel) {
  if (channel == 0) return;
  channel_ = channel;
  air_.Tune(station_, channel);
}

int64_t AirNode::now_us() const {
  const int64_t real_us = air_.now_us() - clock_zero_us_;
  return real_us + real_us / 1000000 * drift_ppm_;
}

void AirNode::SleepUntil(int64_t at_us) { wake_at_us_ = RealTime(at_us); }

// When the node's clock shows this, or shortly after.
int64_t AirNode::RealTime(int64_t clock_us) const {
  return clock_us == node::kNever ? clock_us : clock_zero_us_ + clock_us - clock_us / 1000000 * drift_ppm_ + 10;
}

void AirNode::Restart() { wake_at_us_ = air_.now_us() + kBootTime_us; }

size_t AirNode::Read(node::StoreRecord record, std::span<uint8_t> out) {
  const std::vector<uint8_t>& bytes = records_[record];
  std::copy_n(bytes.begin(), std::min(bytes.size(), out.size()), out.begin());
  return bytes.size();
}

bool AirNode::Write(node::StoreRecord record, std::span<const uint8_t> bytes) {
  if (is_store_broken_ || is_cut_) return false;
  ++writes_;
  const bool cuts = cut_at_write_ > 0 && --cut_at_write_ == 0;
  if (!cuts || cut_behind_) records_[record].assign(bytes.begin(), bytes.end());
  if (cuts) is_cut_ = true;  // what the program does from here on comes to nothing
  return !cuts;
}

bool AirNode::Begin(uint32_t size) {
  staged_.assign(size, 0);
  return true;
}

bool AirNode::Write(uint32_t offset, std::span<const uint8_t> bytes) {
  if (offset + bytes.size() > staged_.size()) return false;
  std::copy(bytes.begin(), bytes.end(), staged_.begin() + offset);
  return true;
}

bool AirNode::Read(uint32_t offset, std::span<uint8_t> out) {
  if (offset + out.size() > staged_.size()) return false;
  std::copy_n(staged_.begin() + offset, out.size(), out.begin());
  return true;
}

bool AirNode::Activate() {
  active_ = staged_;
  return true;
}

size_t AirNode::ReadActive(uint32_t offset, std::span<uint8_t> out) {
  if (offset >= active_.size()) return 0;
  const size_t size = std::min<size_t>(out.size(), active_.size() - offset);
  std::copy_n(active_.begin() + offset, size, out.begin());
  return size;
}

bool AirNode::Reset(int /*pin*/) {
  wire_bits_ = 0;
  wire_count_ = 0;
  return true;
}

void AirNode::WriteBit(int /*pin*/, bool bit) {
  wire_bits_ = wire_bits_ >> 1 | (bit ? 0x80u : 0u);
  if (++wire_count_ % 8 != 0) return;
  const auto byte = static_cast<uint8_t>(wire_bits_);
  if (byte == kConvert && wire_count_ == 16) {
    // With the time of the conversion: that is what the reading must bear, give or take its duration.
    const auto value = static_cast<int16_t>(air_.now_us() / kTimeStep_us % kTimeModulo);
    scratchpad_ = {
        static_cast<uint8_t>(value), static_cast<uint8_t>(value >> 8), 0x4B, 0x46, 0x7F, 0xFF, 0x10, 0x10, 0};
    scratchpad_[8] = node::OneWireChecksum(std::span(scratchpad_).first(8));
  }
  if (byte == kReadScratchpad && wire_count_ == 80) wire_count_ = 1000;
}

bool AirNode::ReadBit(int /*pin*/) {
  if (wire_count_ < 1000) return true;
  const unsigned place = wire_count_++ - 1000;
  return place >= 72 || (scratchpad_[place / 8] >> (place % 8) & 1) != 0;
}

}  // namespace vesta::simulators
