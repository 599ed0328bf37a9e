// A column of integers as bytes: constant, even (each so much after the one before), plain, as differences, or as
// differences of differences, whichever is shortest. What grows nearly evenly becomes small numbers, which the
// compressor behind makes vanish. Portable.
//
// Bytes: one for the mode, then for a constant one signed varint, for an even one two, else one signed varint a value.
// Arithmetic wraps around, so any integers survive. Format: docs/formats/store.md.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "hub/store/byte_coding.h"

namespace vesta::hub {

void WriteColumn(std::span<const int64_t> values, ByteWriter* out);

// False when the bytes are no column of so many values; *values is undefined then. The caller bounds count.
bool ReadColumn(ByteReader* in, size_t count, std::vector<int64_t>* values);

}  // namespace vesta::hub
