// The vectors on a chip: the host's own runner (tests/vector_runner), all of it, compiled for the chip. It reads the
// names of the vector files from the file `vectors.txt` where QEMU was started, and ends with "N passed, N failed".
#include <cstdio>

#include "tests/chips/target/host.h"
#include "tests/vector_runner/runner.h"

namespace vesta::vectors {

void Fail(const std::string& text) {
  std::printf("a vector that is not as its README describes: %s\n", text.c_str());
  chips::Die("Fail");
}

std::vector<uint8_t> ReadBytes(const std::string& file) {
  const int handle = chips::Open(file.c_str());
  if (handle < 0) Fail("no such file: " + file);
  constexpr size_t kPiece = 65536;
  std::vector<uint8_t> bytes;
  for (size_t got = kPiece; got > 0;) {
    const size_t before = bytes.size();
    bytes.resize(before + kPiece);
    got = chips::Read(handle, bytes.data() + before, kPiece);
    bytes.resize(before + got);
  }
  chips::Close(handle);
  return bytes;
}

}  // namespace vesta::vectors

int ChipMain() {
  using namespace vesta::vectors;
  const std::vector<uint8_t> list = ReadBytes("vectors.txt");
  Totals totals;
  std::string path;
  for (const uint8_t byte : list) {
    if (byte != '\n') {
      path.push_back(static_cast<char>(byte));
      continue;
    }
    vesta::chips::NowAt(path.c_str());
    VectorFile file{path, {}};
    const std::vector<uint8_t> text = ReadBytes(path);
    file.json = Json::parse(text.begin(), text.end(), nullptr, false);
    Results results;
    if (file.json.is_discarded()) {
      results.Add("")->Differ("", "JSON", "something else");
    } else {
      RunFile(file, &results);
    }
    Print(path, results, &totals);
    path.clear();
  }
  std::printf("%d passed, %d failed\n", totals.passed, totals.failed);
  return totals.failed == 0 && totals.passed > 0 ? 0 : 1;
}
