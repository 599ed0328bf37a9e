#!/usr/bin/env python3
"""The portable rooms use only what the compilers of small chips have (GCC 10 is the oldest) and no operating system.

Debian has no GCC 10, so this looks for names and headers. Tests and benchmarks run on the hub's computer and are free.
"""

import re
import sys

from project_files import lines_of, project_files, report

ROOMS = ("model/", "protocols/", "formats/", "node/")

# Headers of C++20 as GCC 10 has them, without threads, streams, files, clocks, exceptions.
HEADERS = set("""algorithm array bit bitset cassert cctype cerrno cfloat charconv cinttypes climits cmath compare concepts
cstdarg cstddef cstdint cstdio cstdlib cstring functional initializer_list iterator limits memory new numeric optional
span string string_view tuple type_traits utility variant vector""".split())

# A library that one file may use, because that file hides it from the others.
FOREIGN = {"protocols/crypto.cc": ("mbedtls/",), "protocols/crypto.h": ("mbedtls/",),
           "protocols/crypto_link.cc": ("mbedtls/",)}

# name -> why not
BANNED = [
    (r"std::bit_cast\b", "GCC 11"),
    (r"std::format\b|std::vformat\b|std::print", "GCC 13"),
    (r"\busing\s+enum\b", "GCC 11"),
    (r"std::expected\b", "GCC 12"),
    (r"std::jthread\b|std::thread\b|std::mutex\b|std::lock_guard\b|std::atomic\b|thread_local\b", "no threads here"),
    (r"std::to_underlying\b|std::byteswap\b|std::unreachable\b", "GCC 11 or newer"),
    (r"std::source_location\b|std::make_unique_for_overwrite\b", "GCC 11 or newer"),
    (r"std::chrono\b|\btime\(\s*(?:NULL|nullptr|0)\s*\)|\bclock_gettime\b|\bgettimeofday\b", "time is passed in"),
    (r"\bconsteval\b|\bif\s+consteval\b|\bconstinit\b", "unsure in GCC 10"),
    (r"\bstd::ostream\b|\bstd::istream\b|\bstd::cout\b|\bstd::cerr\b|\bprintf\s*\(|\bfopen\b", "no I/O here"),
    (r"\bthrow\b|\btry\s*\{|\bcatch\s*\(", "built without exceptions"),
    (r"\bdynamic_cast\b|\btypeid\b", "built without run-time type information"),
    (r"\b(?:co_await|co_yield|co_return)\b", "allocates"),
]
# Everywhere in C++: clang 14 with this library rejects it.
BANNED_EVERYWHERE = [(r"std::(?:ranges::)?views\b", "clang 14 rejects it")]

SYSTEM_INCLUDE = re.compile(r"\s*#\s*include\s+<([^>]+)>")
STRING_OR_COMMENT = re.compile(r'"(?:\\.|[^"\\])*"|//.*$|/\*.*?\*/')


def main():
    offences = []
    for path in project_files(".cc", ".h"):
        portable = path.startswith(ROOMS) and not path.endswith(("_test.cc", "_bench.cc", "_for_test.h"))
        banned = BANNED_EVERYWHERE + (BANNED if portable else [])
        for number, line in enumerate(lines_of(path), 1):
            include = SYSTEM_INCLUDE.match(line)
            if portable and include and include.group(1) not in HEADERS:
                if not include.group(1).startswith(FOREIGN.get(path, ("\0",))):
                    offences.append((path, number, f"<{include.group(1)}> is not for portable code"))
            code = STRING_OR_COMMENT.sub("", line)
            for pattern, why in banned:
                found = re.search(pattern, code)
                if found:
                    offences.append((path, number, f"{found.group(0).strip()}: {why}"))
    return report(offences)


if __name__ == "__main__":
    sys.exit(main())
