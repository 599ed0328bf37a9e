#include "hub/outputs/mqtt_history.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>

#include "formats/json_writer.h"
#include "formats/mqtt_payload.h"
#include "formats/mqtt_topic.h"

namespace vesta::hub {

using mqtt::Delivery;
using mqtt::PublishResult;
using mqtt::PublishStatus;

MqttHistory::MqttHistory(boost::asio::io_context& io, const Clock& clock, const OutputConfig& config, std::string base,
                         mqtt::Connection& connection, Journal& journal, const Directory& directory,
                         const MqttOutputTiming& timing)
    : clock_(clock),
      config_(config),
      base_(std::move(base)),
      position_name_(config.name + "/history"),
      connection_(connection),
      journal_(journal),
      directory_(directory),
      timing_(timing),
      retry_timer_(io),
      drain_timer_(io),
      buffer_(std::make_unique_for_overwrite<char[]>(kHistoryMessageBytes)) {}

void MqttHistory::Start() {
  acknowledged_ = cursor_ = counted_ = journal_.Position(position_name_);
  journal_.Hold(position_name_);
  mark_at_start_ = journal_.durable_mark();
  durable_token_ = journal_.OnDurable([this](JournalNumber mark) { OnDurable(mark); });
  connection_token_ = connection_.Listen({.up = [this] { Pump(); },
                                          .down =
                                              [this] {
                                                GoBack();
                                                Pump();
                                                if (drained_) FinishDrain();
                                              },
                                          .room = [this] { Pump(); }});
  Count();
  Pump();
}

void MqttHistory::OnDurable(JournalNumber mark) {
  if (numbers_count_) {
    accepted_ += mark - counted_;
    counted_ = mark;
  } else {
    Count();
  }
  Pump();
}

// Slice by slice, until the first reading of this run was seen: from there on the numbers have no gaps.
void MqttHistory::Count() {
  if (counting_ || counted_ >= journal_.durable_mark()) return;
  counting_ = true;
  struct Slice {
    uint64_t readings = 0;
    std::map<SeriesId, uint64_t> backlog;  // of these, from before this run
    JournalNumber last = 0;
    bool failed = false;
  };
  const auto slice = std::make_shared<Slice>();
  const JournalNumber mark = journal_.durable_mark();
  journal_.Query(
      [slice, after = counted_, start = mark_at_start_](StoreReader& reader) {
        const auto batch = reader.ReadJournal(after, kCountSlice);
        slice->failed = !batch.has_value();
        if (slice->failed || batch->records.empty()) return;
        slice->readings = batch->records.size();
        for (const Record& record : batch->records) {
          if (record.number <= start) ++slice->backlog[record.series];
        }
        slice->last = batch->records.back().number;
      },
      [this, slice, mark, alive = std::weak_ptr(alive_)] {
        if (alive.expired()) return;
        counting_ = false;
        if (slice->failed) return;  // the next durable mark tries again
        accepted_ += slice->readings;
        for (const auto& [id, count] : slice->backlog) {
          const Series* const series = directory_.FindSeries(id);
          TallyOf(series == nullptr ? 0 : series->device).backlog += count;
        }
        counted_ = slice->readings == 0 ? std::max(counted_, mark) : slice->last;
        numbers_count_ = counted_ > mark_at_start_;
        if (numbers_count_ && counted_ < journal_.durable_mark()) {
          accepted_ += journal_.durable_mark() - counted_;
          counted_ = journal_.durable_mark();
        }
        Count();
      });
}

void MqttHistory::Read() {
  if (reading_ || cursor_ >= journal_.durable_mark()) return;
  reading_ = true;
  const JournalNumber mark = journal_.durable_mark();
  journal_.Read(cursor_, kHistorySlice,
                [this, mark, run = run_, alive = std::weak_ptr(alive_)](tl::expected<RecordBatch, StoreError> result) {
                  if (alive.expired()) return;
                  reading_ = false;
                  if (run != run_) {
                    Pump();
                    return;
                  }
                  if (!result) {
                    HoldOff(result.error().text);
                    return;
                  }
                  batch_ = std::move(*result);
                  next_ = 0;
                  if (batch_.records.empty()) {
                    cursor_ = mark;  // numbers without readings: a gap between two runs, or trimmed history
                    MovePosition();
                  } else {
                    cursor_ = batch_.records.back().number;
                  }
                  Pump();
                });
}

void MqttHistory::Pump() {
  while (!holding_off_ && connection_.health().connected && next_ < batch_.records.size() &&
         in_flight_.size() < config_.in_flight) {
    if (!SendNext()) break;
  }
  // Also while the broker is away: health then knows how old the oldest unsent reading is.
  if (next_ >= batch_.records.size() && !holding_off_) Read();
  if (drained_ && CaughtUp()) FinishDrain();
}

// How many of the next readings go into one message: same device, same frame.
size_t MqttHistory::Gather(size_t most) const {
  const Record& first = batch_.records[next_];
  const Series* series = directory_.FindSeries(first.series);
  size_t count = 1;
  while (count < most && next_ + count < batch_.records.size()) {
    const Record& record = batch_.records[next_ + count];
    if (record.received_us != first.received_us || record.frame != first.frame) break;
    const Series* other = directory_.FindSeries(record.series);
    if ((other == nullptr) != (series == nullptr)) break;
    if (series != nullptr && other->device != series->device) break;
    ++count;
  }
  return count;
}

bool MqttHistory::Write(size_t count) {
  const Record& first = batch_.records[next_];
  const Device& device = *directory_.FindDevice(directory_.FindSeries(first.series)->device);
  JsonWriter json(buffer_.get(), kHistoryMessageBytes);
  BeginMqttHistory(json, device.key, first.received_us);
  for (size_t i = 0; i < count; ++i) {
    const Record& record = batch_.records[next_ + i];
    const SeriesField& field = directory_.FindSeries(record.series)->field;
    WriteMqttHistoryReading(
        json, {.number = record.number,
               .field = field.key,
               .kind = field.kind,
               .quantity = field.quantity,
               .unit = field.unit,
               .state_name = record.value.kind() == ValueKind::kState ? field.StateName(record.value.state()) : "",
               .index = record.index,
               .quality = record.quality,
               .time_quality = record.time_quality,
               .flags = record.flags,
               .time_us = record.time_us,
               .value = record.value});
  }
  EndMqttHistory(json);
  written_ = json.view().size();
  return json.ok();
}

MqttHistory::DeviceTally& MqttHistory::TallyOf(DeviceId device) {
  if (device >= tallies_.size()) tallies_.resize(device + 1);
  return tallies_[device];
}

DeviceId MqttHistory::DeviceOf(size_t place) const {
  const Series* const series = directory_.FindSeries(batch_.records[place].series);
  return series == nullptr ? 0 : series->device;
}

// Passes over readings that can never be sent.
void MqttHistory::Drop(size_t count, const char* reason) {
  in_flight_.push_back({.last = batch_.records[next_ + count - 1].number,
                        .readings = count,
                        .device = DeviceOf(next_),
                        .settled = true,
                        .drop_reason = reason});
  next_ += count;
  MovePosition();
}

// False: not now.
bool MqttHistory::SendNext() {
  size_t count = Gather(kHistoryReadingsPerMessage);
  const Record& first = batch_.records[next_];
  const Series* series = directory_.FindSeries(first.series);
  if (series == nullptr) {
    Drop(count, "unknown series");
    return true;
  }
  while (true) {
    PublishStatus status = PublishStatus::kTooLarge;
    if (Write(count)) {
      const Topic topic({base_, "history", directory_.FindDevice(series->device)->key});
      const uint64_t sequence = first_sequence_ + in_flight_.size();
      status = connection_.Publish(std::string(topic.view()), {buffer_.get(), written_}, 1, false,
                                   [this, run = run_, sequence, alive = std::weak_ptr(alive_)](const PublishResult& r) {
                                     if (!alive.expired()) OnResult(run, sequence, r);
                                   });
    }
    switch (status) {
      case PublishStatus::kTaken:
        in_flight_.push_back({.last = batch_.records[next_ + count - 1].number,
                              .readings = count,
                              .device = series->device,
                              .received_us = first.received_us});
        next_ += count;
        return true;
      case PublishStatus::kNotConnected:
      case PublishStatus::kFull:
        return false;
      case PublishStatus::kTooLarge:
        if (count > 1) {
          count = (count + 1) / 2;
          continue;
        }
        Drop(1, "too large");
        return true;
      case PublishStatus::kInvalid:
        Drop(count, "invalid");
        return true;
    }
  }
}

void MqttHistory::OnResult(uint64_t run, uint64_t sequence, const PublishResult& result) {
  if (run != run_ || result.delivery == Delivery::kLost) return;
  InFlight& message = in_flight_[sequence - first_sequence_];
  if (result.delivery == Delivery::kRefused) {
    if (!mqtt::IsPermanentRefusal(result.reason)) {
      GoBack();
      HoldOff(fmt::format("the broker refuses messages on {}/history (reason 0x{:02X}{})", base_, result.reason,
                          result.reason == 0x87 ? ", not authorised" : ""));
      return;
    }
    message.drop_reason = "refused by the broker";
  } else {
    error_.clear();
  }
  message.settled = true;
  MovePosition();
  Pump();
}

void MqttHistory::MovePosition() {
  JournalNumber position = acknowledged_;
  while (!in_flight_.empty() && in_flight_.front().settled) {
    const InFlight& message = in_flight_.front();
    position = message.last;
    if (message.drop_reason == nullptr) {
      acknowledged_readings_ += message.readings;
      TallyOf(message.device).acknowledged += message.readings;
    } else {
      dropped_[message.drop_reason] += message.readings;
      dropped_readings_ += message.readings;
      TallyOf(message.device).dropped += message.readings;
    }
    in_flight_.pop_front();
    ++first_sequence_;
  }
  if (in_flight_.empty() && next_ >= batch_.records.size()) position = std::max(position, cursor_);
  if (position == acknowledged_) return;
  acknowledged_ = position;
  journal_.SetPosition(position_name_, acknowledged_);
  // Everything is sent, yet some that were counted never came: retention took them first.
  const uint64_t done = acknowledged_readings_ + dropped_readings_;
  if (!counting_ && counted_ == acknowledged_ && CaughtUp() && accepted_ > done) {
    dropped_["trimmed before it was sent"] += accepted_ - done;
    dropped_readings_ += accepted_ - done;
  }
}

// What was not acknowledged is read again.
void MqttHistory::GoBack() {
  ++run_;
  first_sequence_ += in_flight_.size();
  in_flight_.clear();
  batch_ = {};
  next_ = 0;
  cursor_ = acknowledged_;
}

void MqttHistory::HoldOff(std::string error) {
  if (error != error_) spdlog::warn("output {}: {}", config_.name, error);
  error_ = std::move(error);
  ++refusals_;
  holding_off_ = true;
  retry_timer_.expires_after(std::chrono::microseconds(timing_.retry_us));
  retry_timer_.async_wait([this, alive = std::weak_ptr(alive_)](const boost::system::error_code& code) {
    if (code || alive.expired()) return;
    holding_off_ = false;
    Pump();
  });
}

bool MqttHistory::CaughtUp() const {
  return in_flight_.empty() && next_ >= batch_.records.size() && cursor_ >= journal_.durable_mark();
}

void MqttHistory::Drain(int64_t at_most_us, std::function<void()> done) {
  drained_ = std::move(done);
  if (!connection_.health().connected || CaughtUp()) {
    FinishDrain();
    return;
  }
  drain_timer_.expires_after(std::chrono::microseconds(at_most_us));
  drain_timer_.async_wait([this, alive = std::weak_ptr(alive_)](const boost::system::error_code& code) {
    if (!code && !alive.expired()) FinishDrain();
  });
}

void MqttHistory::FinishDrain() {
  drain_timer_.cancel();
  if (!drained_) return;
  const std::function<void()> done = std::move(drained_);
  drained_ = nullptr;
  done();
}

uint64_t MqttHistory::InFlightReadings() const {
  uint64_t readings = 0;
  for (const InFlight& message : in_flight_) readings += message.drop_reason == nullptr ? message.readings : 0;
  return readings;
}

OutputHealth MqttHistory::health() const {
  const mqtt::ConnectionHealth& link = connection_.health();
  OutputHealth health;
  health.name = config_.name + "/history";
  health.type = "mqtt";
  health.delivery_class = "every reading, at least once, original time";
  health.where = fmt::format("{} {}/history/#", link.where, base_);
  health.connected = link.connected;
  health.error = link.error.empty() ? error_ : link.error;
  health.state_since_us = link.state_since_us;
  health.connects = link.connects;
  health.acknowledged = acknowledged_readings_;
  health.sent = acknowledged_readings_ + InFlightReadings();
  health.dropped = dropped_;
  if (link.failures > 0) health.failed["connection"] = link.failures;
  if (refusals_ > 0) health.failed["refused"] = refusals_;
  health.accepted = std::max(accepted_, health.sent + dropped_readings_);
  health.waiting = health.accepted - health.sent - dropped_readings_;
  // What this run stored, and what there was before, less what is done with.
  health.by_device.resize(directory_.devices().size() + 1);
  const std::vector<uint64_t>& stored = journal_.stored_by_series();
  for (const Series& series : directory_.series()) {
    if (series.id < stored.size()) health.by_device[series.device].waiting += stored[series.id];
  }
  for (size_t id = 0; id < std::min(tallies_.size(), health.by_device.size()); ++id) {
    OutputHealth::OfDevice& of = health.by_device[id];
    const DeviceTally& tally = tallies_[id];
    of.acknowledged = tally.acknowledged;
    const uint64_t done = tally.acknowledged + tally.dropped;
    of.waiting = of.waiting + tally.backlog > done ? of.waiting + tally.backlog - done : 0;
  }
  UtcUs oldest_us = 0;
  if (next_ < batch_.records.size()) oldest_us = batch_.records[next_].received_us;
  for (const InFlight& message : in_flight_) {
    if (message.settled) continue;
    oldest_us = message.received_us;
    break;
  }
  if (oldest_us != 0) health.oldest_unsent_age_us = std::max<int64_t>(0, clock_.Read().utc_us - oldest_us);
  return health;
}

}  // namespace vesta::hub
