#include "app/stream_cutter.h"

#include <algorithm>

namespace vesta::app {
namespace {

// No frame goes on after such a pause: a meter sends a telegram in one go.
constexpr int64_t kPieceEndPause_us = 1500 * kUsPerMs;
// As much as the longest telegram that a session takes; more without a frame is noise.
constexpr size_t kPendingMax = 128 * 1024;

bool IsLineEnd(uint8_t byte) { return byte == '\r' || byte == '\n'; }

}  // namespace

StreamCutter::StreamCutter(std::unique_ptr<Session> session, std::function<void(Bytes, UtcUs, bool)> piece)
    : session_(std::move(session)), piece_(std::move(piece)) {}

void StreamCutter::OnFrame(const FrameEvent& frame) {
  if (frame.raw.empty()) return;  // found out by the clock
  if (frame.verdict == FrameVerdict::kAccepted) ++accepted_;
  const uint64_t end = frame.stream_offset + frame.raw.size();
  if (end > pending_offset_ && (ends_.empty() || end > ends_.back())) ends_.push_back(end);
}

void StreamCutter::Receive(Bytes bytes, const Now& now) {
  Tick(now);
  pending_.insert(pending_.end(), bytes.begin(), bytes.end());
  last_byte_us_ = now.monotonic_us;
  last_byte_utc_us_ = now.utc_us;
  session_->Receive(bytes, now, *this);
  HandOn(now);
}

void StreamCutter::Tick(const Now& now) {
  if (session_->next_deadline_us() <= now.monotonic_us) session_->Tick(now, *this);
  HandOn(now);
}

void StreamCutter::Finish(const Now& now) {
  session_->LinkReset(now, *this);
  HandOn(now);
  HandOnAll();
}

void StreamCutter::HandOnAll() {
  if (!pending_.empty()) piece_(pending_, last_byte_utc_us_, false);
  pending_offset_ += pending_.size();
  pending_.clear();
}

void StreamCutter::HandOn(const Now& now) {
  for (const uint64_t end : ends_) {
    if (end <= pending_offset_) continue;
    size_t size = std::min<size_t>(static_cast<size_t>(end - pending_offset_), pending_.size());
    // The line end after the checksum belongs to the telegram.
    for (int i = 0; i < 2 && size < pending_.size() && IsLineEnd(pending_[size]); ++i) ++size;
    piece_({pending_.data(), size}, last_byte_utc_us_, true);
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(size));
    pending_offset_ += size;
  }
  ends_.clear();
  const bool paused = now.monotonic_us - last_byte_us_ > kPieceEndPause_us;
  if (!pending_.empty() && (paused || pending_.size() > kPendingMax)) HandOnAll();
}

}  // namespace vesta::app
