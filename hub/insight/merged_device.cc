#include "hub/insight/merged_device.h"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace vesta::hub {
namespace {

// a - b and a + b, exact; empty when the digits do not fit.
std::optional<Decimal> Sum(Decimal a, Decimal b, int sign) {
  while (a.exponent > b.exponent) {
    if (__builtin_mul_overflow(a.mantissa, int64_t{10}, &a.mantissa)) return std::nullopt;
    --a.exponent;
  }
  while (b.exponent > a.exponent) {
    if (__builtin_mul_overflow(b.mantissa, int64_t{10}, &b.mantissa)) return std::nullopt;
    --b.exponent;
  }
  Decimal sum{0, a.exponent};
  const bool overflow = sign > 0 ? __builtin_add_overflow(a.mantissa, b.mantissa, &sum.mantissa)
                                 : __builtin_sub_overflow(a.mantissa, b.mantissa, &sum.mantissa);
  if (overflow) return std::nullopt;
  return sum;
}

}  // namespace

MergedDevice::MergedDevice(const Clock& clock, MergedConfig config, Directory& directory, LiveView& live)
    : clock_(clock),
      config_(std::move(config)),
      directory_(directory),
      live_(live),
      started_us_(clock.Read().monotonic_us) {
  LiveView::Listener listener;
  listener.value = [this](const Series& series, const LiveValue& value) { OnValue(series, value); };
  token_ = live_.Listen(std::move(listener));
}

MergedDevice::Road& MergedDevice::RoadOf(const MergedField& field) {
  Road& road = state_[field.key];
  road.offsets.resize(config_.members.size());
  road.counted_then.resize(config_.members.size());
  if (road.member >= config_.members.size()) road.member = 0;
  return road;
}

std::optional<size_t> MergedDevice::FieldOf(size_t member, const Series& series) {
  std::string key = series.field.key;
  for (const MergedConfig::FieldMap& map : config_.fields) {
    if (map.from[member] == key) {
      key = map.field;
      break;
    }
    // The name is given to another field of this member.
    if (map.field == key) return std::nullopt;
  }
  for (size_t i = 0; i < fields_.size(); ++i) {
    MergedField& field = fields_[i];
    if (field.key != key) continue;
    if (field.kind == series.field.kind && field.unit == series.field.unit) {
      field.candidates[member].series = series.id;
      return i;
    }
    if (refused_.emplace(key, true).second) {
      spdlog::warn("merged device {}: {} of {} has another unit or kind, so it is not merged", config_.key, key,
                   config_.members[member]);
    }
    return std::nullopt;
  }

  if (id_ == 0) {
    const Device* const first = directory_.FindDevice(series.device);
    DeviceInfo info;
    info.identity = config_.key;
    info.identity_on_wire = true;  // the user said so: it is the same thing wherever it is heard
    info.kind = first->kind;
    info.manufacturer = first->manufacturer;
    info.model = first->model;
    info.serial = first->serial;
    id_ = directory_.Resolve("merged", "", info, 0);
    if (id_ == 0) return std::nullopt;
    directory_.SetName(id_, config_.name, config_.place);
  }
  const SeriesField& from = series.field;
  std::vector<StateName> states;
  for (const auto& [code, name] : from.states) states.push_back({code, name.c_str()});
  const Field row = {key.c_str(), from.quantity, from.unit,       from.decimals,
                     from.kind,   from.pace,     from.diagnostic, states};
  MergedField field;
  field.key = key;
  field.series = directory_.ResolveSeries(id_, row);
  if (field.series == 0) return std::nullopt;
  field.kind = from.kind;
  field.unit = from.unit;
  field.candidates.resize(config_.members.size());
  field.candidates[member].series = series.id;
  fields_.push_back(std::move(field));
  live_.AnnounceDevice(id_);
  return fields_.size() - 1;
}

void MergedDevice::OnValue(const Series& series, const LiveValue& value) {
  if (series.device == id_) return;
  auto known = members_.find(series.id);
  if (known == members_.end()) {
    const Device* const device = directory_.FindDevice(series.device);
    if (device == nullptr) return;
    const auto member = std::find(config_.members.begin(), config_.members.end(), device->key);
    if (member == config_.members.end()) return;
    const auto index = static_cast<size_t>(member - config_.members.begin());
    const std::optional<size_t> field = FieldOf(index, series);
    if (!field) return;
    known = members_.emplace(series.id, std::make_pair(*field, index)).first;
  }
  const auto [place, member] = known->second;
  MergedField& field = fields_[place];
  Candidate& candidate = field.candidates[member];
  if (!value.fresh) return;
  const int64_t now_us = clock_.Read().monotonic_us;
  if (!candidate.heard || now_us - candidate.heard_us > FallbackUs()) candidate.alive_since_us = now_us;
  candidate.heard = true;
  candidate.heard_us = now_us;
  Choose(field);
  if (RoadOf(field).member == member) Show(field, member, value);
}

void MergedDevice::Choose(MergedField& field) {
  const int64_t now_us = clock_.Read().monotonic_us;
  Road& road = RoadOf(field);
  // Who was never heard is given its chance from the start on: a counter should begin on the preferred road.
  const auto silent_us = [&](size_t member) {
    const Candidate& candidate = field.candidates[member];
    return now_us - (candidate.heard ? candidate.heard_us : started_us_);
  };
  const int64_t return_us = int64_t{config_.return_after_s} * kUsPerSecond;
  const bool shown_is_gone = silent_us(road.member) > FallbackUs();
  for (size_t member = 0; member < field.candidates.size(); ++member) {
    if (member == road.member && !shown_is_gone) return;  // nobody better
    const Candidate& candidate = field.candidates[member];
    if (!candidate.heard || silent_us(member) > FallbackUs()) continue;
    if (!shown_is_gone && now_us - candidate.alive_since_us < return_us) continue;
    if (member != road.member) SwitchTo(field, road, member);
    return;
  }
}

void MergedDevice::SwitchTo(MergedField& field, Road& road, size_t member) {
  if (field.kind == FieldKind::kCounter && road.shown) {
    // Where the new road stood when the old one was last shown; when that is not known, where it stands now.
    std::optional<Decimal> then = road.counted_then[member];
    if (!then) {
      const LiveValue* const value = live_.Find(field.candidates[member].series);
      if (value != nullptr && value->record.value.kind() == ValueKind::kDecimal) then = value->record.value.decimal();
    }
    if (then) {
      if (const auto offset = Sum(*road.shown, *then, -1)) road.offsets[member] = *offset;
    }
  }
  spdlog::info("merged device {}: {} comes from {} now", config_.key, field.key, config_.members[member]);
  road.member = member;
  ++revision_;
}

void MergedDevice::Show(MergedField& field, size_t member, const LiveValue& value) {
  Record record = value.record;
  record.series = field.series;
  record.flags &= static_cast<uint8_t>(~kReadingLate);
  Road& road = RoadOf(field);
  if (field.kind == FieldKind::kCounter && record.value.kind() == ValueKind::kDecimal) {
    const auto shown = Sum(record.value.decimal(), road.offsets[member], +1);
    if (!shown) return;
    record.value = Value::OfDecimal(*shown);
    road.shown = shown;
    for (size_t i = 0; i < field.candidates.size(); ++i) {
      const SeriesId series = field.candidates[i].series;
      const LiveValue* const other = series == 0 ? nullptr : live_.Find(series);
      if (other != nullptr && other->record.value.kind() == ValueKind::kDecimal) {
        road.counted_then[i] = other->record.value.decimal();
      }
    }
  }
  record.quality = live_.Judge(record);
  live_.Accept(record);
  live_.Heard(id_, record.received_us);
}

void MergedDevice::Tick() {
  for (MergedField& field : fields_) {
    const size_t before = RoadOf(field).member;
    Choose(field);
    const size_t member = RoadOf(field).member;
    if (member == before) continue;
    if (const LiveValue* const value = live_.Find(field.candidates[member].series)) Show(field, member, *value);
  }
}

SeriesId MergedDevice::ShownSeries(SeriesId merged) const {
  for (const MergedField& field : fields_) {
    if (field.series != merged) continue;
    const auto road = state_.find(field.key);
    const size_t member = road == state_.end() ? 0 : road->second.member;
    return field.candidates[member].series;
  }
  return 0;
}

}  // namespace vesta::hub
