// The machine's answers by the Xtensa simulator's call.
#include "tests/chips/target/host.h"

extern "C" int chip_ask(int operation, int first, int second, int third);

namespace vesta::chips {
namespace {

constexpr int kExit = 1;
constexpr int kRead = 3;
constexpr int kWrite = 4;
constexpr int kOpen = 5;
constexpr int kClose = 6;
constexpr int kConsole = 1;
constexpr int kReadOnly = 0;

int Address(const void* p) { return static_cast<int>(reinterpret_cast<uintptr_t>(p)); }

}  // namespace

void Write(const char* text, size_t size) {
  while (size > 0) {
    const int written = chip_ask(kWrite, kConsole, Address(text), static_cast<int>(size));
    if (written <= 0) return;
    text += written;
    size -= static_cast<size_t>(written);
  }
}

int Open(const char* path) { return chip_ask(kOpen, Address(path), kReadOnly, 0); }

size_t Read(int file, void* buffer, size_t size) {
  const int got = chip_ask(kRead, file, Address(buffer), static_cast<int>(size));
  return got < 0 ? 0 : static_cast<size_t>(got);
}

void Close(int file) { chip_ask(kClose, file, 0, 0); }

void Exit(int code) {
  chip_ask(kExit, code, 0, 0);
  for (;;) {
  }
}

}  // namespace vesta::chips
