// The life of the application: start, the loop, the search, sleep. What the link asks is in app_link.cc, what is kept
// over a loss of power in app_state.cc.
#include "node/app.h"

#include <algorithm>

#include "node/functions/make.h"
#include "node/functions/relay.h"
#include "protocols/link/relay.h"

namespace vesta::node {

namespace {

// A busy air leaves time for the rest.
constexpr int kFramesARun = 16;
// The node's own items: when they changed, but no more often; a problem at once.
constexpr int64_t kTellEvery_us = 300 * kUsPerSecond;
// Of a sleeping node that has just lost its hub: a lost frame must not cost a whole period. Later one a wake-up.
constexpr uint32_t kSweepsAtFirst = 3;
// How long a restart that was asked for waits for its answer to reach the hub.
constexpr int64_t kPatience_us = 3 * kUsPerSecond;
// Bulk (frames of other protocols) leaves a quarter of the outbox to measurements.
constexpr size_t kReservedPart = 4;
constexpr size_t kPieceHead = 3 + link::kRelayHeadSize;  // item of bytes, then the piece

// The active configuration as a text.
class ActiveText final : public TextSource {
 public:
  explicit ActiveText(UpdateSlot& slot) : slot_(slot) {}
  size_t Read(uint32_t offset, std::span<uint8_t> out) override { return slot_.ReadActive(offset, out); }

 private:
  UpdateSlot& slot_;
};

}  // namespace

App::App(const Ports& board, const AppOptions& options)
    : Board(ports_),
      ports_(board),
      options_(options),
      arena_(arena_memory_),
      search_(board.random, board.radio.dwell_us()),
      kept_outbox_(board.sleep.memory().subspan(sizeof(Retained)), board.store) {}

void App::Start() {
  now_us = start_us_ = wake_us_ = ports_.clock.now_us();
  Retained retained;
  const bool is_kept = ports_.sleep.is_kept();
  was_awake_ = TakeRetained(ports_.sleep.memory(), options_.firmware, &retained) && is_kept;
  LoadConfiguration();
  if (was_awake_) {
    kept_outbox_.Look();
    restarts_ = retained.restarts;
    wear_ = retained.wear;
    search_memory_ = retained.search;
    status.has_utc = retained.has_utc;
    status.utc_minus_clock_us = retained.utc_minus_clock_us;
    wake_us_ = std::min(retained.wake_us, now_us);
    last_awake_us_ = retained.last_awake_us;
    activates_ = retained.activates;
    told_ = retained.told;
    ApplySaved(retained.saved);
    MakeLink(retained.record);
  } else {
    if (is_kept)
      kept_outbox_.Look();  // a restart: the outbox is still there
    else
      RestoreAfterPowerLoss();
    link::NodeRecord record;
    SavedState saved;
    if (ReadState(&record, &saved)) ApplySaved(saved);
    MakeLink(record);
  }
  for (Function* f : functions()) f->Start(*this, &problem_);
  // After a sleep it is what it was: nothing changes it while nothing runs.
  const bool is_known = was_awake_ && retained.configuration == config_.version && retained.description_hash != 0;
  description_hash_ = is_known ? retained.description_hash : DescriptionHash();
  const bool is_linked = link_->state() == link::Node::State::kLinked;
  // A relay may have become a thermostat's, a sensor may have been found: the hash was of before.
  if (!is_linked) MakeLink(link_->record());
  if (is_linked) ports_.radio.Tune(link_->record().channel);
  may_search_ = !was_awake_ || MaySearch(&search_memory_);
  unlinked_since_us_ = now_us;
  UpdateStatus();
}

void App::LoadConfiguration() {
  ActiveText text(ports_.configuration);
  uint8_t first;
  Clear(&config_);
  if (text.Read(0, {&first, 1}) > 0) {
    const bool is_good = ReadConfig(text, &config_, &problem_) && CheckFits(config_, ports_, arena_.size(), &problem_);
    if (!is_good) Clear(&config_);
  }
  if (config_.name.empty()) config_.name = options_.name;
  MakeFunctions();
}

void App::MakeFunctions() {
  arena_.Clear();
  function_count_ = 0;
  size_t next_item = 1;
  for (uint8_t i = 0; i < config_.function_count; ++i) {
    Function* f = MakeFunction(config_, i, arena_);
    if (f == nullptr) break;  // CheckFits has seen to it
    f->Place(static_cast<uint8_t>(next_item), static_cast<uint8_t>(i + 1));
    next_item += f->item_count();
    functions_[function_count_++] = f;
  }
}

// By value: the record may be of the link that is replaced.
void App::MakeLink(link::NodeRecord record) {
  link::NodeOptions o;
  o.address = ports_.radio.address();
  o.network = options_.network;
  o.has_secret = options_.has_secret;
  o.secret = options_.secret;
  o.joins_by_window = options_.joins_by_window;
  o.is_sleepy = sleeps();
  o.blobs = {options_.signer, options_.hardware, options_.firmware, config_.version};
  o.info.description_hash = description_hash_;
  o.info.capabilities = static_cast<uint16_t>(sleeps() ? 0x8000 : 0);
  for (unsigned type = 0; type < static_cast<unsigned>(FunctionType::kCount); ++type) {
    o.info.capabilities = static_cast<uint16_t>(o.info.capabilities | 1u << type);
  }
  o.info.name_size = config_.name.size;
  o.info.name = config_.name.bytes;
  link_.emplace(o, kept_outbox_.outbox_memory(), ports_.random);
  link_->Restore(record);
  link_->HoldReports(is_held_);
  is_searching_ = false;
}

int64_t App::Run() {
  if (is_over_) return kNever;
  now_us = ports_.clock.now_us();
  Receive();
  RunFunctions();
  if (link_->next_deadline_us() <= now_us) link_->Tick(now_us, *this);
  SearchHub();
  KeepLink();
  TellOwn();
  CareForOutboxCopy();
  if (is_changed_) {
    is_changed_ = false;
    SaveState(false);
    // A sensor was found: the hub hears of it when the link begins anew.
    const uint32_t hash = DescriptionHash();
    if (hash != description_hash_) {
      description_hash_ = hash;
      MakeLink(link_->record().ForFlash());
    }
  }
  UpdateStatus();
  DoPending();
  if (!is_over_) MaySleepNow();
  return NextTime();
}

void App::Receive() {
  RadioFrame frame;
  for (int i = 0; i < kFramesARun && ports_.radio.Next(&frame); ++i) {
    if (frame.from == link_->record().hub_address) status.rssi_dbm = frame.rssi_dbm;
    link_->Receive(frame.from, frame.to, frame.body, now_us, *this);
  }
}

void App::RunFunctions() {
  for (Function* f : functions()) {
    if (f->next_us() <= now_us) f->Run(*this);
  }
  Flush();
}

void App::Flush() {
  if (report_size_ > 0) link_->Report(Bytes(report_).first(report_size_), now_us);
  report_size_ = 0;
}

void App::Emit(const link::Item& item) {
  if (link::WriteItem(item, report_, &report_size_)) return;
  Flush();
  link::WriteItem(item, report_, &report_size_);
}

bool App::EmitFrame(uint8_t index, Bytes frame, int64_t at_us, uint8_t flags) {
  constexpr size_t kMaxPiece = link::kMaxReport - kPieceHead;
  const size_t pieces = frame.size() / kMaxPiece + 2;
  const size_t needed = frame.size() + pieces * (kPieceHead + link::Outbox::kEntryHeadSize);
  if (frame.size() > link::kMaxRelayFrame) return false;
  if (link_->outbox().room() < needed + kept_outbox_.outbox_memory().size() / kReservedPart) return false;
  const int64_t lag_ms = std::clamp<int64_t>((now_us - at_us) / 1000, 0, link::kMaxRelayLag_ms);
  auto all = static_cast<uint8_t>(flags | link::kRelayFirst);
  do {
    constexpr size_t kWorthwhile = 40;  // less room in a report begins a new one
    if (report_.size() - report_size_ < kPieceHead + std::min(frame.size(), kWorthwhile)) Flush();
    const size_t size = std::min(frame.size(), report_.size() - report_size_ - kPieceHead);
    if (size == frame.size()) all |= link::kRelayLast;
    std::array<uint8_t, link::kMaxReport> content;
    const size_t written = link::WriteRelayPiece({all, static_cast<uint16_t>(lag_ms), frame.first(size)}, content);
    Emit({index, link::ValueType::kBytes, link::Status::kOk, 0, 0, Bytes(content).first(written)});
    all = static_cast<uint8_t>(flags & link::kRelaySent);
    frame = frame.subspan(size);
  } while (!frame.empty());
  return true;
}

void App::SearchHub() {
  const link::Node::State state = link_->state();
  const bool is_alone = state == link::Node::State::kAlone || state == link::Node::State::kUnlinked;
  if (!is_alone) {
    is_searching_ = false;
    return;
  }
  if (sleeps() && !may_search_) return;
  if (!is_searching_) {
    is_searching_ = true;
    search_.Begin(link_->record().channel, now_us, !was_awake_ && now_us - start_us_ < kMaxStart_us);
  }
  const uint32_t sweeps = search_memory_.misses == 0 ? kSweepsAtFirst : 1;
  if (sleeps() && search_.IsSweepOver(now_us) && search_.sweeps() + 1 >= sweeps) {
    may_search_ = false;
    return;
  }
  const uint8_t channel = search_.Next(now_us);
  if (channel == 0) return;
  ports_.radio.Tune(channel);
  link_->Probe(channel, now_us, *this);
}

void App::KeepLink() {
  if (link_->state() != link::Node::State::kLinked || sleeps()) return;
  if (now_us - std::max(link_->heard_us(), asked_us_) < config_.ping_s * kUsPerSecond) return;
  asked_us_ = now_us;
  link_->Poll();
  link_->Tick(now_us, *this);
}

void App::TellOwn() {
  if (link_->state() != link::Node::State::kLinked) return;
  uint32_t problem_hash = 1;
  for (const char c : problem_.view()) problem_hash = (problem_hash ^ static_cast<uint8_t>(c)) * 16777619u;
  const bool is_problem_new = problem_hash != told_.problem_hash;
  if (!is_problem_new && now_us < told_.next_us) return;
  uint32_t hash = 2166136261u;
  const uint32_t numbers[] = {status.lost, restarts_, wear_.writes(), static_cast<uint32_t>(last_awake_us_ / 1000)};
  for (const uint32_t n : numbers) hash = (hash ^ n) * 16777619u;
  told_.next_us = now_us + kTellEvery_us;
  if (hash == told_.hash && !is_problem_new) return;
  told_.hash = hash;
  told_.problem_hash = problem_hash;
  EmitText(kItemProblem, problem_.view());
  EmitInteger(kItemLost, status.lost);
  EmitInteger(kItemRestarts, restarts_);
  EmitInteger(kItemStoreWrites, wear_.writes());
  if (was_awake_ && last_awake_us_ > 0) EmitInteger(kItemAwake, last_awake_us_ / 1000);
  EmitInteger(kItemBacklog, status.backlog);
  Flush();
}

void App::UpdateStatus() {
  const link::Node::State state = link_->state();
  status.name = config_.name;
  status.is_joined = link_->record().is_joined;
  status.is_linked = state == link::Node::State::kLinked;
  status.is_waiting = state == link::Node::State::kWaiting;
  status.backlog = static_cast<uint32_t>(link_->outbox().waiting());
  status.lost = lost_before_ + link_->outbox().lost();
  status.heard_us = link_->heard_us();
  status.channel = link_->record().channel;
  status.configuration = config_.version;
  status.problem = problem_.view();
}

void App::DoPending() {
  const bool is_quiet = link_->MaySleep(now_us) || now_us - pending_since_us_ > kPatience_us;
  if (pending_ != Pending::kNothing && is_quiet) {
    if (pending_ == Pending::kRestart) {
      SaveState(true);
      is_over_ = true;
      ports_.sleep.Restart();
    } else {
      link_->Leave(*this);
    }
    pending_ = Pending::kNothing;
  }
  // What was measured under the old configuration would mean something else under the new one.
  if (activates_ && !is_over_ && link_->MaySleep(now_us) && link_->outbox().waiting() == 0) Activate();
}

void App::Activate() {
  activates_ = false;
  const link::NodeRecord record = link_->record().ForFlash();
  SavedState saved;
  GatherSaved(&saved);
  if (!ports_.configuration.Activate()) {
    problem_.Clear();
    problem_.Add("the new configuration can't be stored");
    return;
  }
  problem_.Clear();
  temperatures = {};
  LoadConfiguration();
  ApplySaved(saved);
  for (Function* f : functions()) f->Start(*this, &problem_);
  description_hash_ = DescriptionHash();
  MakeLink(record);
}

void App::MaySleepNow() {
  if (!sleeps() || pending_ != Pending::kNothing) return;
  const bool is_busy =
      std::any_of(functions().begin(), functions().end(), [](const Function* f) { return f->is_busy(); });
  const link::Node::State state = link_->state();
  const bool is_linked = state == link::Node::State::kLinked;
  const bool has_given_up = !is_linked && !may_search_ && state != link::Node::State::kJoining;
  const bool is_done = !is_busy && (is_linked ? link_->MaySleep(now_us) : has_given_up);
  const bool is_tired = now_us - start_us_ > config_.awake_s * kUsPerSecond && state != link::Node::State::kWaiting;
  if (is_done || is_tired) GoToSleep();
}

void App::GoToSleep() {
  const int64_t period_us = config_.sleep_s * kUsPerSecond;
  const bool is_linked = link_->state() == link::Node::State::kLinked;
  if (is_linked)
    search_memory_ = {};
  else if (search_.tries() > 0)
    NoteMiss(&search_memory_, period_us, ports_.random);
  Retained retained = {};
  retained.firmware = options_.firmware;
  retained.configuration = config_.version;
  retained.description_hash = is_changed_ ? 0 : description_hash_;
  retained.restarts = restarts_;
  retained.wear = wear_;
  retained.search = search_memory_;
  retained.has_utc = status.has_utc;
  retained.utc_minus_clock_us = status.utc_minus_clock_us;
  // Wake-ups keep their beat; those that were missed are left out.
  retained.wake_us = wake_us_ + period_us;
  if (retained.wake_us <= now_us) retained.wake_us = now_us + period_us;
  if (!was_awake_) {
    // Nodes that got their power together part here.
    uint8_t random[2];
    ports_.random.Fill(random);
    retained.wake_us -= period_us * random[0] / 512;
    if (retained.wake_us <= now_us) retained.wake_us = now_us + period_us;
  }
  retained.last_awake_us = now_us - start_us_;
  retained.activates = activates_;
  retained.told = told_;
  retained.record = link_->record();
  GatherSaved(&retained.saved);
  KeepRetained(retained, ports_.sleep.memory());
  is_over_ = true;
  ports_.sleep.SleepUntil(retained.wake_us);
}

int64_t App::NextTime() const {
  if (is_over_) return kNever;
  int64_t at_us = link_->next_deadline_us();
  for (const Function* f : functions()) at_us = std::min(at_us, f->next_us());
  if (is_searching_ && (!sleeps() || may_search_)) at_us = std::min(at_us, search_.next_us());
  if (status.is_linked && !sleeps()) at_us = std::min(at_us, now_us + kUsPerSecond);
  if (sleeps()) at_us = std::min(at_us, now_us + kUsPerSecond / 20);
  // Clocks, keeping and pending things are looked at now and then.
  return std::max(std::min(at_us, now_us + kUsPerSecond), now_us);
}

}  // namespace vesta::node
