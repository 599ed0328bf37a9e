#include "protocols/p1/decode.h"

#include <bit>
#include <cstring>

#include "protocols/p1/text.h"

namespace vesta::p1 {
namespace {

constexpr size_t kMaxFields = 256;
constexpr size_t kMaxRows = 512;
constexpr int kMaxFastDigits = 18;  // what an int64 mantissa holds for certain
constexpr uint64_t kOnes = 0x0101010101010101;
constexpr uint64_t kHighs = 0x8080808080808080;

uint64_t LoadWord(const char* p) {
  uint64_t word;
  std::memcpy(&word, p, sizeof(word));
  return word;
}

// One pass over one telegram.
class Pass {
 public:
  Pass(const TimeRules& rules, std::string_view body, const char* readable_end, Content* content,
       UnknownObjects* unknown)
      : rules_(rules),
        tokenizer_(body),
        end_(body.data() + body.size()),
        readable_end_(readable_end),
        c_(*content),
        unknown_(unknown) {}

  void Run();

 private:
  const char* Quick(const char* p);
  void Handle(const Object& object);
  void HandleRow(const ObisRow& row, std::string_view groups);
  bool First(const ObisRow& row);
  Scalar Group(const ObisRow& row, std::string_view raw);
  void AddNumber(uint16_t field, Decimal value);
  void AddText(const ObisRow& row, std::string_view groups, bool octets);
  void Number(const ObisRow& row, std::string_view groups);
  void Limiter(const ObisRow& row, std::string_view groups);
  void Clock(const ObisRow& row, std::string_view groups);
  void DemandMaximum(const ObisRow& row, std::string_view groups);
  void CurrentLimits(const ObisRow& row, std::string_view groups);
  void Breaker(const ObisRow& row, std::string_view groups);
  void TariffObject(const ObisRow& row, std::string_view groups);
  void ChannelObject(const ObisRow& row, std::string_view groups);
  void Reading24(const ObisRow& row, std::string_view groups, Channel* channel);
  void Profile24(const ObisRow& row, std::string_view groups, Channel* channel);
  void SetChannelValue(const Scalar& scalar, ChannelReading* reading);
  void FinishChannels();
  std::string_view FirstGroup(std::string_view groups);

  const TimeRules& rules_;
  Tokenizer tokenizer_;
  const char* end_;
  const char* readable_end_;
  Content& c_;
  UnknownObjects* unknown_;
  std::bitset<kMaxRows> rows_seen_;
  std::bitset<kMaxFields> fields_seen_;
};

void Pass::Run() {
  c_.header = tokenizer_.header();
  Object object;
  for (;;) {
    const char* p = tokenizer_.position();
    while (const char* next = Quick(p)) p = next;
    tokenizer_.set_position(p);
    if (!tokenizer_.Next(&object)) break;
    Handle(object);
  }
  c_.anomalies |= tokenizer_.anomalies();
  if (c_.any_channel) FinishChannels();
}

// An ordinary line: a known code, groups, CR LF, and no continuation after it. Returns the start of the next line, or
// null when the line wants the tokenizer.
const char* Pass::Quick(const char* p) {
  // The code has at least 9 characters, so the parenthesis that ends it lies in the second word.
  if (readable_end_ - p < 40 || p >= end_ || tokenizer_.in_block()) return nullptr;
  const uint64_t word0 = LoadWord(p);
  uint64_t word1 = LoadWord(p + 8);
  const uint64_t zero_at_parenthesis = word1 ^ (kOnes * '(');
  const uint64_t found = (zero_at_parenthesis - kOnes) & ~zero_at_parenthesis & kHighs;
  if (found == 0) return nullptr;
  const auto code_tail = static_cast<unsigned>(std::countr_zero(found)) / 8;
  word1 &= (uint64_t{1} << (8 * code_tail)) - 1;
  const ObisRow* row = FindObis(word0, word1);
  if (row == nullptr) return nullptr;
  const char* const groups = p + 8 + code_tail;
  const char* q = groups + 1;
  if (row->role == Role::kNumber) {
    uint64_t mantissa = 0;  // wraps when there are too many digits, which is found out below
    const char* const first = q;
    unsigned digit;
    while ((digit = static_cast<uint8_t>(*q) - unsigned{'0'}) <= 9) {
      mantissa = mantissa * 10 + digit;
      ++q;
    }
    int8_t exponent = 0;
    if (*q == '.') {
      const char* const point = ++q;
      while ((digit = static_cast<uint8_t>(*q) - unsigned{'0'}) <= 9) {
        mantissa = mantissa * 10 + digit;
        ++q;
      }
      exponent = static_cast<int8_t>(point - q);
    }
    const ptrdiff_t length = q - first;
    if (row->unit_size != 0) {
      if (*q != '*') return nullptr;
      ++q;
    }
    if (length == 0 || length > kMaxFastDigits || readable_end_ - q < 12) return nullptr;
    if (((LoadWord(q) ^ row->unit_bits) & row->unit_mask) != 0) return nullptr;
    q += row->unit_size + 1;
    if (q[0] != '\r' || q[1] != '\n' || q + 2 > end_ || q[2] == '(' || q[2] == '\r' || q[2] == '\n' || q[2] == ' ') {
      return nullptr;
    }
    ++c_.objects;
    if (First(*row)) AddNumber(row->field, {static_cast<int64_t>(mantissa), exponent});
    return q + 2;
  }
  const auto* eol = static_cast<const char*>(std::memchr(q, '\r', static_cast<size_t>(end_ - q)));
  if (eol == nullptr || eol + 2 > end_ || eol[-1] != ')' || eol[1] != '\n') return nullptr;
  if (eol + 2 < end_ && (eol[2] == '(' || eol[2] == '\r' || eol[2] == '\n' || eol[2] == ' ')) return nullptr;
  if (static_cast<size_t>(eol - p) > kLongLineSize) return nullptr;
  const std::string_view text(groups, static_cast<size_t>(eol - groups));
  // "(a)b)": not a row of groups. Only one group can be told at a glance; longer rows are checked by who reads them.
  if (std::memchr(text.data(), '\n', text.size()) != nullptr) return nullptr;
  if (row->role != Role::kFailureLog && row->role != Role::kDemandHistory) {
    GroupCursor cursor(text);
    std::string_view raw;
    while (cursor.Next(&raw)) {
    }
    if (!cursor.ok()) return nullptr;
  }
  ++c_.objects;
  HandleRow(*row, text);
  return eol + 2;
}

void Pass::Handle(const Object& object) {
  ++c_.objects;
  if (object.row == nullptr) {
    ++c_.unknown_objects;
    if (unknown_ != nullptr) unknown_->OnUnknownObject({object.code, object.code_size}, object.groups);
    GroupCursor cursor(object.groups);
    std::string_view raw;
    while (cursor.Next(&raw)) {
      const Scalar scalar = Classify(nullptr, raw, rules_);
      if (scalar.kind == ScalarKind::kStamp) c_.anomalies |= StampAnomalies(scalar.stamp, false);
    }
    return;
  }
  if (object.in_block) {
    // Month-end values that repeat the live codes: noted, never taken as live.
    if (rows_seen_.test(static_cast<size_t>(object.row - ObisRows().data()))) c_.anomalies |= kDuplicateObject;
    GroupCursor cursor(object.groups);
    std::string_view raw;
    while (cursor.Next(&raw)) Group(*object.row, raw);
    return;
  }
  HandleRow(*object.row, object.groups);
}

bool Pass::First(const ObisRow& row) {
  const auto index = static_cast<size_t>(&row - ObisRows().data());
  if (rows_seen_.test(index)) {
    c_.anomalies |= kDuplicateObject;
    return false;
  }
  rows_seen_.set(index);
  return true;
}

// Classifies one group and notes what is odd about it.
Scalar Pass::Group(const ObisRow& row, std::string_view raw) {
  const Scalar scalar = Classify(&row, raw, rules_);
  if (scalar.text.size() != raw.size()) c_.anomalies |= kBlankInGroup;
  if (scalar.kind == ScalarKind::kStamp) {
    c_.anomalies |= StampAnomalies(scalar.stamp, row.role == Role::kClock || row.role == Role::kDemandMax);
  } else if (scalar.kind == ScalarKind::kNumber && !scalar.unit.empty()) {
    if (scalar.unit.size() + 1 < scalar.text.size() && scalar.unit.data()[-1] == ' ') c_.anomalies |= kBlankInGroup;
    const UnitScale scale = FindUnit(scalar.unit);
    if (scale.unit == Unit::kNone) {
      c_.anomalies |= kUnitUnknown;
    } else if (!scale.usual_spelling) {
      c_.anomalies |= kUnitSpelling;
    }
  }
  return scalar;
}

std::string_view Pass::FirstGroup(std::string_view groups) {
  GroupCursor cursor(groups);
  std::string_view raw;
  cursor.Next(&raw);
  return raw;
}

void Pass::AddNumber(uint16_t field, Decimal value) {
  if (fields_seen_.test(field)) return;
  fields_seen_.set(field);
  if (c_.number_count == kMaxNumbers) return;
  Reading& reading = c_.numbers[c_.number_count++];
  reading.field = field;
  reading.index = 0;
  reading.quality = ValueQuality::kOk;
  reading.flags = 0;
  reading.value = Value::OfDecimal(value);
}

void Pass::AddText(const ObisRow& row, std::string_view groups, bool octets) {
  if (row.field == kNoField || fields_seen_.test(row.field) || c_.text_count == kMaxTexts) return;
  fields_seen_.set(row.field);
  TextValue& text = c_.texts[c_.text_count++];
  text.field = row.field;
  text.octets = octets;
  text.raw = Trim(groups);
}

void Pass::HandleRow(const ObisRow& row, std::string_view groups) {
  if (row.channel != 0) {
    ChannelObject(row, groups);
    return;
  }
  if (!First(row)) {
    GroupCursor cursor(groups);
    std::string_view raw;
    while (cursor.Next(&raw)) Group(row, raw);
    return;
  }
  switch (row.role) {
    case Role::kThreshold:
    case Role::kPowerFactor:
      c_.numbers_need_care = true;
      Number(row, groups);
      break;
    case Role::kNumber:
      Number(row, groups);
      break;
    case Role::kLimiter:
      c_.numbers_need_care = true;
      Limiter(row, groups);
      break;
    case Role::kText: {
      // One group is a text; several (a profile) stay as they were sent.
      GroupCursor cursor(groups);
      std::string_view raw;
      std::string_view more;
      cursor.Next(&raw);
      if (cursor.Next(&more)) {
        AddText(row, groups, false);
      } else {
        AddText(row, raw, false);
        const uint8_t rank = row.field == kKnown.device_number ? 1 : 0;
        if (rank > c_.id_rank && !Trim(raw).empty()) {
          c_.id_rank = rank;
          c_.equipment_id = Trim(raw);
        }
      }
      break;
    }
    case Role::kOctets: {
      const Scalar scalar = Group(row, FirstGroup(groups));
      AddText(row, scalar.raw, scalar.kind == ScalarKind::kOctets);
      // Which object names the meter: 96.1.1, else 42.0.0, else 96.1.0, else the device number.
      const uint8_t rank = row.field == kKnown.equipment_id          ? 4
                           : row.field == kKnown.logical_device_name ? 3
                           : row.field == kKnown.serial_number       ? 2
                                                                     : 0;
      if (rank > c_.id_rank && !scalar.text.empty()) {
        c_.id_rank = rank;
        c_.equipment_id = scalar.text;
      }
      if (row.field == kKnown.emucs_version) c_.emucs_version = scalar.text;
      break;
    }
    case Role::kClock:
      Clock(row, groups);
      break;
    case Role::kVersion:
      c_.version = Trim(FirstGroup(groups));
      AddText(row, c_.version, false);
      break;
    case Role::kTariff:
      TariffObject(row, groups);
      break;
    case Role::kBreaker:
      Breaker(row, groups);
      break;
    case Role::kFailureLog:
      c_.failure_log_seen = true;
      c_.failure_log = groups;
      break;
    case Role::kDemandMax:
      DemandMaximum(row, groups);
      break;
    case Role::kDemandHistory:
      c_.history_seen = true;
      c_.history = groups;
      break;
    case Role::kCurrentLimits:
      CurrentLimits(row, groups);
      break;
    default:
      break;
  }
}

void Pass::Number(const ObisRow& row, std::string_view groups) {
  const Scalar scalar = Group(row, FirstGroup(groups));
  if (scalar.kind != ScalarKind::kNumber) {
    if (!scalar.text.empty()) ++c_.values_unreadable;
    if (!scalar.text.empty() && IsDigit(scalar.text.front())) c_.anomalies |= kTooManyDigits;
    return;
  }
  const Unit wanted = Fields()[row.field].unit;
  if (scalar.unit.empty()) {
    if (wanted != Unit::kNone && scalar.number.mantissa != 0) ++c_.units_inferred;
    AddNumber(row.field, scalar.number);
    return;
  }
  const UnitScale scale = FindUnit(scalar.unit);
  if (scale.unit != wanted) {
    ++c_.units_mismatched;
    return;
  }
  AddNumber(row.field, Scale(scalar.number, scale.power));
}

void Pass::Limiter(const ObisRow& row, std::string_view groups) {
  const Scalar scalar = Group(row, FirstGroup(groups));
  if (scalar.kind != ScalarKind::kNumber) return;
  const UnitScale scale = FindUnit(scalar.unit);
  const Decimal value = Scale(scalar.number, scale.power);
  if (scale.unit == Unit::kKilovoltAmpere) {
    AddNumber(kKnown.limiter_threshold_kva, value);
  } else if (scale.unit == Unit::kAmpere) {
    AddNumber(kKnown.limiter_threshold_a, value);
  } else {
    Number(row, groups);
  }
}

void Pass::Clock(const ObisRow& row, std::string_view groups) {
  const Scalar scalar = Group(row, FirstGroup(groups));
  if (c_.clock_seen) return;
  c_.clock_seen = true;
  c_.clock_raw = scalar.raw;
  c_.clock = scalar.kind == ScalarKind::kStamp ? scalar.stamp : Stamp();
}

void Pass::DemandMaximum(const ObisRow& row, std::string_view groups) {
  DemandMax& max = c_.demand_max[row.field == kKnown.demand_max_month ? 0 : 1];
  if (max.seen) return;
  GroupCursor cursor(groups);
  std::string_view raw;
  while (cursor.Next(&raw)) {
    const Scalar scalar = Group(row, raw);
    if (scalar.kind == ScalarKind::kStamp) {
      if (max.has_value) c_.anomalies |= kDemandGroupsReversed;
      max.stamp_raw = scalar.raw;
      max.stamp = scalar.stamp;
      max.seen = true;
    } else if (scalar.kind == ScalarKind::kNumber) {
      const UnitScale scale = FindUnit(scalar.unit);
      max.has_value = true;
      max.unit = scale.unit;
      max.value = Scale(scalar.number, scale.power);
      max.seen = true;
    }
  }
}

void Pass::CurrentLimits(const ObisRow& row, std::string_view groups) {
  GroupCursor cursor(groups);
  std::string_view raw;
  uint16_t field = kKnown.current_limit_import;
  while (cursor.Next(&raw)) {
    // Slovenia prints both in one group.
    while (!raw.empty()) {
      const size_t comma = raw.find(',');
      const Scalar scalar = Group(row, raw.substr(0, comma));
      raw = comma == std::string_view::npos ? std::string_view() : raw.substr(comma + 1);
      if (scalar.kind != ScalarKind::kNumber || field > kKnown.current_limit_export) continue;
      const UnitScale scale = FindUnit(scalar.unit);
      if (scale.unit == Unit::kAmpere || scalar.unit.empty()) AddNumber(field, Scale(scalar.number, scale.power));
      field = field == kKnown.current_limit_import ? kKnown.current_limit_export : kNoField;
    }
  }
}

void Pass::Breaker(const ObisRow& row, std::string_view groups) {
  const Scalar scalar = Group(row, FirstGroup(groups));
  if (scalar.text.empty() || c_.breaker_seen) return;
  c_.breaker_seen = true;
  c_.breaker_raw = scalar.raw;
  int state = SmallNumber(scalar);
  if (scalar.text == "ON" || scalar.text == "on") state = 1;
  if (scalar.text == "OFF" || scalar.text == "off") state = 0;
  if (state < 0) return;
  AddNumber(row.field, {state, 0});
  if (c_.number_count > 0) c_.numbers[c_.number_count - 1].value = Value::OfState(static_cast<uint32_t>(state));
}

void Pass::TariffObject(const ObisRow& row, std::string_view groups) {
  const Scalar scalar = Group(row, FirstGroup(groups));
  if (c_.tariff.seen || scalar.text.empty()) return;
  c_.tariff.seen = true;
  c_.tariff.raw = scalar.raw;
  c_.tariff.number = TariffNumber(scalar.text);
}

void Pass::ChannelObject(const ObisRow& row, std::string_view groups) {
  Channel& channel = c_.channels[row.channel - 1];
  c_.any_channel = true;
  channel.seen = true;
  if (!First(row)) return;
  switch (row.role) {
    case Role::kChannelType:
      channel.device_type = SmallNumber(Group(row, FirstGroup(groups)));
      break;
    case Role::kChannelId: {
      const Scalar scalar = Group(row, FirstGroup(groups));
      channel.id_seen = true;
      if (channel.id.empty()) channel.id = scalar.text;
      break;
    }
    case Role::kChannelContract:
      channel.contract_seen = true;
      channel.contract = Group(row, FirstGroup(groups)).text;
      break;
    case Role::kChannelValve:
      channel.valve = SmallNumber(Group(row, FirstGroup(groups)));
      break;
    case Role::kChannelSwitch:
      channel.switch_state = SmallNumber(Group(row, FirstGroup(groups)));
      break;
    case Role::kChannelReading:
      Reading24(row, groups, &channel);
      break;
    case Role::kChannelProfile:
      Profile24(row, groups, &channel);
      break;
    default:
      break;
  }
}

void Pass::SetChannelValue(const Scalar& scalar, ChannelReading* reading) {
  reading->has_value = true;
  reading->value = scalar.number;
  if (scalar.unit.empty()) return;
  const UnitScale scale = FindUnit(scalar.unit);
  reading->unit = scale.unit;
  reading->value = Scale(scalar.number, scale.power);
}

void Pass::Reading24(const ObisRow& row, std::string_view groups, Channel* channel) {
  if (channel->reading_count == kMaxChannelReadings) return;
  ChannelReading& reading = channel->readings[channel->reading_count++];
  reading = ChannelReading();
  reading.row = &row;
  GroupCursor cursor(groups);
  std::string_view raw;
  while (cursor.Next(&raw)) {
    const Scalar scalar = Group(row, raw);
    if (scalar.kind == ScalarKind::kStamp && !reading.stamped) {
      reading.stamped = true;
      reading.stamp_raw = scalar.raw;
      reading.stamp = scalar.stamp;
    } else if (scalar.kind == ScalarKind::kNumber && !reading.has_value) {
      SetChannelValue(scalar, &reading);
    }
  }
  if (reading.has_value && reading.unit == Unit::kNone) c_.anomalies |= kUnitMissing;
}

// (stamp)(status)(period)(count)(quantity)(unit)(value), perhaps over two lines.
void Pass::Profile24(const ObisRow& row, std::string_view groups, Channel* channel) {
  if (channel->reading_count == kMaxChannelReadings) return;
  ChannelReading& reading = channel->readings[channel->reading_count++];
  reading = ChannelReading();
  reading.row = &row;
  GroupCursor cursor(groups);
  std::string_view raw;
  UnitScale scale;
  for (int i = 0; cursor.Next(&raw); ++i) {
    const Scalar scalar = Group(row, raw);
    if (i == 0 && scalar.kind == ScalarKind::kStamp) {
      reading.stamped = true;
      reading.stamp_raw = scalar.raw;
      reading.stamp = scalar.stamp;
    } else if (i == 1) {
      reading.status = scalar.raw;
    } else if (i == 2) {
      reading.period_min = SmallNumber(scalar);
    } else if (i == 3) {
      reading.count = SmallNumber(scalar);
    } else if (i == 4) {
      reading.source = scalar.raw;
    } else if (i == 5) {
      scale = FindUnit(scalar.text);
    } else if (i == 6 && scalar.kind == ScalarKind::kNumber) {
      SetChannelValue(scalar, &reading);
      if (reading.unit == Unit::kNone && scale.unit != Unit::kNone) {
        reading.unit = scale.unit;
        reading.value = Scale(scalar.number, scale.power);
      }
    }
  }
  if (reading.has_value && reading.unit == Unit::kNone) c_.anomalies |= kUnitMissing;
}

// The documents ask for the device type first, meters do not: units can only be inferred when all is read.
void Pass::FinishChannels() {
  for (Channel& channel : c_.channels) {
    for (size_t i = 0; i < channel.reading_count; ++i) {
      ChannelReading& r = channel.readings[i];
      const bool timed = !r.stamped || r.stamp.has_time();
      if (r.has_value && r.unit == Unit::kNone && timed && r.value.mantissa != 0) {
        r.unit = ChannelUnit(channel.device_type);
        r.unit_inferred = r.unit != Unit::kNone;
        if (r.unit_inferred) ++c_.units_inferred;
      }
      r.usable = r.has_value && timed && ChannelField(channel.device_type, r.unit) != kNoField;
    }
  }
}

}  // namespace

void Decoder::Decode(std::string_view body, const char* readable_end, Content* content, UnknownObjects* unknown) const {
  Content& c = *content;
  c.clock_seen = false;
  c.clock_raw = {};
  c.clock = Stamp();
  c.version = {};
  c.emucs_version = {};
  c.equipment_id = {};
  c.id_rank = 0;
  c.tariff = Tariff();
  c.breaker_seen = false;
  c.breaker_raw = {};
  c.failure_log_seen = false;
  c.failure_log = {};
  c.history_seen = false;
  c.history = {};
  c.demand_max = {};
  if (c.any_channel) {
    for (Channel& channel : c.channels) channel = Channel();
  }
  c.any_channel = false;
  c.number_count = 0;
  c.numbers_need_care = false;
  c.text_count = 0;
  c.objects = 0;
  c.unknown_objects = 0;
  c.units_inferred = 0;
  c.units_mismatched = 0;
  c.values_unreadable = 0;
  c.anomalies = 0;
  Pass(rules_, body, readable_end, content, unknown).Run();
}

}  // namespace vesta::p1
