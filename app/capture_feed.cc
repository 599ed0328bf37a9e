#include "app/capture_feed.h"

#include <fmt/format.h>

#include <algorithm>

namespace vesta::app {
namespace {

// Between the last frame of a round and the first of the next one.
constexpr int64_t kRoundGap_us = kUsPerSecond;

}  // namespace

std::unique_ptr<CaptureFeed> CaptureFeed::Open(const std::string& path, bool repeat, std::string* error) {
  std::unique_ptr<CaptureFeed> feed(new CaptureFeed(path, repeat && path != "-"));
  feed->reader_ = std::make_unique<hub::CaptureReader>();
  if (const auto opened = feed->reader_->Open(path); !opened) {
    *error = opened.error();
    return nullptr;
  }
  if (!feed->Advance()) {
    *error = feed->bad_lines_ == 0 ? fmt::format("{} holds no frame", path)
                                   : fmt::format("{} is no capture: {}", path, feed->first_bad_line_);
    return nullptr;
  }
  feed->first_us_ = feed->latest_us_ = feed->next_->time_us;
  return feed;
}

bool CaptureFeed::Advance() {
  next_.reset();
  hub::CaptureFrame frame;
  while (true) {
    const hub::CaptureReader::Result result = reader_->Next(&frame);
    if (result == hub::CaptureReader::Result::kEnd) return false;
    if (result == hub::CaptureReader::Result::kFrame) break;
    if (bad_lines_++ == 0) first_bad_line_ = fmt::format("line {}: {}", reader_->line_number(), reader_->error());
  }
  latest_us_ = std::max(latest_us_, frame.time_us);
  next_ = std::move(frame);
  return true;
}

bool CaptureFeed::Rewind() {
  auto reader = std::make_unique<hub::CaptureReader>();
  if (!reader->Open(path_)) return false;
  reader_ = std::move(reader);
  shift_us_ += latest_us_ - first_us_ + kRoundGap_us;
  return Advance();
}

std::optional<UtcUs> CaptureFeed::next_us() const {
  if (!next_) return std::nullopt;
  return next_->time_us + shift_us_;
}

std::string CaptureFeed::Next() {
  std::string bytes(next_->bytes.begin(), next_->bytes.end());
  if (!Advance() && repeat_) Rewind();
  return bytes;
}

}  // namespace vesta::app
