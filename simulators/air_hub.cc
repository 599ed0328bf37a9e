// The hub of the simulated air: see air_node.h.
#include <algorithm>

#include "simulators/air_node.h"

namespace vesta::simulators {

namespace {

constexpr uint64_t kCommitTimer = 1;
constexpr uint64_t kTickTimer = 2;
constexpr uint64_t kLifeStep = 4;

}  // namespace

AirHub::AirHub(Air& air, const Options& options) : air_(air), options_(options), random_(air.random().Next()) {
  station_ = air.Add(address_, *this, true, options.acknowledges);
  Start();
}

void AirHub::Start() {
  link::HubOptions o;
  o.max_nodes = options_.max_nodes;
  hub_ = std::make_unique<link::Hub>(o, random_);
  hub_->SetGateway(0, address_, options_.channel);
  for (const auto& [number, record] : records_) hub_->Restore(record);
  air_.SetOn(station_, true);
  air_.Tune(station_, options_.channel);
  life_ += kLifeStep;
  tick_us_ = 0;
  air_.SetTimer(station_, air_.now_us() + options_.commit_us, life_ + kCommitTimer);
}

void AirHub::Crash() {
  waiting_.clear();
  hub_.reset();
  life_ += kLifeStep;
  air_.SetOn(station_, false);
}

void AirHub::Tune(uint8_t channel) {
  options_.channel = channel;
  air_.Tune(station_, channel);
  if (hub_ != nullptr) hub_->SetGateway(0, address_, channel);
}

void AirHub::OnTimer(uint64_t what) {
  if (what == life_ + kCommitTimer) {
    Commit();
    air_.SetTimer(station_, air_.now_us() + options_.commit_us, life_ + kCommitTimer);
  } else if (what == life_ + kTickTimer) {
    tick_us_ = 0;
    hub_->Tick(now(), *this);
  } else {
    return;
  }
  const int64_t next_us = hub_->next_deadline_us();
  if (next_us == kNoDeadline || (tick_us_ != 0 && tick_us_ <= next_us)) return;
  tick_us_ = std::max(next_us, air_.now_us() + 1000);
  air_.SetTimer(station_, tick_us_, life_ + kTickTimer);
}

void AirHub::OnFrame(const link::Address& from, const link::Address& to, uint8_t /*sent_on*/, link::Bytes body) {
  if (hub_ == nullptr) return;
  Now heard_at = now();
  if (!knows_time) heard_at.utc_us = 0;
  hub_->Receive({0, from, to, options_.channel, -60, body}, heard_at, *this);
  const int64_t next_us = hub_->next_deadline_us();
  if (next_us == kNoDeadline || (tick_us_ != 0 && tick_us_ <= next_us)) return;
  tick_us_ = std::max(next_us, air_.now_us() + 1000);
  air_.SetTimer(station_, tick_us_, life_ + kTickTimer);
}

void AirHub::Send(uint8_t /*gateway*/, const link::Address& /*from*/, const link::Address& to, link::Bytes frame) {
  first_answers.try_emplace(to, air_.now_us());
  air_.Send(station_, to, frame);
}

link::JoinPolicy AirHub::OnJoinRequest(const link::JoinRequest& request) {
  link::JoinPolicy policy;
  policy.rule = link::JoinPolicy::Rule::kBySecret;
  std::copy(request.address.begin(), request.address.end(), policy.secret.begin());
  if (request.secret_id != link::SecretIdOf(policy.secret)) policy.rule = link::JoinPolicy::Rule::kDeny;
  return policy;
}

void AirHub::OnJoined(const link::PeerRecord& record, const link::NodeInfo& info) {
  records_[record.node] = record;
  numbers[record.address] = record.node;
  infos[record.node] = info;
}

bool AirHub::OnReport(uint16_t number, const link::Report& report) {
  waiting_.push_back({number, {report.epoch, report.sequence, report.time_us, {}}});
  waiting_.back().report.items.assign(report.items.begin(), report.items.end());
  return true;
}

void AirHub::Check(uint16_t number, const Received& report) {
  uint32_t& last = last_[uint64_t{number} << 32 | report.epoch];
  if (report.sequence <= last && wrong.empty()) {
    wrong = "node " + std::to_string(number) + ": report " + std::to_string(report.sequence) + " behind " +
            std::to_string(last);
  }
  last = report.sequence;
  link::ItemReader reader(report.items);
  link::Item item;
  while (reader.Next(&item)) {
    temperatures += item.index == 1 ? 1 : 0;
    if (item.index != 1 || item.type == link::ValueType::kNone || report.time_us == kNoTime || !knows_time) continue;
    const int64_t told = item.integer / 625;
    const int64_t measured = (report.time_us - kStart_us) / kTimeStep_us % kTimeModulo;
    const int64_t steps = std::abs(told - measured);
    const int64_t error_us = std::min(steps, kTimeModulo - steps) * kTimeStep_us;
    worst_time_error_us = std::max(worst_time_error_us, error_us);
    if (error_us > time_tolerance_us && wrong.empty()) {
      wrong = "node " + std::to_string(number) + ": a time is wrong by " + std::to_string(error_us / 1000000) + " s";
    }
  }
}

void AirHub::Commit() {
  for (Waiting& w : waiting_) {
    Check(w.node, w.report);
    link::PeerRecord& record = records_[w.node];
    if (record.epoch != w.report.epoch) record.kept = 0;
    record.epoch = w.report.epoch;
    record.kept = std::max(record.kept, w.report.sequence);
    hub_->SetKept(w.node, w.report.epoch, w.report.sequence);
    ++durable_count[w.node];
    if (keeps_items) durable[w.node].push_back(std::move(w.report));
  }
  waiting_.clear();
  for (auto& [number, record] : records_) {
    if (const link::Peer* peer = hub_->Find(number)) record.command_version = peer->command_version;
  }
}

void AirHub::Offer(uint16_t number, uint32_t version, const std::string& configuration) {
  blob_ = configuration;
  link::BlobManifest manifest;
  manifest.kind = link::BlobKind::kConfiguration;
  manifest.version = version;
  manifest.size = static_cast<uint32_t>(configuration.size());
  crypto::Sha256Stream stream;
  stream.Add({reinterpret_cast<const uint8_t*>(configuration.data()), configuration.size()});
  manifest.digest = stream.Finish();
  hub_->SetBlob(0, manifest);
  hub_->OfferBlob(number, 0);
}

size_t AirHub::ReadBlob(size_t /*blob*/, uint32_t offset, std::span<uint8_t> out) {
  const size_t size = std::min(out.size(), blob_.size() - std::min<size_t>(offset, blob_.size()));
  std::copy_n(blob_.begin() + offset, size, out.begin());
  return size;
}

}  // namespace vesta::simulators
