#include "hub/web/events.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <charconv>

#include "hub/web/api.h"
#include "hub/web/api_json.h"
#include "hub/web/json_text.h"

namespace vesta::hub {
namespace {

// Things written into one piece of a stream: a few kilobytes.
constexpr size_t kThingsPerPiece = 32;
// How long a browser waits before it connects again.
constexpr std::string_view kRetry = "retry: 3000\n\n";

}  // namespace

// One client. The id of an event stands in its last line: a reader that was cut off inside an event must not believe
// that it has it.
class EventHub::Client final : public BodyPieces {
 public:
  Client(EventHub& hub, uint64_t position, bool snapshot, std::function<bool()> allowed)
      : hub_(hub),
        cursor_(position),
        snapshot_(snapshot ? Snapshot::kDevices : Snapshot::kDone),
        allowed_(std::move(allowed)),
        ping_us_(Now() + hub.limits_.ping_interval_us) {}

  State Next(std::string* out) override {
    if (ended_) return State::kEnd;
    if (!greeted_) {
      *out += kRetry;
      greeted_ = true;
    }
    if (snapshot_ != Snapshot::kDone) {
      WriteSnapshot(out);
      return State::kMore;
    }
    if (WriteChanges(out)) return State::kMore;
    WriteSummaries(out);
    WritePing(out);
    return ended_ ? State::kEnd : State::kWait;
  }

  bool HasSomething() const {
    const int64_t now_us = Now();
    return now_us >= ping_us_ || (now_us >= changes_us_ && hub_.log_.last_number() > cursor_) ||
           (now_us >= summaries_us_ &&
            (sources_seen_ != hub_.sources_revision_ || outputs_seen_ != hub_.outputs_revision_ || replaced_ > 0));
  }

 private:
  enum class Snapshot : uint8_t { kDevices, kValues, kDone };

  int64_t Now() const { return hub_.context_.clock.Read().monotonic_us; }

  void EndEvent(std::string* out) { *out += fmt::format("\nid: {}\n\n", hub_.IdOf(cursor_)); }

  template <typename Write>
  void WriteEvent(std::string* out, std::string_view name, const Write& write) {
    *out += fmt::format("event: {}\ndata: ", name);
    write(out);
    EndEvent(out);
  }

  void WriteSnapshot(std::string* out) {
    ApiContext& context = hub_.context_;
    if (snapshot_ == Snapshot::kDevices && next_ == 0) *out += "event: snapshot\ndata: {\"devices\":[";
    const size_t count =
        snapshot_ == Snapshot::kDevices ? context.directory.devices().size() : context.directory.series().size();
    for (size_t i = 0; i < kThingsPerPiece && next_ < count; ++i, ++next_) WriteSnapshotThing(out);
    if (next_ < count) return;
    next_ = 0;
    first_ = true;
    if (snapshot_ == Snapshot::kDevices) {
      *out += "\ndata: ],\"values\":[";
      snapshot_ = Snapshot::kValues;
    } else {
      *out += "\ndata: ]}";
      EndEvent(out);
      snapshot_ = Snapshot::kDone;
    }
  }

  void WriteSnapshotThing(std::string* out) {
    ApiContext& context = hub_.context_;
    const Series* series = nullptr;
    const LiveValue* value = nullptr;
    if (snapshot_ == Snapshot::kValues) {
      series = &context.directory.series()[next_];
      value = context.live.Find(series->id);
      if (value == nullptr) return;
    }
    *out += first_ ? "\ndata: " : "\ndata: ,";
    first_ = false;
    AppendJson(out, [&](JsonWriter& json) {
      if (value != nullptr) {
        WriteLiveValue(json, context, *series, *value);
      } else {
        WriteDevice(json, context, context.directory.devices()[next_]);
      }
    });
  }

  // True when the piece is full and more is to come of this burst.
  bool WriteChanges(std::string* out) {
    const int64_t now_us = Now();
    if (burst_end_ == 0) {
      if (now_us < changes_us_ || hub_.log_.last_number() <= cursor_) return false;
      burst_end_ = hub_.log_.last_number();
    }
    bool values_open = false;
    const auto close_values = [&] {
      if (!values_open) return;
      *out += "]}";
      EndEvent(out);
      values_open = false;
    };
    for (size_t i = 0; i < kThingsPerPiece; ++i) {
      const ChangeLog::Entry entry = hub_.log_.After(cursor_, last_);
      if (entry.number == 0 || entry.number > burst_end_) {
        close_values();
        burst_end_ = 0;
        changes_us_ = now_us + hub_.limits_.event_interval_us;
        return false;
      }
      if (entry.kind != ChangeKind::kValue) close_values();
      replaced_ += entry.number - cursor_ - 1;
      cursor_ = entry.number;
      last_ = entry;
      WriteChange(out, entry, &values_open);
    }
    close_values();
    return true;
  }

  void WriteChange(std::string* out, const ChangeLog::Entry& entry, bool* values_open) {
    ApiContext& context = hub_.context_;
    if (entry.kind == ChangeKind::kValue) {
      const Series* const series = context.directory.FindSeries(entry.id);
      const LiveValue* const value = context.live.Find(entry.id);
      if (series == nullptr || value == nullptr) return;
      *out += *values_open ? "," : "event: values\ndata: {\"values\":[";
      *values_open = true;
      AppendJson(out, [&](JsonWriter& json) { WriteLiveValue(json, context, *series, *value); });
      return;
    }
    const Device* const device = context.directory.FindDevice(entry.id);
    if (device == nullptr) return;
    const bool whole = entry.kind == ChangeKind::kDevice;
    WriteEvent(out, whole ? "device" : "availability", [&](std::string* data) {
      AppendJson(data, [&](JsonWriter& json) {
        if (whole) return WriteDevice(json, context, *device);
        json.BeginObject().Key("device").Text(device->key).Key("availability");
        json.Text(AvailabilityName(context.live.DeviceAvailability(device->id))).EndObject();
      });
    });
  }

  void WriteSummaries(std::string* out) {
    const int64_t now_us = Now();
    if (now_us < summaries_us_) return;
    const size_t before = out->size();
    if (sources_seen_ != hub_.sources_revision_) {
      sources_seen_ = hub_.sources_revision_;
      WriteEvent(out, "sources", [&](std::string* data) { *data += SourcesJson(hub_.context_); });
    }
    if (outputs_seen_ != hub_.outputs_revision_) {
      outputs_seen_ = hub_.outputs_revision_;
      WriteEvent(out, "outputs", [&](std::string* data) { *data += OutputsJson(hub_.context_); });
    }
    if (replaced_ > 0) {
      hub_.coalesced_ += replaced_;
      WriteEvent(out, "coalesced", [&](std::string* data) { *data += fmt::format("{{\"count\":{}}}", replaced_); });
      replaced_ = 0;
    }
    if (out->size() != before) summaries_us_ = now_us + hub_.limits_.summary_interval_us;
  }

  void WritePing(std::string* out) {
    const int64_t now_us = Now();
    if (now_us < ping_us_) return;
    ping_us_ = now_us + hub_.limits_.ping_interval_us;
    ended_ = !allowed_();
    if (!ended_) *out += ": ping\n\n";
  }

  EventHub& hub_;
  uint64_t cursor_;
  ChangeLog::Entry last_;
  uint64_t burst_end_ = 0;  // a burst goes up to here; 0: none under way
  uint64_t replaced_ = 0;   // changes that newer ones replaced, not told yet
  Snapshot snapshot_;
  size_t next_ = 0;  // device or series of the snapshot
  bool first_ = true;
  bool greeted_ = false;
  bool ended_ = false;
  std::function<bool()> allowed_;
  int64_t ping_us_;
  int64_t changes_us_ = INT64_MIN;
  int64_t summaries_us_ = INT64_MIN;
  uint64_t sources_seen_ = 0;
  uint64_t outputs_seen_ = 0;
};

EventHub::EventHub(ApiContext& context, const WebLimits& limits) : context_(context), limits_(limits) {
  uint64_t random = 0;
  if (getrandom(&random, sizeof random, 0) != sizeof random) {
    random = static_cast<uint64_t>(context.clock.Read().utc_us);  // it only has to differ from the last run's
  }
  boot_ = fmt::format("{:016x}", random);
  LiveView::Listener listener;
  listener.value = [this](const Series& series, const LiveValue&) { log_.Touch(ChangeKind::kValue, series.id); };
  listener.availability = [this](const Device& device, Availability) {
    log_.Touch(ChangeKind::kAvailability, device.id);
  };
  listener.device_changed = [this](const Device& device) { log_.Touch(ChangeKind::kDevice, device.id); };
  listener_ = context.live.Listen(std::move(listener));
}

EventHub::~EventHub() = default;

std::string EventHub::IdOf(uint64_t number) const { return fmt::format("{}-{}", boot_, number); }

std::shared_ptr<BodyPieces> EventHub::Open(std::string_view last_event_id, std::function<bool()> allowed) {
  if (clients() >= limits_.event_clients) return nullptr;
  uint64_t position = log_.last_number();
  bool resumed = false;
  const size_t dash = last_event_id.find('-');
  if (dash != std::string_view::npos && last_event_id.substr(0, dash) == boot_) {
    const std::string_view digits = last_event_id.substr(dash + 1);
    uint64_t number = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    resumed = parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size() && number <= position;
    if (resumed) position = number;
  }
  RefreshSummaries();
  auto client = std::make_shared<Client>(*this, position, !resumed, std::move(allowed));
  clients_.push_back(client);
  return client;
}

size_t EventHub::clients() const {
  return static_cast<size_t>(
      std::count_if(clients_.begin(), clients_.end(), [](const auto& client) { return !client.expired(); }));
}

void EventHub::RefreshSummaries() {
  summaries_us_ = context_.clock.Read().monotonic_us;
  const auto refresh = [](std::string now, std::string* seen, uint64_t* revision) {
    if (*revision != 0 && now == *seen) return;
    *seen = std::move(now);
    ++*revision;
  };
  refresh(SourcesJson(context_, false), &sources_, &sources_revision_);
  refresh(OutputsJson(context_, false), &outputs_, &outputs_revision_);
}

void EventHub::Tick() {
  clients_.erase(std::remove_if(clients_.begin(), clients_.end(), [](const auto& client) { return client.expired(); }),
                 clients_.end());
  if (clients_.empty()) return;
  if (context_.clock.Read().monotonic_us - summaries_us_ >= limits_.summary_interval_us) RefreshSummaries();
  // A copy: a client may go while another is woken.
  const std::vector<std::weak_ptr<Client>> clients = clients_;
  for (const std::weak_ptr<Client>& weak : clients) {
    const std::shared_ptr<Client> client = weak.lock();
    if (client && client->wake && client->HasSomething()) client->wake();
  }
}

}  // namespace vesta::hub
