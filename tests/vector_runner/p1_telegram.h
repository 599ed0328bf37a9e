// A P1 telegram in the shape of the vectors' `telegram`, made by the decoder that the product uses.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "protocols/p1/decode.h"
#include "tests/vector_runner/runner.h"

namespace vesta::vectors {

struct TelegramView {
  std::string_view raw;  // from '/' to the last checksum digit
  bool complete = true;  // an end mark was seen
  uint64_t offset = 0;
  bool followed_by_junk = false;  // the byte behind the checksum is no line end
};

Json DescribeTelegram(const TelegramView& view, const p1::TimeRules& rules, const Json& tariff_rule);

// What a stream event says of a telegram.
Json DescribeForStream(std::string_view raw, const p1::TimeRules& rules);

// `got` has fields that the vectors' list of names does not know: each must agree with the expected objects. They are
// removed from `got`.
void CheckFieldsBeyondVectors(const Json& expected_objects, Json* got_fields, const std::string& path, Report* report);

std::string HexOf(std::span<const uint8_t> bytes);
std::string DecimalText(Decimal decimal);
Json UtcText(UtcUs us);
// Equal as numbers.
bool SameDecimal(const std::string& a, const std::string& b);

}  // namespace vesta::vectors
