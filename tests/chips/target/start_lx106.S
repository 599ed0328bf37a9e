# From reset to C++, the way out of an exception, and the one instruction that asks the host (simcall).
  .section .vectors, "ax"
  # Debug, NMI, kernel, user and double exceptions stand 16 or 32 bytes apart: each comes to the same place.
  .rept 16
  .balign 16
  j exception
  .endr
  .balign 16
  .literal_position
exception:
  rsr a2, exccause
  rsr a3, epc1
  movi a1, chip_stack
  movi a0, chip_trap
  jx a0

  .section .reset, "ax"
  .globl chip_reset
chip_reset:
  j after_literals
  .balign 4
  .literal_position
after_literals:
  movi a0, 0
  wsr a0, ps
  rsync
  movi a1, chip_stack
  movi a0, chip_main
  jx a0

# int chip_ask(int operation, int, int, int): the operation is in a2, what it needs in a3 to a5.
  .section .text.chip_ask, "ax"
  .balign 4
  .globl chip_ask
  .type chip_ask, @function
chip_ask:
  simcall
  ret
