// Which decoder made the readings of a source, from which reading on.
//
// An epoch begins when a source starts with another version of the program, another protocol or other code tables than
// before; it holds until the next one of the same source. It becomes durable no later than its first reading, so every
// reading names its decoder and tables for ever. Used on the main thread only.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/field.h"
#include "model/time.h"

namespace vesta::hub {

struct DecoderEpoch {
  uint32_t id = 0;  // from 1 on, without a gap
  std::string source;
  uint64_t from_number = 0;  // journal number of the first reading that it may have made
  UtcUs since_us = 0;
  std::string decoder;  // "vesta 0.1.0 medibus"
  std::string tables;   // code tables with version and hash, as the protocol names them; else "fields/<hash>"
};

// How far the archive of a source was decoded again, because its decoder changed or somebody asked.
struct Redecode {
  std::string source;
  uint32_t epoch = 0;         // of the decoder that it is decoded with
  uint32_t first_series = 0;  // series from here on did not exist before that decoder: accepted frames give only these
  uint64_t frames_end = 0;    // frames below are tried; those above were heard by the new decoder itself
  uint64_t after = 0;         // frames up to here are done
  bool done = false;
};

class Decoders {
 public:
  void Restore(std::vector<DecoderEpoch> epochs, std::vector<Redecode> redecodes) {
    epochs_ = std::move(epochs);
    redecodes_ = std::move(redecodes);
  }

  // The epoch that begins now, to be made durable; nullptr when the source goes on with what it had.
  const DecoderEpoch* Begin(std::string source, std::string decoder, std::string tables, uint64_t from_number,
                            UtcUs now_us);

  const DecoderEpoch* Find(std::string_view source, uint64_t number) const;  // nullptr: not known
  const std::vector<DecoderEpoch>& epochs() const { return epochs_; }
  // What was begun and not finished before the hub started; nullptr: nothing.
  const Redecode* Unfinished(std::string_view source) const;

 private:
  std::vector<DecoderEpoch> epochs_;
  std::vector<Redecode> redecodes_;  // as they were at the start
};

// "fields/0123456789abcdef": names a field table by its content.
std::string FieldTableName(std::span<const Field> fields);

}  // namespace vesta::hub
