// vesta_vectors DIR...: runs every vector in the folders, names each difference, ends with "N passed, N failed".
#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>

#include "tests/vector_runner/runner.h"

namespace vesta::vectors {
namespace {

constexpr std::string_view kExpectedSuffix = ".expected.json";
constexpr size_t kMaxShownText = 160;
constexpr size_t kMaxShownDifferences = 40;  // per vector; a broken reader would bury the rest

constexpr Protocol kProtocols[] = {
    {"dsmr-p1-vector/1", RunP1},
};

std::string Shown(const Json& json) {
  std::string text = json.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > kMaxShownText) text = text.substr(0, kMaxShownText) + "...";
  return text;
}

Report RunFile(const std::filesystem::path& file) {
  Report report;
  Vector vector{file, {}};
  std::ifstream in(file, std::ios::binary);
  vector.expected = Json::parse(in, nullptr, false);
  if (vector.expected.is_discarded() || !vector.expected.is_object()) {
    report.Differ("", "a JSON object", "something else");
    return report;
  }
  const std::string schema = vector.expected.value("schema", "");
  for (const Protocol& protocol : Protocols()) {
    if (schema.substr(0, protocol.schema_prefix.size()) != protocol.schema_prefix) continue;
    try {
      protocol.run(vector, &report);
    } catch (const std::exception& e) {
      report.Differ("", "a vector as its README describes", e.what());
    }
    return report;
  }
  report.Differ("schema", "one that a protocol runs", Shown(schema));
  return report;
}

std::vector<std::filesystem::path> VectorFiles(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.size() > kExpectedSuffix.size() && name.ends_with(kExpectedSuffix)) files.push_back(it->path());
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
      const Report report = RunFile(file);
      report.differences().empty() ? ++passed : ++failed;
      size_t shown = 0;
      for (const std::string& difference : report.differences()) {
        if (++shown > kMaxShownDifferences) break;
        std::printf("%s: %s\n", file.string().c_str(), difference.c_str());
      }
      if (report.differences().size() > kMaxShownDifferences) {
        std::printf("%s: and %zu more\n", file.string().c_str(), report.differences().size() - kMaxShownDifferences);
      }
    }
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace

std::span<const Protocol> Protocols() { return kProtocols; }

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

std::vector<uint8_t> ReadInput(const Vector& vector, Report* report) {
  const Json& input = vector.expected.at("input");
  const std::filesystem::path file = vector.file.parent_path() / input.at("file").get<std::string>();
  std::ifstream in(file, std::ios::binary);
  std::vector<uint8_t> bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in.is_open()) report->Differ("input.file", file.string(), "no such file");
  if (input.contains("bytes") && input["bytes"] != bytes.size()) {
    report->Differ("input.bytes", Shown(input["bytes"]), std::to_string(bytes.size()));
  }
  return bytes;
}

}  // namespace vesta::vectors

int main(int argc, char** argv) { return vesta::vectors::Main(argc, argv); }
