# From reset to C++, the way out of a trap, and the one instruction sequence that asks the host (RISC-V semihosting).
  .option arch, +zicsr
  .section .start, "ax"
  .globl chip_start
chip_start:
  .option push
  .option norelax
  la gp, __global_pointer$
  .option pop
  la tp, chip_thread
  la sp, chip_stack
  la t0, trap
  csrw mtvec, t0
  jal chip_main

  .balign 4
trap:
  csrr a0, mcause
  csrr a1, mepc
  la sp, chip_stack
  jal chip_trap

# int chip_ask(int operation, void* block)
  .balign 16
  .globl chip_ask
  .type chip_ask, @function
chip_ask:
  .option push
  .option norvc
  slli x0, x0, 0x1f
  ebreak
  srai x0, x0, 7
  .option pop
  ret
