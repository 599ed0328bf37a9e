#include "hub/intake/make_session.h"

#include <spdlog/spdlog.h>

#include <string>

#include "hub/intake/medibus_table.h"
#include "model/calendar.h"
#include "protocols/medibus/session.h"
#include "protocols/p1/session.h"

namespace vesta::hub {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// 32 hex digits, as the configuration was checked to hold; false for an empty secret.
bool ReadKey(const Secret& secret, p1::Key* key) {
  const std::string& hex = secret.Reveal();
  if (hex.size() != 2 * key->size()) return false;
  for (size_t i = 0; i < key->size(); ++i) {
    const int high = HexDigit(hex[2 * i]);
    const int low = HexDigit(hex[2 * i + 1]);
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

// The site's rows live as long as the session that points into them: a base that is made first and ends last.
struct SiteRows {
  MedibusTable table;
  medibus::SiteCodes codes;
};
class SiteMedibusSession final : private SiteRows, public medibus::MedibusSession {
 public:
  SiteMedibusSession(MedibusTable rows, medibus::Options options)
      : SiteRows{std::move(rows), {}}, MedibusSession(WithCodes(this, options)) {}

 private:
  static medibus::Options WithCodes(SiteRows* rows, medibus::Options options) {
    rows->codes = rows->table.codes();
    options.site = &rows->codes;
    return options;
  }
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
  return std::make_unique<SiteMedibusSession>(std::move(table), options);
}

}  // namespace

std::unique_ptr<Session> MakeSession(const SourceConfig& config) {
  if (config.protocol == "p1") return MakeP1Session(config.p1);
  if (config.protocol == "medibus") return MakeMedibusSession(config);
  return nullptr;
}

}  // namespace vesta::hub
