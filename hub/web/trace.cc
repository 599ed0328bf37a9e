#include "hub/web/trace.h"

#include "hub/web/api_json.h"
#include "hub/web/json_text.h"
#include "hub/web/ward_json.h"

namespace vesta::hub {
namespace {

// Times on the API have milliseconds: a reading is found by the one that it was shown with.
constexpr int64_t kShownTime_us = kUsPerMs;
constexpr std::string_view kVerdicts[] = {"accepted", "rejected", "discarded"};

std::string_view TimeText(TimeQuality quality) {
  switch (quality) {
    case TimeQuality::kDeviceClock:
      return "the device's own stamp";
    case TimeQuality::kHubSynchronised:
      return "when it arrived, by the hub's clock, which was synchronised";
    case TimeQuality::kHubNotSynchronised:
      return "when it arrived, by the hub's clock, which was not synchronised";
    case TimeQuality::kBackDated:
      return "worked out afterwards";
  }
  return "";
}

void WriteHex(JsonWriter& json, const std::vector<uint8_t>& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const uint8_t byte : bytes) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  json.Text(hex);
}

void WriteReading(JsonWriter& json, const Record& record, const Series& series, const Device& device,
                  const TraceNames& names) {
  json.BeginObject().Key("number").Integer(static_cast<int64_t>(record.number)).Key("series").Integer(series.id);
  json.Key("device").Text(device.key).Key("field").Text(series.field.key);
  json.Key("name").Text(names.field_name ? names.field_name(device.protocol, series.field.key) : series.field.key);
  json.Key("unit").Text(UnitText(series.field.unit)).Key("value");
  WriteFieldValue(json, series.field, record.value);
  // As the wire had it: digits and power of ten, or the code of a state.
  json.Key("mantissa");
  if (record.value.kind() == ValueKind::kDecimal) {
    json.Integer(record.value.decimal().mantissa).Key("exponent").Integer(record.value.decimal().exponent);
  } else {
    json.Null().Key("exponent").Null();
  }
  json.Key("code");
  if (record.value.kind() == ValueKind::kState) {
    json.Integer(record.value.state());
  } else {
    json.Null();
  }
  json.Key("index").Integer(record.index).Key("quality").Text(QualityName(record.quality));
  json.Key("late").Boolean((record.flags & kReadingLate) != 0);
  json.Key("repaired").Boolean((record.flags & kReadingRepaired) != 0).EndObject();
}

void WriteTimes(JsonWriter& json, const Record& record) {
  json.BeginObject().Key("time").Time(record.time_us).Key("received").Time(record.received_us);
  json.Key("quality").Text(TimeQualityName(record.time_quality)).Key("text").Text(TimeText(record.time_quality));
  json.Key("delay_s").Number(Decimal{(record.received_us - record.time_us) / kUsPerMs, -3}).EndObject();
}

void WriteFrame(JsonWriter& json, const Trace& trace) {
  const Record& record = trace.reading.records.front();
  json.BeginObject().Key("state");
  if (!trace.frame) {
    const bool never = record.frame == 0;
    json.Text(never ? "not_kept" : "gone").Key("text");
    json.Text(never ? "the source's archive did not keep this frame (archive is not \"all\", or the disk refused it)"
                    : "the frame was kept and gave way to newer ones when the archive was full (storage.archive_mb)");
    json.Key("id");
    if (never) {
      json.Null();
    } else {
      json.Integer(static_cast<int64_t>(record.frame));
    }
    json.EndObject();
    return;
  }
  const ArchivedFrame& frame = *trace.frame;
  json.Text("kept").Key("text").Text("the bytes as they arrived").Key("id").Integer(static_cast<int64_t>(frame.id));
  json.Key("source").Text(frame.source).Key("received").Time(frame.received_us);
  json.Key("verdict").Text(kVerdicts[static_cast<size_t>(frame.verdict)]).Key("reason").Text(frame.reason);
  json.Key("readings").Integer(static_cast<int64_t>(trace.frame_readings)).Key("hex");
  WriteHex(json, frame.bytes);
  json.Key("printable").Text({reinterpret_cast<const char*>(frame.bytes.data()), frame.bytes.size()}).EndObject();
}

void WriteDecoder(JsonWriter& json, const Trace& trace, const Device& device, const TraceNames& names) {
  const Record& record = trace.reading.records.front();
  const std::string& source = trace.frame ? trace.frame->source : device.source;
  const DecoderEpoch* const epoch = names.decoders == nullptr ? nullptr : names.decoders->Find(source, record.number);
  if (epoch == nullptr) {
    json.Null();  // stored before the hub kept note of it
    return;
  }
  json.BeginObject().Key("source").Text(source).Key("source_known_by").Text(trace.frame ? "frame" : "device");
  json.Key("decoder").Text(epoch->decoder).Key("tables").Text(epoch->tables);
  json.Key("since").Time(epoch->since_us).Key("from_number").Integer(static_cast<int64_t>(epoch->from_number));
  json.EndObject();
}

}  // namespace

tl::expected<Trace, StoreError> FindTrace(StoreReader& reader, const TraceQuery& query) {
  Trace trace;
  tl::expected<RecordBatch, StoreError> found;
  if (query.number != 0) {
    found = reader.ReadJournal(query.number - 1, 1);
    if (found && !found->records.empty() && found->records.front().number != query.number) found->records.clear();
  } else {
    found = reader.ReadRange(query.series, query.time_us, query.time_us + kShownTime_us, 1);
    if (found && found->records.empty()) found = reader.ReadAtOrBefore(query.series, query.time_us);
  }
  if (!found) return tl::unexpected(found.error());
  trace.reading = std::move(*found);
  if (trace.reading.records.empty() || trace.reading.records.front().frame == 0) return trace;
  const FrameId id = trace.reading.records.front().frame;
  auto frames = reader.ReadFrames("", false, id + 1, 1);
  if (!frames) return tl::unexpected(frames.error());
  if (frames->empty() || frames->front().id != id) return trace;
  trace.frame = std::move(frames->front());
  const auto readings = reader.ReadFrameRecords(id);
  if (!readings) return tl::unexpected(readings.error());
  trace.frame_readings = readings->records.size();
  return trace;
}

std::string TraceJson(const Trace& trace, const TraceNames& names) {
  const Record& record = trace.reading.records.front();
  static const Series kNoSeries;
  static const Device kNoDevice;
  const Series* const known = names.directory.FindSeries(record.series);
  const Series& series = known == nullptr ? kNoSeries : *known;
  const Device* const owner = names.directory.FindDevice(series.device);
  const Device& device = owner == nullptr ? kNoDevice : *owner;
  std::string text;
  AppendJson(&text, [&](JsonWriter& json) {
    json.BeginObject().Key("reading");
    WriteReading(json, record, series, device, names);
    json.Key("time");
    WriteTimes(json, record);
    json.Key("bed");
    WriteBed(json, names.places == nullptr ? nullptr : names.places->At(series.device, record.time_us));
    json.Key("frame");
    WriteFrame(json, trace);
    json.Key("decoder");
    WriteDecoder(json, trace, device, names);
    json.EndObject();
  });
  return text;
}

}  // namespace vesta::hub
