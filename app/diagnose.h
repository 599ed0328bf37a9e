// What a stretch of bytes from a P1 port is: telegrams, telegrams behind a wrong setting, or something else, and what
// to do about it. No I/O: doctor and decode hand in what they read.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "hub/config/config.h"
#include "model/session.h"

namespace vesta::app {

enum class LineFinding : uint8_t {
  kNothing = 0,    // not one byte
  kTelegrams = 1,  // understood
  kKeyNeeded = 2,  // encrypted frames, no key or a wrong one
  kBit7 = 3,       // telegrams once bit 7 is taken away: 7E1 read as 8N1
  kInverted = 4,   // telegrams once every bit is turned over
  kDamaged = 5,    // telegrams begin, but none is whole
  kOtherText = 6,  // text of some other kind
  kNoise = 7,      // bytes without sense: inverted line, wrong speed
};
// "nothing", "telegrams", "key_needed", "bit7", "inverted", "damaged", "other_text", "noise": stable, for scripts.
const char* LineFindingName(LineFinding finding);

struct DiagnosedDevice {
  std::string kind;  // "electricity_meter", ...
  std::string identity;
  std::string manufacturer;
  std::string model;
};

struct Diagnosis {
  LineFinding finding = LineFinding::kNothing;
  std::string says;    // one sentence
  std::string advice;  // what to do; "" when all is well
  size_t bytes = 0;
  uint64_t accepted = 0;
  bool encrypted = false;
  std::map<std::string, uint64_t> problems;  // frames not believed, by reason
  std::string version;                       // "50": what the telegram says of itself
  std::vector<DiagnosedDevice> devices;
};

Diagnosis Diagnose(Bytes bytes, const hub::SourceConfig& settings);

}  // namespace vesta::app
