// What a program on an emulated chip may ask of the machine around it: its words on the screen, files to read, the end.
//
// QEMU answers: by RISC-V semihosting on rv32imc, by the simulator's call on lx106. Nothing of it exists on a real
// chip.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vesta::chips {

void Write(const char* text, size_t size);
int Open(const char* path);  // to read; below 0: no such file
size_t Read(int file, void* buffer, size_t size);
void Close(int file);
[[noreturn]] void Exit(int code);

// Names what the program was doing when it ended by itself (an exception of the processor, abort).
void NowAt(const char* what);
[[noreturn]] void Die(const char* why);

// The deepest use of the stack since the last PaintStack, in bytes below the caller of PaintStack, up to kPaintedStack.
inline constexpr size_t kPaintedStack = 8192;
void PaintStack();
size_t StackUsed();

// What operator new has given out, all told.
size_t HeapTaken();

}  // namespace vesta::chips

// The program: its value is what QEMU ends with.
int ChipMain();
