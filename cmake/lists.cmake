# Lists for ./dev, one path a line, written when CMake has seen everything:
#   benches.txt  programs that print "bar NAME VALUE LIMIT ok|short" (global property VESTA_BENCHES)
#   fuzzers.txt  fuzz targets (global property VESTA_FUZZERS)
# An entry is a target, or a path relative to the source directory (a script).
function(vesta_write_list property file)
  get_property(entries GLOBAL PROPERTY ${property})
  set(lines "")
  foreach(entry IN LISTS entries)
    if(TARGET ${entry})
      string(APPEND lines "$<TARGET_FILE:${entry}>\n")
    else()
      string(APPEND lines "${CMAKE_SOURCE_DIR}/${entry}\n")
    endif()
  endforeach()
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/${file} CONTENT "${lines}")
endfunction()

vesta_write_list(VESTA_BENCHES benches.txt)
vesta_write_list(VESTA_FUZZERS fuzzers.txt)
