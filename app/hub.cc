#include "app/hub.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "app/database.h"
#include "app/original_texts.h"
#include "app/whole_file.h"
#include "hub/catalog/catalog.h"
#include "hub/export/exporter.h"
#include "hub/intake/make_session.h"
#include "hub/outputs/mqtt_output.h"
#include "hub/postgres/database_store.h"
#include "hub/sources/mqtt_source.h"
#include "hub/sources/nodes.h"
#include "hub/store/sqlite_store.h"
#include "vesta_version.h"

namespace vesta::app {
namespace {

constexpr auto kTick = std::chrono::seconds(1);
constexpr auto kFarewellLook = std::chrono::milliseconds(20);
constexpr int kFarewellLooks = 125;  // 2.5 s
// The wall clock was set when it moves against the monotonic one by more than this between two ticks.
constexpr int64_t kClockStep_us = 2 * kUsPerSecond;
constexpr const char* kMergedFile = "/merged.json";
constexpr uint64_t kBytesPerMegabyte = 1'000'000;
// The whole archive is bounded at so many full classes (source, verdict, reason).
constexpr uint64_t kArchiveClasses = 4;

hub::ArchivePolicy PolicyOf(const std::string& name) {
  if (name == "all") return hub::ArchivePolicy::kAll;
  return name == "none" ? hub::ArchivePolicy::kNone : hub::ArchivePolicy::kSampled;
}

std::string Where(const hub::SourceConfig& config) {
  if (config.type == "serial") return fmt::format("{} {} Bd {}", config.port, config.baud, config.framing);
  if (config.type == "tcp") return fmt::format("{}:{}", config.host, config.tcp_port);
  if (config.type == "bluetooth") return "BlueZ";
  if (config.type == "udp") return fmt::format("{} UDP port {}", config.listen, config.tcp_port);
  if (config.type == "tcp-listen") return fmt::format("{}:{}", config.listen, config.tcp_port);
  if (config.type == "slcan") return config.port;
  if (config.type == "can") return config.can_interface;
  if (config.type == "can-udp") return fmt::format("{} port {} (UDP)", config.listen, config.tcp_port);
  if (config.type == "nodes" && config.air == "serial") return config.radio_port;
  if (config.type == "nodes" && config.air == "wifi") return config.radio_interface;
  if (config.type == "nodes") return fmt::format("{} UDP port {}", config.listen, config.air_port);
  if (config.type == "mqtt") {
    return fmt::format("{}://{}:{} {}", config.mqtt.tls ? "mqtts" : "mqtt", config.mqtt.host, config.mqtt.port,
                       fmt::join(config.topics, ", "));
  }
  return config.file;
}

// What nodes forward comes through the line of their network.
class NoTransport final : public hub::Source {
 public:
  void Start() override {}
  void Stop() override {}
};

bool IsForwardable(std::string_view protocol) {
  for (const std::string_view one : {"p1", "vedirect", "medibus", "masterbus", "victron"}) {
    if (protocol == one) return true;
  }
  return false;
}

// The field tables of all protocols, for the API.
std::span<const hub::ProtocolFields> ProtocolTables() {
  static const std::vector<hub::ProtocolFields> tables = [] {
    std::vector<hub::ProtocolFields> made;
    for (const hub::ProtocolEntry& protocol : hub::Protocols()) made.push_back({protocol.name, protocol.fields});
    return made;
  }();
  return tables;
}

hub::Retention RetentionOf(const hub::StorageConfig& storage) {
  const auto days = [](uint32_t count) { return count * 86400ll * kUsPerSecond; };
  hub::Retention retention = hub::Retention::Readings(days(storage.keep_days));
  using hub::SeriesClass;
  const std::pair<SeriesClass, std::optional<uint32_t>> classes[] = {
      {SeriesClass::kCounter, storage.keep_counters_days},
      {SeriesClass::kState, storage.keep_states_days},
      {SeriesClass::kDiagnostic, storage.keep_diagnostics_days}};
  for (const auto& [one, keep_days] : classes) {
    if (keep_days) retention.readings_us[static_cast<size_t>(one)] = days(*keep_days);
  }
  retention.rollups_us = {days(storage.keep_minutes_days), days(storage.keep_quarters_days),
                          days(storage.keep_hours_days), 0};
  retention.max_bytes = storage.max_mb * kBytesPerMegabyte;
  return retention;
}

}  // namespace

DataLock::~DataLock() {
  if (fd_ >= 0) close(fd_);
}

tl::expected<void, std::string> DataLock::Take(const std::string& directory) {
  const std::string path = directory + "/lock";
  fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd_ < 0) return tl::unexpected(fmt::format("can't write in {}: {}", directory, std::strerror(errno)));
  if (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    return tl::unexpected(fmt::format("another hub runs on {}: stop it, or choose another data directory", directory));
  }
  return {};
}

tl::expected<std::unique_ptr<Hub>, std::string> Hub::Make(boost::asio::io_context& io, hub::Config config,
                                                          std::vector<std::string> off) {
  std::unique_ptr<Hub> hub(new Hub(io, std::move(config), std::move(off)));
  if (auto opened = hub->Open(); !opened) return tl::unexpected(opened.error());
  return hub;
}

Hub::Hub(boost::asio::io_context& io, hub::Config config, std::vector<std::string> off)
    : io_(io), config_(std::move(config)), off_(std::move(off)), brokers_(io, clock_), tick_(io) {}

Hub::~Hub() {
  for (SourceEntry& entry : sources_) entry.source->Stop();
}

tl::expected<void, std::string> Hub::Open() {
  const Now now = clock_.Read();
  started_us_ = now.utc_us;
  last_tick_ = now;
  std::error_code error;
  std::filesystem::create_directories(config_.storage.directory, error);
  if (error) return tl::unexpected(fmt::format("can't make {}: {}", config_.storage.directory, error.message()));
  if (auto taken = lock_.Take(config_.storage.directory); !taken) return taken;

  hub::SqliteStoreOptions store_options;
  store_options.archive_class_bytes = config_.storage.archive_mb * kBytesPerMegabyte;
  store_options.archive_total_bytes = kArchiveClasses * store_options.archive_class_bytes;
  if (!FindZone(config_.site_zone, &store_options.zone)) off_.push_back("the site's time zone is not known");
  auto store = hub::SqliteStore::Open(config_.storage.directory + "/vesta.db", store_options);
  if (!store) return tl::unexpected(store.error().text);
  store_ = std::move(*store);
  auto restored = store_->Restore();
  if (!restored) return tl::unexpected(restored.error().text);
  directory_.Restore(restored->devices, restored->series);
  ward_ = std::make_unique<Ward>(clock_, directory_, config_);
  ward_->Restore(*restored);

  hub::JournalOptions options;
  options.commit_interval_us = static_cast<int64_t>(config_.storage.commit_s * kUsPerSecond);
  options.commit_records = config_.storage.commit_readings;
  const bool in_database = !config_.storage.url.empty();
  const hub::Retention retention = RetentionOf(config_.storage);
  options.retention = in_database ? hub::postgres::FolderRetention(retention) : retention;
  if (in_database) store_ = WithDatabase(std::move(store_), config_, store_options.zone);
  journal_ = std::make_unique<hub::Journal>(io_, clock_, *store_, directory_, options);
  if (auto opened = journal_->Open(*restored); !opened) return tl::unexpected(opened.error().text);
  ward_->Attach(*journal_);
  if (in_database) {
    auto made = MakeFollower(io_, clock_, *journal_, directory_, config_, store_options.zone, retention);
    if (!made) return tl::unexpected(made.error());
    database_ = std::move(*made);
  }

  live_ = std::make_unique<hub::LiveView>(clock_, directory_);
  live_->Restore(restored->latest);
  ApplyDeviceNames();
  ward_->TellStart(off_);
  LoadKeys();
  buses_ = std::make_unique<BusDesk>(clock_, config_.storage.directory);
  MakeMerged();
  MakeSources();
  MakeOutputs();
  return {};
}

void Hub::LoadKeys() {
  keys_ = std::make_unique<hub::KeyDesk>(config_.storage.directory + "/keys.json", config_.keys_file);
  for (std::string& problem : keys_->Load()) off_.push_back(std::move(problem));
  late_ = std::make_unique<hub::LateDecoder>(io_, *journal_, directory_, *live_);
  keys_->OnKey([this](uint64_t sender) { late_->Run(sender); });
}

// What was heard without a key before the hub stopped, or before a key came into the file; then what was heard by
// another decoder.
void Hub::DecodeLate() {
  for (const hub::KeyEntry& key : keys_->List()) late_->Run(key.id.is_network ? 0 : key.id.address);
  for (const hub::Redecode& one : redecodes_) late_->RunAgain(one);
}

void Hub::MakeSources() {
  nodes_ = std::make_unique<NodeOffice>(clock_, directory_, *live_, *journal_, config_);
  for (const hub::SourceConfig& config : config_.sources) {
    if (!config.enabled) continue;
    if (config.type == "mqtt") {
      sources_.push_back(MakeMqttSource(config));
      continue;
    }
    if (config.type == "nodes") {
      MakeNodesSource(config);
      continue;
    }
    SourceEntry entry;
    entry.line = MakeLine(config, Where(config), "");
    if (entry.line == nullptr) {
      off_.push_back(fmt::format("source {}: no protocol {}", config.name, config.protocol));
      continue;
    }
    entry.source = hub::MakeSource(io_, config, *entry.line);
    sources_.push_back(std::move(entry));
    if (hub::LateDecodeRules rules = hub::LateDecodeRulesOf(config.protocol); rules.again) {
      late_->AddSource(config.name, config.protocol, std::move(rules),
                       [this, config] { return hub::MakeLateSession(config, &keys_->ring()); });
    }
  }
}

std::unique_ptr<hub::SessionLine> Hub::MakeLine(const hub::SourceConfig& config, const std::string& where,
                                                const std::string& sender) {
  return MakeLine(config, where, sender, hub::MakeSession(config, &keys_->ring()));
}

std::unique_ptr<hub::SessionLine> Hub::MakeLine(const hub::SourceConfig& config, const std::string& where,
                                                const std::string& sender, std::unique_ptr<Session> session) {
  if (session == nullptr) return nullptr;
  if (masterbus::MasterBusSession* const bus = hub::BusOf(config, session.get())) buses_->Add(config.name, bus);
  hub::LineOptions options;
  options.source = config.name;
  options.sender = sender;
  options.type = config.type;
  options.protocol = config.protocol;
  options.where = where;
  options.archive = PolicyOf(config.archive);
  options.commit_each_frame = config.commit_each_frame;
  options.datagrams = hub::IsDatagramProtocol(config.protocol);
  if (auto redecode = ward_->BeginDecoder(config, *session)) redecodes_.push_back(std::move(*redecode));
  options.on_port = [this, name = config.name](hub::SourceState state, std::string_view why) {
    ward_->TellPort(name, state, why);
  };
  return std::make_unique<hub::SessionLine>(io_, clock_, std::move(options), std::move(session), directory_, *journal_,
                                            *live_);
}

// A node network, and beside it the lines of what its nodes forward: frames of meters and other devices.
void Hub::MakeNodesSource(const hub::SourceConfig& config) {
  hub::SourceHealth base;
  base.name = config.name + "-forwarded";
  base.type = config.type;
  base.where = "through " + config.name;
  SourceEntry forwarded;
  forwarded.senders =
      std::make_unique<hub::SenderLines>(clock_, std::move(base), [this, config](const std::string& sender) {
        // "protocol sender"
        hub::SourceConfig inner = config;
        inner.name = config.name + "-forwarded";
        inner.protocol = sender.substr(0, sender.find(' '));
        inner.medibus.passive = true;  // the node is the host on that line
        const std::string who = sender.substr(sender.find(' ') + 1);
        return MakeLine(inner, "node " + who, who);
      });
  forwarded.source = std::make_unique<NoTransport>();
  hub::SenderLines* lines = forwarded.senders.get();
  lines->Opening();
  lines->Opened();
  const auto relay = [lines](const hub::RelayedFrame& frame) {
    const std::string protocol = frame.protocol == "ble-advert" ? "victron" : frame.protocol;
    if (!IsForwardable(protocol)) return lines->Reject("unknown_protocol");
    hub::Line* line = lines->For(protocol + " " + frame.sender);
    if (line != nullptr) line->ReceivedFromRelay(frame.bytes, frame.time, frame.is_held_back);
  };
  auto place = std::make_shared<hub::SessionLine*>(nullptr);
  hub::NodeNetwork& network = nodes_->Add(
      config,
      [this, place] {
        boost::asio::post(io_, [this, place] {
          if (*place != nullptr && !stopping_) (*place)->Poke();
        });
      },
      relay);
  SourceEntry entry;
  entry.line = MakeLine(config, Where(config), "", network.MakeSession());
  *place = entry.line.get();
  entry.source = hub::MakeNodesSource(
      io_, config, *entry.line,
      [&network](const hub::AirAddress& address, uint8_t channel) { network.SetAir(address, channel); });
  sources_.push_back(std::move(entry));
  sources_.push_back(std::move(forwarded));
}

Hub::SourceEntry Hub::MakeMqttSource(const hub::SourceConfig& config) {
  hub::SourceHealth base;
  base.name = config.name;
  base.type = config.type;
  base.protocol = config.protocol;
  base.where = Where(config);
  SourceEntry entry;
  entry.senders = std::make_unique<hub::SenderLines>(
      clock_, std::move(base),
      [this, config](const std::string& sender) { return MakeLine(config, "sender " + sender, sender); });
  auto connection = brokers_.ForSource(config.mqtt, config_.hub_id + "-" + config.name);
  entry.source = hub::MakeMqttSource(config, clock_, std::move(connection), *entry.senders,
                                     [this](std::function<void()> done) { journal_->Flush(std::move(done)); });
  return entry;
}

void Hub::MakeMerged() {
  if (config_.merged.empty()) return;
  const std::string path = config_.storage.directory + kMergedFile;
  std::map<std::string, hub::MergedDevice::State> kept;
  if (const auto text = ReadWholeFile(path)) {
    if (auto state = hub::MergedStateFromJson(*text)) {
      kept = std::move(*state);
    } else {
      spdlog::warn("{}: not what was written, so merged counters begin anew", path);
    }
  }
  for (const hub::MergedConfig& config : config_.merged) {
    merged_.push_back(std::make_unique<hub::MergedDevice>(clock_, config, directory_, *live_));
    merged_.back()->Restore(std::move(kept[config.key]));
  }
}

// Which road each field is on, and the offsets of counters: written when a road changed and at the end.
void Hub::KeepMerged() {
  if (merged_.empty()) return;
  std::map<std::string, hub::MergedDevice::State> states;
  for (const auto& merged : merged_) states[merged->key()] = merged->state();
  const std::string path = config_.storage.directory + kMergedFile;
  if (auto written = ReplaceFile(path, hub::MergedStateToJson(states)); !written) spdlog::error("{}", written.error());
}

void Hub::MakeOutputs() {
  const auto name_of = [](const hub::Device& device, const hub::SeriesField& field) {
    return hub::FieldName(device.protocol, field.key);
  };
  for (const hub::OutputConfig& config : config_.outputs) {
    if (!config.enabled) continue;
    if (config.type == "mqtt-original") {
      hub::OriginalOptions options;
      options.text_of = [this](const hub::Device& device, const hub::Series& series, const Value& value) {
        return OriginalTextOf(device, series, value, *buses_);
      };
      options.is_panel_power = IsPanelPower;
      options.app_info = {{"appVersion", kVersion}, {"projectName", "vesta"}};
      outputs_.push_back(std::make_unique<hub::MqttOriginal>(
          io_, clock_, config, hub::HubIdentity{config_.hub_id, config_.hub_name}, *live_, directory_, options));
      continue;
    }
    outputs_.push_back(hub::MakeMqttOutput(io_, clock_, config, {config_.hub_id, config_.hub_name}, *journal_, *live_,
                                           directory_, name_of, hub::DeviceTitle, {}, brokers_.Find(config.mqtt),
                                           nodes_->empty() ? nullptr : nodes_.get()));
  }
}

// Names in the configuration win over names given on the page; a device may be heard long after the start.
void Hub::ApplyDeviceNames() {
  for (const hub::DeviceConfig& named : config_.devices) {
    if (const hub::Device* device = directory_.FindDeviceByKey(named.key)) ApplyDeviceName(*device);
  }
  hub::LiveView::Listener listener;
  listener.device_changed = [this](const hub::Device& device) { ApplyDeviceName(device); };
  naming_ = live_->Listen(std::move(listener));
}

void Hub::ApplyDeviceName(const hub::Device& device) {
  for (const hub::DeviceConfig& named : config_.devices) {
    if (named.key != device.key || (named.name == device.name && named.place == device.place)) continue;
    directory_.SetName(device.id, named.name, named.place);
  }
}

tl::expected<void, std::string> Hub::Start() {
  if (auto listening = StartWeb(); !listening) return listening;
  for (const std::string& part : off_) spdlog::warn("off: {}", part);
  if (database_ != nullptr) database_->Start();
  for (const auto& output : outputs_) output->Start();
  for (SourceEntry& entry : sources_) entry.source->Start();
  DecodeLate();
  ArmTick();
  return {};
}

void Hub::Stop(std::function<void()> done) {
  if (stopping_) return;
  stopping_ = true;
  tick_.cancel();
  for (SourceEntry& entry : sources_) {
    if (entry.line) entry.line->BeginFarewell();
  }
  AwaitFarewells(kFarewellLooks, std::move(done));
}

// A device that is polled is told before its host disappears; that takes two seconds at the most.
void Hub::AwaitFarewells(int looks, std::function<void()> done) {
  const auto said = [](const SourceEntry& entry) { return !entry.line || entry.line->farewell_said(); };
  if (looks == 0 || std::all_of(sources_.begin(), sources_.end(), said)) return StopSources(std::move(done));
  tick_.expires_after(kFarewellLook);
  tick_.async_wait([this, looks, done = std::move(done)](const boost::system::error_code&) mutable {
    AwaitFarewells(looks - 1, std::move(done));
  });
}

void Hub::StopSources(std::function<void()> done) {
  for (SourceEntry& entry : sources_) entry.source->Stop();
  late_->Stop();
  nodes_->Save();
  KeepMerged();
  buses_->Keep();
  // What the sources brought last is made durable first, so that an output that promises every reading may still send
  // it.
  journal_->Flush([this, done = std::move(done)]() mutable { StopOutputs(0, std::move(done)); });
}

void Hub::StopOutputs(size_t index, std::function<void()> done) {
  if (index < outputs_.size()) {
    outputs_[index]->Stop([this, index, done = std::move(done)]() mutable { StopOutputs(index + 1, std::move(done)); });
    return;
  }
  brokers_.Stop([this, done = std::move(done)]() mutable {
    if (database_ == nullptr) return StopWeb(std::move(done));
    database_->Stop([this, done = std::move(done)]() mutable { StopWeb(std::move(done)); });
  });
}

void Hub::StopWeb(std::function<void()> done) {
  const auto close = [this, done = std::move(done)] {
    journal_->Close();
    ward_->TellStop();
    ward_->Close();
    done();
  };
  if (web_ == nullptr) return close();
  web_->Stop(close);
}

tl::expected<void, std::string> Hub::StartWeb() {
  if (!config_.http.enabled) return {};
  hub::ApiContext context = {
      .clock = clock_,
      .directory = directory_,
      .live = *live_,
      .journal_health = [this]() -> const hub::JournalHealth& { return journal_->health(); },
      .query = [this](std::function<void(hub::StoreReader&)> work,
                      std::function<void()> done) { journal_->Query(std::move(work), std::move(done)); },
      .sources = [this] { return SourceHealths(); },
      .outputs = [this] { return OutputHealths(); },
      .unknown_objects =
          [this] {
            std::vector<std::pair<std::string, std::vector<hub::UnknownObject>>> found;
            for (const SourceEntry& entry : sources_) {
              if (entry.senders) {
                found.emplace_back(entry.senders->name(), entry.senders->UnknownObjects());
              } else {
                found.emplace_back(entry.line->health().name, entry.line->UnknownObjects());
              }
            }
            return found;
          },
      .state = [this] { return State(); },
      .shown_series =
          [this](hub::SeriesId series) {
            for (const auto& merged : merged_) {
              if (const hub::SeriesId shown = merged->ShownSeries(series)) return shown;
            }
            return hub::SeriesId{0};
          },
      .rename = [this](hub::DeviceId device, std::string name,
                       std::string place) { return Rename(device, std::move(name), std::move(place)); },
      .protocols = ProtocolTables(),
      .field_name = hub::FieldName,
      .field_description =
          [](std::string_view protocol, std::string_view field) {
            const hub::FieldText* text = hub::FindFieldText(protocol, field);
            return text == nullptr ? std::string_view() : text->description;
          },
      .device_title = hub::DeviceTitle,
      .keys = keys_.get(),
      .heard =
          [this] {
            std::vector<hub::SourceHeard> all;
            for (const SourceEntry& entry : sources_) {
              if (!entry.line) continue;  // messages of a broker bear no radio address
              const hub::SourceHealth& health = entry.line->health();
              all.push_back({health.name, health.protocol, &entry.line->heard()});
            }
            return all;
          },
      .late = [this] { return late_->health(); },
      .make_export = [this](const hub::ExportCall& call) { return MakeExport(call); },
      .ward = ward_->Context(),
      .nodes = nodes_->empty() ? nullptr : nodes_.get(),
      .bus = [this](const std::string& source) { return buses_->Look(source); },
      .redecode = [this](const std::string& source) { return late_->RunAsked(source); },
  };
  auto web = hub::WebServer::Start(io_, config_.http, std::move(context), hub::DashboardAssets());
  if (!web) return tl::unexpected(web.error());
  web_ = std::move(*web);
  page_address_ = web_->address();
  return {};
}

tl::expected<hub::ExportPieces, std::string> Hub::MakeExport(const hub::ExportCall& call) const {
  const auto format = hub::FindExportFormat(call.format);
  if (!format) return tl::unexpected(std::string("format is csv, csv-wide, jsonl, fhir or day-log"));
  hub::ExportRequest request;
  request.format = *format;
  request.from_us = call.from_us;
  request.to_us = call.to_us;
  request.devices = call.devices;
  request.fields = call.fields;
  if (call.pseudonymous) {
    auto key = hub::ReadOrMakeExportKey(config_.storage.directory + "/" + std::string(hub::kExportKeyFile));
    if (!key) return tl::unexpected(key.error());
    request.privacy.emplace(std::move(*key));
  }
  const std::vector<hub::Device> devices(directory_.devices().begin(), directory_.devices().end());
  const std::vector<hub::Series> series(directory_.series().begin(), directory_.series().end());
  auto plan = hub::PlanExport(std::move(request), devices, series);
  if (!plan) return tl::unexpected(plan.error());
  hub::ExportPieces pieces;
  pieces.content_type = hub::MediaType(*format);
  pieces.file_name = fmt::format("{}.{}", config_.hub_id, hub::FileEnding(*format));
  pieces.next = [exporter = std::shared_ptr<hub::Exporter>(hub::MakeExporter(std::move(*plan)))](
                    hub::StoreReader& reader, std::string* out) { return exporter->Next(reader, out); };
  return pieces;
}

hub::HubState Hub::State() const {
  hub::HubState state;
  state.version = kVersion;
  state.started_us = started_us_;
  state.problems = off_;
  if (std::string problem = ward_->Problem(); !problem.empty()) state.problems.push_back(std::move(problem));
  return state;
}

hub::RenameResult Hub::Rename(hub::DeviceId device, std::string name, std::string place) {
  const hub::Device* const known = directory_.FindDevice(device);
  if (known == nullptr) return hub::RenameResult::kNoDevice;
  for (const hub::DeviceConfig& named : config_.devices) {
    if (named.key == known->key) return hub::RenameResult::kNamedByConfiguration;
  }
  if (!directory_.SetName(device, std::move(name), std::move(place))) return hub::RenameResult::kNoDevice;
  live_->AnnounceDevice(device);
  journal_->Flush();
  return hub::RenameResult::kDone;
}

void Hub::ArmTick() {
  tick_.expires_after(kTick);
  tick_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    WatchClock();
    live_->Tick();
    uint64_t revisions = 0;
    for (const auto& merged : merged_) {
      merged->Tick();
      revisions += merged->revision();
    }
    if (revisions != merged_kept_) KeepMerged();
    merged_kept_ = revisions;
    buses_->Tick();
    ArmTick();
  });
}

void Hub::WatchClock() {
  const Now now = clock_.Read();
  const int64_t step_us = (now.utc_us - last_tick_.utc_us) - (now.monotonic_us - last_tick_.monotonic_us);
  if (std::abs(step_us) > kClockStep_us) {
    ++clock_steps_;
    ward_->TellClockStep(step_us);
    spdlog::warn("the wall clock was set by {:+.3f} s; readings keep their order, new ones bear the new time",
                 static_cast<double>(step_us) / kUsPerSecond);
  }
  last_tick_ = now;
}

std::vector<hub::SourceHealth> Hub::SourceHealths() const {
  std::vector<hub::SourceHealth> healths;
  for (const SourceEntry& entry : sources_) {
    healths.push_back(entry.senders ? entry.senders->ReportedHealth() : entry.line->ReportedHealth());
  }
  return healths;
}

std::vector<hub::OutputHealth> Hub::OutputHealths() const {
  std::vector<hub::OutputHealth> healths;
  for (const auto& output : outputs_) {
    for (hub::OutputHealth& health : output->health()) healths.push_back(std::move(health));
  }
  if (database_ != nullptr) healths.push_back(database_->health());
  return healths;
}

std::string Hub::StatusLine() const {
  size_t open = 0;
  for (const SourceEntry& entry : sources_) {
    const hub::SourceState state = entry.senders ? entry.senders->state() : entry.line->health().state;
    open += state == hub::SourceState::kOpen;
  }
  std::string line =
      fmt::format("{} devices, {} of {} sources open", directory_.devices().size(), open, sources_.size());
  for (const hub::OutputHealth& output : OutputHealths()) {
    if (!output.connected) line += fmt::format(", {} away", output.name);
  }
  return line;
}

bool Hub::Progressed() {
  const hub::JournalHealth& health = journal_->health();
  const uint64_t commits = health.commits + health.failed_commits;
  const bool progressed = commits != seen_commits_ || health.waiting_records == 0;
  seen_commits_ = commits;
  return progressed;
}

}  // namespace vesta::app
