// What is wrong with a configuration, where, and what would be right.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace vesta::hub {

struct ConfigProblem {
  int line = 0;  // from 1; 0 = not in the text (the file itself)
  int column = 0;
  std::string path;            // "sources[2].baud"; "" = the whole file
  std::string what;            // "9601 is not one of the allowed values"; never holds a secret
  std::string allowed;         // "300, 600, ..."; may be empty
  std::string suggestion;      // "9600"; may be empty
  bool fatal_for_part = true;  // false: a warning, the part starts
  std::string part;            // "sources[2]", "hub", "http", ...; "" = the whole file
};

// "sources[2].p1.zone" -> "sources[2]"; "http.tokens[0]" -> "http": what is left out when something in it is wrong.
std::string PartOf(const std::string& path);

// More problems than this are counted, not listed: nobody reads on, and a hostile file must not eat the memory.
inline constexpr size_t kMaxProblems = 200;

// Collects problems and the parts that they put off.
class ProblemList {
 public:
  // Sets problem.part from its path.
  void Add(ConfigProblem problem);

  bool IsOff(const std::string& part) const { return off_.contains(part); }
  const std::set<std::string>& off() const { return off_; }

  // In the order of the text, with one more entry for those that were only counted.
  std::vector<ConfigProblem> Take();

 private:
  std::vector<ConfigProblem> problems_;
  std::set<std::string> off_;
  size_t left_out_ = 0;
};

// "vesta.json:12:7: sources[2].baud: 9601 is not one of the allowed values; did you mean 9600? Allowed: 300, 600, ..."
std::string FormatProblem(std::string_view file_name, const ConfigProblem& problem);

}  // namespace vesta::hub
