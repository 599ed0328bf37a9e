#include "protocols/medibus/fields.h"

#include <algorithm>

#include "protocols/medibus/link.h"

namespace vesta::medibus {
namespace {

constexpr StateName kLinkStates[] = {
    {static_cast<uint32_t>(LinkState::kOk), "ok"},
    {static_cast<uint32_t>(LinkState::kStarting), "starting"},
    {static_cast<uint32_t>(LinkState::kSilent), "silent"},
    {static_cast<uint32_t>(LinkState::kLineClosed), "line_closed"},
    {static_cast<uint32_t>(LinkState::kStopped), "stopped"},
    {static_cast<uint32_t>(LinkState::kRejected), "rejected"},
    {static_cast<uint32_t>(LinkState::kReplaced), "replaced"},
};
constexpr StateName kCareModes[] = {{kCareOpen, "open"}, {kCareClosed, "closed"}, {kContradiction, "contradiction"}};
constexpr StateName kControlModes[] = {
    {kControlAir, "air"}, {kControlSkin, "skin"}, {kControlManual, "manual"}, {kContradiction, "contradiction"}};
constexpr StateName kBreathPhases[] = {{kBreathInspiration, "inspiration"}, {kBreathExpiration, "expiration"}};

constexpr Field kCore[] = {
    {"link_state", Quantity::kMode, Unit::kNone, 0, FieldKind::kState, Pace::kSlow, false, kLinkStates},
    {"code_table", Quantity::kIdentifier, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, true},
    {"device_clock_offset", Quantity::kDuration, Unit::kSecond, 0, FieldKind::kGauge, Pace::kSlow, true},
    {"device_clock_steps", Quantity::kCount, Unit::kNone, 0, FieldKind::kGauge, Pace::kSlow, true},
    {"device_time", Quantity::kMessage, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, true},
    {"alarms_active", Quantity::kCount, Unit::kNone, 0, FieldKind::kGauge, Pace::kSlow, false},
    {"alarm_highest_priority", Quantity::kLevel, Unit::kNone, 0, FieldKind::kGauge, Pace::kSlow, false},
    {"alarms_p1", Quantity::kMessage, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, false},
    {"alarms_p2", Quantity::kMessage, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, false},
    {"texts", Quantity::kMessage, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, false},
    {"care_mode", Quantity::kMode, Unit::kNone, 0, FieldKind::kState, Pace::kSlow, false, kCareModes},
    {"control_mode", Quantity::kMode, Unit::kNone, 0, FieldKind::kState, Pace::kSlow, false, kControlModes},
    {"breath_phase", Quantity::kMode, Unit::kNone, 0, FieldKind::kState, Pace::kFast, false, kBreathPhases},
};
static_assert(std::size(kCore) == kCountOfCoreFields);

constexpr size_t kMaxStatic = 320;  // the built-in table has some 250 rows

struct StaticFields {
  std::array<Field, kMaxStatic> fields;
  size_t count = 0;
};

StaticFields MakeStatic() {
  StaticFields made;
  for (const Field& field : kCore) made.fields[made.count++] = field;
  for (const CodeRow& row : BuiltInCodes()) {
    if (made.count < kMaxStatic) made.fields[made.count++] = row.field;
  }
  return made;
}

bool IsAlarm(Group group) { return group == Group::kAlarm1 || group == Group::kAlarm2; }

class Key {
 public:
  Key& Add(std::string_view text) {
    const size_t n = std::min(text.size(), sizeof(text_) - size_);
    std::copy_n(text.data(), n, text_ + size_);
    size_ += n;
    return *this;
  }
  Key& AddHex(uint8_t byte) {
    const char digits[] = {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 0xF]};
    return Add({digits, 2});
  }
  std::string_view view() const { return {text_, size_}; }

 private:
  char text_[31] = {};
  size_t size_ = 0;
};

std::string_view Prefix(Family family) {
  switch (family) {
    case Family::kIncubator:
      return "inc_";
    case Family::kVentilator:
      return "vent_";
    case Family::kNone:
      break;
  }
  return "";
}

}  // namespace

std::span<const Field> Fields() {
  static const StaticFields kStatic = MakeStatic();
  return {kStatic.fields.data(), kStatic.count};
}

FieldTable::FieldTable(const SiteCodes* site)
    : site_(site),
      static_count_(Fields().size()),
      found_(std::make_unique<std::array<std::array<Found, 256>, kGroups>>()) {
  fields_ = std::make_unique<Field[]>(static_count_ + kMaxRegistered);
  for (const Field& field : Fields()) fields_[count_++] = field;
}

void FieldTable::SetDevice(uint16_t number, Family assumed) {
  device_ = number;
  assumed_ = assumed;
  family_ = number == 0 ? assumed : FamilyOf(number, site_);
  for (auto& group : *found_) group.fill(Found());
}

FieldTable::Entry FieldTable::Find(Group group, uint8_t code) {
  Found& found = (*found_)[static_cast<size_t>(group)][code];
  if (found.field == kNotAsked) {
    const Entry entry = Resolve(group, code);
    found = {entry.field, static_cast<uint8_t>(entry.format), entry.known};
  }
  return {found.field, static_cast<Format>(found.format), found.known};
}

FieldTable::Entry FieldTable::Resolve(Group group, uint8_t code) {
  const Group meaning = MeaningOf(group);
  const CodeRow* row = FindRow(device_, assumed_, meaning, code, site_);
  const bool is_limit = meaning != group;
  if (row == nullptr || is_limit) {
    Field field;
    if (row != nullptr) field = row->field;
    field.pace = is_limit ? Pace::kSlow : Pace::kFast;
    if (IsAlarm(group)) field.quantity = Quantity::kProblem;
    if (IsAlarm(group) || group == Group::kText) field.kind = FieldKind::kFlag;
    field.diagnostic = row == nullptr && !IsAlarm(group);
    Key key;
    key.Add(row == nullptr ? "" : Prefix(row->family)).Add(GroupName(group)).Add("_").AddHex(code);
    const Format format = row == nullptr ? Format::kDecimal : row->format;
    return {Register(key.view(), field), format, row != nullptr};
  }
  const std::span<const CodeRow> built_in = BuiltInCodes();
  if (row >= built_in.data() && row < built_in.data() + built_in.size()) {
    return {static_cast<uint16_t>(kCountOfCoreFields + (row - built_in.data())), row->format, true};
  }
  return {Register(row->field.key, row->field), row->format, true};
}

uint16_t FieldTable::FindRaw(Group group, uint8_t code) {
  Key key;
  key.Add(GroupName(group)).Add("_").AddHex(code).Add("_raw");
  Field field;
  field.quantity = Quantity::kMessage;
  field.kind = FieldKind::kText;
  field.diagnostic = true;
  return Register(key.view(), field);
}

// The same key again is the same field: keys say what they mean.
uint16_t FieldTable::Register(std::string_view key, Field field) {
  for (size_t i = static_count_; i < count_; ++i) {
    if (key == fields_[i].key) return static_cast<uint16_t>(i);
  }
  const size_t n = count_ - static_count_;
  if (n == kMaxRegistered || key.size() >= kKeySize) {
    ++refused_;
    return kNoField;
  }
  std::copy(key.begin(), key.end(), registered_[n].key);
  registered_[n].key[key.size()] = '\0';
  field.key = registered_[n].key;
  fields_[count_] = field;
  return static_cast<uint16_t>(count_++);
}

}  // namespace vesta::medibus
