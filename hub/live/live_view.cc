#include "hub/live/live_view.h"

#include <algorithm>

namespace vesta::hub {
namespace {

// Three missed in a row: one lost frame, or two, is everyday life.
constexpr int64_t kMissedIntervals = 3;

int64_t Limit(std::optional<int64_t> interval_us, int64_t unknown_us) {
  if (!interval_us) return unknown_us;
  return std::clamp(*interval_us * kMissedIntervals, kMinStaleAfter_us, kMaxStaleAfter_us);
}

}  // namespace

bool LiveView::IsSubMeterQuantity(Quantity quantity) {
  return quantity == Quantity::kGasVolume || quantity == Quantity::kWaterVolume || quantity == Quantity::kHeatEnergy ||
         quantity == Quantity::kVolume;
}

LiveView::SeriesState& LiveView::StateOf(SeriesId series) {
  if (series_.size() <= series) series_.resize(series + 1);
  return series_[series];
}

LiveView::DeviceState& LiveView::StateOfDevice(DeviceId device) {
  if (devices_.size() <= device) devices_.resize(device + 1);
  return devices_[device];
}

void LiveView::Restore(const RecordBatch& latest) {
  for (const Record& record : latest.records) {
    const Series* series = directory_.FindSeries(record.series);
    if (series == nullptr) continue;
    SeriesState& state = StateOf(record.series);
    state.value.record = record;
    if (record.value.kind() == ValueKind::kText) {
      state.text = record.value.text();
      state.value.record.value = Value::OfText(state.text);
    }
    state.value.heard_us = INT64_MIN;
    state.value.fresh = false;
    state.known = true;
    if (series->field.kind == FieldKind::kCounter && record.value.kind() == ValueKind::kDecimal) {
      state.guard.Restore(record.value.decimal());
    }
  }
}

ValueQuality LiveView::Judge(const Record& record) {
  if (record.quality != ValueQuality::kOk || (record.flags & kReadingLate) != 0) return record.quality;
  const Series* series = directory_.FindSeries(record.series);
  if (series == nullptr || series->field.kind != FieldKind::kCounter) return record.quality;
  if (record.value.kind() != ValueKind::kDecimal) return record.quality;
  switch (StateOf(record.series).guard.Judge(record.value.decimal(), clock_.Read().monotonic_us)) {
    case CounterGuard::Verdict::kOk:
      break;
    case CounterGuard::Verdict::kHeld:
      ++guard_.held;
      return ValueQuality::kSuspect;
    case CounterGuard::Verdict::kRestarted:
      ++guard_.accepted;
      break;
  }
  return ValueQuality::kOk;
}

void LiveView::Accept(const Record& record) {
  if ((record.flags & kReadingLate) != 0) return;
  const Series* series = directory_.FindSeries(record.series);
  if (series == nullptr) return;
  const int64_t now_us = clock_.Read().monotonic_us;
  SeriesState& state = StateOf(record.series);
  if (record.index == 0) state.interval.Add(record.received_us);
  if (record.quality == ValueQuality::kSuspect || record.quality == ValueQuality::kOutOfRange) return;
  state.value.record = record;
  if (record.value.kind() == ValueKind::kText) {
    state.text = record.value.text();
    state.value.record.value = Value::OfText(state.text);
  }
  state.value.heard_us = now_us;
  state.value.fresh = true;
  state.known = true;
  NotifyAll([&](const Listener& listener) {
    if (listener.value) listener.value(*series, state.value);
  });
}

void LiveView::Heard(DeviceId device, UtcUs received_us) {
  DeviceState& state = StateOfDevice(device);
  const Now now = clock_.Read();
  state.heard_us = now.monotonic_us;
  state.interval.Add(received_us == kNoTime ? now.utc_us : received_us);
  if (state.availability == Availability::kOnline) return;
  const bool was_silent = state.availability == Availability::kOffline;
  SetAvailability(device, Availability::kOnline);
  if (was_silent) RefreshSlowValues(device);
}

// Values that are sent only when they change live and die with their device.
void LiveView::RefreshSlowValues(DeviceId id) {
  const Device* device = directory_.FindDevice(id);
  if (device == nullptr) return;
  for (const SeriesId series_id : device->series) {
    const Series* series = directory_.FindSeries(series_id);
    SeriesState& state = StateOf(series_id);
    if (series->field.pace != Pace::kSlow || !state.known || state.value.heard_us == INT64_MIN) continue;
    state.value.fresh = true;
    NotifyAll([&](const Listener& listener) {
      if (listener.value) listener.value(*series, state.value);
    });
  }
}

void LiveView::SetAvailability(DeviceId device, Availability availability) {
  StateOfDevice(device).availability = availability;
  const Device* found = directory_.FindDevice(device);
  if (found == nullptr) return;
  NotifyAll([&](const Listener& listener) {
    if (listener.availability) listener.availability(*found, availability);
  });
}

void LiveView::Tick() {
  const int64_t now_us = clock_.Read().monotonic_us;
  for (DeviceId id = 1; id < devices_.size(); ++id) {
    const DeviceState& state = devices_[id];
    if (state.availability == Availability::kOnline && now_us - state.heard_us > DeviceSilentAfterUs(id)) {
      SetAvailability(id, Availability::kOffline);
    }
  }
  for (SeriesId id = 1; id < series_.size(); ++id) {
    SeriesState& state = series_[id];
    if (!state.known || !state.value.fresh) continue;
    const Series* series = directory_.FindSeries(id);
    if (series == nullptr) continue;
    const int64_t heard_us = series->field.pace == Pace::kSlow ? DeviceHeardUs(series->device) : state.value.heard_us;
    if (now_us - heard_us <= StaleAfterUs(id)) continue;
    state.value.fresh = false;
    NotifyAll([&](const Listener& listener) {
      if (listener.value) listener.value(*series, state.value);
    });
  }
}

const LiveValue* LiveView::Find(SeriesId series) const {
  if (series >= series_.size() || !series_[series].known) return nullptr;
  return &series_[series].value;
}

Availability LiveView::DeviceAvailability(DeviceId device) const {
  return device < devices_.size() ? devices_[device].availability : Availability::kUnknown;
}

int64_t LiveView::DeviceHeardUs(DeviceId device) const {
  return device < devices_.size() ? devices_[device].heard_us : INT64_MIN;
}

std::optional<int64_t> LiveView::SeriesIntervalUs(SeriesId series) const {
  return series < series_.size() ? series_[series].interval.interval_us() : std::nullopt;
}

std::optional<int64_t> LiveView::DeviceIntervalUs(DeviceId device) const {
  return device < devices_.size() ? devices_[device].interval.interval_us() : std::nullopt;
}

int64_t LiveView::StaleAfterUs(SeriesId id) const {
  const Series* series = directory_.FindSeries(id);
  if (series == nullptr) return kDefaultStaleAfter_us;
  if (series->field.pace == Pace::kSlow) return DeviceSilentAfterUs(series->device);
  return Limit(SeriesIntervalUs(id),
               IsSubMeterQuantity(series->field.quantity) ? kSubMeterStaleAfter_us : kDefaultStaleAfter_us);
}

int64_t LiveView::DeviceSilentAfterUs(DeviceId id) const {
  const Device* device = directory_.FindDevice(id);
  const bool sub_meter =
      device != nullptr && (device->kind == DeviceKind::kGasMeter || device->kind == DeviceKind::kWaterMeter ||
                            device->kind == DeviceKind::kHeatMeter || device->kind == DeviceKind::kCoolingMeter);
  return Limit(DeviceIntervalUs(id), sub_meter ? kSubMeterStaleAfter_us : kDefaultStaleAfter_us);
}

LiveView::Token LiveView::Listen(Listener listener) {
  auto token = std::make_shared<Listener>(std::move(listener));
  listeners_.emplace_back(token);
  return token;
}

void LiveView::AnnounceDevice(DeviceId device) {
  const Device* found = directory_.FindDevice(device);
  if (found == nullptr) return;
  NotifyAll([&](const Listener& listener) {
    if (listener.device_changed) listener.device_changed(*found);
  });
}

template <typename Call>
void LiveView::NotifyAll(const Call& call) {
  for (auto it = listeners_.begin(); it != listeners_.end();) {
    if (const std::shared_ptr<Listener> listener = it->lock()) {
      call(*listener);
      ++it;
    } else {
      it = listeners_.erase(it);
    }
  }
}

}  // namespace vesta::hub
