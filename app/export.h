// vesta export: history as a file, beside a running hub or without one.
#pragma once

#include <string>
#include <vector>

namespace vesta::app {

struct ExportOptions {
  std::string format = "csv";  // "csv", "csv-wide", "jsonl", "fhir", "day-log", "neonat"
  std::string directory = "/var/lib/vesta";
  std::string out = "-";  // "-" = standard output; neonat needs a file
  std::string from;       // ISO 8601; "" = from the beginning
  std::string to;
  std::vector<std::string> devices;
  std::vector<std::string> fields;
  std::string key_file;        // pseudonymous with this key
  int stamp_offset_min = 120;  // neonat
};

int RunExport(const ExportOptions& options);

}  // namespace vesta::app
