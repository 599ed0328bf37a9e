#include "protocols/vedirect/session.h"

#include <algorithm>
#include <cstring>

#include "protocols/vedirect/records.h"
#include "protocols/victron/products.h"
#include "protocols/victron/registers.h"

namespace vesta::vedirect {
namespace {

constexpr char kManufacturer[] = "Victron Energy";

std::string_view AsText(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c <= 0x7E; });
}

// Copies what fits; what is not printable becomes a question mark.
template <size_t kSize>
uint8_t CopyText(std::string_view text, std::array<char, kSize>* out) {
  static_assert(kSize <= UINT8_MAX);
  const size_t size = std::min(text.size(), kSize);
  std::transform(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size), out->begin(),
                 [](char c) { return c >= 0x20 && c <= 0x7E ? c : '?'; });
  return static_cast<uint8_t>(size);
}

std::string_view UntilPadding(std::string_view text) {
  return text.substr(0, std::min({text.find('\0'), text.find('\xFF'), text.size()}));
}

char HexDigit(unsigned nibble) { return "0123456789ABCDEF"[nibble & 15]; }

}  // namespace

VedirectSession::VedirectSession(const Options& options)
    : options_(options), framer_(*this), plan_(options.poll, PollRows()) {}

void VedirectSession::Receive(Bytes bytes, const Now& now, SessionEvents& events) {
  now_ = &now;
  events_ = &events;
  framer_.Receive(bytes, now.monotonic_us);
  Ask(now);
}

void VedirectSession::Tick(const Now& now, SessionEvents& events) {
  now_ = &now;
  events_ = &events;
  framer_.Tick(now.monotonic_us);
  if (waiting_count_ > 0 && now.monotonic_us - unnamed_since_us_ >= kNameTimeout_us) DecideName(true);
  Ask(now);
}

int64_t VedirectSession::next_deadline_us() const {
  const int64_t name_us = waiting_count_ > 0 ? unnamed_since_us_ + kNameTimeout_us : kNoDeadline;
  return std::min({framer_.next_deadline_us(), name_us, plan_.next_deadline_us()});
}

void VedirectSession::LinkReset(const Now& now, SessionEvents& events) {
  now_ = &now;
  events_ = &events;
  framer_.Reset();
  if (waiting_count_ > 0) DecideName(true);
  named_ = false;
  text_seen_ = false;
  question_size_ = question_sent_ = 0;
  plan_.Open(now.monotonic_us + kFirstQuestion_us);
  Ask(now);
}

void VedirectSession::Suspend(const Now& now, SessionEvents& events) {
  now_ = &now;
  events_ = &events;
  framer_.Reset();
  question_size_ = question_sent_ = 0;
}

void VedirectSession::Resume(const Now& now, SessionEvents& events) {
  now_ = &now;
  events_ = &events;
  last_frame_us_ = named_ ? now.monotonic_us : INT64_MIN;
  plan_.Resume(now.monotonic_us);
  Ask(now);
}

void VedirectSession::Transmitted(size_t count) {
  question_sent_ = std::min(question_size_, question_sent_ + count);
  if (question_sent_ == question_size_) question_size_ = question_sent_ = 0;
}

void VedirectSession::Ask(const Now& now) {
  uint16_t reg = 0;
  while (plan_.Next(now.monotonic_us, &reg)) {
    // What the text says need not be asked.
    const victron::Register* row = victron::FindRegister(reg);
    const bool has_field = row != nullptr && row->field != victron::kNoField;
    if (has_field && named_ && picture_.KnownByText(FieldHere(row->field), now.monotonic_us)) {
      plan_.Skip(now.monotonic_us);
      continue;
    }
    // One that has not left by now never will: nobody takes it.
    question_sent_ = 0;
    question_size_ = EncodeGet(reg, question_);
    return;
  }
}

void VedirectSession::Problem(FrameVerdict verdict, const char* reason, Bytes raw, uint64_t offset) {
  FrameEvent event;
  event.verdict = verdict;
  event.reason = reason;
  event.raw = raw;
  event.stream_offset = offset;
  events_->OnFrame(event);
}

void VedirectSession::OnDiscarded(Bytes raw, uint64_t offset, const char* reason) {
  ++(reason[0] == 'c' ? counters_.discarded_cut : counters_.discarded_overlong);
  Problem(FrameVerdict::kDiscarded, reason, raw, offset);
}

void VedirectSession::OnText(Bytes raw, uint64_t offset, bool sum_is_right) {
  if (!sum_is_right) {
    if (raw[0] != '\r') return OnDiscarded(raw, offset, "cut");  // the stream began inside the block
    ++counters_.bad_checksum;
    return Problem(FrameVerdict::kRejected, "checksum", raw, offset);
  }
  ++counters_.text_blocks;
  text_seen_ = true;
  plan_.TextSeen(now_->monotonic_us);
  if (last_frame_us_ != INT64_MIN && now_->monotonic_us - last_frame_us_ > kNameForgotten_us) named_ = false;
  last_frame_us_ = now_->monotonic_us;

  Name name;
  ReadName(AsText(raw), &name);
  if (named_ && IsOtherDevice(name)) {
    named_ = false;
    blocks_before_name_ = 0;
  }
  if (named_) return TakeText(raw, offset, *now_);
  Wait(raw, offset, false);
  // What HEX said before is of no use: a port with text is named by its text, always the same.
  if (blocks_before_name_ == 0) name_ = {};
  ++blocks_before_name_;
  if (name.serial_size > 0) {
    name_.serial = name.serial;
    name_.serial_size = name.serial_size;
  }
  if (name.has_product) {
    name_.has_product = true;
    name_.product = name.product;
  }
  DecideName(false);
}

// A port with text says who it is in every block or in every second one.
bool VedirectSession::IsOtherDevice(const Name& name) const {
  if (name.serial_size > 0) {
    return name.serial_size != name_.serial_size ||
           std::memcmp(name.serial.data(), name_.serial.data(), name.serial_size) != 0;
  }
  return name.has_product && name_.has_product && name.product != name_.product;
}

void VedirectSession::ReadName(std::string_view block, Name* name) const {
  BlockFields fields(block);
  std::string_view label;
  std::string_view value;
  while (fields.Next(&label, &value)) {
    uint32_t number = 0;
    if (label == "SER#" && IsPrintable(value)) {
      name->serial_size = CopyText(value, &name->serial);
    } else if (label == "PID" && ReadHexNumber(value, &number)) {
      name->has_product = true;
      name->product = static_cast<uint16_t>(number);
    }
  }
}

void VedirectSession::OnHex(Bytes raw, uint64_t offset, HexEnd end) {
  HexFrame frame;
  const HexProblem problem = DecodeHex(raw, end, &frame);
  if (problem != HexProblem::kNone) {
    ++counters_.hex_bad;
    const bool cut = end == HexEnd::kCut;
    return Problem(cut ? FrameVerdict::kDiscarded : FrameVerdict::kRejected, cut ? "cut" : HexProblemName(problem), raw,
                   offset);
  }
  ++(frame.code == static_cast<uint8_t>(HexResponse::kAsync) ? counters_.hex_unasked : counters_.hex_answers);
  if (frame.code == static_cast<uint8_t>(HexResponse::kGet)) {
    plan_.Answered(frame.reg, frame.flags, now_->monotonic_us);
  }
  if (frame.has_register && IsSecretRegister(frame.reg)) {
    ++counters_.hex_secrets;
    return Problem(FrameVerdict::kAccepted, "", {}, offset);  // known, but its bytes go nowhere
  }
  if (!text_seen_) ReadHexName(frame);
  if (named_) return TakeHex(frame, raw, offset, *now_);
  Wait(raw, offset, true);
}

void VedirectSession::ReadHexName(const HexFrame& frame) {
  if (!frame.has_register || frame.flags != 0) return;
  const Bytes value = frame.value();
  Name name;
  if (frame.reg == 0x010A) {
    const std::string_view serial = UntilPadding(AsText(value));
    if (serial.empty() || !IsPrintable(serial)) return;
    name.serial_size = CopyText(serial, &name.serial);
  } else if (frame.reg == 0x0100 && value.size() == 4) {
    name.has_product = true;
    name.product = static_cast<uint16_t>(Little(value, 1, 2));
  } else {
    return;
  }
  if (named_ && IsOtherDevice(name)) named_ = false;
  if (named_) return;
  if (name.serial_size > 0) {
    name_.serial = name.serial;
    name_.serial_size = name.serial_size;
  }
  if (name.has_product) {
    name_.has_product = true;
    name_.product = name.product;
  }
}

void VedirectSession::Wait(Bytes raw, uint64_t offset, bool is_hex) {
  if (waiting_count_ == kMaxWaiting || waiting_used_ + raw.size() > kMaxWaitingBytes) {
    DecideName(true);
    HexFrame frame;
    if (!is_hex) return TakeText(raw, offset, *now_);
    if (DecodeHex(raw, raw.back() == '\n' ? HexEnd::kLineFeed : HexEnd::kOther, &frame) == HexProblem::kNone) {
      TakeHex(frame, raw, offset, *now_);
    }
    return;
  }
  if (waiting_count_ == 0) unnamed_since_us_ = now_->monotonic_us;
  ++counters_.frames_before_name;
  waiting_[waiting_count_++] = {static_cast<uint16_t>(raw.size()), is_hex, offset, *now_};
  std::memcpy(waiting_bytes_.data() + waiting_used_, raw.data(), raw.size());
  waiting_used_ += raw.size();
}

// final: no more is known for now, so the place has to do.
void VedirectSession::DecideName(bool final) {
  if (named_) return;
  if (name_.serial_size == 0 && !final && blocks_before_name_ < kNameBlocks) return;
  SetDevice();
  ReleaseWaiting();
}

void VedirectSession::ReleaseWaiting() {
  const size_t count = waiting_count_;
  waiting_count_ = 0;
  size_t at = 0;
  for (size_t i = 0; i < count; ++i) {
    const Waiting& waiting = waiting_[i];
    const Bytes raw = {waiting_bytes_.data() + at, waiting.size};
    at += waiting.size;
    if (!waiting.is_hex) {
      TakeText(raw, waiting.offset, waiting.now);
      continue;
    }
    HexFrame frame;
    const HexEnd end = raw.back() == '\n' ? HexEnd::kLineFeed : HexEnd::kOther;
    if (DecodeHex(raw, end, &frame) == HexProblem::kNone) TakeHex(frame, raw, waiting.offset, waiting.now);
  }
  waiting_used_ = 0;
}

void VedirectSession::SetDevice() {
  named_ = true;
  blocks_before_name_ = 0;
  std::array<char, kMaxIdentitySize> identity;
  size_t size = 0;
  const auto put = [&identity, &size](std::string_view text) {
    const size_t fits = std::min(text.size(), identity.size() - size);
    std::memcpy(identity.data() + size, text.data(), fits);
    size += fits;
  };
  if (name_.serial_size > 0) {
    put({name_.serial.data(), name_.serial_size});
  } else {
    put(options_.place);
    if (name_.has_product) {
      const char product[] = {'-', HexDigit(name_.product >> 12), HexDigit(name_.product >> 8),
                              HexDigit(name_.product >> 4), HexDigit(name_.product)};
      put({product, sizeof product});
    }
  }
  const auto same = [&identity, size](const Slot& slot) {
    return slot.identity_size == size && std::memcmp(slot.identity.data(), identity.data(), size) == 0;
  };
  const auto end = slots_.begin() + static_cast<std::ptrdiff_t>(slot_count_);
  const auto found = std::find_if(slots_.begin(), end, same);
  const auto place = static_cast<uint16_t>(found - slots_.begin());
  if (place == slot_) return Announce();
  picture_.Forget();
  if (found == end) {
    if (slot_count_ == kMaxDevices) {
      ++counters_.devices_dropped;
      slot_ = kNoDevice;
      return;
    }
    Slot& slot = slots_[slot_count_++];
    slot.identity = identity;
    slot.identity_size = static_cast<uint8_t>(size);
  }
  slot_ = place;
  Announce();
}

void VedirectSession::Announce() {
  if (slot_ == kNoDevice) return;
  const Slot& slot = slots_[slot_];
  DeviceInfo info;
  info.identity = {slot.identity.data(), slot.identity_size};
  info.manufacturer = kManufacturer;
  info.serial = {name_.serial.data(), name_.serial_size};
  // By serial number, whatever the port; else by the place.
  info.identity_on_wire = !info.serial.empty();
  info.firmware = {name_.firmware.data(), name_.firmware_size};
  info.model = {name_.model.data(), name_.model_size};
  if (name_.has_product) {
    if (const victron::Product* product = victron::FindProduct(name_.product)) {
      info.model = product->name;
      info.kind = product->kind;
    }
  }
  kind_ = info.kind;
  events_->OnDevice(slot_, info);
}

void VedirectSession::TakeIdentity(const LabelRow& row, std::string_view text, const Value& value,
                                   victron::ReadingWriter& writer) {
  std::array<char, kFirmwareTextSize> version;
  switch (row.form) {
    case LabelForm::kProduct:
      if (value.is_none()) return;
      announce_ |= !name_.has_product;
      name_.has_product = true;
      name_.product = static_cast<uint16_t>(value.state());
      product_text_ = {'0',
                       'x',
                       HexDigit(name_.product >> 12),
                       HexDigit(name_.product >> 8),
                       HexDigit(name_.product >> 4),
                       HexDigit(name_.product)};
      return writer.Text(victron::kProductId, {product_text_.data(), product_text_.size()});
    case LabelForm::kSerial:
      if (IsPrintable(text)) writer.Text(victron::kSerialNumber, text);
      return;
    case LabelForm::kModel:
      announce_ |= name_.model_size == 0 && !name_.has_product;
      name_.model_size = CopyText(text, &name_.model);
      return writer.Text(victron::kModel, {name_.model.data(), name_.model_size});
    default:
      break;
  }
  const std::string_view shown =
      row.form == LabelForm::kFirmware ? FirmwareOfLabel(text, version) : FirmwareOfExtendedLabel(text, version);
  if (shown != std::string_view(name_.firmware.data(), name_.firmware_size)) {
    name_.firmware_size = CopyText(shown, &name_.firmware);
    announce_ = true;
  }
  writer.Text(victron::kFirmware, {name_.firmware.data(), name_.firmware_size});
}

void VedirectSession::Emit(Bytes raw, uint64_t offset, std::span<const Reading> readings) {
  FrameEvent event;
  event.raw = raw;
  event.stream_offset = offset;
  event.readings = readings;
  events_->OnFrame(event);
}

void VedirectSession::CountUnknown(std::string_view code, std::string_view example) {
  Unknown wanted;
  wanted.code_size = CopyText(code, &wanted.code);
  const auto end = unknown_.begin() + static_cast<std::ptrdiff_t>(unknown_count_);
  const auto found = std::find_if(unknown_.begin(), end, [&wanted](const Unknown& known) {
    return known.code_size == wanted.code_size && known.code == wanted.code;
  });
  if (found == end && unknown_count_ == kMaxUnknown) return;  // counted all the same, without an example
  if (found == end) unknown_[unknown_count_++] = wanted;
  Unknown& entry = *found;
  entry.example_size = CopyText(example, &entry.example);
  ++entry.count;
}

void VedirectSession::CountUnknownRegister(const HexFrame& frame) {
  ++counters_.unknown_registers;
  const char code[] = {
      '0', 'x', HexDigit(frame.reg >> 12), HexDigit(frame.reg >> 8), HexDigit(frame.reg >> 4), HexDigit(frame.reg)};
  std::array<char, 24> example;
  size_t size = 0;
  for (const uint8_t byte : frame.value()) {
    if (size + 2 > example.size()) break;
    example[size++] = HexDigit(byte >> 4);
    example[size++] = HexDigit(byte);
  }
  CountUnknown({code, sizeof code}, {example.data(), size});
}

void VedirectSession::ReportUnknown(UnknownSink& sink) const {
  for (size_t i = 0; i < unknown_count_; ++i) {
    const Unknown& entry = unknown_[i];
    sink.Unknown({entry.code.data(), entry.code_size}, {entry.example.data(), entry.example_size}, entry.count);
  }
}

void VedirectSession::ReportCounters(CounterSink& sink) const {
  sink.Count("text_blocks", counters_.text_blocks);
  sink.Count("bad_checksum", counters_.bad_checksum);
  sink.Count("cut", counters_.discarded_cut);
  sink.Count("overlong", counters_.discarded_overlong);
  sink.Count("bytes_outside", framer_.bytes_outside());
  sink.Count("hex_answers", counters_.hex_answers);
  sink.Count("hex_unasked", counters_.hex_unasked);
  sink.Count("hex_bad", counters_.hex_bad);
  sink.Count("hex_flagged", counters_.hex_flagged);
  sink.Count("hex_errors", counters_.hex_errors);
  sink.Count("hex_secrets", counters_.hex_secrets);
  sink.Count("hex_known_by_text", picture_.passed_over());
  sink.Count("unknown_labels", counters_.unknown_labels);
  sink.Count("unknown_registers", counters_.unknown_registers);
  sink.Count("values_unreadable", counters_.values_unreadable);
  sink.Count("frames_before_name", counters_.frames_before_name);
  sink.Count("devices_dropped", counters_.devices_dropped);
  sink.Count("readings_dropped", picture_.dropped());
  sink.Count("questions", plan_.counters().asked);
  sink.Count("questions_unanswered", plan_.counters().unanswered);
  sink.Count("pauses_for_text", plan_.counters().pauses_for_text);
}

}  // namespace vesta::vedirect
