# A room is one static library made of the sources of its folder. Tests (x_test.cc) become <room>_test with one ctest
# entry per test case, benchmarks (x_bench.cc) become x_bench.
#
#   vesta_room(NAME [PORTABLE] [DIR folder] [LINK libraries...] [TEST_LINK libraries...])
#
# The library is vesta_NAME. New files are picked up by themselves.
include(GoogleTest)

function(vesta_room name)
  cmake_parse_arguments(ARG "PORTABLE" "DIR" "LINK;TEST_LINK" ${ARGN})
  if(NOT ARG_DIR)
    set(ARG_DIR ${name})
  endif()
  string(REPLACE "/" "_" target ${name})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${ARG_DIR}/*.cc)
  set(tests ${sources})
  set(benches ${sources})
  list(FILTER sources EXCLUDE REGEX "_(test|bench)\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")

  if(sources)
    add_library(vesta_${target} STATIC ${sources})
    target_link_libraries(vesta_${target} PUBLIC ${ARG_LINK})
    vesta_unity(vesta_${target} ${sources})
    if(ARG_PORTABLE)
      # The undefined-behaviour sanitizer needs the type information.
      set(no_rtti $<$<NOT:$<OR:$<BOOL:${VESTA_SANITIZE}>,$<BOOL:${VESTA_FUZZ}>>>:-fno-rtti>)
      target_compile_options(vesta_${target} PRIVATE -fno-exceptions ${no_rtti})
    endif()
  else()
    add_library(vesta_${target} INTERFACE)
    target_link_libraries(vesta_${target} INTERFACE ${ARG_LINK})
  endif()

  set_property(GLOBAL APPEND PROPERTY VESTA_ROOMS vesta_${target})

  if(VESTA_TESTS AND tests)
    add_executable(${target}_test ${tests})
    # Tests are built far more often than they run long: less optimised, they compile a quarter sooner.
    target_compile_options(${target}_test PRIVATE $<$<CONFIG:Release>:-O1>)
    target_link_libraries(${target}_test PRIVATE vesta_${target} ${ARG_TEST_LINK} GTest::gmock GTest::gtest_main)
    target_compile_definitions(${target}_test PRIVATE VESTA_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    vesta_unity(${target}_test ${tests})
    gtest_discover_tests(${target}_test TEST_PREFIX "${name}/" DISCOVERY_TIMEOUT 60
                         PROPERTIES TIMEOUT 300 WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
  endif()
  if(VESTA_TESTS)
    # Each benchmark is a program of its own: x_bench.cc becomes x_bench.
    foreach(bench IN LISTS benches)
      cmake_path(GET bench STEM bench_name)
      add_executable(${bench_name} ${bench})
      target_link_libraries(${bench_name} PRIVATE vesta_${target} ${ARG_TEST_LINK})
      target_compile_definitions(${bench_name} PRIVATE VESTA_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
      set_property(GLOBAL APPEND PROPERTY VESTA_BENCHES ${bench_name})
    endforeach()
  endif()
endfunction()
