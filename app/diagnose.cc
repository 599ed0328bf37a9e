#include "app/diagnose.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/diagnose_medibus.h"
#include "app/printable.h"
#include "app/reason_text.h"
#include "hub/intake/make_session.h"

namespace vesta::app {
namespace {

constexpr const char* kNames[] = {"nothing",  "telegrams", "key_needed", "bit7",
                                  "inverted", "damaged",   "other_text", "noise"};

// How much of an unknown text is shown.
constexpr size_t kExcerptBytes = 60;

class Observer final : public SessionEvents {
 public:
  explicit Observer(const Session& session) : session_(session) {}

  void OnDevice(uint16_t slot, const DeviceInfo& device) override {
    if (devices.size() <= slot) devices.resize(slot + 1);
    devices[slot] = {std::string(DeviceKindName(device.kind)), Printable(device.identity),
                     Printable(device.manufacturer), Printable(device.model)};
  }
  void OnFrame(const FrameEvent& frame) override {
    if (frame.raw.empty()) return;
    encrypted |= frame.link_encrypted;
    if (frame.verdict == FrameVerdict::kAccepted) {
      ++accepted;
    } else {
      ++problems[frame.reason];
    }
    for (const Reading& reading : frame.readings) {
      const std::string_view key = session_.fields()[reading.field].key;
      if ((key == "dsmr_version" || key == "emucs_version") && reading.value.kind() == ValueKind::kText) {
        version = Printable(reading.value.text());
      }
    }
  }

  std::vector<DiagnosedDevice> devices;
  uint64_t accepted = 0;
  bool encrypted = false;
  std::map<std::string, uint64_t> problems;
  std::string version;

 private:
  const Session& session_;
};

Diagnosis Try(Bytes bytes, const hub::SourceConfig& settings) {
  const std::unique_ptr<Session> session = hub::MakeSession(settings);
  Observer observer(*session);
  // Stamps are believed as they are: nothing here depends on when the bytes came.
  Now now;
  session->Receive(bytes, now, observer);
  while (session->next_deadline_us() != kNoDeadline && session->next_deadline_us() >= now.monotonic_us) {
    now.monotonic_us = session->next_deadline_us();
    const int64_t before_us = now.monotonic_us;
    session->Tick(now, observer);
    if (session->next_deadline_us() == before_us) break;
  }
  Diagnosis diagnosis;
  diagnosis.bytes = bytes.size();
  diagnosis.accepted = observer.accepted;
  diagnosis.encrypted = observer.encrypted;
  diagnosis.problems = std::move(observer.problems);
  diagnosis.version = std::move(observer.version);
  diagnosis.devices = std::move(observer.devices);
  return diagnosis;
}

std::string Describe(const Diagnosis& d) {
  std::string text =
      fmt::format("{}{} telegram{} heard", d.accepted, d.encrypted ? " encrypted" : "", d.accepted == 1 ? "" : "s");
  if (!d.devices.empty()) {
    const DiagnosedDevice& meter = d.devices.front();
    text += fmt::format(" from {} {}", meter.manufacturer, meter.model);
    if (!d.version.empty()) text += fmt::format(", version {}", d.version);
    text += fmt::format(", number {}", meter.identity);
  }
  for (size_t i = 1; i < d.devices.size(); ++i) {
    std::string kind = d.devices[i].kind;
    std::replace(kind.begin(), kind.end(), '_', ' ');
    text += fmt::format("; {} {}", kind, d.devices[i].identity);
  }
  return text;
}

bool MostlyText(Bytes bytes) {
  const auto printable = std::count_if(bytes.begin(), bytes.end(), [](uint8_t c) {
    return (c >= 0x20 && c < 0x7F) || c == '\r' || c == '\n' || c == '\t';
  });
  return static_cast<size_t>(printable) * 10 >= bytes.size() * 9;
}

bool HasProblem(const Diagnosis& d, const char* reason) { return d.problems.contains(reason); }

// What was not understood as it came: looks behind the usual mistakes.
void ExplainFailure(Bytes bytes, const hub::SourceConfig& settings, Diagnosis* d) {
  hub::SourceConfig masked = settings;
  masked.p1.strip_bit7 = true;
  if (!settings.p1.strip_bit7 && Try(bytes, masked).accepted > 0) {
    d->finding = LineFinding::kBit7;
    d->says = "telegrams, but bit 7 of the bytes is set: the line is 7E1 and was read as 8N1";
    d->advice = "set \"framing\": \"7E1\" in the configuration; where a relay reads the line, set \"strip_bit7\"";
    return;
  }
  std::vector<uint8_t> turned(bytes.begin(), bytes.end());
  for (uint8_t& byte : turned) byte = static_cast<uint8_t>(~byte);
  if (Try(turned, settings).accepted > 0) {
    d->finding = LineFinding::kInverted;
    d->says = "telegrams, but every bit is turned over: the line is inverted";
    d->advice = "use a cable with an inverter, or switch the inversion of its chip on (FTDI: FT_PROG, Invert RXD)";
    return;
  }
  for (const char* reason : {"no_key", "tag", "not_a_telegram"}) {
    if (!HasProblem(*d, reason)) continue;
    d->finding = LineFinding::kKeyNeeded;
    d->encrypted = true;
    d->says = "encrypted frames: " + ExplainReason(reason, {});
    d->advice = AdviseOn(reason);
    return;
  }
  if (HasProblem(*d, "crc") || HasProblem(*d, "missing_crc") || HasProblem(*d, "inner_crc")) {
    const char* reason = HasProblem(*d, "crc") ? "crc" : HasProblem(*d, "missing_crc") ? "missing_crc" : "inner_crc";
    d->finding = LineFinding::kDamaged;
    d->says = "telegrams, but none can be believed: " + ExplainReason(reason, {});
    d->advice = AdviseOn(reason);
    return;
  }
  if (MostlyText(bytes)) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), kExcerptBytes));
    const bool cut = HasProblem(*d, "cut") || HasProblem(*d, "incomplete");
    d->finding = cut ? LineFinding::kDamaged : LineFinding::kOtherText;
    d->says = cut ? "a telegram begins, but does not end" : "text, but no telegram: " + Printable(text);
    d->advice = cut ? "listen for longer; when it stays so, bytes are lost on the way"
                    : "is this the meter's port, and the right one of its settings?";
    return;
  }
  d->finding = LineFinding::kNoise;
  d->says = fmt::format("{} bytes, but no telegram in them", bytes.size());
  d->advice = "the line is inverted (use a P1 cable with an inverter), or its speed is another one";
}

}  // namespace

const char* LineFindingName(LineFinding finding) { return kNames[static_cast<size_t>(finding)]; }

Diagnosis Diagnose(Bytes bytes, const hub::SourceConfig& settings) {
  if (settings.protocol == "medibus") return DiagnoseMedibus(bytes);
  if (bytes.empty()) {
    Diagnosis silent;
    silent.says = "nothing was heard";
    silent.advice =
        "the meter sends only while the data request line (pin 2) is up: use a P1 cable; is it in the right socket? In "
        "Belgium and Luxembourg the port has to be opened by the grid operator";
    return silent;
  }
  Diagnosis diagnosis = Try(bytes, settings);
  if (diagnosis.accepted > 0) {
    diagnosis.finding = LineFinding::kTelegrams;
    diagnosis.says = Describe(diagnosis);
  } else {
    ExplainFailure(bytes, settings, &diagnosis);
  }
  return diagnosis;
}

}  // namespace vesta::app
