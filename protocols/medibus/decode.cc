#include "protocols/medibus/decode.h"

#include <algorithm>

#include "protocols/medibus/hash.h"

namespace vesta::medibus {
namespace {

// Plausible for a measured value; flagged outside, never dropped.
constexpr int64_t kColdest_c = 10;
constexpr int64_t kHottest_c = 45;
constexpr Decimal kDeltaTolerance{2, -1};

constexpr uint8_t kSkinPeripheral = 0x65;
constexpr uint8_t kSkinCentral = 0x66;
constexpr uint8_t kSkinDelta = 0xC2;
constexpr uint8_t kBodyWeight = 0xF2;

constexpr uint8_t kTextAirMode = 0x13;
constexpr uint8_t kTextSkinMode = 0x14;
constexpr uint8_t kTextManualMode = 0x3B;
constexpr uint8_t kTextOpenCare = 0x3C;
constexpr uint8_t kTextClosedCare = 0xA5;

bool IsBetween(Decimal value, int64_t low, int64_t high) {
  return Compare(value, {low, 0}) >= 0 && Compare(value, {high, 0}) <= 0;
}

bool IsPlausible(const Field& field, uint8_t code, Decimal value) {
  if (field.unit == Unit::kCelsius && code != kSkinDelta) return IsBetween(value, kColdest_c, kHottest_c);
  if (field.unit == Unit::kPercent && field.quantity == Quantity::kHumidity) return IsBetween(value, 0, 100);
  return true;
}

// Of numbers with one decimal at most, as temperatures have: in tenths.
bool Tenths(const Reading& reading, int64_t* out) {
  if (reading.value.kind() != ValueKind::kDecimal) return false;
  const Decimal d = reading.value.decimal();
  if (d.exponent != 0 && d.exponent != -1) return false;
  *out = d.exponent == 0 ? d.mantissa * 10 : d.mantissa;
  return true;
}

}  // namespace

Reading* Batch::Add(uint16_t device, uint16_t field, Value value, StampedTime time) {
  if (field == kNoField || device == kNoDevice || count_ == kMaxReadings) {
    ++dropped_;
    return nullptr;
  }
  Reading& reading = readings_[count_++];
  reading = Reading();
  reading.device = device;
  reading.field = field;
  reading.value = value;
  reading.time_us = time.time_us;
  reading.time_quality = time.quality;
  if (value.is_none()) reading.quality = ValueQuality::kUnavailable;
  return &reading;
}

void Batch::AppendText(std::string_view text) {
  for (const char c : text) {
    if (pool_used_ == kTextPool) {
      ++texts_cut_;
      return;
    }
    pool_[pool_used_++] = c >= ' ' && c <= '~' ? c : '?';
  }
}

std::string_view Batch::Keep(std::string_view text) {
  BeginText();
  AppendText(text);
  return EndText();
}

void Decoder::SetDevice(uint16_t slot, uint16_t number, Family assumed) {
  slot_ = slot;
  table_.SetDevice(number, assumed);
  for (CodeSet& set : present_) set.Clear();
  for (CodeSet& set : void_) set.Clear();
  alarm_count_ = {};
  alarm_highest_ = {};
  told_texts_ = {};
  told_alarms_ = told_highest_ = -1;
  told_care_ = told_control_ = 0;
  offset_known_ = false;
}

bool Decoder::Decode(uint8_t code, std::string_view payload, const Now& started, Batch* batch) {
  const StampedTime time = ArrivalTime(started);
  switch (static_cast<Request>(code)) {
    case Request::kMeasured1:
      DecodeRecords(Group::kMeasured1, payload, time, batch);
      return true;
    case Request::kMeasured2:
      DecodeRecords(Group::kMeasured2, payload, time, batch);
      return true;
    case Request::kLowLimits1:
      DecodeRecords(Group::kLowLimit1, payload, time, batch);
      return true;
    case Request::kLowLimits2:
      DecodeRecords(Group::kLowLimit2, payload, time, batch);
      return true;
    case Request::kHighLimits1:
      DecodeRecords(Group::kHighLimit1, payload, time, batch);
      return true;
    case Request::kHighLimits2:
      DecodeRecords(Group::kHighLimit2, payload, time, batch);
      return true;
    case Request::kSettings:
      DecodeRecords(Group::kSetting, payload, time, batch);
      return true;
    case Request::kAlarms1:
      DecodeAlarms(Group::kAlarm1, payload, time, batch);
      return true;
    case Request::kAlarms2:
      DecodeAlarms(Group::kAlarm2, payload, time, batch);
      return true;
    case Request::kTexts:
      DecodeTexts(payload, time, batch);
      return true;
    case Request::kDateTime:
      DecodeDateTime(payload, started, time, batch);
      return true;
    case Request::kNop:
    case Request::kInitialise:
    case Request::kIdentify:
    case Request::kRealtimeConfiguration:
    case Request::kRealtimeSelection:
    case Request::kStop:
      return true;
  }
  ++counters_.unknown_responses;
  return false;
}

void Decoder::DecodeRecords(Group group, std::string_view payload, StampedTime time, Batch* batch) {
  const size_t first = batch->readings().size();
  CodeSet& present = present_[static_cast<size_t>(group)];
  CodeSet missing = present;
  CodeSet seen;
  uint16_t repeats = 0;
  RecordReader records(payload, group == Group::kSetting ? RecordKind::kSetting : RecordKind::kData);
  Record record;
  while (records.Next(&record)) {
    if (!record.code_valid) {
      ++counters_.layout_errors;
      continue;
    }
    missing.Remove(record.code);
    const bool repeated = seen.Has(record.code);
    seen.Add(record.code);
    DecodeValue(group, record, repeated ? ++repeats : uint16_t{0}, time, batch);
  }
  if (!records.leftover().empty()) ++counters_.layout_errors;
  missing.ForEach([&](uint8_t code) {
    present.Remove(code);
    batch->Add(slot_, table_.Find(group, code).field, Value::None(), time);
  });
  if (group == Group::kMeasured1 && table_.family() == Family::kIncubator) CheckDelta(first, batch);
}

void Decoder::DecodeValue(Group group, const Record& record, uint16_t index, StampedTime time, Batch* batch) {
  CodeSet& present = present_[static_cast<size_t>(group)];
  const FieldTable::Entry entry = table_.Find(group, record.code);
  if (!entry.known) NoteUnknown(group, record);
  Decimal number;
  const FieldContent content = ReadNumber(record.field, &number);
  Reading* reading = nullptr;
  if (content == FieldContent::kBlank) {
    present.Remove(record.code);
    reading = batch->Add(slot_, entry.field, Value::None(), time);
  } else if (entry.known && entry.format == Format::kDayMonth && group == Group::kMeasured1) {
    uint8_t day = 0;
    uint8_t month = 0;
    if (ReadDayMonth(record.field, &day, &month)) {
      const bool has_weight = present.Has(kBodyWeight);
      const auto date = static_cast<uint16_t>((has_weight ? 0x8000 : 0) | day << 4 | month);
      if (present.Has(record.code) && date == weight_date_) return;  // a text: told when it changes
      weight_date_ = date;
      present.Add(record.code);
      const char text[] = {static_cast<char>('0' + day / 10), static_cast<char>('0' + day % 10), '-',
                           static_cast<char>('0' + month / 10), static_cast<char>('0' + month % 10)};
      reading = batch->Add(slot_, entry.field, Value::OfText(batch->Keep({text, sizeof(text)})), time);
      // Most likely the value after power-up: there is no weight that it belongs to.
      if (reading != nullptr && !has_weight) reading->quality = ValueQuality::kSuspect;
    }
  } else if (entry.known && entry.format == Format::kHourMinute) {
    int64_t minutes = 0;
    if (ReadHourMinute(record.field, &minutes)) {
      reading = batch->Add(slot_, entry.field, Value::OfInteger(minutes), time);
      present.Add(record.code);
    }
  } else if (content == FieldContent::kNumber) {
    reading = batch->Add(slot_, entry.field, Value::OfDecimal(number), time);
    const bool measured = group == Group::kMeasured1 || group == Group::kMeasured2;
    if (reading != nullptr && entry.known && measured && table_.family() == Family::kIncubator &&
        !IsPlausible(table_.fields()[entry.field], record.code, number)) {
      reading->quality = ValueQuality::kOutOfRange;
      ++counters_.values_implausible;
    }
    present.Add(record.code);
  }
  if (reading == nullptr && content != FieldContent::kNumber) {
    // Neither number nor blank: the text itself is all that there is to keep.
    ++counters_.values_unreadable;
    reading = batch->Add(slot_, table_.FindRaw(group, record.code), Value::OfText(batch->Keep(record.field)), time);
    if (present.Has(record.code)) batch->Add(slot_, entry.field, Value::None(), time);
    present.Remove(record.code);
  }
  if (reading != nullptr) reading->index = index;
}

void Decoder::NoteUnknown(Group group, const Record& record) {
  ++counters_.unknown_objects;
  size_t at = 0;
  while (at < unknown_count_ && (unknown_[at].group != group || unknown_[at].code != record.code)) ++at;
  if (at == kMaxUnknownCodes) {
    ++counters_.unknown_codes_dropped;
    return;
  }
  UnknownCode& unknown = unknown_[at];
  if (at == unknown_count_) ++unknown_count_;
  unknown.group = group;
  unknown.code = record.code;
  ++unknown.count;
  unknown.example_size = 0;
  for (const char c : record.field.substr(0, sizeof(unknown.example))) {
    unknown.example[unknown.example_size++] = c >= ' ' && c <= '~' ? c : '?';
  }
}

void Decoder::ReportUnknown(UnknownSink& sink) const {
  for (size_t i = 0; i < unknown_count_; ++i) {
    const UnknownCode& unknown = unknown_[i];
    char code[24];
    const std::string_view group = GroupName(unknown.group);
    size_t n = std::min(group.size(), sizeof(code) - 3);
    std::copy_n(group.data(), n, code);
    code[n++] = ' ';
    code[n++] = "0123456789ABCDEF"[unknown.code >> 4];
    code[n++] = "0123456789ABCDEF"[unknown.code & 0xF];
    sink.Unknown({code, n}, {unknown.example, unknown.example_size}, unknown.count);
  }
}

// The device computes the difference itself: when it does not fit, one of the three is wrong.
void Decoder::CheckDelta(size_t first, Batch* batch) {
  const auto field_of = [this](uint8_t code) { return table_.Find(Group::kMeasured1, code).field; };
  const uint16_t fields[] = {field_of(kSkinPeripheral), field_of(kSkinCentral), field_of(kSkinDelta)};
  int64_t tenths[3] = {};
  bool known[3] = {};
  size_t delta_at = 0;
  const std::span<const Reading> readings = batch->readings();
  for (size_t i = first; i < readings.size(); ++i) {
    for (size_t k = 0; k < 3; ++k) {
      if (readings[i].field != fields[k]) continue;
      known[k] = Tenths(readings[i], &tenths[k]);
      if (k == 2) delta_at = i;
    }
  }
  if (!known[0] || !known[1] || !known[2]) return;
  const int64_t off = tenths[1] - tenths[0] - tenths[2];
  static_assert(kDeltaTolerance.exponent == -1);
  if (off >= -kDeltaTolerance.mantissa && off <= kDeltaTolerance.mantissa) return;
  ++counters_.values_implausible;
  batch->Mark(delta_at, ValueQuality::kSuspect);
}

void Decoder::DecodeAlarms(Group group, std::string_view payload, StampedTime time, Batch* batch) {
  const size_t page = group == Group::kAlarm1 ? 0 : 1;
  CodeSet active;
  alarm_count_[page] = 0;
  alarm_highest_[page] = 0;
  batch->BeginText();
  RecordReader records(payload, RecordKind::kAlarm);
  Record record;
  while (records.Next(&record)) {
    if (record.code_valid) {
      active.Add(record.code);
      if (!table_.Find(group, record.code).known) NoteUnknown(group, record);
    }
    if (!record.code_valid || record.priority == 0) ++counters_.layout_errors;
    if (alarm_count_[page] < UINT8_MAX) ++alarm_count_[page];
    alarm_highest_[page] = std::max(alarm_highest_[page], record.priority);
    if (alarm_count_[page] > 1) batch->AppendText("; ");
    const char priority[] = {static_cast<char>('0' + record.priority / 10),
                             static_cast<char>('0' + record.priority % 10), ' '};
    batch->AppendText(record.priority < 10 ? std::string_view{priority + 1, 2} : std::string_view{priority, 3});
    batch->AppendText(record.code_text);
    batch->AppendText(" ");
    batch->AppendText(Trimmed(record.field));
  }
  if (!records.leftover().empty()) ++counters_.layout_errors;
  TellText(page == 0 ? kAlarmsPage1 : kAlarmsPage2, batch->EndText(), time, batch);
  TellLevels(group, active, time, batch);
  const int count = alarm_count_[0] + alarm_count_[1];
  const int highest = std::max(alarm_highest_[0], alarm_highest_[1]);
  if (count != told_alarms_) batch->Add(slot_, kAlarmsActive, Value::OfInteger(count), time);
  if (highest != told_highest_) batch->Add(slot_, kAlarmHighestPriority, Value::OfInteger(highest), time);
  told_alarms_ = count;
  told_highest_ = highest;
}

void Decoder::DecodeTexts(std::string_view payload, StampedTime time, Batch* batch) {
  CodeSet active;
  bool first = true;
  batch->BeginText();
  TextReader records(payload);
  Record record;
  while (records.Next(&record)) {
    if (record.code_valid) {
      active.Add(record.code);
      if (!table_.Find(Group::kText, record.code).known) NoteUnknown(Group::kText, record);
    } else {
      ++counters_.layout_errors;
    }
    if (!first) batch->AppendText("; ");
    first = false;
    batch->AppendText(record.code_text);
    batch->AppendText(" ");
    batch->AppendText(record.field);
  }
  counters_.layout_errors += records.odd_lengths() + (records.leftover().empty() ? 0 : 1);
  TellText(kTexts, batch->EndText(), time, batch);
  TellLevels(Group::kText, active, time, batch);
  if (table_.family() == Family::kIncubator) TellModes(active, time, batch);
}

void Decoder::TellLevels(Group group, const CodeSet& now_active, StampedTime time, Batch* batch) {
  CodeSet& present = present_[static_cast<size_t>(group)];
  CodeSet& unknown = void_[static_cast<size_t>(group)];
  const auto tell = [&](uint8_t code, uint32_t level) {
    batch->Add(slot_, table_.Find(group, code).field, Value::OfState(level), time);
  };
  now_active.ForEach([&](uint8_t code) {
    if (!present.Has(code)) tell(code, 1);
    unknown.Remove(code);
  });
  present.ForEach([&](uint8_t code) {
    if (!now_active.Has(code)) tell(code, 0);
  });
  // They ended in the gap, nobody knows when.
  unknown.ForEach([&](uint8_t code) { tell(code, 0); });
  unknown.Clear();
  present = now_active;
}

void Decoder::TellModes(const CodeSet& texts, StampedTime time, Batch* batch) {
  const bool open = texts.Has(kTextOpenCare);
  const bool closed = texts.Has(kTextClosedCare);
  const int controls = int{texts.Has(kTextAirMode)} + int{texts.Has(kTextSkinMode)} + int{texts.Has(kTextManualMode)};
  const uint32_t care = open && closed ? kContradiction : open ? kCareOpen : closed ? kCareClosed : 0;
  const uint32_t control = controls > 1                 ? kContradiction
                           : texts.Has(kTextAirMode)    ? kControlAir
                           : texts.Has(kTextSkinMode)   ? kControlSkin
                           : texts.Has(kTextManualMode) ? kControlManual
                                                        : 0;
  TellState(kCareMode, care, &told_care_, time, batch);
  TellState(kControlMode, control, &told_control_, time, batch);
}

void Decoder::TellState(CoreField field, uint32_t state, uint32_t* told, StampedTime time, Batch* batch) {
  if (state == *told) return;
  *told = state;
  Reading* reading = batch->Add(slot_, field, state == 0 ? Value::None() : Value::OfState(state), time);
  if (reading != nullptr && state != 0) reading->quality = ValueQuality::kDerived;
}

void Decoder::TellText(CoreField field, std::string_view text, StampedTime time, Batch* batch) {
  const uint64_t hash = HashOfText(text);
  if (told_texts_[field] == hash) return;
  told_texts_[field] = hash;
  batch->Add(slot_, field, Value::OfText(text), time);
}

void Decoder::DecodeDateTime(std::string_view payload, const Now& started, StampedTime time, Batch* batch) {
  if (payload.empty()) return;
  CivilTime local;
  if (!ReadDateTime(payload, &local)) {
    ++counters_.values_unreadable;
    TellText(kDeviceTime, batch->Keep(payload), time, batch);
    return;
  }
  // Floor: the device's clock shows whole seconds that have passed.
  const int64_t difference_us = CivilToUs(local) - started.utc_us;
  const int64_t offset_s =
      difference_us >= 0 ? difference_us / kUsPerSecond : -((-difference_us + kUsPerSecond - 1) / kUsPerSecond);
  const int64_t moved_s = offset_s > offset_s_ ? offset_s - offset_s_ : offset_s_ - offset_s;
  if (offset_known_ && moved_s > kClockStep_s) CountClockStep(started, batch);
  offset_known_ = true;
  offset_s_ = offset_s;
  batch->Add(slot_, kClockOffset, Value::OfInteger(offset_s), time);
}

void Decoder::CountClockStep(const Now& now, Batch* batch) {
  ++counters_.clock_steps;
  offset_known_ = false;
  batch->Add(slot_, kClockSteps, Value::OfInteger(static_cast<int64_t>(counters_.clock_steps)), ArrivalTime(now));
}

bool Decoder::TellGap(const Now& now, Batch* batch) {
  const StampedTime time = ArrivalTime(now);
  bool more = false;
  for (size_t g = 0; g < kGroups; ++g) {
    const auto group = static_cast<Group>(g);
    const CodeSet codes = present_[g];
    codes.ForEach([&](uint8_t code) {
      if (batch->room() <= kCountOfCoreFields) {
        more = true;
        return;
      }
      present_[g].Remove(code);
      if (group == Group::kAlarm1 || group == Group::kAlarm2 || group == Group::kText) void_[g].Add(code);
      batch->Add(slot_, table_.Find(group, code).field, Value::None(), time);
    });
  }
  if (more) return true;
  const auto tell = [&](CoreField field) { batch->Add(slot_, field, Value::None(), time); };
  if (told_alarms_ >= 0) tell(kAlarmsActive);
  if (told_highest_ >= 0) tell(kAlarmHighestPriority);
  if (told_care_ != 0) tell(kCareMode);
  if (told_control_ != 0) tell(kControlMode);
  for (const CoreField field : {kAlarmsPage1, kAlarmsPage2, kTexts}) {
    if (told_texts_[field] != 0) tell(field);
  }
  told_texts_ = {};
  told_alarms_ = told_highest_ = -1;
  told_care_ = told_control_ = 0;
  alarm_count_ = {};
  alarm_highest_ = {};
  return false;
}

}  // namespace vesta::medibus
