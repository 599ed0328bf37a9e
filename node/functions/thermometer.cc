#include "node/functions/thermometer.h"

#include <algorithm>

namespace vesta::node {

namespace {

// Found sensors are looked for again every so many measurements.
constexpr uint8_t kSearchEvery = 20;
constexpr int32_t kMilliPerDegree = 1000;

}  // namespace

ThermometerFunction::ThermometerFunction(const FunctionConfig& config, std::span<const SensorConfig> sensors,
                                         uint8_t number)
    : Function(config), sensors_(sensors), number_(number) {
  for (const SensorConfig& s : sensors_) {
    if (s.function == number_) ids_[count_++] = s.id;
  }
  is_listed_ = count_ > 0;
  capacity_ = is_listed_ ? count_ : static_cast<size_t>(config.max_sensors);
}

bool ThermometerFunction::Start(Board& board, Problem* problem) {
  due_us_ = next_us_ = board.now_us;
  if (board.ports.one_wire->Reset(config_.pin)) return true;
  problem->Add("no 1-Wire sensor answers at pin ").Add(config_.pin);
  return true;  // one may be plugged in later
}

void ThermometerFunction::Find(Board& board) {
  if (is_listed_ || until_search_-- > 0) return;
  until_search_ = kSearchEvery;
  OneWireSearch search(*board.ports.one_wire, config_.pin);
  SensorId id;
  while (count_ < capacity_ && search.Next(&id)) {
    const auto known = std::span(ids_).first(count_);
    if (std::find(known.begin(), known.end(), id) != known.end()) continue;
    ids_[count_++] = id;
    board.Changed();
  }
}

void ThermometerFunction::Run(Board& board) {
  if (!is_converting_) {
    Find(board);
    for (size_t i = 0; i < count_ && config_.resolution != 12; ++i) {
      SetResolution(*board.ports.one_wire, config_.pin, ids_[i], config_.resolution);
    }
    is_converting_ = StartConversion(*board.ports.one_wire, config_.pin);
    next_us_ = board.now_us + (is_converting_ ? ConversionTimeUs(config_.resolution) : 0);
    if (is_converting_) return;
  }
  Measure(board);
  is_converting_ = false;
  has_measured_ = true;
  due_us_ = next_us_ = After(due_us_, board.now_us);
}

void ThermometerFunction::Measure(Board& board) {
  for (size_t i = 0; i < count_; ++i) {
    SensorFault fault = SensorFault::kAbsent;
    std::optional<int16_t> value;
    if (is_converting_) value = ReadTemperature(*board.ports.one_wire, config_.pin, ids_[i], &fault);
    if (is_converting_ && fault == SensorFault::kChecksum) {  // a disturbed line: once more
      value = ReadTemperature(*board.ports.one_wire, config_.pin, ids_[i], &fault);
    }
    Temperature* shared = board.PlaceOf(ids_[i]);
    if (value) {
      board.EmitInteger(item(static_cast<uint8_t>(i)), int64_t{*value} * 625);
      if (shared != nullptr) {
        shared->milli = *value * kMilliPerDegree / 16;
        shared->at_us = board.now_us;
      }
    } else {
      board.EmitNothing(item(static_cast<uint8_t>(i)), link::Status::kFault);
    }
    if (shared != nullptr) shared->is_good = value.has_value();
  }
}

std::string_view ThermometerFunction::NameOfSensor(size_t place) const {
  for (const SensorConfig& s : sensors_) {
    if (s.function == number_ && s.id == ids_[place] && !s.name.empty()) return s.name.view();
  }
  return config_.name.view();
}

void ThermometerFunction::Describe(ItemSink& sink) const {
  for (size_t i = 0; i < count_; ++i) {
    ItemDescription d = Described(static_cast<uint8_t>(i), "temperature", "gauge");
    std::array<char, kSensorIdText> text;
    d.id = PrintSensorId(ids_[i], text);
    d.name = NameOfSensor(i);
    d.quantity = Quantity::kTemperature;
    d.unit = Unit::kCelsius;
    d.exponent = -4;
    d.decimals = 1;
    sink.Add(d);
  }
}

size_t ThermometerFunction::Save(std::span<uint8_t, kMaxSaved> out) const {
  if (is_listed_) return 0;
  for (size_t i = 0; i < count_; ++i) std::copy(ids_[i].begin(), ids_[i].end(), out.begin() + 8 * static_cast<int>(i));
  return count_ * sizeof(SensorId);
}

void ThermometerFunction::Restore(Bytes bytes) {
  if (is_listed_) return;
  for (count_ = 0; count_ < capacity_ && bytes.size() >= sizeof(SensorId); bytes = bytes.subspan(sizeof(SensorId))) {
    std::copy_n(bytes.begin(), sizeof(SensorId), ids_[count_++].begin());
  }
}

}  // namespace vesta::node
