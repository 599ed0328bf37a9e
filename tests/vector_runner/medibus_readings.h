// What a MEDIBUS session told, and whether its readings say the same as the vectors' frames.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "protocols/medibus/session.h"
#include "tests/vector_runner/medibus_frame.h"

namespace vesta::vectors {

struct ToldReading {
  uint16_t device = 0;
  std::string key;
  Value value;  // not a text
  std::string text;
  ValueQuality quality = ValueQuality::kOk;
};

struct ToldFrame {
  FrameVerdict verdict = FrameVerdict::kAccepted;
  std::string reason;
  std::vector<uint8_t> raw;
  std::vector<ToldReading> readings;
  std::map<std::string, uint32_t> levels;  // of all flags and states, after this frame
};

// Events without bytes change levels only.
class ToldFrames : public SessionEvents {
 public:
  explicit ToldFrames(const medibus::MedibusSession* session) : session_(session) {}
  void OnDevice(uint16_t slot, const DeviceInfo& device) override;
  void OnFrame(const FrameEvent& frame) override;

  std::vector<ToldFrame> frames;  // slow frames only
  std::vector<ToldReading> realtime;
  std::map<uint16_t, std::string> devices;  // "5700 Babyleo TN500" by slot

 private:
  const medibus::MedibusSession* session_;
  std::map<std::string, uint32_t> levels_;
};

// The readings of an accepted data response against the frame object of the vector.
void CompareReadings(const Json& expected, const ToldFrame& told, const std::string& path, Report* report);

}  // namespace vesta::vectors
