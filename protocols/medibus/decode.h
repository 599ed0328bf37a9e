// Responses of a device -> readings of one device, with what has to be remembered between them.
//
// Measured values and settings come with every response; a value that is missing after it was there, or blank, is told
// as unavailable. Alarms and texts are levels: a flag is 1 when it begins and 0 when it ends. After a gap nothing is
// bridged: what was there is told as unavailable, and levels begin anew. Codes without a row keep their number or their
// raw text. Facts: reference of MEDIBUS, from frames to readings.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "model/reading.h"
#include "model/session.h"
#include "protocols/medibus/fields.h"
#include "protocols/medibus/values.h"

namespace vesta::medibus {

// More than any device sends in one response (19 codes) by far; the longest response with distinct codes has 256.
inline constexpr size_t kMaxReadings = 320;
inline constexpr size_t kTextPool = 1536;

// The readings of one event and the texts that were made for them.
class Batch {
 public:
  void Clear() {
    count_ = 0;
    pool_used_ = 0;
  }
  // Null when it is full: counted.
  Reading* Add(uint16_t device, uint16_t field, Value value, StampedTime time);
  // A copy of printable text, anything else as '?'; cut when the pool is full.
  std::string_view Keep(std::string_view text);
  // Text made piece by piece: Begin, Append..., End.
  void BeginText() { text_start_ = pool_used_; }
  void AppendText(std::string_view text);
  std::string_view EndText() const { return {pool_.data() + text_start_, pool_used_ - text_start_}; }

  void Mark(size_t at, ValueQuality quality) { readings_[at].quality = quality; }

  std::span<const Reading> readings() const { return {readings_.data(), count_}; }
  size_t room() const { return kMaxReadings - count_; }
  uint64_t dropped() const { return dropped_; }
  uint64_t texts_cut() const { return texts_cut_; }

 private:
  std::array<Reading, kMaxReadings> readings_;
  size_t count_ = 0;
  std::array<char, kTextPool> pool_;
  size_t pool_used_ = 0;
  size_t text_start_ = 0;
  uint64_t dropped_ = 0;
  uint64_t texts_cut_ = 0;
};

struct DecodeCounters {
  uint64_t unknown_objects = 0;    // codes without a row, each time they came
  uint64_t unknown_responses = 0;  // whole responses to something we never ask
  uint64_t layout_errors = 0;      // bytes behind the last record, codes that are no hex, wrong text lengths
  uint64_t values_unreadable = 0;  // a known code with neither a number nor blanks
  uint64_t values_implausible = 0;
  uint64_t clock_steps = 0;
  uint64_t unknown_codes_dropped = 0;  // more different ones than are listed
};

inline constexpr size_t kMaxUnknownCodes = 32;  // listed for people, with their latest content

// A device clock that moved by more than this against ours was set.
inline constexpr int64_t kClockStep_s = 5;

class Decoder {
 public:
  explicit Decoder(const SiteCodes* site) : table_(site) {}

  std::span<const Field> fields() const { return table_.fields(); }
  uint16_t FieldOf(Group group, uint8_t code) { return table_.Find(group, code).field; }
  uint64_t refused_fields() const { return table_.refused(); }
  const DecodeCounters& counters() const { return counters_; }

  void ReportUnknown(UnknownSink& sink) const;

  // Forgets what the last device had.
  void SetDevice(uint16_t slot, uint16_t number, Family assumed);
  Family family() const { return table_.family(); }

  // False when the code is of no response that is understood.
  bool Decode(uint8_t code, std::string_view payload, const Now& started, Batch* batch);
  void CountClockStep(const Now& now, Batch* batch);

  // Tells as unavailable what the device had, after a gap began. True while there is more to tell: again with a new
  // batch.
  bool TellGap(const Now& now, Batch* batch);

 private:
  class CodeSet {
   public:
    bool Has(uint8_t code) const { return (words_[code >> 6] >> (code & 63) & 1) != 0; }
    void Add(uint8_t code) { words_[code >> 6] |= uint64_t{1} << (code & 63); }
    void Remove(uint8_t code) { words_[code >> 6] &= ~(uint64_t{1} << (code & 63)); }
    void Clear() { words_ = {}; }
    // Each code in order.
    template <typename Take>
    void ForEach(const Take& take) const {
      for (unsigned w = 0; w < 4; ++w) {
        for (uint64_t rest = words_[w]; rest != 0; rest &= rest - 1) {
          take(static_cast<uint8_t>(w * 64 + static_cast<unsigned>(__builtin_ctzll(rest))));
        }
      }
    }

   private:
    std::array<uint64_t, 4> words_{};
  };

  void DecodeRecords(Group group, std::string_view payload, StampedTime time, Batch* batch);
  void DecodeValue(Group group, const Record& record, uint16_t index, StampedTime time, Batch* batch);
  void DecodeAlarms(Group group, std::string_view payload, StampedTime time, Batch* batch);
  void DecodeTexts(std::string_view payload, StampedTime time, Batch* batch);
  void DecodeDateTime(std::string_view payload, const Now& started, StampedTime time, Batch* batch);
  void TellLevels(Group group, const CodeSet& now_active, StampedTime time, Batch* batch);
  void TellModes(const CodeSet& texts, StampedTime time, Batch* batch);
  void TellText(CoreField field, std::string_view text, StampedTime time, Batch* batch);
  void TellState(CoreField field, uint32_t state, uint32_t* told, StampedTime time, Batch* batch);
  void NoteUnknown(Group group, const Record& record);
  void CheckDelta(size_t first, Batch* batch);

  FieldTable table_;
  uint16_t slot_ = kNoDevice;
  DecodeCounters counters_;
  struct UnknownCode {
    Group group = Group::kMeasured1;
    uint8_t code = 0;
    uint64_t count = 0;
    char example[32];
    size_t example_size = 0;
  };
  std::array<UnknownCode, kMaxUnknownCodes> unknown_;
  size_t unknown_count_ = 0;

  std::array<CodeSet, kGroups> present_;  // values and levels that were told and hold
  std::array<CodeSet, kGroups> void_;     // levels told as unavailable
  std::array<uint8_t, 2> alarm_count_{};
  std::array<uint8_t, 2> alarm_highest_{};
  std::array<uint64_t, kCountOfCoreFields> told_texts_{};  // hashes; 0 = not told since the gap
  int told_alarms_ = -1;
  int told_highest_ = -1;
  uint32_t told_care_ = 0;
  uint32_t told_control_ = 0;
  uint16_t weight_date_ = 0;  // as last told, with whether there was a weight
  bool offset_known_ = false;
  int64_t offset_s_ = 0;
};

constexpr StampedTime ArrivalTime(const Now& now) { return ChooseTime(kNoTime, now); }

}  // namespace vesta::medibus
