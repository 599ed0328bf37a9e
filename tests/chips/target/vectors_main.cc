// The vectors on a chip: the host's own runner (tests/vector_runner), all of it, compiled for the chip. It reads the
// names of the vector files from the file `vectors.txt` where QEMU was started, and ends with "N passed, N failed".
//
// Without Mbed TLS a file that needed a cipher is skipped, and its cases are counted as that.
#include <csetjmp>
#include <cstdio>

#include "tests/chips/target/host.h"
#include "tests/chips/target/stack_watch.h"
#include "tests/vector_runner/runner.h"

namespace {

jmp_buf file_fails;
std::string failure;
bool no_cipher = false;

}  // namespace

extern "C" int chip_no_cipher() {
  no_cipher = true;
  return -1;
}

namespace vesta::vectors {

// There are no exceptions here: what the abandoned file held is not given back, which a run can bear.
void Fail(const std::string& text) {
  failure = text;
  longjmp(file_fails, 1);
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

namespace {

void Run(const std::string& path, Results* results) {
  if (setjmp(file_fails) != 0) {
    results->Add("")->Differ("", "a vector as its README describes", failure);
    return;
  }
  VectorFile file{path, {}};
  const std::vector<uint8_t> text = ReadBytes(path);
  file.json = Json::parse(text.begin(), text.end(), nullptr, false);
  if (file.json.is_discarded()) {
    results->Add("")->Differ("", "JSON", "something else");
  } else {
    RunFile(file, results);
  }
}

int RunAll() {
  Totals totals;
  int skipped = 0;
  std::string path;
  for (const uint8_t byte : ReadBytes("vectors.txt")) {
    if (byte != '\n') {
      path.push_back(static_cast<char>(byte));
      continue;
    }
    chips::NowAt(path.c_str());
    no_cipher = false;
    Results results;
    Run(path, &results);
    if (no_cipher) {
      std::printf("%s: skipped: needs a cipher\n", path.c_str());
      skipped += static_cast<int>(results.cases().size());
    } else {
      Print(path, results, &totals);
    }
    path.clear();
  }
  chips::SayStacks();
  std::printf("%d passed, %d failed", totals.passed, totals.failed);
  if (skipped > 0) std::printf(", %d skipped", skipped);
  std::printf("\n");
  return totals.failed == 0 && totals.passed > 0 ? 0 : 1;
}

}  // namespace
}  // namespace vesta::vectors

int ChipMain() {
  if (setjmp(file_fails) != 0) vesta::chips::Die("no list of vectors");
  return vesta::vectors::RunAll();
}
