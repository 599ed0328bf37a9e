// vesta_vectors DIR...: runs every vector in the folders, names each difference, ends with "N passed, N failed".
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "tests/vector_runner/runner.h"

namespace vesta::vectors {
namespace {

void RunPath(const std::filesystem::path& path, Results* results) {
  VectorFile file{path.string(), {}};
  std::ifstream in(path, std::ios::binary);
  file.json = Json::parse(in, nullptr, false);
  if (file.json.is_discarded()) {
    results->Add("")->Differ("", "JSON", "something else");
    return;
  }
  try {
    RunFile(file, results);
  } catch (const std::exception& e) {
    results->Add("")->Differ("", "a vector as its README describes", e.what());
  }
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
  Totals totals;
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
      ++totals.failed;
    }
    for (const std::filesystem::path& file : files) {
      Results results;
      RunPath(file, &results);
      Print(file.string(), results, &totals);
    }
  }
  std::printf("%d passed, %d failed\n", totals.passed, totals.failed);
  return totals.failed == 0 ? 0 : 1;
}

}  // namespace

void Fail(const std::string& text) { throw std::runtime_error(text); }

std::vector<uint8_t> ReadBytes(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in.is_open()) Fail("no such file: " + file);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace vesta::vectors

int main(int argc, char** argv) { return vesta::vectors::Main(argc, argv); }
