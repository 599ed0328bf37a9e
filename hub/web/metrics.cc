#include "hub/web/metrics.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "hub/web/api_json.h"
#include "hub/web/device_counts.h"
#include "hub/web/health.h"

namespace vesta::hub {
namespace {

// Samples written at a time: some kilobytes.
constexpr size_t kSamplesPerPiece = 64;

Decimal Seconds(int64_t us) { return {us, -6}; }

constexpr auto kGauge = MetricType::kGauge;
constexpr auto kCounter = MetricType::kCounter;

// Readings that share one name.
struct ReadingFamily {
  std::string name;
  std::string help;
  MetricType type = kGauge;
  bool states = false;
  std::vector<SeriesId> series;
};

// "vesta_device_power_watts"; "" for what has no number.
std::string FamilyName(const SeriesField& field) {
  std::string name = "vesta_device_";
  switch (field.kind) {
    case FieldKind::kText:
      return {};
    case FieldKind::kState:
      return name + "state";
    case FieldKind::kFlag:
      return name + (field.quantity == Quantity::kNone ? "flag" : std::string(QuantityName(field.quantity)));
    case FieldKind::kGauge:
    case FieldKind::kCounter:
      break;
  }
  const std::string quantity(field.quantity == Quantity::kNone ? "value" : QuantityName(field.quantity));
  const std::string suffix(MetricUnitOf(field.unit).suffix);
  name += quantity;
  if ("_" + quantity != suffix) name += suffix;
  return name;
}

std::string FamilyHelp(const SeriesField& field) {
  if (field.kind == FieldKind::kState) return "1 for the state that the device is in, 0 for its others.";
  std::string help(field.quantity == Quantity::kNone ? "value" : QuantityName(field.quantity));
  std::replace(help.begin(), help.end(), '_', ' ');
  help[0] = static_cast<char>(help[0] - 'a' + 'A');
  return help + " as the device reports it; left out when stale.";
}

// Conductor and tariff, which people sum and split by, from the end of the field's key.
struct FieldLabels {
  std::string_view phase;
  std::string_view tariff;
};
FieldLabels LabelsOf(std::string_view key) {
  const size_t mark = key.rfind('_');
  if (mark == std::string_view::npos || key.size() != mark + 3) return {};
  const std::string_view end = key.substr(mark + 1);
  if (end[0] == 'l' && end[1] >= '1' && end[1] <= '3') return {end, {}};
  if (end[0] == 't' && end[1] >= '0' && end[1] <= '9') return {{}, end.substr(1)};
  return {};
}

void WriteStateSet(PrometheusWriter& writer, std::vector<MetricLabel> labels, const SeriesField& field,
                   const Value& value) {
  if (value.kind() != ValueKind::kState) return;
  bool known = false;
  labels.push_back({"state", ""});
  for (const auto& [code, name] : field.states) {
    known = known || code == value.state();
    labels.back().value = name;
    writer.Sample(labels, uint64_t{code == value.state() ? 1u : 0u});
  }
  labels.back().value = "unknown";
  writer.Sample(labels, uint64_t{known ? 0u : 1u});
}

void WriteReading(PrometheusWriter& writer, const ApiContext& context, const ReadingFamily& family, SeriesId id) {
  const Series* const series = context.directory.FindSeries(id);
  const LiveValue* const value = context.live.Find(id);
  if (series == nullptr || value == nullptr || !value->fresh) return;
  const Device* const device = context.directory.FindDevice(series->device);
  if (device == nullptr) return;
  const std::string title = context.device_title(*device);
  std::vector<MetricLabel> labels = {{"device", device->key}, {"name", title}, {"field", series->field.key}};
  const FieldLabels extra = LabelsOf(series->field.key);
  if (!extra.phase.empty()) labels.push_back({"phase", extra.phase});
  if (!extra.tariff.empty()) labels.push_back({"tariff", extra.tariff});
  if (family.states) {
    WriteStateSet(writer, std::move(labels), series->field, value->record.value);
  } else {
    WriteMetricValue(writer, labels, value->record.value, MetricUnitOf(series->field.unit));
  }
}

}  // namespace

template <typename Number>
void MetricsBody::Single(std::string name, MetricType type, std::string help, Number value) {
  steps_.push_back([name = std::move(name), type, help = std::move(help), value](PrometheusWriter& writer, size_t) {
    writer.Family(name, type, help);
    writer.Sample({}, value);
    return true;
  });
}

template <typename Items, typename Sample>
void MetricsBody::PerItem(std::string name, MetricType type, std::string help, std::shared_ptr<Items> items,
                          Sample sample) {
  if (items->empty()) return;
  steps_.push_back([name = std::move(name), type, help = std::move(help), items = std::move(items), sample](
                       PrometheusWriter& writer, size_t call) {
    if (call == 0) writer.Family(name, type, help);
    const size_t end = std::min(items->size(), (call + 1) * kSamplesPerPiece);
    for (size_t i = call * kSamplesPerPiece; i < end; ++i) sample(writer, (*items)[i]);
    return end == items->size();
  });
}

MetricsBody::MetricsBody(const ApiContext& context, const WebCounters& counters, const EventHub& events,
                         PrometheusWriter::Form form)
    : context_(context), writer_(sink_, form) {
  AddHub(counters, events);
  AddSources();
  AddOutputs();
  AddDevices();
  AddReadings();
  steps_.push_back([](PrometheusWriter& writer, size_t) {
    writer.End();
    return true;
  });
}

BodyPieces::State MetricsBody::Next(std::string* out) {
  sink_.out = out;
  if (steps_[step_](writer_, call_++)) {
    ++step_;
    call_ = 0;
  }
  return step_ < steps_.size() ? State::kMore : State::kEnd;
}

void MetricsBody::AddHub(const WebCounters& counters, const EventHub& events) {
  const HubState state = context_.state();
  const Now now = context_.clock.Read();
  const ProcessFacts process = ReadProcessFacts();
  steps_.push_back([version = state.version](PrometheusWriter& writer, size_t) {
    writer.Family("vesta_build_info", kGauge, "Always 1; says which version runs.");
    writer.Sample(std::vector<MetricLabel>{{"version", version}}, uint64_t{1});
    return true;
  });
  Single("process_start_time_seconds", kGauge, "Start of the hub, in seconds since 1970.", Seconds(state.started_us));
  Single("process_resident_memory_bytes", kGauge, "Memory that the hub holds.", process.resident_bytes);
  Single("process_cpu_seconds", kCounter, "Processor time that the hub used.",
         Seconds(static_cast<int64_t>(process.cpu_us)));
  Single("process_open_fds", kGauge, "Open files and sockets.", process.open_files);
  Single("vesta_clock_synchronised", kGauge, "1 when the hub's clock can be trusted.",
         uint64_t{now.clock == ClockQuality::kSynchronised ? 1u : 0u});
  Single("vesta_health_status", kGauge, "0 ok, 1 degraded, 2 failing.",
         static_cast<uint64_t>(JudgeHealth(context_).status));

  const JournalHealth& journal = context_.journal_health();
  Single("vesta_journal_last_number", kGauge, "Number of the newest reading taken.", journal.last_number);
  Single("vesta_journal_durable_mark", kGauge, "Every reading up to this number is on disk.", journal.durable_mark);
  Single("vesta_journal_waiting_readings", kGauge, "Readings taken and not on disk yet.", journal.waiting_records);
  Single("vesta_journal_refused_readings", kCounter, "Readings refused because the disk took none for too long.",
         journal.refused_records);
  Single("vesta_journal_refused_frames", kCounter, "Frames that the archive could not take.", journal.refused_frames);
  Single("vesta_store_commits", kCounter, "Group commits.", journal.commits);
  Single("vesta_store_failed_commits", kCounter, "Group commits that failed; they are tried again.",
         journal.failed_commits);
  Single("vesta_samples_stored", kCounter, "Readings made durable by this run.", journal.stored_records);
  steps_.push_back([times = journal.commit_times](PrometheusWriter& writer, size_t) {
    writer.Family("vesta_store_commit_seconds", MetricType::kHistogram, "How long group commits took.");
    writer.Histogram({}, DurationHistogram::kBounds_us, times.counts(), times.sum_us());
    return true;
  });
  if (journal.oldest_us != kNoTime) {
    Single("vesta_store_oldest_timestamp_seconds", kGauge, "Time of the oldest reading kept.",
           Seconds(journal.oldest_us));
  }
  // The configuration is read at the start only.
  Single("vesta_config_last_reload_success", kGauge, "1 when no part of the configuration had to be left out.",
         uint64_t{state.problems.empty() ? 1u : 0u});
  Single("vesta_config_last_reload_timestamp_seconds", kGauge, "When the configuration was read.",
         Seconds(state.started_us));
  Single("vesta_store_last_commit_seconds", kGauge, "How long the newest commit took.",
         Seconds(journal.last_commit_duration_us));
  Single("vesta_store_bytes", kGauge, "Size of the history on disk.", journal.store_bytes);
  Single("vesta_devices", kGauge, "Devices known.", uint64_t{context_.directory.devices().size()});
  Single("vesta_series", kGauge, "Series known.", uint64_t{context_.directory.series().size()});
  Single("vesta_directory_refused", kCounter, "New devices and series refused because the table is full.",
         context_.directory.refused());

  Single("vesta_http_connections", kCounter, "Connections taken.", counters.connections);
  Single("vesta_http_requests", kCounter, "Requests answered.", counters.requests);
  Single("vesta_http_streams", kGauge, "Live streams open.", uint64_t{events.clients()});
  Single("vesta_http_coalesced_changes", kCounter, "Changes that live streams left out because newer ones came.",
         events.coalesced());
  using Count = std::pair<std::string, uint64_t>;
  PerItem("vesta_http_refused", kCounter, "Requests and connections refused.",
          std::make_shared<std::vector<Count>>(counters.refused.begin(), counters.refused.end()),
          [](PrometheusWriter& writer, const Count& count) {
            writer.Sample(std::vector<MetricLabel>{{"reason", count.first}}, count.second);
          });
}

void MetricsBody::AddSources() {
  const auto sources = std::make_shared<std::vector<SourceHealth>>(context_.sources());
  const auto number = [&](std::string name, MetricType type, std::string help, auto value) {
    PerItem("vesta_" + std::move(name), type, std::move(help), sources,
            [value](PrometheusWriter& writer, const SourceHealth& source) {
              writer.Sample(std::vector<MetricLabel>{{"source", source.name}}, value(source));
            });
  };
  const auto by_reason = [&](std::string name, std::string help, auto counts) {
    PerItem("vesta_" + std::move(name), kCounter, std::move(help), sources,
            [counts](PrometheusWriter& writer, const SourceHealth& source) {
              for (const auto& [reason, count] : source.*counts) {
                writer.Sample(std::vector<MetricLabel>{{"source", source.name}, {"reason", reason}}, count);
              }
            });
  };
  const auto sum = [](const std::map<std::string, uint64_t>& counts) {
    uint64_t total = 0;
    for (const auto& count : counts) total += count.second;
    return total;
  };
  number("source_up", kGauge, "1 when the source is open.",
         [](const SourceHealth& s) { return uint64_t{s.state == SourceState::kOpen ? 1u : 0u}; });
  number("source_reconnects", kCounter, "Times that the source was opened again.",
         [](const SourceHealth& s) { return s.opens > 0 ? s.opens - 1 : 0; });
  number("bytes_received", kCounter, "Bytes received.", [](const SourceHealth& s) { return s.bytes; });
  number("frames_received", kCounter, "Frames received, understood or not.",
         [sum](const SourceHealth& s) { return s.frames_accepted + sum(s.frames_rejected) + sum(s.frames_discarded); });
  by_reason("frames_rejected", "Whole frames that were not believed or not understood.",
            &SourceHealth::frames_rejected);
  by_reason("frames_discarded", "Frames that were never whole, and bytes that belong to none.",
            &SourceHealth::frames_discarded);
  number("source_readings", kCounter, "Readings taken.", [](const SourceHealth& s) { return s.readings; });
  number("source_refused_readings", kCounter, "Readings that the journal refused.",
         [](const SourceHealth& s) { return s.refused_readings; });
  number("source_unknown_objects", kCounter, "Objects of understood frames that no table has.",
         [](const SourceHealth& s) { return s.unknown_objects; });
  number("source_refused_connections", kCounter, "Connections that a listening source did not take.",
         [](const SourceHealth& s) { return s.refused_connections; });
  PerItem("vesta_source_events", kCounter, "What the protocol counts beside frames: repairs, duplicates, anomalies.",
          sources, [](PrometheusWriter& writer, const SourceHealth& source) {
            for (const auto& [event, count] : source.counters) {
              writer.Sample(std::vector<MetricLabel>{{"source", source.name}, {"event", event}}, count);
            }
          });
  number("source_pending_frames", kGauge, "Frames understood and not yet durable, of sources that commit each frame.",
         [](const SourceHealth& s) { return s.frames_pending; });
  number("source_refused_frames", kCounter, "Frames refused whole because the disk took none for too long.",
         [](const SourceHealth& s) { return s.frames_refused; });
  const auto committing = std::make_shared<std::vector<SourceHealth>>();
  for (const SourceHealth& source : *sources) {
    if (source.commit_each_frame) committing->push_back(source);
  }
  PerItem("vesta_commit_latency_seconds", MetricType::kHistogram,
          "From a frame's last bytes in hand to the frame on disk, of sources that commit each frame.", committing,
          [](PrometheusWriter& writer, const SourceHealth& source) {
            const std::vector<MetricLabel> labels = {{"source", source.name}};
            writer.Histogram(labels, DurationHistogram::kBounds_us, source.commit.counts(), source.commit.sum_us());
          });
  PerItem("vesta_decode_seconds", MetricType::kHistogram, "From bytes in hand to readings taken.", sources,
          [](PrometheusWriter& writer, const SourceHealth& source) {
            writer.Histogram(std::vector<MetricLabel>{{"source", source.name}}, DurationHistogram::kBounds_us,
                             source.decode.counts(), source.decode.sum_us());
          });
  PerItem("vesta_source_last_frame_timestamp_seconds", kGauge, "When the newest frame came.", sources,
          [](PrometheusWriter& writer, const SourceHealth& source) {
            if (source.last_frame_us == 0) return;
            writer.Sample(std::vector<MetricLabel>{{"source", source.name}}, Seconds(source.last_frame_us));
          });
}

void MetricsBody::AddOutputs() {
  const auto outputs = std::make_shared<std::vector<OutputHealth>>(context_.outputs());
  const auto number = [&](std::string name, MetricType type, std::string help, auto value) {
    PerItem("vesta_output_" + std::move(name), type, std::move(help), outputs,
            [value](PrometheusWriter& writer, const OutputHealth& output) {
              writer.Sample(std::vector<MetricLabel>{{"output", output.name}}, value(output));
            });
  };
  number("up", kGauge, "1 when the output is connected.",
         [](const OutputHealth& o) { return uint64_t{o.connected ? 1u : 0u}; });
  number("connects", kCounter, "Times that the output connected.", [](const OutputHealth& o) { return o.connects; });
  number("accepted", kCounter, "Readings that the output has to hand on.",
         [](const OutputHealth& o) { return o.accepted; });
  number("sent", kCounter, "Readings sent.", [](const OutputHealth& o) { return o.sent; });
  number("acked", kCounter, "Readings that the other side confirmed.",
         [](const OutputHealth& o) { return o.acknowledged; });
  number("backlog_samples", kGauge, "Readings that wait.", [](const OutputHealth& o) { return o.waiting; });
  number("lag_seconds", kGauge, "Age of the oldest reading that was not sent yet.",
         [](const OutputHealth& o) { return Seconds(o.oldest_unsent_age_us); });
  PerItem("vesta_output_failed", kCounter, "Attempts that failed; what they carried is tried again.", outputs,
          [](PrometheusWriter& writer, const OutputHealth& output) {
            for (const auto& [reason, count] : output.failed) {
              writer.Sample(std::vector<MetricLabel>{{"output", output.name}, {"reason", reason}}, count);
            }
          });
  PerItem("vesta_output_dropped", kCounter, "Readings dropped.", outputs,
          [](PrometheusWriter& writer, const OutputHealth& output) {
            for (const auto& [reason, count] : output.dropped) {
              writer.Sample(std::vector<MetricLabel>{{"output", output.name}, {"reason", reason}}, count);
            }
          });
}

void MetricsBody::AddDevices() {
  auto counts = std::make_shared<std::vector<DeviceCounts>>(CountDevices(context_));
  steps_.push_back([counts, &context = context_](PrometheusWriter& writer, size_t) {
    if (counts->empty()) return true;
    writer.Family("vesta_device_readings", kCounter, "Readings of a device by what became of them in this run.");
    for (size_t i = 0; i < counts->size(); ++i) {
      const DeviceCounts& one = (*counts)[i];
      const auto sample = [&](std::string_view state, std::optional<uint64_t> count) {
        const std::string& key = context.directory.devices()[i].key;
        if (count) writer.Sample(std::vector<MetricLabel>{{"device", key}, {"state", state}}, *count);
      };
      sample("received", one.received);
      sample("stored", one.stored);
      sample("delivered", one.delivered);
    }
    return true;
  });
  PerItem("vesta_device_waiting_readings", kGauge, "Readings of a device that wait for the slowest output.", counts,
          [counts, &context = context_](PrometheusWriter& writer, const DeviceCounts& one) {
            const auto index = static_cast<size_t>(&one - counts->data());
            if (!one.waiting) return;
            writer.Sample(std::vector<MetricLabel>{{"device", context.directory.devices()[index].key}}, *one.waiting);
          });
  auto ids = std::make_shared<std::vector<DeviceId>>();
  for (const Device& device : context_.directory.devices()) ids->push_back(device.id);
  const auto per_device = [&](std::string name, std::string help, auto sample) {
    PerItem("vesta_device_" + std::move(name), kGauge, std::move(help), ids,
            [sample, &context = context_](PrometheusWriter& writer, DeviceId id) {
              if (const Device* const device = context.directory.FindDevice(id)) sample(writer, context, *device);
            });
  };
  per_device("info", "Always 1; says what the device is.",
             [](PrometheusWriter& writer, const ApiContext& context, const Device& device) {
               const std::string title = context.device_title(device);
               writer.Sample(std::vector<MetricLabel>{{"device", device.key},
                                                      {"name", title},
                                                      {"place", device.place},
                                                      {"protocol", device.protocol},
                                                      {"kind", DeviceKindName(device.kind)},
                                                      {"manufacturer", device.manufacturer},
                                                      {"model", device.model}},
                             uint64_t{1});
             });
  per_device("up", "1 when the device is heard as often as it should be.",
             [](PrometheusWriter& writer, const ApiContext& context, const Device& device) {
               const bool up = context.live.DeviceAvailability(device.id) == Availability::kOnline;
               writer.Sample(std::vector<MetricLabel>{{"device", device.key}}, uint64_t{up ? 1u : 0u});
             });
  per_device(
      "last_seen_timestamp_seconds", "When the device was heard last.",
      [](PrometheusWriter& writer, const ApiContext& context, const Device& device) {
        const std::optional<int64_t> age_us = DeviceAgeUs(context, device);
        if (!age_us) return;
        writer.Sample(std::vector<MetricLabel>{{"device", device.key}}, Seconds(context.clock.Read().utc_us - *age_us));
      });
}

void MetricsBody::AddReadings() {
  std::map<std::pair<std::string, MetricType>, ReadingFamily> families;
  for (const Series& series : context_.directory.series()) {
    const std::string name = FamilyName(series.field);
    if (name.empty()) continue;
    const MetricType type = series.field.kind == FieldKind::kCounter ? kCounter : kGauge;
    ReadingFamily& family = families[{name, type}];
    if (family.series.empty()) {
      family.name = name;
      family.help = FamilyHelp(series.field);
      family.type = type;
      family.states = series.field.kind == FieldKind::kState;
    }
    family.series.push_back(series.id);
  }
  for (auto& entry : families) {
    const auto family = std::make_shared<ReadingFamily>(std::move(entry.second));
    // Both live in one shared block: the family's texts and its list.
    const std::shared_ptr<std::vector<SeriesId>> ids(family, &family->series);
    PerItem(family->name, family->type, family->help, ids,
            [family, &context = context_](PrometheusWriter& writer, SeriesId id) {
              WriteReading(writer, context, *family, id);
            });
  }
}

void AddMetricsRoutes(Router& router, ApiContext& context, const WebCounters& counters, const EventHub& events) {
  const auto handle = [&context, &counters, &events](const Call& call, std::shared_ptr<Responder> reply) {
    const bool open = call.request.Header("accept").find("application/openmetrics-text") != std::string_view::npos;
    HttpResponse response;
    response.content_type = open ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                 : "text/plain; version=0.0.4; charset=utf-8";
    response.pieces = std::make_shared<MetricsBody>(
        context, counters, events, open ? PrometheusWriter::Form::kOpenMetrics : PrometheusWriter::Form::kText);
    reply->Send(std::move(response));
  };
  router.Add({"GET", "/metrics", Scope::kRead, handle});
  router.Add({"GET", "/api/v1/metrics", Scope::kRead, handle});
}

}  // namespace vesta::hub
