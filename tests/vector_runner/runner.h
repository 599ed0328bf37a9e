// Runs vector files: known bytes with what a reader must make of them.
//
// Every *.json below the given folders is offered to the formats in turn; the one that claims it runs its cases. A file
// that nobody claims is a failure. A protocol joins by one row in Formats() (formats.cc).
//
// All but main.cc is also compiled for the chips (tests/chips), where it runs without an operating system: no streams,
// no file system library, and what would be thrown ends the run.
#pragma once

#include <cstdint>
#include <deque>
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
std::string ToHex(std::span<const uint8_t> bytes);   // small letters
std::vector<uint8_t> FromHex(std::string_view hex);  // calls Fail

// The vector is not what its README describes: its file fails with the text. Given by the program, as is ReadBytes.
[[noreturn]] void Fail(const std::string& text);
std::vector<uint8_t> ReadBytes(const std::string& file);  // calls Fail when there is no such file

struct VectorFile {
  std::string path;
  Json json;

  std::string_view name() const;                     // without its folders
  std::string_view folder() const;                   // the last one's name
  std::string Beside(std::string_view other) const;  // the path of another file in the same folder
};

struct Format {
  std::string_view name;
  bool (*claims)(const VectorFile& file);
  // Adds a case for each thing that is checked.
  void (*run)(const VectorFile& file, Results* results);
};
std::span<const Format> Formats();

// Offers the file to the formats.
void RunFile(const VectorFile& file, Results* results);

struct Totals {
  int passed = 0;
  int failed = 0;
};
// Names what differed in each case and counts.
void Print(const std::string& path, const Results& results, Totals* totals);

}  // namespace vesta::vectors
