#include "hub/intake/make_session.h"

#include <spdlog/spdlog.h>

#include <string>

#include "hub/intake/gpio_selector.h"
#include "hub/intake/medibus_table.h"
#include "model/calendar.h"
#include "model/hex_digit.h"
#include "protocols/masterbus/session.h"
#include "protocols/medibus/session.h"
#include "protocols/p1/session.h"
#include "protocols/vedirect/multiplexer.h"
#include "protocols/vedirect/session.h"
#include "protocols/victron/keys.h"
#include "protocols/victron/session.h"

namespace vesta::hub {
namespace {

// 32 hex digits, as the configuration was checked to hold; false for an empty secret.
bool ReadKey(const Secret& secret, p1::Key* key) {
  const std::string& hex = secret.Reveal();
  if (hex.size() != 2 * key->size()) return false;
  for (size_t i = 0; i < key->size(); ++i) {
    const int high = HexDigitValue(hex[2 * i]);
    const int low = HexDigitValue(hex[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    (*key)[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

std::unique_ptr<Session> MakeP1Session(const P1Config& config) {
  p1::Options options;
  FindZone(config.zone, &options.zone);
  options.summer_time = config.offset_rule == "calendar" ? p1::SummerTimeRule::kCalendar : p1::SummerTimeRule::kLetter;
  if (config.tariff_rule == "nl") options.tariff_rule = p1::TariffRule::kNl;
  if (config.tariff_rule == "be") options.tariff_rule = p1::TariffRule::kBe;
  if (config.crc == "x25") options.crc = p1::CrcVariant::kX25;
  if (config.crc == "ignore") options.crc = p1::CrcVariant::kIgnore;
  options.max_telegram = config.max_telegram_bytes;
  options.accept_missing_crc = config.accept_missing_crc;
  options.strip_bit7 = config.strip_bit7;
  options.repair_line_ends = config.repair_line_ends;
  options.lenient_end_mark = config.lenient_end_mark;
  options.has_key = ReadKey(config.encryption_key, &options.key);
  options.has_authentication_key = ReadKey(config.authentication_key, &options.authentication_key);
  options.tag_policy = config.check_tag ? p1::TagPolicy::kCheck : p1::TagPolicy::kIgnore;
  return std::make_unique<p1::P1Session>(options);
}

std::unique_ptr<Session> MakeMasterBusSession(const MasterBusConfig& config) {
  masterbus::Options options;
  options.read = config.read;
  options.pace.gap_us = config.read_gap_ms * kUsPerMs;
  options.pace.value_every_us = static_cast<int64_t>(config.read_every_s * static_cast<double>(kUsPerSecond));
  return std::make_unique<masterbus::MasterBusSession>(options);
}

std::unique_ptr<Session> MakeVedirectSession(const VedirectConfig& config) {
  vedirect::Options options;
  options.poll.enabled = config.hex;
  options.poll.interval_us = config.poll_s * kUsPerSecond;
  if (config.select.chip.empty()) return std::make_unique<vedirect::VedirectSession>(options);
  return std::make_unique<vedirect::Multiplexer>(options, config.select.channels, MakeGpioSelector(config.select));
}

// The site's rows, which the session points into.
struct SiteRows {
  explicit SiteRows(MedibusTable rows) : table(std::move(rows)), codes(table.codes()) {}
  const MedibusTable table;
  const medibus::SiteCodes codes;
};

int64_t Microseconds(double seconds) { return static_cast<int64_t>(seconds * kUsPerSecond); }

// Nothing can be said to a device behind a broker, and its node may publish every ten seconds or less often.
constexpr int64_t kBrokerSilence_us = 60 * kUsPerSecond;

std::unique_ptr<Session> MakeMedibusSession(const SourceConfig& source) {
  const MedibusConfig& config = source.medibus;
  medibus::Options options;
  options.passive = config.passive || source.type == "mqtt";
  if (source.type == "mqtt") options.passive_silence_us = kBrokerSilence_us;
  options.link.host_name = config.host_name;
  options.link.cycle_us = Microseconds(config.cycle_s);
  options.link.alarm_period_us = Microseconds(config.alarm_s);
  options.link.response_timeout_us = Microseconds(config.response_timeout_s);
  options.link.realtime_streams = static_cast<uint8_t>(config.realtime_streams);
  if (config.assumed_family == "ventilator") options.assumed_family = medibus::Family::kVentilator;
  if (config.assumed_family == "none") options.assumed_family = medibus::Family::kNone;
  if (config.table_file.empty()) return std::make_unique<medibus::MedibusSession>(options);
  MedibusTable table = MedibusTable::Read(config.table_file);
  for (const std::string& problem : table.problems()) spdlog::warn("source {}: {}", source.name, problem);
  const auto rows = std::make_shared<SiteRows>(std::move(table));
  options.site = &rows->codes;
  options.site_owner = rows;
  return std::make_unique<medibus::MedibusSession>(options);
}

}  // namespace

std::unique_ptr<Session> MakeSession(const SourceConfig& config, const victron::KeyRing* keys) {
  static const victron::KeyRing no_keys;
  if (config.protocol == "p1") return MakeP1Session(config.p1);
  if (config.protocol == "victron") {
    return std::make_unique<victron::BleSession>(keys != nullptr ? keys : &no_keys);
  }
  if (config.protocol == "vedirect") return MakeVedirectSession(config.vedirect);
  if (config.protocol == "medibus") return MakeMedibusSession(config);
  if (config.protocol == "masterbus") return MakeMasterBusSession(config.masterbus);
  return nullptr;
}

masterbus::MasterBusSession* BusOf(const SourceConfig& config, Session* session) {
  return config.protocol == "masterbus" ? static_cast<masterbus::MasterBusSession*>(session) : nullptr;
}

bool IsDatagramProtocol(std::string_view protocol) { return protocol == "victron" || protocol == "nodes"; }

LateDecodeRules LateDecodeRulesOf(std::string_view protocol) {
  if (protocol == "victron") {
    return {{"no_key", "key_mismatch", "foreign_group", "auth_failed", "no_overflow_yet"}, true, {"pv_sum"}};
  }
  const bool again = protocol == "p1" || protocol == "vedirect" || protocol == "medibus";
  return {{}, again, {}};
}

std::unique_ptr<Session> MakeLateSession(const SourceConfig& config, const victron::KeyRing* keys) {
  SourceConfig listening = config;
  listening.medibus.passive = true;
  listening.vedirect.hex = false;
  return MakeSession(listening, keys);
}

}  // namespace vesta::hub
