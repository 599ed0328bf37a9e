# Cheap protection of a program that reads what strangers send: checked copies, a stack that can't be jumped over,
# position-independent code, tables that are read-only once the program runs.
add_compile_options(-fstack-protector-strong -fstack-clash-protection)
# Plug-ins are loaded into the program and need -fPIC, which CMake gives them.
add_compile_options($<$<NOT:$<IN_LIST:$<TARGET_PROPERTY:TYPE>,SHARED_LIBRARY$<SEMICOLON>MODULE_LIBRARY>>:-fPIE>)
add_link_options($<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-pie> -Wl,-z,relro -Wl,-z,now -Wl,--as-needed)
if(NOT VESTA_SANITIZE AND NOT VESTA_FUZZ)
  # The sanitizers bring their own, better checks. -U: some compilers set another level by default.
  add_compile_options($<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
endif()
