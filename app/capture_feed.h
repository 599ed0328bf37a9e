// A capture file as a feed: its frames at their own distances in time.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "hub/sources/capture_file.h"
#include "simulators/feed.h"

namespace vesta::app {

class CaptureFeed final : public simulators::Feed {
 public:
  // nullptr: `error` says why: no such file, no frame in it.
  static std::unique_ptr<CaptureFeed> Open(const std::string& path, bool repeat, std::string* error);

  std::optional<UtcUs> next_us() const override;
  std::string Next() override;

  uint64_t bad_lines() const { return bad_lines_; }
  const std::string& first_bad_line() const { return first_bad_line_; }

 private:
  CaptureFeed(std::string path, bool repeat) : path_(std::move(path)), repeat_(repeat) {}
  bool Advance();
  bool Rewind();

  std::string path_;
  bool repeat_;
  std::unique_ptr<hub::CaptureReader> reader_;
  std::optional<hub::CaptureFrame> next_;
  UtcUs first_us_ = 0;  // of the file
  UtcUs latest_us_ = 0;
  UtcUs shift_us_ = 0;  // repeated rounds come later
  uint64_t bad_lines_ = 0;
  std::string first_bad_line_;
};

}  // namespace vesta::app
