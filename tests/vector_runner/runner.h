// Runs vector files: known bytes with what a reader must make of them.
//
// A vector is NAME.expected.json with the input it names beside it. Its "schema" says which protocol runs it; a schema
// that nobody knows is a failure. A protocol joins by one row in Protocols().
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vesta::vectors {

using Json = nlohmann::ordered_json;

// What differed in one vector.
class Report {
 public:
  void Differ(const std::string& path, const std::string& expected, const std::string& got) {
    differences_.push_back(path + ": expected " + expected + ", got " + got);
  }
  const std::vector<std::string>& differences() const { return differences_; }

 private:
  std::vector<std::string> differences_;
};

// Names every place where the two differ.
void Compare(const std::string& path, const Json& expected, const Json& got, Report* report);

struct Vector {
  std::filesystem::path file;
  Json expected;
};

// The input file that the vector names, checked against the size that it states.
std::vector<uint8_t> ReadInput(const Vector& vector, Report* report);

struct Protocol {
  std::string_view schema_prefix;
  void (*run)(const Vector& vector, Report* report);
};
std::span<const Protocol> Protocols();

void RunP1(const Vector& vector, Report* report);

}  // namespace vesta::vectors
