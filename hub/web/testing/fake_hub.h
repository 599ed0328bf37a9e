// A hub without sources, journal and disk, for the tests and the fuzzer of the web room: a real directory and a real
// live view, a store reader that answers from memory, and health figures that a test sets.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "hub/store/temporary_store.h"
#include "hub/web/api.h"
#include "hub/web/testing/fake_nodes.h"
#include "hub/web/wire.h"

namespace vesta::hub {

class FakeReader final : public StoreReader {
 public:
  tl::expected<RecordBatch, StoreError> ReadJournal(JournalNumber after, size_t limit) override {
    RecordBatch batch;
    for (const Record& record : history) {
      if (record.number > after && batch.records.size() < limit) batch.Add(record);
    }
    return batch;
  }
  tl::expected<RecordBatch, StoreError> ReadRange(SeriesId series, UtcUs from_us, UtcUs to_us, size_t limit) override {
    if (!failing.empty()) return tl::unexpected(StoreError{StoreErrorKind::kIo, failing});
    RecordBatch batch;
    for (const Record& record : history) {
      const bool inside = record.series == series && record.time_us >= from_us && record.time_us < to_us;
      if (inside && batch.records.size() < limit) batch.Add(record);
    }
    return batch;
  }
  tl::expected<RecordBatch, StoreError> ReadThinned(SeriesId series, UtcUs from_us, UtcUs to_us, size_t max_points,
                                                    uint64_t* total) override {
    ++thinned_reads;
    auto whole = ReadRange(series, from_us, to_us, SIZE_MAX);
    if (!whole) return whole;
    *total = whole->records.size();
    RecordBatch batch;
    const auto less = [](const Record& a, const Record& b) { return a.value.ToDouble() < b.value.ToDouble(); };
    const auto lowest = std::min_element(whole->records.begin(), whole->records.end(), less);
    const auto highest = std::max_element(whole->records.begin(), whole->records.end(), less);
    for (auto it = whole->records.begin(); it != whole->records.end(); ++it) {
      const bool edge = it == whole->records.begin() || it + 1 == whole->records.end();
      if ((edge || it == lowest || it == highest) && batch.records.size() < max_points) batch.Add(*it);
    }
    return batch;
  }
  tl::expected<RecordBatch, StoreError> ReadAtOrBefore(SeriesId series, UtcUs time_us) override {
    RecordBatch batch;
    for (const Record& record : history) {
      if (record.series != series || record.time_us > time_us) continue;
      batch.records.clear();
      batch.Add(record);
    }
    return batch;
  }
  tl::expected<std::vector<RollupBucket>, StoreError> ReadRollups(SeriesId, RollupLevel, UtcUs, UtcUs,
                                                                  size_t) override {
    return std::vector<RollupBucket>();
  }
  tl::expected<std::vector<ArchivedFrame>, StoreError> ReadFrames(const std::string& source, bool rejected_only,
                                                                  FrameId before, size_t limit) override {
    std::vector<ArchivedFrame> found;
    for (auto it = frames.rbegin(); it != frames.rend() && found.size() < limit; ++it) {
      if (!source.empty() && it->source != source) continue;
      if (rejected_only && it->verdict == FrameVerdict::kAccepted) continue;
      if (before == 0 || it->id < before) found.push_back(*it);
    }
    return found;
  }
  tl::expected<std::vector<ArchivedFrame>, StoreError> ReadSelected(const FrameSelection&, size_t) override {
    return std::vector<ArchivedFrame>();
  }
  tl::expected<uint64_t, StoreError> CountSelected(const FrameSelection&) override { return 0; }
  tl::expected<RecordBatch, StoreError> ReadFrameRecords(FrameId frame) override {
    RecordBatch batch;
    for (const Record& record : history) {
      if (record.frame == frame) batch.Add(record);
    }
    return batch;
  }
  tl::expected<std::vector<ArchiveStats>, StoreError> ReadArchiveStats() override {
    return std::vector<ArchiveStats>{{"meter", "crc", frames.size(), 99, 1786429285000000, 1786429286000000}};
  }

  std::vector<Record> history;  // in time order
  std::vector<ArchivedFrame> frames;
  std::string failing;  // not empty: what every range query answers
  size_t thinned_reads = 0;
};

inline constexpr UtcUs kFakeNow_us = 1786429285000000;  // 2026-08-11T06:21:25Z

class FakeHub {
 public:
  explicit FakeHub(boost::asio::io_context& io) : io_(io), clock_(kFakeNow_us), live(clock_, directory) { Fill(); }

  ApiContext Context() {
    return ApiContext{
        clock_,
        directory,
        live,
        [this]() -> const JournalHealth& { return journal; },
        [this](std::function<void(StoreReader&)> work, std::function<void()> done) {
          ++queries;
          if (slow_queries) {
            std::thread([this, work = std::move(work), done = std::move(done)] {
              work(reader);
              PostToMain(io_, done);
            }).detach();
            while (!begun) std::this_thread::yield();
            return;
          }
          if (hold_queries) {
            held.emplace_back(std::move(work), std::move(done));
            return;
          }
          PostToMain(io_, [this, work = std::move(work), done = std::move(done)] {
            work(reader);
            done();
          });
        },
        [this] { return sources; },
        [this] { return outputs; },
        [this] { return unknown_objects; },
        [this] {
          return HubState{"0.1.0", kFakeNow_us - 60 * kUsPerSecond, problems};
        },
        [this](SeriesId series) { return series == merged_series ? shown_series : 0; },
        [this](DeviceId id, std::string name, std::string place) {
          if (named_by_configuration) return RenameResult::kNamedByConfiguration;
          if (!directory.SetName(id, std::move(name), std::move(place))) return RenameResult::kNoDevice;
          live.AnnounceDevice(id);
          return RenameResult::kDone;
        },
        tables_,
        [](std::string_view, std::string_view field) { return "Name of " + std::string(field); },
        [](std::string_view, std::string_view) { return std::string_view("What it means."); },
        [](const Device& device) { return device.name.empty() ? "Electricity meter" : device.name; },
        &keys,
        [this] {
          return std::vector<SourceHeard>{{"radio", "victron", &heard}};
        },
        [] { return LateHealth(); },
        [this](const ExportCall& call) { return MakeExport(call); },
        Ward(),
        &nodes,
        [this](const std::string& source) { return source == "boat" ? std::optional<BusState>(bus) : std::nullopt; },
        [this](const std::string& source) {
          redecoded.push_back(source);
          return source != "nobody";
        },
    };
  }

  // As many lines as export_lines says, a thousand a piece.
  tl::expected<ExportPieces, std::string> MakeExport(const ExportCall& call) const {
    if (call.format == "slow") {
      ExportPieces slow;
      slow.content_type = "text/plain";
      slow.next = [this, left = 3](StoreReader&, std::string* out) mutable -> tl::expected<bool, StoreError> {
        *out += "a piece\n";
        begun = true;
        const size_t size = out->size();
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        if (out->size() != size) touched = true;
        return --left > 0;
      };
      return slow;
    }
    if (call.format != "csv") return tl::unexpected(std::string("no such format"));
    ExportPieces pieces;
    pieces.content_type = "text/csv; charset=utf-8";
    pieces.file_name = "fake.csv";
    pieces.next = [left = export_lines](StoreReader& store,
                                        std::string* out) mutable -> tl::expected<bool, StoreError> {
      if (auto tried = store.ReadRange(1, 0, 1, 1); !tried) return tl::unexpected(tried.error());
      for (int i = 0; i < 1000 && left > 0; ++i, --left) *out += "a line of sixteen\r\n";
      return left > 0;
    };
    return pieces;
  }
  int export_lines = 10;

  WardContext Ward() {
    WardContext ward;
    ward.audit = &audit;
    ward.places = &places;
    ward.decoders = &decoders;
    ward.beds = {"Bed 1", "Bed 2"};
    const auto done = [](const Places::Changed& changed) -> tl::expected<void, std::string> {
      if (!changed) return tl::unexpected(changed.error());
      return {};
    };
    ward.begin_bed = [this, done](DeviceId device, std::string bed, UtcUs begin_us, const std::string& actor) {
      return done(places.Begin(device, std::move(bed), begin_us, actor, clock_.Read().utc_us));
    };
    ward.end_bed = [this, done](DeviceId device, UtcUs end_us, const std::string& actor) {
      return done(places.End(device, end_us, actor, clock_.Read().utc_us));
    };
    ward.taken_by_series = [this]() -> const std::vector<uint64_t>& { return taken; };
    ward.stored_by_series = [this]() -> const std::vector<uint64_t>& { return stored; };
    return ward;
  }

  // A reading that came just now.
  void Hear(SeriesId series, Value value) {
    Record record;
    record.number = ++journal.last_number;
    record.series = series;
    record.time_us = clock_.Read().utc_us;
    record.received_us = record.time_us;
    record.time_quality = TimeQuality::kDeviceClock;
    record.value = value;
    live.Accept(record);
    live.Heard(directory.FindSeries(series)->device);
  }

  ManualClock& clock() { return clock_; }

  TemporaryFolder folder;
  AuditTrail audit{clock_, folder.File(""), {.fsync = false}};
  Places places;
  Decoders decoders;
  FakeNodes nodes;
  std::vector<uint64_t> taken{0, 5, 7, 1};
  std::vector<uint64_t> stored{0, 5, 6, 1};

 private:
  void Fill() {
    static constexpr StateName kStates[] = {{0, "off"}, {3, "bulk"}};
    static constexpr Field kFields[] = {
        {"energy_import_t1", Quantity::kEnergy, Unit::kKilowattHour, 3, FieldKind::kCounter, Pace::kFast, false, {}},
        {"voltage_l1", Quantity::kVoltage, Unit::kVolt, 1, FieldKind::kGauge, Pace::kFast, false, {}},
        {"charge_state", Quantity::kMode, Unit::kNone, 0, FieldKind::kState, Pace::kSlow, false, kStates},
        {"breaker", Quantity::kProblem, Unit::kNone, 0, FieldKind::kFlag, Pace::kSlow, true, {}},
        {"message", Quantity::kMessage, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, false, {}},
        {"gas_volume", Quantity::kGasVolume, Unit::kCubicMetre, 3, FieldKind::kCounter, Pace::kSlow, false, {}},
    };
    static constexpr ProtocolFields kTables[] = {{"p1", kFields}};
    tables_ = kTables;
    DeviceInfo meter;
    meter.identity = "E0044007382246019";
    meter.identity_on_wire = true;
    meter.kind = DeviceKind::kElectricityMeter;
    meter.manufacturer = "ACME";
    meter.model = "M\"1\"<script>";
    meter_id = directory.Resolve("p1", "meter", meter, 0);
    DeviceInfo gas;
    gas.identity = "G0044007382246020";
    gas.kind = DeviceKind::kGasMeter;
    gas_id = directory.Resolve("p1", "meter", gas, meter_id);
    for (size_t i = 0; i < 5; ++i) directory.ResolveSeries(meter_id, kFields[i]);
    directory.ResolveSeries(gas_id, kFields[5]);
    Hear(1, Value::OfDecimal(1234567, -3));
    Hear(2, Value::OfDecimal(23010, -2));
    Hear(3, Value::OfState(3));
    Hear(4, Value::OfState(1));
    Hear(5, Value::OfText("say \"hi\"\n</script>"));
    FillHistory();
    FillHealth();
  }

  void FillHistory() {
    for (int i = 0; i < 20; ++i) {
      Record record;
      record.number = static_cast<JournalNumber>(i + 1);
      record.series = 1;
      record.frame = static_cast<FrameId>(i / 4 + 1);
      record.time_us = kFakeNow_us - (20 - i) * kUsPerSecond;
      record.received_us = record.time_us;
      record.value = Value::OfDecimal(1000 + i * 10, -3);
      record.quality = i == 7 ? ValueQuality::kSuspect : ValueQuality::kOk;
      reader.history.push_back(record);
    }
    for (FrameId id = 1; id <= 70; ++id) {
      ArchivedFrame frame;
      frame.id = id;
      frame.source = "meter";
      frame.received_us = kFakeNow_us;
      frame.verdict = FrameVerdict::kRejected;
      frame.reason = "crc";
      frame.bytes = {'/', 'A', 0x00, 0xFF, '<'};
      reader.frames.push_back(frame);
    }
  }

  void FillHealth() {
    const uint8_t advert[] = {1, 0xC0, 0xFF, 0xEE, 0x11, 0x22, 0x33, 0,    0xB5, 0,
                              9, 0xFF, 0xE1, 0x02, 0x10, 0x02, 0x42, 0xA0, 0x01, 0x62};
    FrameEvent frame;
    frame.verdict = FrameVerdict::kRejected;
    frame.reason = "no_key";
    frame.raw = advert;
    frame.link.sender = 0xC0FFEE112233;
    frame.link.rssi_dbm = -75;
    heard.Add(frame, clock_.Read());
    SourceHealth source;
    source.name = "meter";
    source.type = "serial";
    source.protocol = "p1";
    source.where = "/dev/ttyUSB0";
    source.state = SourceState::kOpen;
    source.state_since_us = kFakeNow_us - 30 * kUsPerSecond;
    source.opens = 3;
    source.bytes = 4711;
    source.frames_accepted = 12;
    source.frames_rejected = {{"crc", 2}};
    source.frames_discarded = {{"noise", 1}};
    source.counters = {{"repaired_bit7", 4}};
    source.refused_connections = 3;
    source.decode.Add(70);
    source.decode.Add(20 * kUsPerSecond);
    source.last_frame_us = kFakeNow_us;
    source.last_frame_monotonic_us = 0;
    source.interval_us = kUsPerSecond;
    sources.push_back(source);
    FillBus();
    OutputHealth output;
    output.name = "broker";
    output.type = "mqtt";
    output.delivery_class = "every reading, at least once, original time";
    output.where = "127.0.0.1:1883";
    output.connected = true;
    output.state_since_us = kFakeNow_us;
    output.dropped = {{"too_old", 1}};
    output.failed = {{"connection", 2}};
    outputs.push_back(output);
  }

  void FillBus() {
    bus.frames_per_second = 7.25;
    bus.frames = 1730;
    bus.roles = {{"announce", 287}, {"value", 196}};
    BusNode node;
    node.address = 0x6F1297;
    node.type = 0x1B;
    node.unique_id = 0x31297;
    node.name = "MSH \"Shunt\" <b>";
    node.online = true;
    node.age_us = 400'000;
    node.possible_askers = {0x50840A};
    node.items.push_back({1, "monitoring", "Battery", "V", "battery_voltage", 12.5, "", 12.25, 12.75, 9, 10, 400'000});
    node.items.push_back({4, "monitoring", "Remaining", "", "", std::nullopt, "", {}, {}, 0, 1, {}});
    bus.nodes.push_back(node);
    bus.commands.push_back({kFakeNow_us, 0x3AF412, 0x38, "Power", 1, 0x50840A});
    bus.absent.push_back({0x7F1297, 100, kFakeNow_us});
    bus.unknown.push_back({0x1234567, true, false, {1, 2, 0xFF}, {2}, false, 7, kFakeNow_us, kFakeNow_us});
  }

  boost::asio::io_context& io_;
  ManualClock clock_;
  std::span<const ProtocolFields> tables_;

 public:
  Directory directory;
  LiveView live;
  FakeReader reader;
  JournalHealth journal;
  KeyDesk keys{folder.File("keys.json"), ""};
  HeardSenders heard;
  BusState bus;
  std::vector<SourceHealth> sources;
  std::vector<OutputHealth> outputs;
  std::vector<std::pair<std::string, std::vector<UnknownObject>>> unknown_objects = {
      {"cupboard", {{"0-0:96.99.9", "(0001)", 3}}}};
  bool named_by_configuration = false;
  std::vector<std::string> redecoded;  // sources
  SeriesId merged_series = 0;          // shows shown_series
  SeriesId shown_series = 0;
  std::vector<std::string> problems;
  DeviceId meter_id = 0;
  DeviceId gas_id = 0;
  size_t queries = 0;
  bool hold_queries = false;
  bool slow_queries = false;                 // on a thread of their own
  mutable std::atomic<bool> begun{false};    // the first piece of it is there
  mutable std::atomic<bool> touched{false};  // an export that was being made
  std::vector<std::pair<std::function<void(StoreReader&)>, std::function<void()>>> held;
};

}  // namespace vesta::hub
