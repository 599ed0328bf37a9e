# Compiles the sources of a folder together, a few at a time: the headers of the libraries and their templates are then
# read and compiled once for the group, which more than halves the time of a build from nothing.
#
#   vesta_unity(TARGET sources...)
#
# A group holds up to VESTA_UNITY_GROUP sources that stand in one folder. VESTA_UNITY=OFF compiles each source alone:
# for work on one file, and to see that each includes what it needs (the sanitizer and fuzz builds do so).
if(VESTA_SANITIZE OR VESTA_FUZZ)
  option(VESTA_UNITY "compile sources in groups" OFF)
else()
  option(VESTA_UNITY "compile sources in groups" ON)
endif()
set(VESTA_UNITY_GROUP 8)
cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH VESTA_UNITY_ROOT)  # also for the project in tests/chips/target

# Compiled alone: a name that is local to the source is also one of a neighbour (or, command_line.cc, takes long itself).
set(VESTA_APART
    app/command_line.cc
    app/keys.cc
    app/store.cc
    hub/journal/journal.cc
    hub/sources/mqtt_source_test.cc
    hub/sources/wifi_monitor.cc
    hub/store/block_test.cc
    hub/store/fold.cc
    hub/store/rollup.cc
    hub/store/rollup_part.cc
    hub/store/rollup_test.cc
    hub/store/sqlite_model_test.cc
    hub/store/sqlite_reader.cc
    hub/store/sqlite_store_test.cc
    hub/store/sqlite_trim.cc
    hub/store/store_admin.cc
    hub/store/store_admin_test.cc
    hub/store/unit_coding.cc
    hub/store/sqlite_ward.cc
    protocols/link/node.cc
    simulators/household.cc
    tests/vector_runner/masterbus_vectors.cc
    tests/vector_runner/vesmart_vectors.cc
    tests/vector_runner/victron_vectors.cc
)

function(vesta_unity target)
  if(NOT VESTA_UNITY)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP UNITY_BUILD_CODE_BEFORE_INCLUDE
                        "// NOLINTNEXTLINE(bugprone-suspicious-include)")
  set(folders "")
  foreach(source IN LISTS ARGN)
    cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE)
    cmake_path(RELATIVE_PATH source BASE_DIRECTORY ${VESTA_UNITY_ROOT} OUTPUT_VARIABLE name)
    if(name IN_LIST VESTA_APART)
      continue()
    endif()
    cmake_path(GET name PARENT_PATH folder)
    string(MAKE_C_IDENTIFIER "${folder}" folder)
    list(APPEND folders ${folder})
    list(APPEND in_${folder} ${source})
  endforeach()
  list(REMOVE_DUPLICATES folders)
  foreach(folder IN LISTS folders)
    # Groups of equal size, so that none is left alone at the end of the build.
    list(LENGTH in_${folder} count)
    math(EXPR groups "(${count} + ${VESTA_UNITY_GROUP} - 1) / ${VESTA_UNITY_GROUP}")
    set(index 0)
    foreach(source IN LISTS in_${folder})
      math(EXPR group "${index} * ${groups} / ${count}")
      set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${folder}_${group})
      math(EXPR index "${index} + 1")
    endforeach()
  endforeach()
endfunction()

foreach(name IN LISTS VESTA_APART)
  if(NOT EXISTS ${VESTA_UNITY_ROOT}/${name})
    message(FATAL_ERROR "VESTA_APART names ${name}, which does not exist")
  endif()
endforeach()
