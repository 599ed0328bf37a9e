// The formats of vectors that are known, one row each.
#include "tests/vector_runner/formats.h"

namespace vesta::vectors {

std::span<const Format> Formats() {
  static constexpr Format kFormats[] = {
      {"dsmr", ClaimsP1, RunP1},
      {"medibus", ClaimsMedibus, RunMedibus},
  };
  return kFormats;
}

}  // namespace vesta::vectors
