# generated/vesta_version.h: the version and the revision that this is built from. Made when CMake runs; a commit makes it
# run again.
find_package(Git QUIET)
set(VESTA_REVISION "unknown")
if(GIT_FOUND)
  execute_process(COMMAND ${GIT_EXECUTABLE} rev-parse --short=12 HEAD WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
                  OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE result)
  execute_process(COMMAND ${GIT_EXECUTABLE} rev-parse --git-path logs/HEAD WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
                  OUTPUT_VARIABLE head_log OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(result EQUAL 0)
    set(VESTA_REVISION ${revision})
    cmake_path(ABSOLUTE_PATH head_log BASE_DIRECTORY ${CMAKE_SOURCE_DIR})
    if(EXISTS ${head_log})
      set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${head_log})
    endif()
  endif()
endif()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/vesta_version.h CONTENT [[
// What this program was built from; made by cmake/version.cmake.
#pragma once

namespace vesta {

inline constexpr char kVersion[] = "@PROJECT_VERSION@";
inline constexpr char kRevision[] = "@VESTA_REVISION@";  // of git, or "unknown"

}  // namespace vesta
]] @ONLY)
