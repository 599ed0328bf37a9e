// What the calls that read history share: their parameters, and a bound on how many are at work.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "hub/store/store.h"
#include "hub/web/connection.h"
#include "hub/web/http_message.h"

namespace vesta::hub {

// The whole text, within the bounds. Else false.
bool ParseInteger(std::string_view text, int64_t least, int64_t most, int64_t* out);
// ISO 8601, or milliseconds since 1970 as the answers' own rows have them; 1970 to 9999.
bool ParseTime(const std::string& text, UtcUs* out);

HttpResponse BadQuery(std::string_view message);
HttpResponse StoreFailed(const StoreError& error);
HttpResponse Busy();

// How many queries may be at work, counted by the tokens that are out. Copies share the count.
class QuerySlots {
 public:
  QuerySlots(size_t most, WebCounters& counters)
      : most_(most), counters_(&counters), taken_(std::make_shared<std::atomic<size_t>>(0)) {}

  // Let go of the token when the answer is sent. nullptr: all are taken. Main thread only.
  std::shared_ptr<void> Take() const {
    if (*taken_ >= most_) {
      ++counters_->refused["busy"];
      return nullptr;
    }
    ++*taken_;
    return {static_cast<void*>(taken_.get()), [taken = taken_](void*) { --*taken; }};
  }

 private:
  size_t most_;
  WebCounters* counters_;
  std::shared_ptr<std::atomic<size_t>> taken_;  // a token may be dropped on the reading thread
};

}  // namespace vesta::hub
