#include "hub/web/query.h"

#include <charconv>

#include "model/calendar.h"

namespace vesta::hub {
namespace {

constexpr UtcUs kLastTime_us = 253402300799ll * kUsPerSecond;

}  // namespace

bool ParseInteger(std::string_view text, int64_t least, int64_t most, int64_t* out) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), *out);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() && *out >= least && *out <= most;
}

bool ParseTime(const std::string& text, UtcUs* out) {
  int64_t ms = 0;
  if (ParseInteger(text, 0, kLastTime_us / kUsPerMs, &ms)) {
    *out = ms * kUsPerMs;
    return true;
  }
  return ParseIso8601(text, out) && *out >= 0 && *out <= kLastTime_us;
}

HttpResponse BadQuery(std::string_view message) { return ErrorResponse(400, "bad_query", message); }

HttpResponse StoreFailed(const StoreError& error) { return ErrorResponse(503, "store", error.text); }

HttpResponse Busy() {
  HttpResponse response = ErrorResponse(503, "busy", "other history queries are at work; try again in a moment");
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace vesta::hub
