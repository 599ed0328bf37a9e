// What every program that runs vectors has in common.
#include "tests/vector_runner/runner.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace vesta::vectors {
namespace {

constexpr size_t kMaxShownText = 160;
constexpr size_t kMaxShownDifferences = 40;  // per case; a broken reader would bury the rest

size_t NameStart(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? 0 : slash + 1;
}

}  // namespace

std::string_view VectorFile::name() const { return std::string_view(path).substr(NameStart(path)); }

std::string_view VectorFile::folder() const {
  const size_t start = NameStart(path);
  if (start == 0) return {};
  const std::string_view folders = std::string_view(path).substr(0, start - 1);
  return folders.substr(NameStart(folders));
}

std::string VectorFile::Beside(std::string_view other) const { return path.substr(0, NameStart(path)).append(other); }

void RunFile(const VectorFile& file, Results* results) {
  for (const Format& format : Formats()) {
    if (!format.claims(file)) continue;
    const size_t before = results->cases().size();
    format.run(file, results);
    if (results->cases().size() == before) results->Add("")->Differ("", "at least one case", "none");
    return;
  }
  results->Add("")->Differ("", "a format that a protocol runs", Shown(file.json));
}

void Print(const std::string& path, const Results& results, Totals* totals) {
  for (const Results::Case& done : results.cases()) {
    const std::vector<std::string>& differences = done.report.differences();
    differences.empty() ? ++totals->passed : ++totals->failed;
    const std::string where = path + (done.name.empty() ? "" : " " + done.name);
    for (size_t shown = 0; shown < std::min(differences.size(), kMaxShownDifferences); ++shown) {
      std::printf("%s: %s\n", where.c_str(), differences[shown].c_str());
    }
    if (differences.size() > kMaxShownDifferences) {
      std::printf("%s: and %zu more\n", where.c_str(), differences.size() - kMaxShownDifferences);
    }
  }
}

std::string Shown(const Json& json) {
  std::string text = json.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > kMaxShownText) text = text.substr(0, kMaxShownText) + "...";
  return text;
}

void Compare(const std::string& path, const Json& expected, const Json& got, Report* report) {
  if (expected.is_object() && got.is_object()) {
    for (const auto& [key, value] : expected.items()) {
      const std::string below = path.empty() ? key : path + "." + key;
      if (!got.contains(key)) {
        report->Differ(below, Shown(value), "nothing");
      } else {
        Compare(below, value, got[key], report);
      }
    }
    for (const auto& [key, value] : got.items()) {
      if (!expected.contains(key)) report->Differ(path + "." + key, "nothing", Shown(value));
    }
  } else if (expected.is_array() && got.is_array()) {
    const size_t common = std::min(expected.size(), got.size());
    for (size_t i = 0; i < common; ++i) Compare(path + "[" + std::to_string(i) + "]", expected[i], got[i], report);
    for (size_t i = common; i < expected.size(); ++i) {
      report->Differ(path + "[" + std::to_string(i) + "]", Shown(expected[i]), "nothing");
    }
    for (size_t i = common; i < got.size(); ++i) {
      report->Differ(path + "[" + std::to_string(i) + "]", "nothing", Shown(got[i]));
    }
  } else if (expected != got) {
    report->Differ(path, Shown(expected), Shown(got));
  }
}

std::string ToHex(std::span<const uint8_t> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * bytes.size());
  for (const uint8_t byte : bytes) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

std::vector<uint8_t> FromHex(std::string_view hex) {
  std::vector<uint8_t> bytes;
  if (hex.size() % 2 != 0) Fail("hex of odd length");
  for (size_t i = 0; i < hex.size(); i += 2) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(hex.data() + i, hex.data() + i + 2, value, 16);
    if (error != std::errc() || end != hex.data() + i + 2) Fail("not hex: " + std::string(hex));
    bytes.push_back(static_cast<uint8_t>(value));
  }
  return bytes;
}

}  // namespace vesta::vectors
