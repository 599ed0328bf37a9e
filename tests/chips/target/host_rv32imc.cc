// The machine's answers by RISC-V semihosting.
#include <cstring>

#include "tests/chips/target/host.h"

extern "C" intptr_t chip_ask(int operation, const void* block);

namespace vesta::chips {
namespace {

constexpr int kOpen = 0x01;
constexpr int kClose = 0x02;
constexpr int kWrite = 0x05;
constexpr int kRead = 0x06;
constexpr int kExitExtended = 0x20;
constexpr uintptr_t kReadBinary = 1;
constexpr uintptr_t kWriteText = 4;
constexpr uintptr_t kStoppedByItself = 0x20026;

uintptr_t Address(const void* p) { return reinterpret_cast<uintptr_t>(p); }

}  // namespace

void Write(const char* text, size_t size) {
  static const uintptr_t kOpenConsole[] = {Address(":tt"), kWriteText, 3};
  static const intptr_t console = chip_ask(kOpen, kOpenConsole);
  const uintptr_t block[] = {static_cast<uintptr_t>(console), Address(text), size};
  chip_ask(kWrite, block);
}

int Open(const char* path) {
  const uintptr_t block[] = {Address(path), kReadBinary, std::strlen(path)};
  return static_cast<int>(chip_ask(kOpen, block));
}

size_t Read(int file, void* buffer, size_t size) {
  const uintptr_t block[] = {static_cast<uintptr_t>(file), Address(buffer), size};
  return size - static_cast<size_t>(chip_ask(kRead, block));
}

void Close(int file) {
  const uintptr_t block[] = {static_cast<uintptr_t>(file)};
  chip_ask(kClose, block);
}

void Exit(int code) {
  const uintptr_t block[] = {kStoppedByItself, static_cast<uintptr_t>(code)};
  chip_ask(kExitExtended, block);
  for (;;) {
  }
}

}  // namespace vesta::chips
