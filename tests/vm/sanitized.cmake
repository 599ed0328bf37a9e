# vesta_sanitized: the program with the rooms that Bluetooth adverts and CAN frames go through built with sanitizers, and
# all other objects as the plain build has them. The address sanitizer watches every allocation of the program and every
# access of the rooms below; building all of it would cost three times as much. Only `./dev test --vm --sanitize` asks
# for it.
# What these rooms link with, known by name in their own folder only.
find_package(Boost 1.81 REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(sdbus-c++ REQUIRED)
find_package(spdlog REQUIRED)

set(sanitized_rooms vesta_model vesta_protocols vesta_hub_devices vesta_hub_live vesta_hub_journal vesta_hub_keys
                    vesta_hub_intake vesta_hub_sources)

foreach(room IN LISTS sanitized_rooms)
  get_target_property(sources ${room} SOURCES)
  add_library(${room}_sanitized STATIC EXCLUDE_FROM_ALL ${sources})
  foreach(property COMPILE_DEFINITIONS COMPILE_OPTIONS LINK_LIBRARIES)
    get_target_property(value ${room} ${property})
    if(value)
      set_property(TARGET ${room}_sanitized PROPERTY ${property} ${value})
    endif()
  endforeach()
  vesta_unity(${room}_sanitized ${sources})
  # vptr needs the type information that portable rooms do without; fortified copies hide from the address sanitizer.
  target_compile_options(
    ${room}_sanitized
    PRIVATE -O1 -g1 -fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined
            -fno-omit-frame-pointer -U_FORTIFY_SOURCE -Wno-error=array-bounds -Wno-error=maybe-uninitialized)
  list(APPEND sanitized_libraries ${room}_sanitized)
endforeach()

add_executable(vesta_sanitized EXCLUDE_FROM_ALL $<TARGET_OBJECTS:vesta>)
set_target_properties(vesta_sanitized PROPERTIES LINKER_LANGUAGE CXX)
get_target_property(libraries vesta LINK_LIBRARIES)
# Whole, so that nothing is left to look for in the plain libraries of these rooms.
target_link_libraries(vesta_sanitized PRIVATE "$<LINK_LIBRARY:WHOLE_ARCHIVE,${sanitized_libraries}>" ${libraries})
target_link_options(vesta_sanitized PRIVATE -fsanitize=address,undefined)
