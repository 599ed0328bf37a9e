// A block: the readings of one device over a while, column by column, compressed, each series to be had alone.
//
// What the readings of one frame share (time of receipt, frame, journal number, mostly the time) stands once, in the
// shared part: the arrivals. A series' part refers to them and holds what is its own: the value as scaled integers in
// differences, the marks, a time that differs from the arrival's. So the noise in the times of receipt is stored once a
// frame and not once a reading. Nothing is lost: a record comes back with every field as it was.
// Format: docs/formats/store.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hub/journal/record.h"
#include "hub/store/part_box.h"

namespace vesta::hub {

// Readings in one block. Beyond this a damaged count would eat the memory.
inline constexpr size_t kMaxBlockRecords = 1u << 20;

// marks: bits 0-2 kind of the value, 3-5 quality, 6-7 quality of the time, 8-15 flags, 16-31 index.
int64_t PackMarks(const Record& record);
// Kind apart: that follows the value. False: no such kind or quality.
bool UnpackMarks(int64_t marks, Record* record, ValueKind* kind);

// What the readings of a frame share.
struct Arrival {
  JournalNumber first_number = 0;
  UtcUs time_us = 0;  // of its first reading
  UtcUs received_us = 0;
  FrameId frame = 0;
};

// Gives each record of a device, in journal order, its arrival.
class ArrivalList {
 public:
  // The place of the record's arrival in the list.
  uint32_t Place(const Record& record);
  const std::vector<Arrival>& arrivals() const { return arrivals_; }

 private:
  std::vector<Arrival> arrivals_;
};

struct PlacedRecord {
  const Record* record;
  uint32_t arrival;
};

// Adds the shared part; before the series.
void AddArrivals(std::span<const Arrival> arrivals, BoxWriter* box, Packer* packer);
// Adds a series' part: its records, in order of time and number, at least one.
void AddSeriesPart(SeriesId series, std::span<const PlacedRecord> records, std::span<const Arrival> arrivals,
                   BoxWriter* box, Packer* packer);

bool ReadArrivals(const BoxReader& box, Packer* packer, std::vector<Arrival>* arrivals);

// One series of a block, read. Texts in the records are views into this object.
class SeriesPart {
 public:
  // False: damaged.
  bool Read(const PartEntry& part, std::span<const Arrival> arrivals, Packer* packer);
  std::vector<Record>& records() { return records_; }
  const std::vector<Record>& records() const { return records_; }
  // Gives back what only Read needs.
  void ReleaseWork();

 private:
  std::string bytes_;
  std::vector<Record> records_;
  std::vector<int64_t> columns_[5];
  std::vector<std::string_view> words_;
};

}  // namespace vesta::hub
