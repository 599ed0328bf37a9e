// What the API of a ward knows beside readings: the audit log, beds, decoders. docs/ward.md.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "hub/audit/audit_trail.h"
#include "hub/devices/decoders.h"
#include "hub/places/places.h"

namespace vesta::hub {

// All null or empty where a hub is without one (tests): the calls then answer that there is nothing.
struct WardContext {
  AuditTrail* audit = nullptr;
  const Places* places = nullptr;
  const Decoders* decoders = nullptr;
  // Names of beds that the configuration gives; none: any name.
  std::vector<std::string> beds;
  // Says where a device stands from now on or from an earlier time, made durable and told in the audit log.
  std::function<tl::expected<void, std::string>(DeviceId, std::string bed, UtcUs begin_us, const std::string& actor)>
      begin_bed;
  std::function<tl::expected<void, std::string>(DeviceId, UtcUs end_us, const std::string& actor)> end_bed;
  // By series id (0 unused): readings taken, and made durable, by this run.
  std::function<const std::vector<uint64_t>&()> taken_by_series;
  std::function<const std::vector<uint64_t>&()> stored_by_series;

  void Tell(std::string_view actor, std::string_view action, AuditDetails details) const {
    if (audit != nullptr) audit->Record(actor, action, std::move(details));
  }
};

}  // namespace vesta::hub
