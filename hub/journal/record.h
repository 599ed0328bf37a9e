// A reading as the hub keeps and hands it on, and the batches in which it travels.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "hub/devices/directory.h"
#include "model/reading.h"
#include "model/session.h"

namespace vesta::hub {

using JournalNumber = uint64_t;  // position in the order of everything accepted; 0 = before the first
using FrameId = uint64_t;        // 0 = frame not archived

struct Record {
  JournalNumber number = 0;
  SeriesId series = 0;
  uint16_t index = 0;
  ValueQuality quality = ValueQuality::kOk;
  TimeQuality time_quality = TimeQuality::kHubNotSynchronised;
  uint8_t flags = 0;  // ReadingFlags
  UtcUs time_us = 0;
  UtcUs received_us = 0;
  FrameId frame = 0;
  Value value;  // a text is a view into the batch that holds the record
};

// Records in journal order, with the texts that their values point at.
struct RecordBatch {
  std::vector<Record> records;
  std::deque<std::string> texts;  // a deque: growing it moves no text

  void Add(Record record) {
    if (record.value.kind() == ValueKind::kText) {
      record.value = Value::OfText(texts.emplace_back(record.value.text()));
    }
    records.push_back(record);
  }
};

// A raw frame for the archive.
struct ArchivedFrame {
  FrameId id = 0;
  std::string source;
  UtcUs received_us = 0;
  ClockQuality clock = ClockQuality::kNotSynchronised;  // of received_us
  FrameVerdict verdict = FrameVerdict::kAccepted;
  std::string reason;
  uint64_t sender = 0;  // address on a shared medium, as LinkFacts has it; 0 = none
  std::vector<uint8_t> bytes;
};

// What became of an archived frame that was tried again.
struct FrameMark {
  FrameId frame = 0;
  FrameVerdict verdict = FrameVerdict::kAccepted;
  std::string reason;
};

}  // namespace vesta::hub
