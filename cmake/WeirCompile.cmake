# Flags that every target of ours gets: warnings are errors, the release is hardened.
find_program(CCACHE ccache)
if(CCACHE)
  # Paths relative to the sources, so that another checkout of the same sources finds the same objects.
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND};-E;env;CCACHE_BASEDIR=${CMAKE_SOURCE_DIR};CCACHE_NOHASHDIR=1;${CCACHE}")
  set(CMAKE_C_COMPILER_LAUNCHER "${CMAKE_CXX_COMPILER_LAUNCHER}")
endif()

add_library(weir_flags INTERFACE)
target_compile_options(weir_flags INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow
  $<$<COMPILE_LANGUAGE:CXX>:-Wconversion -Wnon-virtual-dtor>
  -fstack-protector-strong -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports these wrongly in optimised coroutines and std::expected.
  target_compile_options(weir_flags INTERFACE -Wno-maybe-uninitialized -Wno-free-nonheap-object
    $<$<COMPILE_LANGUAGE:CXX>:-Wno-mismatched-new-delete> -Wno-restrict -Wno-stringop-overread)
else()
  # clang warns of what libstdc++ 12's own std::stable_sort calls.
  target_compile_options(weir_flags INTERFACE -Wno-deprecated-declarations)
endif()
target_include_directories(weir_flags INTERFACE "${CMAKE_SOURCE_DIR}" "${CMAKE_BINARY_DIR}/generated")
target_compile_definitions(weir_flags INTERFACE WEIR_VERSION="${PROJECT_VERSION}" _GNU_SOURCE)

set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include(CheckPIESupported)
check_pie_supported()
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT WEIR_SANITIZE)
  target_compile_options(weir_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -D_GLIBCXX_ASSERTIONS)
endif()
target_link_options(weir_flags INTERFACE -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)

if(WEIR_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=address,undefined)
elseif(WEIR_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread)
  add_link_options(-fsanitize=thread)
endif()
if(WEIR_FUZZ)
  add_compile_options(-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=address,undefined)
endif()

# weir_library(NAME sources...): a static library with our flags.
function(weir_library name)
  add_library(${name} STATIC ${ARGN})
  target_link_libraries(${name} PRIVATE weir_flags)
  target_include_directories(${name} PUBLIC "${CMAKE_SOURCE_DIR}")
endfunction()

# For tests: two thirds of the time to build.
function(weir_builds_fast target)
  if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT WEIR_SANITIZE)
    target_compile_options(${target} PRIVATE -O1)
  endif()
endfunction()

# weir_test(NAME SOURCES files... LIBS targets...): a GoogleTest program, one ctest entry.
function(weir_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE weir_flags ${arg_LIBS} GTest::gtest GTest::gmock GTest::gtest_main)
  weir_builds_fast(${name})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endfunction()

# weir_embed(TARGET NAMESPACE SYMBOL files...): the files' texts, compiled in, so that the program is whole by itself.
# Gives `extern const std::span<const weir::EmbeddedFile> SYMBOL` (base/embedded_file.h).
function(weir_embed target namespace symbol)
  set(out "${CMAKE_CURRENT_BINARY_DIR}/${symbol}.cpp")
  set(body "#include \"base/embedded_file.h\"\nnamespace ${namespace} {\nstatic const weir::EmbeddedFile kFiles[] = {\n")
  foreach(file ${ARGN})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
    file(READ "${file}" text)
    get_filename_component(stem "${file}" NAME_WE)
    string(APPEND body "{\"${stem}\", R\"weirembed(${text})weirembed\"},\n")
  endforeach()
  string(APPEND body "};\nextern const std::span<const weir::EmbeddedFile> ${symbol};\nconst std::span<const weir::EmbeddedFile> ${symbol}{kFiles};\n}\n")
  file(GENERATE OUTPUT "${out}" CONTENT "${body}")
  target_sources(${target} PRIVATE "${out}")
endfunction()
