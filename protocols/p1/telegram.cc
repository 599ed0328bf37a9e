#include "protocols/p1/telegram.h"

#include <cstring>

#include "protocols/p1/text.h"

namespace vesta::p1 {
namespace {

constexpr const char* kAnomalyNames[kAnomalyCount] = {
    "no-blank-line",
    "header-nonprintable",
    "line-ending",
    "trailing-space",
    "long-line",
    "junk-line",
    "malformed-line",
    "continuation-line",
    "end-mark-on-data-line",
    "obis-separator",
    "obis-f-suffix",
    "blank-in-group",
    "duplicate-object",
    "unit-missing",
    "unit-spelling",
    "unit-unknown",
    "too-many-digits",
    "timestamp-placeholder",
    "timestamp-invalid",
    "timestamp-ambiguous",
    "timestamp-nonexistent",
    "timestamp-no-dst-letter",
    "timestamp-lowercase",
    "demand-groups-reversed",
    "demand-history-nonstandard",
    "demand-history-count-mismatch",
    "powerlog-empty-group",
    "crc-lowercase",
    "crc-unpadded",
};

constexpr bool IsEol(char c) { return c == '\r' || c == '\n'; }

// Up to three digits at *p; -1 when there are none.
int TakeNumber(const char** p, const char* end) {
  int value = 0;
  const char* start = *p;
  while (*p < end && *p - start < 3 && IsDigit(**p)) value = value * 10 + (*(*p)++ - '0');
  return *p == start ? -1 : value;
}

char* PutNumber(char* out, int value) {
  if (value >= 100) *out++ = static_cast<char>('0' + value / 100);
  if (value >= 10) *out++ = static_cast<char>('0' + value / 10 % 10);
  *out++ = static_cast<char>('0' + value % 10);
  return out;
}

struct ParsedCode {
  const char* end = nullptr;  // null: no code
  int sixth_group = -1;
  bool odd_separator = false;
  size_t size = 0;
  char text[kObisTextSize + 8] = {};
};

// A "-" B ":" C "." D "." E [("."|"*") F], with ":" for "." accepted.
ParsedCode ParseCode(const char* p, const char* end) {
  ParsedCode code;
  int part[5];
  for (int i = 0; i < 5; ++i) {
    if (i > 0) {
      if (p == end) return code;
      const char c = *p++;
      const bool fits = i == 1 ? c == '-' : i == 2 ? c == ':' : c == '.' || c == ':';
      if (!fits) return code;
      if (i > 2 && c == ':') code.odd_separator = true;
    }
    part[i] = TakeNumber(&p, end);
    if (part[i] < 0) return code;
  }
  if (p < end && (*p == '.' || *p == '*')) {
    ++p;
    code.sixth_group = TakeNumber(&p, end);
    if (code.sixth_group < 0) return code;
  }
  char* out = code.text;
  constexpr char kSeparators[] = {'-', ':', '.', '.'};
  for (int i = 0; i < 5; ++i) {
    out = PutNumber(out, part[i]);
    if (i < 4) *out++ = kSeparators[i];
  }
  code.size = static_cast<size_t>(out - code.text);
  code.end = p;
  return code;
}

// "0-0:96.7.19", and "0:96.7.19" as one library's samples have it.
bool LooksLikeObis(std::string_view text) {
  const char* end = text.data() + text.size();
  const ParsedCode code = ParseCode(text.data(), end);
  if (code.end != nullptr) return code.end == end;
  const char* p = text.data();
  for (int i = 0; i < 4; ++i) {
    if (i > 0 && (p == end || *p++ != (i == 1 ? ':' : '.'))) return false;
    if (TakeNumber(&p, end) < 0) return false;
  }
  return p == end;
}

bool ParseNumberWithUnit(std::string_view text, Scalar* out) {
  size_t n = 0;
  if (n < text.size() && text[n] == '-') ++n;
  const size_t first_digit = n;
  while (n < text.size() && (IsDigit(text[n]) || text[n] == '.')) ++n;
  if (n == first_digit || !IsDigit(text[first_digit])) return false;
  std::string_view unit = text.substr(n);
  if (!unit.empty()) {
    const bool star = unit.front() == '*';
    if (star) unit.remove_prefix(1);
    unit = Trim(unit);
    if (!star && FindUnit(unit).unit == Unit::kNone) return false;
  }
  if (!ParseDecimal(text.substr(0, n), &out->number)) return false;
  out->unit = unit;
  return true;
}

bool StampMayLackLetter(Role role) {
  return role == Role::kClock || role == Role::kChannelReading || role == Role::kChannelProfile ||
         role == Role::kDemandMax || role == Role::kDemandHistory || role == Role::kFailureLog;
}

struct UnitName {
  std::string_view lower;
  std::string_view usual;
  Unit unit;
  int8_t power;
};

// Compared without case. Where milli and mega meet ("mw"), the first letter decides in FindUnit.
constexpr UnitName kUnits[] = {
    {"kwh", "kWh", Unit::kKilowattHour, 0},
    {"wh", "Wh", Unit::kKilowattHour, -3},
    {"mwh", "MWh", Unit::kKilowattHour, 3},
    {"kw", "kW", Unit::kKilowatt, 0},
    {"w", "W", Unit::kKilowatt, -3},
    {"mw", "MW", Unit::kKilowatt, 3},
    {"kvarh", "kvarh", Unit::kKilovarHour, 0},
    {"varh", "varh", Unit::kKilovarHour, -3},
    {"mvarh", "Mvarh", Unit::kKilovarHour, 3},
    {"kvar", "kvar", Unit::kKilovar, 0},
    {"var", "var", Unit::kKilovar, -3},
    {"mvar", "Mvar", Unit::kKilovar, 3},
    {"kva", "kVA", Unit::kKilovoltAmpere, 0},
    {"va", "VA", Unit::kKilovoltAmpere, -3},
    {"mva", "MVA", Unit::kKilovoltAmpere, 3},
    {"kvah", "kVAh", Unit::kKilovoltAmpereHour, 0},
    {"vah", "VAh", Unit::kKilovoltAmpereHour, -3},
    {"mvah", "MVAh", Unit::kKilovoltAmpereHour, 3},
    {"v", "V", Unit::kVolt, 0},
    {"kv", "kV", Unit::kVolt, 3},
    {"mv", "MV", Unit::kVolt, 6},
    {"a", "A", Unit::kAmpere, 0},
    {"ma", "mA", Unit::kAmpere, -3},
    {"ka", "kA", Unit::kAmpere, 3},
    {"hz", "Hz", Unit::kHertz, 0},
    {"khz", "kHz", Unit::kHertz, 3},
    {"m3", "m3", Unit::kCubicMetre, 0},
    {"dm3", "dm3", Unit::kCubicMetre, -3},
    {"gj", "GJ", Unit::kGigajoule, 0},
    {"mj", "MJ", Unit::kGigajoule, -3},
    {"kj", "kJ", Unit::kGigajoule, -6},
    {"s", "s", Unit::kSecond, 0},
};
constexpr size_t kMaxUnitSize = 5;
constexpr int kMegaToMilli = -9;

}  // namespace

const char* AnomalyName(uint32_t anomaly) {
  for (int i = 0; i < kAnomalyCount; ++i) {
    if (anomaly == 1u << i) return kAnomalyNames[i];
  }
  return "";
}

Header ParseHeader(std::string_view telegram) {
  Header header;
  size_t n = 0;
  while (n < telegram.size() && !IsEol(telegram[n])) ++n;
  header.raw = telegram.substr(0, n);
  if (n > 1) header.flag = header.raw.substr(1, 3);
  if (n > 4) header.baud = header.raw[4];
  if (n > 5) header.ident = header.raw.substr(5);
  return header;
}

size_t FindEndMark(std::string_view telegram) {
  constexpr size_t kCrcDigits = 4;
  for (size_t digits = 0; digits <= kCrcDigits && digits < telegram.size(); ++digits) {
    const size_t at = telegram.size() - 1 - digits;
    if (telegram[at] == '!') return at;
    if (HexDigitValue(telegram[at]) < 0) break;
  }
  return telegram.size();
}

bool GroupCursor::Next(std::string_view* raw) {
  while (p_ < end_ && (IsEol(*p_) || IsBlank(*p_))) ++p_;
  if (p_ == end_) return false;
  const char* close =
      *p_ == '(' ? static_cast<const char*>(std::memchr(p_, ')', static_cast<size_t>(end_ - p_))) : nullptr;
  if (close == nullptr) {
    ok_ = false;
    return false;
  }
  *raw = std::string_view(p_ + 1, static_cast<size_t>(close - p_ - 1));
  p_ = close + 1;
  return true;
}

Tokenizer::Tokenizer(std::string_view body) : p_(body.data()), end_(body.data() + body.size()) {
  header_ = ParseHeader(body);
  TakeLine();
  if (!IsPrintable(header_.raw)) anomalies_ |= kHeaderNotPrintable;
  if (p_ > body.data() && p_[-1] == '\n' && header_.raw.data() + header_.raw.size() + 1 == p_)
    anomalies_ |= kLineEnding;
  if (p_ == end_) return;
  const char* const second = p_;
  const std::string_view line = TakeLine();
  if (!Trim(line).empty()) {
    anomalies_ |= kNoBlankLine;
    p_ = second;
    line_ = 1;
  } else if (!line.empty()) {
    anomalies_ |= kTrailingSpace;
  }
}

// The text of the line at p_, which then stands behind its end (CR LF, LF or CR).
std::string_view Tokenizer::TakeLine() {
  const char* start = p_;
  const auto* eol = static_cast<const char*>(std::memchr(p_, '\n', static_cast<size_t>(end_ - p_)));
  const char* stop = eol == nullptr ? end_ : eol;
  const auto* cr = static_cast<const char*>(std::memchr(p_, '\r', static_cast<size_t>(stop - p_)));
  if (cr != nullptr) stop = cr;
  p_ = stop;
  if (p_ < end_ && *p_ == '\r') ++p_;
  if (p_ < end_ && *p_ == '\n') ++p_;
  ++line_;
  return std::string_view(start, static_cast<size_t>(stop - start));
}

bool Tokenizer::Next(Object* object) {
  while (p_ < end_) {
    const std::string_view line = TakeLine();
    if (line.empty()) continue;
    if (ParseLine(line, object)) {
      TakeContinuations(object);
      return true;
    }
  }
  return false;
}

bool Tokenizer::ParseLine(std::string_view line, Object* object) {
  if (line.size() > kLongLineSize) anomalies_ |= kLongLine;
  const std::string_view trimmed = Trim(line);
  if (trimmed.size() != line.size()) anomalies_ |= kTrailingSpace;
  if (trimmed.empty()) return false;
  const char* end = trimmed.data() + trimmed.size();
  const ParsedCode code = ParseCode(trimmed.data(), end);
  if (code.end == nullptr || code.end == end || *code.end != '(') {
    anomalies_ |= kJunkLine;
    if (code.end == end) {
      block_ = Block::kAnnounced;
    } else if (trimmed == "(" && block_ == Block::kAnnounced) {
      block_ = Block::kInside;
    } else {
      block_ = trimmed == ")" ? Block::kNone : block_;
    }
    return false;
  }
  if (code.odd_separator) anomalies_ |= kObisSeparator;
  if (code.sixth_group >= 0) anomalies_ |= kObisSixthGroup;
  const std::string_view groups(code.end, static_cast<size_t>(end - code.end));
  GroupCursor cursor(groups);
  std::string_view raw;
  while (cursor.Next(&raw)) {
  }
  if (!cursor.ok() || code.size > kObisTextSize) {
    anomalies_ |= kMalformedLine;
    return false;
  }
  *object = Object();
  std::memcpy(object->code, code.text, code.size);
  object->code_size = code.size;
  object->groups = groups;
  object->row = FindObis(std::string_view(code.text, code.size));
  object->line = line_;
  object->sixth_group = code.sixth_group;
  object->in_block = block_ == Block::kInside;
  return true;
}

void Tokenizer::TakeContinuations(Object* object) {
  for (;;) {
    const char* const saved_p = p_;
    const uint32_t saved_line = line_;
    std::string_view line;
    while (p_ < end_ && line.empty()) line = TakeLine();
    const std::string_view trimmed = Trim(line);
    GroupCursor cursor(trimmed);
    std::string_view raw;
    bool is_continuation = !trimmed.empty() && trimmed.front() == '(';
    while (is_continuation && cursor.Next(&raw)) {
    }
    if (!is_continuation || !cursor.ok()) {
      p_ = saved_p;
      line_ = saved_line;
      return;
    }
    anomalies_ |= kContinuationLine;
    const char* start = object->groups.data();
    object->groups = std::string_view(start, static_cast<size_t>(trimmed.data() + trimmed.size() - start));
  }
}

Scalar Classify(const ObisRow* row, std::string_view raw, const TimeRules& rules) {
  Scalar scalar;
  scalar.raw = raw;
  scalar.text = Trim(raw);
  const std::string_view text = scalar.text;
  if (text.empty()) return scalar;
  const Role role = row == nullptr ? Role::kText : row->role;
  if (role == Role::kOctets || role == Role::kChannelId || role == Role::kChannelContract) {
    scalar.kind = IsHex(text) ? ScalarKind::kOctets : ScalarKind::kText;
    return scalar;
  }
  if (role == Role::kClock && LooksLikeCosemTime(text)) {
    scalar.kind = ScalarKind::kStamp;
    scalar.stamp = ParseCosemTime(text, rules.zone);
    return scalar;
  }
  if (LooksLikeStamp(text) || (StampMayLackLetter(role) && LooksLikeStampWithoutLetter(text))) {
    scalar.kind = ScalarKind::kStamp;
    scalar.stamp = ParseStamp(text, rules.zone, rules.summer_time);
    return scalar;
  }
  if (ParseNumberWithUnit(text, &scalar)) {
    scalar.kind = ScalarKind::kNumber;
    return scalar;
  }
  if (text.front() == '*') return scalar;  // a unit without a number: no value
  scalar.kind = LooksLikeObis(text) ? ScalarKind::kObis : ScalarKind::kText;
  return scalar;
}

uint32_t StampAnomalies(const Stamp& stamp, bool letter_due) {
  uint32_t anomalies = 0;
  switch (stamp.status) {
    case StampStatus::kOk:
      break;
    case StampStatus::kPlaceholder:
      anomalies |= kStampPlaceholder;
      break;
    case StampStatus::kInvalid:
      anomalies |= kStampInvalid;
      break;
    case StampStatus::kAmbiguous:
      anomalies |= kStampAmbiguous;
      break;
    case StampStatus::kNonexistent:
      anomalies |= kStampNonexistent;
      break;
  }
  if (stamp.lower_case) anomalies |= kStampLowerCase;
  if (letter_due && stamp.well_formed && stamp.letter == 0) anomalies |= kStampWithoutLetter;
  return anomalies;
}

UnitScale FindUnit(std::string_view unit) {
  UnitScale scale;
  if (unit.empty() || unit.size() > kMaxUnitSize) return scale;
  char lower[kMaxUnitSize];
  for (size_t i = 0; i < unit.size(); ++i) lower[i] = ToLower(unit[i]);
  const std::string_view key(lower, unit.size());
  for (const UnitName& name : kUnits) {
    if (name.lower != key) continue;
    scale.unit = name.unit;
    scale.power = name.power;
    scale.usual_spelling = name.usual == unit;
    // A small m before W and V is milli; before A it always is, and J comes in mega only.
    const bool mega = name.usual.front() == 'M' && name.unit != Unit::kGigajoule;
    if (mega && unit.front() == 'm') scale.power = static_cast<int8_t>(scale.power + kMegaToMilli);
    return scale;
  }
  return scale;
}

}  // namespace vesta::p1
