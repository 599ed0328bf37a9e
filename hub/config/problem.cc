#include "hub/config/problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace vesta::hub {

std::string PartOf(const std::string& path) { return path.substr(0, path.find('.')); }

void ProblemList::Add(ConfigProblem problem) {
  problem.part = PartOf(problem.path);
  if (problem.fatal_for_part) off_.insert(problem.part);
  if (problems_.size() < kMaxProblems) {
    problems_.push_back(std::move(problem));
  } else {
    ++left_out_;
  }
}

std::vector<ConfigProblem> ProblemList::Take() {
  std::stable_sort(problems_.begin(), problems_.end(), [](const ConfigProblem& a, const ConfigProblem& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  if (left_out_ > 0) {
    ConfigProblem more;
    more.what = fmt::format("{} more faults; correct these first", left_out_);
    more.fatal_for_part = false;
    problems_.push_back(std::move(more));
  }
  return std::move(problems_);
}

std::string FormatProblem(std::string_view file_name, const ConfigProblem& problem) {
  std::string text(file_name);
  if (problem.line > 0) text += fmt::format(":{}:{}", problem.line, problem.column);
  text += problem.fatal_for_part ? ": " : ": warning: ";
  if (!problem.path.empty()) text += problem.path + ": ";
  text += problem.what;
  if (!problem.suggestion.empty()) text += fmt::format("; did you mean {}?", problem.suggestion);
  if (!problem.allowed.empty()) text += fmt::format(" (allowed: {})", problem.allowed);
  return text;
}

}  // namespace vesta::hub
