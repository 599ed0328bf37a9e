// Runs vector files: known bytes with what a reader must make of them.
//
// Every *.json below the given folders is offered to the formats in turn; the one that claims it runs its cases. A file
// that nobody claims is a failure. A protocol joins by one row in Formats() (formats.cc).
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vesta::vectors {

using Json = nlohmann::ordered_json;

// What differed in one case.
class Report {
 public:
  void Differ(const std::string& path, const std::string& expected, const std::string& got) {
    differences_.push_back(path + ": expected " + expected + ", got " + got);
  }
  const std::vector<std::string>& differences() const { return differences_; }

 private:
  std::vector<std::string> differences_;
};

// The cases of one file, in order.
class Results {
 public:
  struct Case {
    std::string name;
    Report report;
  };
  Report* Add(std::string name) {
    cases_.push_back({std::move(name), {}});
    return &cases_.back().report;
  }
  const std::deque<Case>& cases() const { return cases_; }

 private:
  std::deque<Case> cases_;  // a report stays where it is while others are added
};

// Names every place where the two differ.
void Compare(const std::string& path, const Json& expected, const Json& got, Report* report);
// One line of JSON, cut when it is long, whatever bytes are in it.
std::string Shown(const Json& json);
std::string ToHex(std::span<const uint8_t> bytes);                  // small letters
std::vector<uint8_t> FromHex(std::string_view hex);                 // throws std::invalid_argument
std::vector<uint8_t> ReadBytes(const std::filesystem::path& file);  // throws std::runtime_error

struct VectorFile {
  std::filesystem::path path;
  Json json;
};

struct Format {
  std::string_view name;
  bool (*claims)(const VectorFile& file);
  // Adds a case for each thing that is checked. May throw: that fails the file with the exception's text.
  void (*run)(const VectorFile& file, Results* results);
};
std::span<const Format> Formats();

}  // namespace vesta::vectors
