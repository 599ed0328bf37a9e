// From the text of one telegram to what it says: canonical readings, sub-meters, logs, texts.
//
// Decode() reads a telegram once. Ordinary lines (a known code, one number in the usual unit) take a short path;
// everything else goes through the tokenizer of telegram.h, so tolerance has one home. Values keep the digits of the
// wire; units become canonical by powers of ten. The first occurrence of an object counts. Lists (failure log, demand
// history) are only located here and walked by their cursors, since they rarely change. Nothing allocates. Facts:
// reference of the P1 port, sections 5 to 14.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "model/reading.h"
#include "protocols/p1/telegram.h"

namespace vesta::p1 {

// More numbers than the table has rows cannot be accepted, since each field counts once.
inline constexpr size_t kMaxNumbers = 192;
// Room behind the numbers for what the session adds: texts, sub-meters, entries of logs.
inline constexpr size_t kMaxAddedReadings = 192;
inline constexpr size_t kMaxTexts = 32;           // text rows of the table
inline constexpr size_t kMaxChannelReadings = 2;  // a channel may carry 24.2.1 and 24.2.3
inline constexpr size_t kMaxHistoryColumns = 8;

struct TextValue {
  uint16_t field = kNoField;
  bool octets = false;  // hex of text; else as it stands
  std::string_view raw;
};

// One value of a sub-meter with the time at which it was captured.
struct ChannelReading {
  const ObisRow* row = nullptr;
  std::string_view stamp_raw;
  Stamp stamp;
  bool stamped = false;
  bool has_value = false;
  Decimal value;            // in `unit`
  Unit unit = Unit::kNone;  // kNone: missing or unknown
  bool unit_inferred = false;
  bool usable = false;  // value, unit and time are there
  // Of the two-line form only.
  std::string_view status;
  int period_min = -1;
  int count = -1;
  std::string_view source;
};

struct Channel {
  bool seen = false;
  int device_type = -1;  // -1: not told
  bool id_seen = false;
  std::string_view id;
  bool contract_seen = false;
  std::string_view contract;
  int valve = -1;
  int switch_state = -1;
  size_t reading_count = 0;
  std::array<ChannelReading, kMaxChannelReadings> readings;
};

struct DemandMax {
  bool seen = false;
  std::string_view stamp_raw;
  Stamp stamp;
  bool has_value = false;
  Decimal value;
  Unit unit = Unit::kNone;
};

struct Tariff {
  bool seen = false;
  std::string_view raw;
  int number = -1;
};

struct Content {
  Header header;
  bool clock_seen = false;
  std::string_view clock_raw;
  Stamp clock;
  std::string_view version;        // 1-3:0.2.8
  std::string_view emucs_version;  // 0-0:96.1.4
  std::string_view equipment_id;   // the meter's own id by precedence 96.1.1, 42.0.0, 96.1.0, device number
  uint8_t id_rank = 0;
  Tariff tariff;
  bool breaker_seen = false;
  std::string_view breaker_raw;
  bool failure_log_seen = false;
  std::string_view failure_log;
  bool history_seen = false;
  std::string_view history;
  std::array<DemandMax, 2> demand_max;  // import, export
  std::array<Channel, kMaxChannels> channels;
  bool any_channel = false;

  size_t number_count = 0;
  std::array<Reading, kMaxNumbers + kMaxAddedReadings>
      numbers;                     // field, value and quality are set; device and time are the session's
  bool numbers_need_care = false;  // one of them came from a threshold or power-factor row
  size_t text_count = 0;
  std::array<TextValue, kMaxTexts> texts;

  uint32_t objects = 0;
  uint32_t unknown_objects = 0;
  uint32_t units_inferred = 0;
  uint32_t units_mismatched = 0;
  uint32_t values_unreadable = 0;
  uint32_t anomalies = 0;
};

// Hears of objects whose code the table does not have.
class UnknownObjects {
 public:
  virtual ~UnknownObjects() = default;
  virtual void OnUnknownObject(std::string_view code, std::string_view groups) = 0;
};

class Decoder {
 public:
  explicit Decoder(const TimeRules& rules) : rules_(rules) {}

  // `body` runs from '/' to before the end mark. Memory may be read without meaning up to `readable_end`, before which
  // a byte that is no digit must stand behind the body (the end mark, or a zero).
  void Decode(std::string_view body, const char* readable_end, Content* content, UnknownObjects* unknown) const;

  // Adds what the lists have to say to the anomalies.
  void ExamineLists(Content* content) const;

  const TimeRules& rules() const { return rules_; }

 private:
  TimeRules rules_;
};

// 1-0:99.97.0: stamps of ends and durations.
struct FailureEntry {
  std::string_view end_raw;
  Stamp end;
  Decimal duration_s;
};
class FailureLogCursor {
 public:
  FailureLogCursor(std::string_view groups, const TimeRules& rules);
  int declared() const { return declared_; }  // -1: no number
  bool Next(FailureEntry* entry);
  uint32_t anomalies() const { return anomalies_; }

 private:
  GroupCursor cursor_;
  const TimeRules& rules_;
  int declared_ = -1;
  uint32_t anomalies_ = 0;
};

// 0-0:98.1.0: the highest quarter hour of each month, by a list of columns.
struct HistoryEntry {
  std::string_view month_raw;
  Stamp month_end;
  std::string_view peak_raw;
  Stamp peak_at;
  bool has_peak_at = false;
  Decimal value;
  Unit unit = Unit::kNone;
  bool is_export = false;
  uint16_t row = 0;
};
class HistoryCursor {
 public:
  HistoryCursor(std::string_view groups, const TimeRules& rules);
  int declared() const { return declared_; }
  bool standard() const { return standard_; }  // a count, then columns
  size_t column_count() const { return column_count_; }
  std::string_view column(size_t i) const { return columns_[i]; }
  bool Next(HistoryEntry* entry);
  uint32_t anomalies() const { return anomalies_; }  // complete once Next() said false

 private:
  bool StartRow();

  GroupCursor cursor_;
  const TimeRules& rules_;
  int declared_ = -1;
  bool standard_ = false;
  size_t column_count_ = 0;
  std::array<std::string_view, kMaxHistoryColumns> columns_;
  std::string_view pending_;  // first group of the next row
  bool has_pending_ = false;
  size_t column_ = 0;
  bool in_row_ = false;
  HistoryEntry entry_;
  int rows_ = 0;
  uint32_t anomalies_ = 0;
};

// The field and unit that a sub-meter's value belongs to: the unit decides first, then the device type.
uint16_t ChannelField(int device_type, Unit unit);
Unit ChannelUnit(int device_type);
DeviceKind ChannelKind(int device_type, Unit unit);

// Text of hex, or as it stands; at most `capacity` bytes. Hex that spells no printable text stays hex.
size_t DecodeText(const TextValue& value, char* out, size_t capacity);

// "TARIFF 1" and "0001" to 1; -1 when there is no digit.
int TariffNumber(std::string_view text);

// Whether a telegram that says so must carry a CRC: a version object of 4.0 or later, or a Belgian header.
bool PromisesCrc(const Content& content);

}  // namespace vesta::p1
