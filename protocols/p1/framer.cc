#include "protocols/p1/framer.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "protocols/p1/encrypted.h"
#include "protocols/p1/text.h"

namespace vesta::p1 {
namespace {

constexpr size_t kCrcDigits = 4;
constexpr size_t kMaxIdentification = 256;  // documents: up to 64 characters; longer ones are noise
constexpr size_t kReadAhead = 1024;         // room behind the longest telegram, so that the buffer rarely moves
constexpr uint8_t kBit7 = 0x80;

constexpr bool IsEol(uint8_t c) { return c == '\r' || c == '\n'; }

// Behind these a '!' ends a telegram and a '/' begins one.
constexpr bool EndsLineOrGroup(uint8_t c) { return IsEol(c) || c == ')'; }

// An end mark without checksum stands alone, whatever relays put behind it. A '!' that a bit error made is mostly
// followed by the rest of its line.
constexpr bool MayFollowEndMark(uint8_t c) {
  return IsEol(c) || c == 0 || c == ' ' || c == '\t' || c == '/' || c >= 0x80;
}

constexpr bool IsFiller(uint8_t c) { return IsEol(c) || c == 0 || c == ' '; }

size_t Find(const uint8_t* buffer, size_t from, size_t to, uint8_t byte) {
  if (from >= to) return to;
  const void* found = std::memchr(buffer + from, byte, to - from);
  return found == nullptr ? to : static_cast<size_t>(static_cast<const uint8_t*>(found) - buffer);
}

// Without a checksum: a '/' inside a line whose rest closes no group is the identification of the next telegram, which
// a cut one ran into. The last of them, not counting the first line.
size_t FindIdentificationInside(Bytes telegram) {
  size_t found = kNoSuffix;
  bool first_line = true;
  for (size_t i = 0; i < telegram.size(); ++i) {
    if (IsEol(telegram[i])) first_line = false;
    if (first_line || telegram[i] != '/') continue;
    size_t j = i;
    while (j < telegram.size() && !IsEol(telegram[j]) && telegram[j] != ')') ++j;
    if (j < telegram.size() && telegram[j] != ')') found = i;
    i = j - 1;
  }
  return found;
}

size_t Bounded(size_t max_telegram) { return std::clamp(max_telegram, kMinMaxTelegram, kMaxMaxTelegram); }

}  // namespace

Framer::Framer(const FramerOptions& options, FramerSink* sink)
    : options_(options),
      sink_(sink),
      max_pending_(Bounded(options.max_telegram) + kEncryptedOverhead),
      capacity_(max_pending_ + kReadAhead),
      buffer_(std::make_unique<Stored[]>(capacity_ + kReadablePast)) {}

void Framer::Receive(Bytes bytes, int64_t monotonic_us) {
  CatchUp();
  ExpirePause(monotonic_us);
  last_byte_us_ = monotonic_us;
  while (!bytes.empty()) {
    const size_t taken = Append(bytes);
    bytes = bytes.subspan(taken);
    Scan();
  }
  UpdateQuickLimit();
}

size_t Framer::Append(Bytes bytes) {
  if (state_ == State::kIdle && scan_ == end_) start_ = end_;
  if (start_ > 0 && capacity_ - end_ < bytes.size()) {
    std::memmove(data(), data() + start_, end_ - start_);
    const size_t moved = start_;
    base_offset_ += moved;
    start_ = 0;
    scan_ -= moved;
    end_ -= moved;
    next_bang_ = next_bang_ > moved ? next_bang_ - moved : 0;
    end_mark_ = end_mark_ > moved ? end_mark_ - moved : 0;
    only_encrypted_to_ = only_encrypted_to_ > moved ? only_encrypted_to_ - moved : 0;
  }
  const size_t n = std::min(bytes.size(), capacity_ - end_);
  std::memcpy(data() + end_, bytes.data(), n);
  if (options_.strip_bit7) {
    for (size_t i = end_; i < end_ + n; ++i) {
      if ((data()[i] & kBit7) == 0) continue;
      data()[i] &= static_cast<uint8_t>(~kBit7);
      last_stripped_ = base_offset_ + i + 1;
    }
  }
  end_ += n;
  return n;
}

// Every scanner returns whether it changed the state and there may be more to do.
void Framer::Scan() {
  bool more = true;
  while (more) {
    switch (state_) {
      case State::kIdle:
        more = ScanIdle();
        break;
      case State::kIdentification:
        more = ScanIdentification();
        break;
      case State::kBody:
        more = ScanBody();
        break;
      case State::kEnd:
        more = ScanEnd();
        break;
      case State::kEncrypted:
        more = ScanEncrypted();
        break;
    }
  }
}

bool Framer::ScanIdle() {
  const size_t plain_from = std::min(end_, std::max(scan_, only_encrypted_to_));
  const size_t slash = Find(data(), plain_from, end_, '/');
  const size_t start = Find(data(), scan_, slash, kEncryptedStart);
  const size_t at = std::min(slash, start);
  // Bytes inside a failed encrypted frame were reported with it.
  for (size_t i = std::max(scan_, only_encrypted_to_); i < at; ++i) bytes_outside_ += IsFiller(data()[i]) ? 0 : 1;
  scan_ = at;
  if (at == end_) {
    start_ = end_;
    return false;
  }
  Start(data()[at] == '/' ? State::kIdentification : State::kEncrypted, at);
  return true;
}

void Framer::Start(State state, size_t at) {
  state_ = state;
  start_ = at;
  scan_ = at + 1;
  next_bang_ = 0;
  inner_slashes_ = 0;
  encrypted_size_ = 0;
}

void Framer::GoIdle(size_t at) {
  state_ = State::kIdle;
  start_ = at;
  scan_ = at;
}

bool Framer::ScanIdentification() {
  const size_t limit = std::min(end_, start_ + kMaxIdentification);
  while (scan_ < limit && !IsEol(data()[scan_])) {
    if (data()[scan_] == '/') ++inner_slashes_;
    ++scan_;
  }
  if (scan_ < limit) {
    state_ = State::kBody;
    ++scan_;
    return true;
  }
  if (scan_ < start_ + kMaxIdentification) return false;
  // Noise with a slash in it: look again from the next byte.
  Discard(start_, start_ + 1, nullptr);
  GoIdle(start_ + 1);
  return true;
}

bool Framer::ScanBody() {
  const size_t limit = std::min(end_, start_ + Bounded(options_.max_telegram));
  for (;;) {
    if (next_bang_ < scan_) next_bang_ = Find(data(), scan_, limit, '!');
    const size_t stop = std::min(next_bang_, limit);
    const size_t slash = Find(data(), scan_, stop, '/');
    if (slash < stop) {
      scan_ = slash + 1;
      if (!EndsLineOrGroup(data()[slash - 1])) {
        ++inner_slashes_;
        continue;
      }
      if (options_.lenient_end_mark && IsEol(data()[slash - 1]) && !HasVersionObject()) {
        end_mark_ = slash;
        scan_ = slash;
        Complete(true);
      } else {
        Discard(start_, slash, "cut");
        Start(State::kIdentification, slash);
      }
      return true;
    }
    if (stop == limit) {
      scan_ = limit;
      next_bang_ = 0;
      if (limit < start_ + Bounded(options_.max_telegram)) return false;
      Abandon("overlong", false);
      return true;
    }
    scan_ = next_bang_ + 1;
    if (EndsLineOrGroup(data()[scan_ - 2])) {
      end_mark_ = scan_ - 1;
      state_ = State::kEnd;
      return true;
    }
  }
}

bool Framer::ScanEnd() {
  while (scan_ < end_ && scan_ - end_mark_ <= kCrcDigits) {
    if (HexDigitValue(static_cast<char>(data()[scan_])) < 0) {
      const bool no_digits = scan_ == end_mark_ + 1;
      if (no_digits && !MayFollowEndMark(data()[scan_])) {
        state_ = State::kBody;  // a bit error: some other character was meant
        return true;
      }
      Complete(false);
      return true;
    }
    ++scan_;
  }
  if (scan_ - end_mark_ <= kCrcDigits) return false;
  Complete(false);
  return true;
}

bool Framer::ScanEncrypted() {
  if (encrypted_size_ == 0) {
    switch (CheckEncryptedHeader(Slice(start_, end_), Bounded(options_.max_telegram), &encrypted_size_)) {
      case HeaderCheck::kMore:
        return false;
      case HeaderCheck::kNo:
        ++bytes_outside_;
        GoIdle(start_ + 1);
        return true;
      case HeaderCheck::kLength:
        Discard(start_, start_ + kEncryptedLengthEnd, "length");
        GoIdle(start_ + 1);
        return true;
      case HeaderCheck::kYes:
        break;
    }
  }
  if (end_ - start_ < encrypted_size_) {
    scan_ = end_;
    return false;
  }
  const size_t start = start_;
  const size_t stop = start + encrypted_size_;
  if (sink_->OnEncrypted(Slice(start, stop), base_offset_ + start)) {
    only_encrypted_to_ = 0;
    GoIdle(stop);
  } else {
    // 0xDB and '/' occur in ciphertext: what follows inside may be a frame, but never a plain telegram.
    only_encrypted_to_ = std::max(only_encrypted_to_, stop);
    GoIdle(start + 1);
  }
  return true;
}

uint16_t Framer::Computed(std::span<const uint8_t> bytes) const {
  return options_.crc == CrcVariant::kX25 ? Crc16X25(bytes) : Crc16Arc(bytes);
}

// The telegram from start_ whose end mark and digits are known is whole.
void Framer::Complete(bool no_end_mark) {
  const size_t start = start_;
  const size_t end_mark = end_mark_;
  const size_t end = no_end_mark ? end_mark : scan_;
  const size_t digits = no_end_mark ? 0 : end - end_mark - 1;
  uint16_t given = 0;
  for (size_t i = 0; i < digits; ++i) {
    given = static_cast<uint16_t>(given * 16 + HexDigitValue(static_cast<char>(data()[end_mark + 1 + i])));
  }
  const Bytes covered = Slice(start, no_end_mark ? end_mark : end_mark + 1);
  const uint16_t computed = Computed(covered);
  CrcState crc = CrcState::kOk;
  size_t from = start;
  if (digits == 0) {
    crc = CrcState::kAbsent;
    const size_t suffix = inner_slashes_ > 0 ? FindIdentificationInside(covered) : kNoSuffix;
    if (suffix != kNoSuffix) {
      Discard(start, start + suffix, "cut");
      from = start + suffix;
    }
  } else if (given != computed) {
    crc = CrcState::kMismatch;
    const size_t suffix = inner_slashes_ > 0 ? FindTelegramSuffix(covered, given, options_.crc) : kNoSuffix;
    if (suffix != kNoSuffix) {
      Discard(start, start + suffix, "cut");
      from = start + suffix;
      crc = CrcState::kOk;
    } else if (options_.repair_line_ends && RepairMatches(covered, given)) {
      crc = CrcState::kRepaired;
    } else if (options_.crc == CrcVariant::kIgnore) {
      crc = CrcState::kIgnored;
    }
  }
  GoIdle(end);
  TelegramFrame frame;
  frame.raw = Slice(from, end);
  frame.offset = base_offset_ + from;
  frame.end_mark = end_mark - from;
  frame.crc_given = given;
  frame.crc_computed = from == start ? computed : Computed(Slice(from, start + covered.size()));
  frame.crc = crc;
  frame.no_end_mark = no_end_mark;
  frame.bit7_stripped = last_stripped_ > frame.offset;
  sink_->OnTelegram(frame);
}

void Framer::Discard(size_t from, size_t to, const char* reason) {
  if (reason == nullptr) {
    bytes_outside_ += to - from;
    return;
  }
  sink_->OnDiscarded(Slice(from, to), base_offset_ + from, reason);
}

// What is pending will never be whole. Frames that a false start swallowed may be whole in it.
void Framer::Abandon(const char* reason, bool more_frames) {
  const size_t start = start_;
  const size_t stop = more_frames ? end_ : scan_;
  const bool only_a_start = state_ == State::kEncrypted && encrypted_size_ == 0;
  Discard(start, only_a_start ? start + 1 : stop, only_a_start ? nullptr : reason);
  const size_t next = Find(data(), start + 1, stop, kEncryptedStart);
  only_encrypted_to_ = stop;
  GoIdle(next);
}

void Framer::ExpirePause(int64_t monotonic_us) {
  if (state_ == State::kIdle) return;
  const int64_t pause_us = monotonic_us - last_byte_us_;
  if (state_ == State::kEnd) {
    if (pause_us < kEndPause_us) return;
    Complete(false);
    Scan();
    return;
  }
  const bool may_close = options_.lenient_end_mark && state_ == State::kBody && !HasVersionObject();
  if (pause_us < (may_close ? kNoEndMarkSilence_us : kCutPause_us)) return;
  if (may_close) {
    end_mark_ = end_;
    scan_ = end_;
    Complete(true);
    return;
  }
  while (state_ != State::kIdle) {
    Abandon("cut", true);
    Scan();
    if (state_ == State::kEnd) Complete(false);
  }
}

void Framer::Tick(int64_t monotonic_us) {
  CatchUp();
  ExpirePause(monotonic_us);
  UpdateQuickLimit();
}

int64_t Framer::next_deadline_us() const {
  switch (state_) {
    case State::kIdle:
      return kNoDeadline;
    case State::kEnd:
      return last_byte_us_ + kEndPause_us;
    case State::kBody:
      return last_byte_us_ + (options_.lenient_end_mark ? kNoEndMarkSilence_us : kCutPause_us);
    default:
      return last_byte_us_ + kCutPause_us;
  }
}

void Framer::Reset() {
  CatchUp();
  if (state_ != State::kIdle && end_ > start_) Discard(start_, end_, "incomplete");
  only_encrypted_to_ = 0;
  GoIdle(end_);
  UpdateQuickLimit();
}

void Framer::UpdateQuickLimit() {
  quick_limit_ = 0;
  if (scan_ != end_ || options_.strip_bit7) return;
  // One less than the longest, so that the general path sees what is too long.
  if (state_ == State::kBody) {
    quick_limit_ = std::min(capacity_, start_ + Bounded(options_.max_telegram) - 1);
    quick_stops_ = kStopsBody;
  } else if (state_ == State::kIdentification) {
    quick_limit_ = std::min(capacity_, start_ + kMaxIdentification - 1);
    quick_stops_ = kStopsIdentification;
  }
}

// The quick path leaves the bytes that it took unsearched, since there is nothing to find in them.
void Framer::CatchUp() {
  if (quick_limit_ != 0) scan_ = end_;
  quick_limit_ = 0;
}

bool Framer::HasVersionObject() const {
  // Only what was looked at: what has come beyond must not matter.
  const std::string_view text(reinterpret_cast<const char*>(data()) + start_, scan_ - start_);
  return text.find("\n1-3:0.2.8(") != std::string_view::npos;
}

// Damage by relays and editors that a checksum can prove: CR CR LF, LF alone, NULs, one surplus blank line.
bool Framer::RepairMatches(std::span<const uint8_t> telegram, uint16_t given) const {
  constexpr size_t kMaxBlankLines = 8;
  const size_t n = telegram.size();
  size_t blank_lines = 1;
  for (size_t skipped = 0; skipped <= blank_lines && skipped <= kMaxBlankLines; ++skipped) {
    Crc16 crc(options_.crc);
    size_t seen_blank = 0;
    bool line_empty = false;
    for (size_t i = 0; i < n; ++i) {
      const uint8_t c = telegram[i];
      if (c == 0) continue;
      if (!IsEol(c)) {
        crc.Add(c);
        line_empty = false;
        continue;
      }
      while (c == '\r' && i + 1 < n && telegram[i + 1] == '\r') ++i;
      if (telegram[i] == '\r' && i + 1 < n && telegram[i + 1] == '\n') ++i;
      const bool surplus = line_empty && ++seen_blank == skipped;
      line_empty = true;
      if (surplus) continue;
      crc.Add('\r');
      crc.Add('\n');
    }
    if (crc.value() == given) return true;
    blank_lines = seen_blank;
  }
  return false;
}

}  // namespace vesta::p1
