# What of the fast worker knows nothing of mediasoup: the worker, its unit tests and its fuzz targets are built from it.
# Cache variable: WITHOUT_UDP_SEGMENT, as on a kernel older than 4.18.
set(fast_folder ${CMAKE_CURRENT_LIST_DIR})

function(add_fast_sources target)
  set(sources ${fast_folder}/AesGcm.cpp ${fast_folder}/Counters.cpp ${fast_folder}/SrtpAeadSender.cpp ${fast_folder}/UdpSendQueue.cpp)
  target_sources(${target} PRIVATE ${sources})
  set_source_files_properties(${sources} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  target_include_directories(${target} PRIVATE ${fast_folder})
  if(WITHOUT_UDP_SEGMENT)
    target_compile_definitions(${target} PRIVATE NEKO_WITHOUT_UDP_SEGMENT)
  endif()
  # Intel's library exists for x86-64 only.
  if(CMAKE_SYSTEM_PROCESSOR STREQUAL x86_64)
    find_library(ipsec_mb IPSec_MB REQUIRED)
    target_compile_definitions(${target} PRIVATE NEKO_WITH_IPSEC_MB)
    target_link_libraries(${target} PRIVATE ${ipsec_mb})
  endif()
endfunction()
