// vesta_vectors DIR...: runs every vector in the folders, names each difference, ends with "N passed, N failed".
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>

#include "tests/vector_runner/runner.h"

namespace vesta::vectors {
namespace {

constexpr size_t kMaxShownText = 160;
constexpr size_t kMaxShownDifferences = 40;  // per case; a broken reader would bury the rest

void RunFile(const std::filesystem::path& path, Results* results) {
  VectorFile file{path, {}};
  std::ifstream in(path, std::ios::binary);
  file.json = Json::parse(in, nullptr, false);
  if (file.json.is_discarded()) {
    results->Add("")->Differ("", "JSON", "something else");
    return;
  }
  for (const Format& format : Formats()) {
    try {
      if (!format.claims(file)) continue;
      const size_t before = results->cases().size();
      format.run(file, results);
      if (results->cases().size() == before) results->Add("")->Differ("", "at least one case", "none");
    } catch (const std::exception& e) {
      results->Add(std::string(format.name))->Differ("", "a vector as its README describes", e.what());
    }
    return;
  }
  results->Add("")->Differ("", "a format that a protocol runs", Shown(file.json));
}

std::vector<std::filesystem::path> VectorFiles(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".json") files.push_back(it->path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

int Main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: vesta_vectors DIR...\n");
    return 2;
  }
  int passed = 0;
  int failed = 0;
  for (int i = 1; i < argc; ++i) {
    // A vector file by itself is run, too.
    const std::filesystem::path path(argv[i]);
    std::vector<std::filesystem::path> files;
    if (std::filesystem::is_regular_file(path)) {
      files.push_back(path);
    } else {
      files = VectorFiles(path);
    }
    if (files.empty()) {
      std::printf("%s: no vectors here\n", argv[i]);
      ++failed;
    }
    for (const std::filesystem::path& file : files) {
      Results results;
      RunFile(file, &results);
      for (const Results::Case& done : results.cases()) {
        const std::vector<std::string>& differences = done.report.differences();
        differences.empty() ? ++passed : ++failed;
        const std::string where = file.string() + (done.name.empty() ? "" : " " + done.name);
        for (size_t shown = 0; shown < std::min(differences.size(), kMaxShownDifferences); ++shown) {
          std::printf("%s: %s\n", where.c_str(), differences[shown].c_str());
        }
        if (differences.size() > kMaxShownDifferences) {
          std::printf("%s: and %zu more\n", where.c_str(), differences.size() - kMaxShownDifferences);
        }
      }
    }
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace

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
  if (hex.size() % 2 != 0) throw std::invalid_argument("hex of odd length");
  for (size_t i = 0; i < hex.size(); i += 2) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(hex.data() + i, hex.data() + i + 2, value, 16);
    if (error != std::errc() || end != hex.data() + i + 2) throw std::invalid_argument("not hex: " + std::string(hex));
    bytes.push_back(static_cast<uint8_t>(value));
  }
  return bytes;
}

std::vector<uint8_t> ReadBytes(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in.is_open()) throw std::runtime_error("no such file: " + file.string());
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace vesta::vectors

int main(int argc, char** argv) { return vesta::vectors::Main(argc, argv); }
