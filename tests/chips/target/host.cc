// The common half of a program on an emulated chip: from the start stub to ChipMain, printf, the stack's paint.
#include "tests/chips/target/host.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

extern "C" {
extern void (*const chip_constructors[])();
extern void (*const chip_constructors_end[])();
}

namespace vesta::chips {
namespace {

constexpr int kDied = 3;
constexpr uint32_t kPaint = 0xC0DEFACE;
constexpr size_t kUnpainted = 128;  // the frame of PaintStack, which is painting

char pending[512];
size_t pending_size = 0;
const char* at = "start";
uint32_t* painted_from = nullptr;

void Flush() {
  Write(pending, pending_size);
  pending_size = 0;
}

int Put(char c, FILE*) {
  pending[pending_size++] = c;
  if (c == '\n' || pending_size == sizeof pending) Flush();
  return c;
}

FILE console = FDEV_SETUP_STREAM(Put, nullptr, nullptr, _FDEV_SETUP_WRITE);

}  // namespace

void NowAt(const char* what) { at = what; }

void Die(const char* why) {
  std::printf("DIED: %s, at %s\n", why, at);
  Exit(kDied);
}

void PaintStack() {
  painted_from = static_cast<uint32_t*>(__builtin_frame_address(0)) - kUnpainted / sizeof(uint32_t);
  for (size_t i = 1; i <= kPaintedStack / sizeof(uint32_t); ++i)
    *const_cast<volatile uint32_t*>(painted_from - i) = kPaint;
}

size_t StackUsed() {
  const uint32_t* word = painted_from - kPaintedStack / sizeof(uint32_t);
  while (word < painted_from && *word == kPaint) ++word;
  return static_cast<size_t>(painted_from - word) * sizeof(uint32_t) + kUnpainted;
}

}  // namespace vesta::chips

FILE* const stdout = &vesta::chips::console;
FILE* const stderr = &vesta::chips::console;

extern "C" {

[[noreturn]] void chip_main() {
  for (auto made = chip_constructors; made != chip_constructors_end; ++made) (*made)();
  const int code = ChipMain();
  std::fflush(stdout);
  if (vesta::chips::pending_size > 0) vesta::chips::Flush();
  vesta::chips::Exit(code);
}

[[noreturn]] void chip_trap(uint32_t cause, uint32_t where) {
  std::printf("exception of the processor %lu at %lx\n", static_cast<unsigned long>(cause),
              static_cast<unsigned long>(where));
  vesta::chips::Die("exception");
}

[[noreturn]] void abort() { vesta::chips::Die("abort"); }
}
