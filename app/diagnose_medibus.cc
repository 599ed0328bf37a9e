#include "app/diagnose_medibus.h"

#include <fmt/format.h>

#include "app/printable.h"
#include "protocols/medibus/session.h"

namespace vesta::app {
namespace {

class MedibusObserver final : public SessionEvents {
 public:
  void OnDevice(uint16_t slot, const DeviceInfo& device) override {
    if (slot == medibus::kLineSlot) return;
    devices.push_back({std::string(DeviceKindName(device.kind)), Printable(device.identity),
                       Printable(device.manufacturer), Printable(device.model)});
  }
  void OnFrame(const FrameEvent& frame) override {
    if (frame.raw.empty()) return;
    if (frame.verdict == FrameVerdict::kAccepted) {
      ++(frame.raw.front() == medibus::kEsc ? commands : responses);
    } else {
      ++problems[frame.reason];
    }
  }

  std::vector<DiagnosedDevice> devices;
  uint64_t commands = 0;
  uint64_t responses = 0;
  std::map<std::string, uint64_t> problems;
};

std::string Describe(const MedibusObserver& heard) {
  std::string text = fmt::format("{} MEDIBUS frame{} heard", heard.commands + heard.responses,
                                 heard.commands + heard.responses == 1 ? "" : "s");
  if (!heard.devices.empty()) {
    text += fmt::format(" from {} {}", heard.devices.back().manufacturer, heard.devices.back().model);
  }
  return text + (heard.responses > 0 ? "; another host asks on this line: let the source listen only (\"passive\")"
                                     : "; a device that waits for its host");
}

}  // namespace

Diagnosis DiagnoseMedibus(Bytes bytes) {
  Diagnosis diagnosis;
  diagnosis.bytes = bytes.size();
  if (bytes.empty()) {
    diagnosis.says = "nothing was heard";
    diagnosis.advice =
        "a device whose port is set to MEDIBUS or MEDIBUS.X calls its host every 3 s: is it on, is the protocol chosen "
        "in its menu, are transmit and receive the right way round?";
    return diagnosis;
  }
  medibus::Options options;
  options.passive = true;
  medibus::MedibusSession session(options);
  MedibusObserver heard;
  session.Receive(bytes, Now(), heard);
  diagnosis.accepted = heard.commands + heard.responses;
  diagnosis.problems = heard.problems;
  diagnosis.devices = heard.devices;
  if (diagnosis.accepted > 0) {
    diagnosis.finding = LineFinding::kTelegrams;
    diagnosis.says = Describe(heard);
  } else if (heard.problems.contains("checksum")) {
    diagnosis.finding = LineFinding::kDamaged;
    diagnosis.says = "MEDIBUS frames, but none with a right checksum";
    diagnosis.advice = "always is a wrong parity or number of bits; now and then is a bad cable";
  } else {
    diagnosis.finding = LineFinding::kNoise;
    diagnosis.says = fmt::format("{} bytes, but no MEDIBUS frame in them", bytes.size());
    diagnosis.advice = "baud rate and parity must be those of the device's menu; is this protocol chosen there?";
  }
  return diagnosis;
}

}  // namespace vesta::app
