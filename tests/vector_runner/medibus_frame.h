// A MEDIBUS frame in the shape of the vectors' frame object, made by the functions that the session decodes with.
#pragma once

#include <vector>

#include "protocols/medibus/codes.h"
#include "protocols/medibus/parser.h"
#include "tests/vector_runner/runner.h"

namespace vesta::vectors {

// A frame with its own bytes.
struct OwnedFrame {
  bool is_command = false;
  uint8_t code = 0;
  std::vector<uint8_t> payload;
  std::vector<uint8_t> raw;
  bool checksum_ok = false;
  uint8_t checksum_computed = 0;
};
OwnedFrame Own(const medibus::Frame& frame);

Json DescribeMedibus(const OwnedFrame& frame);
// Numbers are compared as numbers; names and units only where the vector has them.
void CompareMedibus(const Json& expected, const OwnedFrame& frame, const std::string& path, Report* report);

// The group that a data response fills; kCountOfGroups: none.
medibus::Group GroupOf(uint8_t code);

}  // namespace vesta::vectors
