// The formats of vectors that are known, one row each.
#include "tests/vector_runner/formats.h"

namespace vesta::vectors {

std::span<const Format> Formats() {
  static constexpr Format kFormats[] = {
      {"dsmr", ClaimsP1, RunP1},
      {"can", ClaimsCan, RunCan},
      {"masterbus", ClaimsMasterBus, RunMasterBus},
      {"victron", ClaimsVictron, RunVictron},
      {"vesmart", ClaimsVeSmart, RunVeSmart},
      {"vedirect", ClaimsVedirect, RunVedirect},
      {"medibus", ClaimsMedibus, RunMedibus},
      {"espnow", ClaimsEspNow, RunEspNow},
      {"link", ClaimsLink, RunLink},
  };
  return kFormats;
}

}  // namespace vesta::vectors
