// vesta audit, vesta trace, vesta gaps: look into a data directory, with or without a hub running on it.
#pragma once

#include <cstdint>
#include <string>

namespace vesta::app {

struct AuditOptions {
  std::string what;                     // "verify", "show"
  std::string path = "/var/lib/vesta";  // data directory, or (verify) one file
  std::string expect;                   // verify: "NUMBER:HASH" that the log must hold
  uint32_t entries = 50;                // show: how many of the newest; 0 = all
  bool json = false;
};
// verify: kExitOk whole, kExitProblems broken or torn, kExitCannotStart no log there.
int RunAudit(const AuditOptions& options);

struct TraceOptions {
  std::string directory = "/var/lib/vesta";
  uint64_t number = 0;  // or:
  std::string series;   // "DEVICE/FIELD" or the series' id
  std::string time;     // "" = the newest
  bool json = false;
};
int RunTrace(const TraceOptions& options);

struct GapsOptions {
  std::string directory = "/var/lib/vesta";
  std::string device;
  std::string from;  // "" = a day before `to`
  std::string to;    // "" = now
  uint32_t longer_than_s = 0;
  bool json = false;
};
// kExitOk: no gap; kExitProblems: there are gaps.
int RunGaps(const GapsOptions& options);

}  // namespace vesta::app
