// The part of the hub that a ward needs beside readings: the audit log, where devices stand, which decoder read what.
//
// It outlives the sources and the web server. Main thread only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "hub/audit/audit_trail.h"
#include "hub/clock/clock.h"
#include "hub/config/config.h"
#include "hub/devices/decoders.h"
#include "hub/devices/directory.h"
#include "hub/intake/line.h"
#include "hub/journal/journal.h"
#include "hub/places/places.h"
#include "hub/web/ward.h"
#include "model/session.h"

namespace vesta::app {

class Ward {
 public:
  Ward(const hub::Clock& clock, const hub::Directory& directory, const hub::Config& config);

  void Restore(const hub::RestoredState& state);
  // From here on changes are made durable.
  void Attach(hub::Journal& journal) { journal_ = &journal; }

  void TellStart(const std::vector<std::string>& off);
  void TellStop();
  void TellClockStep(int64_t step_us);
  void TellPort(const std::string& source, hub::SourceState state, std::string_view why);
  // Before the source's first reading.
  // What of the archive must be decoded again for it: the decoder is another one than before, or a stop cut that.
  std::optional<hub::Redecode> BeginDecoder(const hub::SourceConfig& source, const Session& session);

  hub::WardContext Context();
  // In words for people; "" when the audit log is well.
  std::string Problem() const;
  // Writes what waits.
  void Close() { audit_.Close(); }

 private:
  using Done = tl::expected<void, std::string>;
  Done BeginBed(hub::DeviceId device, std::string bed, UtcUs begin_us, const std::string& actor);
  Done EndBed(hub::DeviceId device, UtcUs end_us, const std::string& actor);
  std::string KeyOf(hub::DeviceId device) const;

  const hub::Clock& clock_;
  const hub::Directory& directory_;
  const hub::Config& config_;
  hub::Journal* journal_ = nullptr;
  hub::AuditTrail audit_;
  hub::Places places_;
  hub::Decoders decoders_;
  hub::SeriesId first_series_ = 1;  // of those that this run may make
};

}  // namespace vesta::app
