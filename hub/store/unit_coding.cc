#include "hub/store/unit_coding.h"

#include <cstring>

#include "hub/store/block.h"
#include "hub/store/column.h"

namespace vesta::hub {
namespace {

enum Column { kNumber, kSeriesId, kTime, kDelay, kFrame, kMarks, kExponent, kValue };

// What the rest of a unit may hold; more is damage.
constexpr uint64_t kMaxRows = 1u << 20;

void WriteDevice(const Device& device, ByteWriter* out) {
  out->Varint(device.id);
  for (const std::string* text : {&device.key, &device.protocol, &device.source, &device.identity}) out->Text(*text);
  out->Byte(device.identity_on_wire ? 1 : 0);
  out->Text(DeviceKindName(device.kind));
  for (const std::string* text : {&device.manufacturer, &device.model, &device.serial, &device.firmware}) {
    out->Text(*text);
  }
  out->Varint(device.parent);
  out->Text(device.name);
  out->Text(device.place);
}

void ReadDevice(ByteReader* in, Device* device) {
  device->id = static_cast<DeviceId>(in->Varint());
  for (std::string* text : {&device->key, &device->protocol, &device->source, &device->identity}) *text = in->Text();
  device->identity_on_wire = in->Byte() != 0;
  const std::string_view kind = in->Text();
  for (int i = 0; i < static_cast<int>(DeviceKind::kCountOfDeviceKinds); ++i) {
    if (DeviceKindName(static_cast<DeviceKind>(i)) == kind) device->kind = static_cast<DeviceKind>(i);
  }
  for (std::string* text : {&device->manufacturer, &device->model, &device->serial, &device->firmware}) {
    *text = in->Text();
  }
  device->parent = static_cast<DeviceId>(in->Varint());
  device->name = in->Text();
  device->place = in->Text();
}

// Quantity, unit and kind as numbers: a commit is replayed by the program that wrote it or a newer one, and
// enumerations grow at their end.
void WriteSeriesRow(const Series& series, ByteWriter* out) {
  out->Varint(series.id);
  out->Varint(series.device);
  out->Text(series.field.key);
  out->Byte(static_cast<uint8_t>(series.field.quantity));
  out->Byte(static_cast<uint8_t>(series.field.unit));
  out->Signed(series.field.decimals);
  out->Byte(static_cast<uint8_t>(series.field.kind));
  out->Byte(static_cast<uint8_t>(series.field.pace));
  out->Byte(series.field.diagnostic ? 1 : 0);
  out->Varint(series.field.states.size());
  for (const auto& [code, name] : series.field.states) {
    out->Varint(code);
    out->Text(name);
  }
}

void ReadSeriesRow(ByteReader* in, Series* series) {
  series->id = static_cast<SeriesId>(in->Varint());
  series->device = static_cast<DeviceId>(in->Varint());
  series->field.key = in->Text();
  const auto within = [](uint8_t value, auto end) {
    return static_cast<decltype(end)>(value < static_cast<uint8_t>(end) ? value : 0);
  };
  series->field.quantity = within(in->Byte(), Quantity::kCountOfQuantities);
  series->field.unit = within(in->Byte(), Unit::kCountOfUnits);
  series->field.decimals = static_cast<int8_t>(in->Signed());
  series->field.kind = static_cast<FieldKind>(in->Byte() % 5);
  series->field.pace = in->Byte() != 0 ? Pace::kSlow : Pace::kFast;
  series->field.diagnostic = in->Byte() != 0;
  const uint64_t states = in->Varint();
  for (uint64_t i = 0; i < states && in->ok(); ++i) {
    const auto code = static_cast<uint32_t>(in->Varint());
    series->field.states.emplace_back(code, std::string(in->Text()));
  }
}

void WriteFrame(const ArchivedFrame& frame, ByteWriter* out) {
  out->Varint(frame.id);
  out->Text(frame.source);
  out->Signed(frame.received_us);
  out->Byte(static_cast<uint8_t>(frame.clock));
  out->Byte(static_cast<uint8_t>(frame.verdict));
  out->Text(frame.reason);
  out->Varint(frame.sender);
  out->Text({reinterpret_cast<const char*>(frame.bytes.data()), frame.bytes.size()});
}

void ReadFrame(ByteReader* in, ArchivedFrame* frame) {
  frame->id = in->Varint();
  frame->source = in->Text();
  frame->received_us = in->Signed();
  frame->clock = static_cast<ClockQuality>(in->Byte() & 1);
  frame->verdict = static_cast<FrameVerdict>(in->Byte());
  frame->reason = in->Text();
  frame->sender = in->Varint();
  const std::string_view bytes = in->Text();
  frame->bytes.assign(bytes.begin(), bytes.end());
}

template <typename Rows, typename Write>
void WriteRows(const Rows& rows, ByteWriter* out, Write write) {
  out->Varint(rows.size());
  for (const auto& row : rows) write(row, out);
}

template <typename Rows, typename Read>
bool ReadRows(ByteReader* in, Rows* rows, Read read) {
  const uint64_t count = in->Varint();
  if (!in->ok() || count > kMaxRows || count > in->left()) return false;
  rows->reserve(count);
  for (uint64_t i = 0; i < count && in->ok(); ++i) read(in, &rows->emplace_back());
  return in->ok();
}

}  // namespace

std::string_view ReadingsWriter::Write(const std::vector<RecordBatch>& batches) {
  for (auto& column : columns_) column.clear();
  bytes_.clear();
  ++turn_;
  std::string own;  // reals and texts, in order
  ByteWriter own_out(&own);
  for (const RecordBatch& batch : batches) {
    for (const Record& record : batch.records) {
      if (record.series >= last_.size()) last_.resize(record.series + 1);
      Last& last = last_[record.series];
      if (last.turn != turn_) last = {turn_, 0, 0, 0};
      int64_t exponent = last.exponent;
      int64_t value = last.value;
      switch (record.value.kind()) {
        case ValueKind::kDecimal:
          exponent = record.value.decimal().exponent;
          value = record.value.decimal().mantissa;
          break;
        case ValueKind::kState:
          value = record.value.state();
          break;
        case ValueKind::kReal: {
          uint64_t bits = 0;
          const double real = record.value.real();
          std::memcpy(&bits, &real, sizeof(bits));
          own_out.Fixed64(bits);
          break;
        }
        case ValueKind::kText:
          own_out.Text(record.value.text());
          break;
        case ValueKind::kNone:
          break;
      }
      const int64_t marks = PackMarks(record);
      columns_[kNumber].push_back(static_cast<int64_t>(record.number));
      columns_[kSeriesId].push_back(record.series);
      columns_[kTime].push_back(record.time_us);
      columns_[kDelay].push_back(WrappingSubtract(record.received_us, record.time_us));
      columns_[kFrame].push_back(static_cast<int64_t>(record.frame));
      columns_[kMarks].push_back(WrappingSubtract(marks, last.marks));
      columns_[kExponent].push_back(exponent - last.exponent);
      columns_[kValue].push_back(WrappingSubtract(value, last.value));
      last = {turn_, marks, exponent, value};
    }
  }
  if (columns_[kNumber].empty()) return {};
  ByteWriter out(&bytes_);
  out.Varint(columns_[kNumber].size());
  for (const auto& column : columns_) WriteColumn(column, &out);
  out.Raw(own);
  return bytes_;
}

bool ReadingsReader::Read(std::string_view bytes, SeriesId series, std::vector<Record>* records) {
  if (bytes.empty()) return true;
  ByteReader in(bytes);
  const uint64_t count = in.Varint();
  if (!in.ok() || count > kMaxBlockRecords) return false;
  for (auto& column : columns_) {
    if (!ReadColumn(&in, count, &column)) return false;
  }
  ++turn_;
  if (series == 0) records->reserve(records->size() + count);
  for (size_t i = 0; i < count; ++i) {
    const int64_t id = columns_[kSeriesId][i];
    if (id < 0 || id > static_cast<int64_t>(kMaxSeries)) return false;
    if (static_cast<size_t>(id) >= last_.size()) last_.resize(static_cast<size_t>(id) + 1);
    Last& last = last_[static_cast<size_t>(id)];
    if (last.turn != turn_) last = {turn_, 0, 0, 0};
    last.marks = WrappingAdd(last.marks, columns_[kMarks][i]);
    last.exponent = WrappingAdd(last.exponent, columns_[kExponent][i]);
    last.value = WrappingAdd(last.value, columns_[kValue][i]);
    Record record;
    ValueKind kind = ValueKind::kNone;
    if (!UnpackMarks(last.marks, &record, &kind)) return false;
    switch (kind) {
      case ValueKind::kDecimal:
        record.value = Value::OfDecimal(last.value, static_cast<int8_t>(last.exponent));
        break;
      case ValueKind::kState:
        record.value = Value::OfState(static_cast<uint32_t>(last.value));
        break;
      case ValueKind::kReal: {
        const uint64_t bits = in.Fixed64();
        double real = 0;
        std::memcpy(&real, &bits, sizeof(real));
        record.value = Value::OfReal(real);
        break;
      }
      case ValueKind::kText:
        record.value = Value::OfText(in.Text());
        break;
      case ValueKind::kNone:
        break;
    }
    if (series != 0 && static_cast<SeriesId>(id) != series) continue;
    record.number = static_cast<JournalNumber>(columns_[kNumber][i]);
    record.series = static_cast<SeriesId>(id);
    record.time_us = columns_[kTime][i];
    record.received_us = WrappingAdd(record.time_us, columns_[kDelay][i]);
    record.frame = static_cast<FrameId>(columns_[kFrame][i]);
    records->push_back(record);
  }
  return in.ok() && in.left() == 0;
}

bool HasRows(const CommitUnit& unit) {
  if (!unit.devices.empty() || !unit.series.empty() || !unit.frames.empty() || !unit.marks.empty() ||
      !unit.beds.empty() || !unit.decoders.empty() || !unit.redecodes.empty()) {
    return true;
  }
  for (const RecordBatch& batch : unit.batches) {
    for (const Record& record : batch.records) {
      if (record.frame != 0) return true;
    }
  }
  return false;
}

std::string WriteRest(const CommitUnit& unit) {
  std::string bytes;
  ByteWriter out(&bytes);
  out.Varint(unit.reserved_numbers_end);
  out.Varint(unit.reserved_frames_end);
  WriteRows(unit.positions, &out, [](const auto& position, ByteWriter* row) {
    row->Text(position.first);
    row->Varint(position.second);
  });
  WriteRows(unit.devices, &out, WriteDevice);
  WriteRows(unit.series, &out, WriteSeriesRow);
  WriteRows(unit.frames, &out, WriteFrame);
  WriteRows(unit.marks, &out, [](const FrameMark& mark, ByteWriter* row) {
    row->Varint(mark.frame);
    row->Byte(static_cast<uint8_t>(mark.verdict));
    row->Text(mark.reason);
  });
  WriteRows(unit.beds, &out, [](const BedStay& stay, ByteWriter* row) {
    row->Varint(stay.id);
    row->Varint(stay.device);
    row->Text(stay.bed);
    row->Signed(stay.begin_us);
    row->Signed(stay.end_us);
    row->Text(stay.by);
  });
  WriteRows(unit.decoders, &out, [](const DecoderEpoch& epoch, ByteWriter* row) {
    row->Varint(epoch.id);
    row->Text(epoch.source);
    row->Varint(epoch.from_number);
    row->Signed(epoch.since_us);
    row->Text(epoch.decoder);
    row->Text(epoch.tables);
  });
  WriteRows(unit.redecodes, &out, [](const Redecode& one, ByteWriter* row) {
    row->Text(one.source);
    row->Varint(one.epoch);
    row->Varint(one.first_series);
    row->Varint(one.frames_end);
    row->Varint(one.after);
    row->Byte(one.done ? 1 : 0);
  });
  return bytes;
}

bool ReadRest(std::string_view bytes, CommitUnit* unit) {
  ByteReader in(bytes);
  unit->reserved_numbers_end = in.Varint();
  unit->reserved_frames_end = in.Varint();
  return ReadRows(&in, &unit->positions,
                  [](ByteReader* row, auto* position) {
                    position->first = row->Text();
                    position->second = row->Varint();
                  }) &&
         ReadRows(&in, &unit->devices, ReadDevice) && ReadRows(&in, &unit->series, ReadSeriesRow) &&
         ReadRows(&in, &unit->frames, ReadFrame) &&
         ReadRows(&in, &unit->marks,
                  [](ByteReader* row, FrameMark* mark) {
                    mark->frame = row->Varint();
                    mark->verdict = static_cast<FrameVerdict>(row->Byte());
                    mark->reason = row->Text();
                  }) &&
         ReadRows(&in, &unit->beds,
                  [](ByteReader* row, BedStay* stay) {
                    stay->id = static_cast<uint32_t>(row->Varint());
                    stay->device = static_cast<DeviceId>(row->Varint());
                    stay->bed = row->Text();
                    stay->begin_us = row->Signed();
                    stay->end_us = row->Signed();
                    stay->by = row->Text();
                  }) &&
         ReadRows(&in, &unit->decoders,
                  [](ByteReader* row, DecoderEpoch* epoch) {
                    epoch->id = static_cast<uint32_t>(row->Varint());
                    epoch->source = row->Text();
                    epoch->from_number = row->Varint();
                    epoch->since_us = row->Signed();
                    epoch->decoder = row->Text();
                    epoch->tables = row->Text();
                  }) &&
         ReadRows(&in, &unit->redecodes,
                  [](ByteReader* row, Redecode* one) {
                    one->source = row->Text();
                    one->epoch = static_cast<uint32_t>(row->Varint());
                    one->first_series = static_cast<SeriesId>(row->Varint());
                    one->frames_end = row->Varint();
                    one->after = row->Varint();
                    one->done = row->Byte() != 0;
                  }) &&
         in.left() == 0;
}

}  // namespace vesta::hub
