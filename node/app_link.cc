// What the link asks of the application: channels, commands, the description, images.
#include <algorithm>

#include "node/app.h"
#include "node/functions/make.h"
#include "node/functions/relay.h"
#include "protocols/little_endian.h"

namespace vesta::node {

namespace {

constexpr int64_t kIdentify_us = int64_t{10} * 1000000;
constexpr uint32_t kMaxConfigurationSize = 4096;

// A text in a slot that is not active yet.
class WrittenText final : public TextSource {
 public:
  WrittenText(UpdateSlot& slot, uint32_t size) : slot_(slot), size_(size) {}
  size_t Read(uint32_t offset, std::span<uint8_t> out) override {
    if (offset >= size_) return 0;
    const auto part = out.first(std::min<size_t>(out.size(), size_ - offset));
    return slot_.Read(offset, part) ? part.size() : 0;
  }

 private:
  UpdateSlot& slot_;
  uint32_t size_;
};

}  // namespace

void App::OnChannel(uint8_t channel) { ports_.radio.Tune(channel); }

void App::OnLinked() {
  status.refusal = 0;
  is_searching_ = false;
  if (!is_confirmed_) {
    // The hub answered under a key: this firmware can be reached and replaced.
    is_confirmed_ = true;
    ports_.firmware.Confirm();
  }
}

void App::OnLinkLost() {
  unlinked_since_us_ = now_us;
  is_searching_ = false;
}

void App::OnCode(uint32_t code) { status.code = code; }

void App::OnTime(UtcUs utc_us, bool /*is_synchronised*/, int64_t /*round_trip_us*/) {
  status.has_utc = true;
  status.utc_minus_clock_us = utc_us - now_us;
  if (!is_held_) return;
  // The clock of before the loss of power: it showed copy_.clock_us at a known moment, or at an unknown one.
  link::Outbox& outbox = link_->outbox();
  if (copy_.had_utc)
    outbox.MoveTimes(copy_.before, copy_.utc_minus_clock_us - status.utc_minus_clock_us);
  else
    outbox.ForgetTimes(copy_.before);
  is_held_ = false;
  link_->HoldReports(false);
}

Function* App::FunctionOf(uint8_t index, uint8_t* place) const {
  for (Function* f : functions()) {
    if (index < f->first_item() || index >= f->first_item() + f->item_count()) continue;
    *place = static_cast<uint8_t>(index - f->first_item());
    return f;
  }
  return nullptr;
}

link::Outcome App::OnCommand(link::Item* item) {
  switch (item->index) {
    case link::kItemPing:
      return link::Outcome::kApplied;
    case link::kItemIdentify:
      if (ports_.display == nullptr) return link::Outcome::kRefused;
      status.identify_until_us = now_us + kIdentify_us;
      return link::Outcome::kApplied;
    case link::kItemRestart:
    case link::kItemLeave:
      pending_ = item->index == link::kItemRestart ? Pending::kRestart : Pending::kLeave;
      pending_since_us_ = now_us;
      return link::Outcome::kApplied;
    default:
      break;
  }
  uint8_t place = 0;
  Function* f = FunctionOf(item->index, &place);
  // What can't be kept is refused rather than lost with the next loss of power.
  if (f == nullptr || (f->KeepsCommands() && !MayKeep())) {
    item->type = link::ValueType::kNone;
    return link::Outcome::kRefused;
  }
  return f->OnCommand(place, item, *this);
}

RelayFunction* App::FindRelay(std::string_view name) {
  for (Function* f : functions()) {
    if (f->config().type == FunctionType::kRelay && f->config().name.view() == name) {
      return static_cast<RelayFunction*>(f);
    }
  }
  return nullptr;
}

size_t App::ReadDescription(size_t offset, std::span<uint8_t> out) {
  class Counter final : public ItemSink {
   public:
    void Add(const ItemDescription&) override { ++count; }
    size_t count = 0;
  };
  class Writer final : public ItemSink {
   public:
    explicit Writer(CborWindow& cbor) : cbor_(cbor) {}
    void Add(const ItemDescription& item) override { WriteItem(item, cbor_); }

   private:
    CborWindow& cbor_;
  };
  const auto describe = [this](ItemSink& sink) {
    for (const Function* f : functions()) f->Describe(sink);
    const auto own = [&sink](uint8_t index, std::string_view key, std::string_view kind, Unit unit, int8_t exponent) {
      ItemDescription d;
      d.index = index;
      d.function = "node";
      d.key = key;
      d.kind = kind;
      d.unit = unit;
      d.quantity = unit == Unit::kSecond ? Quantity::kDuration : kind == "text" ? Quantity::kNone : Quantity::kCount;
      d.exponent = exponent;
      sink.Add(d);
    };
    own(kItemProblem, "problem", "text", Unit::kNone, 0);
    own(kItemLost, "reports_lost", "counter", Unit::kNone, 0);
    own(kItemRestarts, "restarts", "counter", Unit::kNone, 0);
    own(kItemStoreWrites, "store_writes", "counter", Unit::kNone, 0);
    if (sleeps()) own(kItemAwake, "awake", "gauge", Unit::kSecond, -3);
    own(kItemBacklog, "backlog", "gauge", Unit::kNone, 0);
  };
  Counter counter;
  describe(counter);
  CborWindow cbor(offset, out);
  cbor.Map(3);
  cbor.Text("v");
  cbor.Integer(1);
  cbor.Text("name");
  cbor.Text(config_.name.view());
  cbor.Text("items");
  cbor.Array(counter.count);
  Writer writer(cbor);
  describe(writer);
  return cbor.size();
}

uint32_t App::DescriptionHash() {
  crypto::Sha256Stream stream;
  std::array<uint8_t, link::kDescriptionChunk> chunk;
  size_t total = 1;
  for (size_t at = 0; at < total; at += chunk.size()) {
    total = ReadDescription(at, chunk);
    stream.Add(Bytes(chunk).first(std::min(chunk.size(), total - at)));
  }
  return wire::Get32(stream.Finish().data());
}

UpdateSlot& App::SlotOf(const link::BlobManifest& manifest) const {
  return manifest.kind == link::BlobKind::kFirmware ? ports_.firmware : ports_.configuration;
}

bool App::Begin(const link::BlobManifest& manifest) {
  if (manifest.kind == link::BlobKind::kConfiguration && manifest.size > kMaxConfigurationSize) return false;
  if (manifest.kind == link::BlobKind::kConfiguration) is_portal_writing_ = false;
  SlotOf(manifest).SetVersion(manifest.version);
  return SlotOf(manifest).Begin(manifest.size);
}

bool App::Write(const link::BlobManifest& manifest, uint32_t offset, Bytes bytes) {
  if (manifest.kind == link::BlobKind::kConfiguration && is_portal_writing_) return false;
  return SlotOf(manifest).Write(offset, bytes);
}

bool App::ReadBack(const link::BlobManifest& manifest, uint32_t offset, std::span<uint8_t> out) {
  return SlotOf(manifest).Read(offset, out);
}

bool App::CheckConfiguration(TextSource& text, uint32_t version, NodeConfig* out, Problem* problem) const {
  if (!ReadConfig(text, out, problem) || !CheckFits(*out, ports_, arena_.size(), problem)) return false;
  if (version == 0 || out->version == version) return true;
  problem->Add("version is ").Add(out->version).Add(" in the text and ").Add(version).Add(" in the offer");
  return false;
}

link::BlobResult App::Complete(const link::BlobManifest& manifest) {
  if (manifest.kind == link::BlobKind::kFirmware) {
    if (!ports_.firmware.Activate()) return link::BlobResult::kWriteFailed;
    pending_ = Pending::kRestart;
    pending_since_us_ = now_us;
    return link::BlobResult::kComplete;
  }
  WrittenText text(ports_.configuration, manifest.size);
  NodeConfig config;
  problem_.Clear();
  if (!CheckConfiguration(text, manifest.version, &config, &problem_)) return link::BlobResult::kTooBig;
  activates_ = true;
  return link::BlobResult::kComplete;
}

bool App::WriteBoardSettings(const Settings& settings) {
  if (!wear_.MayWrite(now_us)) return false;
  wear_.Wrote(now_us);
  if (!WriteSettings(settings, ports_.store)) return false;
  pending_ = Pending::kRestart;
  pending_since_us_ = now_us;
  return true;
}

bool App::BeginConfigurationText() {
  // One that is whole waits until the reports of the old one are sent.
  if (activates_) return false;
  is_portal_writing_ = ports_.configuration.Begin(kMaxConfigurationSize);
  return is_portal_writing_;
}

bool App::WriteConfigurationText(uint32_t offset, std::span<const uint8_t> bytes) {
  return is_portal_writing_ && offset <= kMaxConfigurationSize && bytes.size() <= kMaxConfigurationSize - offset &&
         ports_.configuration.Write(offset, bytes);
}

// Its length was not known at the beginning: blanks behind a text mean nothing.
bool App::EndConfigurationText(uint32_t size, Problem* problem) {
  std::array<uint8_t, 64> blanks;
  blanks.fill(' ');
  bool is_good = is_portal_writing_;
  while (is_good && size < kMaxConfigurationSize) {
    const auto part = Bytes(blanks).first(std::min<size_t>(blanks.size(), kMaxConfigurationSize - size));
    is_good = ports_.configuration.Write(size, part);
    size += static_cast<uint32_t>(part.size());
  }
  is_portal_writing_ = false;
  problem->Clear();
  if (!is_good) {
    problem->Add("the hub sent another one meanwhile, or it could not be stored");
    return false;
  }
  WrittenText text(ports_.configuration, kMaxConfigurationSize);
  NodeConfig config;
  if (!CheckConfiguration(text, 0, &config, problem)) return false;
  if (config.version <= config_.version) {
    problem->Add("version must be above ").Add(config_.version);
    return false;
  }
  activates_ = true;
  return true;
}

App::Taken App::Configure(TextSource& text, size_t size, Problem* problem) {
  NodeConfig config;
  problem->Clear();
  if (!CheckConfiguration(text, 0, &config, problem)) return Taken::kRefused;
  if (config.version <= config_.version) return Taken::kOld;
  bool is_good = size <= kMaxConfigurationSize && ports_.configuration.Begin(static_cast<uint32_t>(size));
  std::array<uint8_t, 64> part;
  for (uint32_t at = 0; is_good && at < size; at += static_cast<uint32_t>(part.size())) {
    const size_t read = text.Read(at, part);
    is_good = read > 0 && ports_.configuration.Write(at, Bytes(part).first(read));
  }
  if (!is_good) {
    problem->Add("there is no room for it");
    return Taken::kRefused;
  }
  activates_ = true;
  return Taken::kTaken;
}

}  // namespace vesta::node
