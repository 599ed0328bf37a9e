// Requests; what the page looks like is in portal_page.cc.
#include "node/portal.h"

#include <algorithm>

#include "model/hex_digit.h"

namespace vesta::node {

namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// The value of a header when the line is this one; the name in lower case.
bool IsHeader(std::string_view line, std::string_view name, std::string_view* value) {
  if (line.size() <= name.size() || line[name.size()] != ':') return false;
  for (size_t i = 0; i < name.size(); ++i) {
    if (Lower(line[i]) != name[i]) return false;
  }
  *value = line.substr(name.size() + 1);
  while (!value->empty() && (value->front() == ' ' || value->front() == '\t')) value->remove_prefix(1);
  return true;
}

bool LengthOf(std::string_view text, size_t* out) {
  if (text.empty() || text.size() > 6) return false;
  size_t length = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    length = 10 * length + static_cast<size_t>(c - '0');
  }
  *out = length;
  return true;
}

bool SameText(std::string_view a, std::string_view b) {
  return crypto::SameBytes({reinterpret_cast<const uint8_t*>(a.data()), a.size()},
                           {reinterpret_cast<const uint8_t*>(b.data()), b.size()});
}

}  // namespace

FormReader::Step FormReader::Take(uint8_t in) {
  if (!is_value_) {
    if (in == '=') {
      is_value_ = true;
      return Step::kName;
    }
    if (in == '&' || name_size_ == name_.size()) return Step::kBad;
    name_[name_size_++] = static_cast<char>(in);
    return Step::kNothing;
  }
  if (escape_ > 0) {
    const int digit = HexDigitValue(static_cast<char>(in));
    if (digit < 0) return Step::kBad;
    byte_ = static_cast<uint8_t>(escape_ == 2 ? digit << 4 : byte_ | digit);
    return --escape_ == 0 ? Step::kByte : Step::kNothing;
  }
  if (in == '&') {
    is_value_ = false;
    name_size_ = 0;
    return Step::kEnd;
  }
  if (in == '%') {
    escape_ = 2;
    return Step::kNothing;
  }
  byte_ = in == '+' ? ' ' : in;
  return Step::kByte;
}

FormReader::Step FormReader::Finish() {
  if (escape_ > 0 || (!is_value_ && name_size_ > 0)) return Step::kBad;
  return is_value_ ? Step::kEnd : Step::kNothing;
}

void Portal::Run(int64_t now_us, TcpPort& port, PortalHost& host) {
  if (is_done()) {
    if (!port.Accept()) return;
    Open(now_us);
  }
  std::array<uint8_t, 256> bytes;
  size_t size = 0;
  while (state_ != State::kAnswer && state_ != State::kDone && (size = port.Read(bytes)) > 0) {
    Receive(std::span<const uint8_t>(bytes).first(size), now_us, host);
  }
  while (true) {
    const std::span<const uint8_t> out = Transmit(host);
    const size_t taken = out.empty() ? 0 : port.Write(out);
    Transmitted(taken);
    if (taken == 0) break;
  }
  if (!is_done() && port.is_open() && now_us - open_us_ <= kPortalTime_us) return;
  port.Close();
  state_ = State::kDone;
  out_at_ = out_size_ = 0;
}

void Portal::Open(int64_t now_us) {
  state_ = State::kHead;
  target_ = Target::kPage;
  is_post_ = is_allowed_ = has_length_ = is_form_ = is_full_ = is_storing_ = false;
  is_first_line_ = true;
  open_us_ = now_us;
  head_size_ = length_ = taken_ = line_size_ = out_size_ = out_at_ = 0;
  form_ = {};
  piece_ = 0;
  piece_at_ = 0;
}

void Portal::Receive(std::span<const uint8_t> bytes, int64_t now_us, PortalHost& host) {
  for (const uint8_t byte : bytes) {
    if (state_ == State::kHead) {
      TakeHead(byte, now_us);
    } else if (state_ == State::kBody) {
      TakeBody(byte, now_us, host);
    } else {
      return;  // what comes behind the request is not of interest
    }
  }
}

void Portal::TakeHead(uint8_t byte, int64_t now_us) {
  if (++head_size_ > kMaxHead) return Answer(431, "the request is too long");
  if (byte == '\r') return;
  if (byte != '\n') {
    // Only the beginning of a long line matters, but a request line must be whole.
    if (line_size_ < line_.size())
      line_[line_size_++] = static_cast<char>(byte);
    else if (is_first_line_)
      Answer(404, "there is no such page");
    return;
  }
  if (line_size_ == 0 && !is_first_line_) return EndOfHead(now_us);
  EndOfLine();
  line_size_ = 0;
}

void Portal::EndOfLine() {
  std::string_view line(line_.data(), line_size_);
  if (!is_first_line_) {
    std::string_view value;
    if (IsHeader(line, "content-length", &value)) {
      if (has_length_ || !LengthOf(value, &length_)) return Answer(400, "the length can't be read");
      has_length_ = true;
    } else if (IsHeader(line, "content-type", &value)) {
      is_form_ = value.substr(0, value.find(';')) == "application/x-www-form-urlencoded";
    } else if (IsHeader(line, "transfer-encoding", &value)) {
      Answer(411, "send the length of the form");
    }
    return;
  }
  is_first_line_ = false;
  const size_t space = line.find(' ');
  const size_t end = line.rfind(' ');
  if (space == std::string_view::npos || end == space || !line.substr(end + 1).starts_with("HTTP/1.")) {
    return Answer(400, "this is no request");
  }
  const std::string_view method = line.substr(0, space);
  const std::string_view path = line.substr(space + 1, end - space - 1);
  is_post_ = method == "POST";
  if (!is_post_ && method != "GET") return Answer(405, "GET or POST");
  constexpr std::string_view kPaths[] = {"/", "/name", "/secret", "/configuration"};
  for (size_t i = 0; i < std::size(kPaths); ++i) {
    if (path != kPaths[i] || is_post_ == (i == 0)) continue;
    target_ = static_cast<Target>(i);
    return;
  }
  Answer(404, "there is no such page");
}

void Portal::EndOfHead(int64_t now_us) {
  line_size_ = 0;
  if (!is_post_) return Answer(200, "");
  if (!is_form_) return Answer(415, "send it as a form");
  if (!has_length_) return Answer(411, "send the length of the form");
  if (length_ > kMaxForm) return Answer(413, "the form is too long");
  if (password_.size() < kMinPassword) return Answer(403, "this node has no password, so nothing can be changed here");
  if (now_us < locked_until_us_) return Answer(429, "a password was wrong: wait some seconds");
  if (length_ == 0) return Answer(403, "the password is missing");
  state_ = State::kBody;
}

void Portal::TakeBody(uint8_t byte, int64_t now_us, PortalHost& host) {
  ++taken_;
  Handle(form_.Take(byte), now_us, host);
  if (state_ != State::kBody || taken_ < length_) return;
  Handle(form_.Finish(), now_us, host);
  if (state_ == State::kBody) EndOfForm(host);
}

void Portal::Handle(FormReader::Step step, int64_t now_us, PortalHost& host) {
  switch (step) {
    case FormReader::Step::kNothing:
      return;
    case FormReader::Step::kBad:
      return Answer(400, "this form can't be read");
    case FormReader::Step::kName: {
      const std::string_view name = form_.name();
      field_ = name == "password"                                    ? Field::kPassword
               : name == "name" && target_ == Target::kName          ? Field::kName
               : name == "secret" && target_ == Target::kSecret      ? Field::kSecret
               : name == "text" && target_ == Target::kConfiguration ? Field::kText
                                                                     : Field::kOther;
      line_size_ = 0;
      is_full_ = false;
      if (field_ == Field::kPassword && is_allowed_) return Answer(400, "the password stands there twice");
      if (field_ != Field::kPassword && !is_allowed_) return Answer(403, "the password comes first");
      if (field_ == Field::kText) {
        if (is_storing_) return Answer(400, "the configuration stands there twice");
        text_size_ = 0;
        is_storing_ = host.BeginConfigurationText();
        if (!is_storing_) Answer(503, "a configuration is on its way from the hub: try again");
      }
      return;
    }
    case FormReader::Step::kByte:
      return TakeValue(form_.byte(), host);
    case FormReader::Step::kEnd:
      if (field_ == Field::kText) return Flush(host);
      return EndOfField(now_us);
  }
}

void Portal::TakeValue(uint8_t byte, PortalHost& host) {
  if (field_ == Field::kOther) return;
  if (line_size_ == line_.size()) {
    if (field_ != Field::kText) {
      is_full_ = true;
      return;
    }
    Flush(host);
    if (state_ != State::kBody) return;
  }
  line_[line_size_++] = static_cast<char>(byte);
}

void Portal::Flush(PortalHost& host) {
  const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(line_.data()), line_size_);
  if (!host.WriteConfigurationText(text_size_, bytes)) return Answer(413, "there is no room for it");
  text_size_ += static_cast<uint32_t>(line_size_);
  line_size_ = 0;
}

void Portal::EndOfField(int64_t now_us) {
  if (field_ == Field::kPassword) {
    is_allowed_ = !is_full_ && SameText({line_.data(), line_size_}, password_);
    line_.fill(0);
    if (is_allowed_) return;
    ++wrong_passwords_;
    locked_until_us_ = now_us + kWrongPassword_us;
    return Answer(403, "the password is wrong");
  }
  // A name or a secret stays in line_ until the form is whole: it is the last field.
}

void Portal::EndOfForm(PortalHost& host) {
  if (!is_allowed_) return Answer(403, "the password is missing");
  const std::string_view value(line_.data(), line_size_);
  if (target_ == Target::kConfiguration) {
    Problem problem;
    if (!is_storing_) return Answer(400, "the configuration is missing");
    if (host.EndConfigurationText(text_size_, &problem)) return Answer(200, "The configuration is taken.");
    return Answer(422, problem.view());
  }
  Settings settings = host.ReadBoardSettings();
  if (target_ == Target::kName) {
    if (field_ != Field::kName || is_full_ || !settings.name.Set(value)) {
      return Answer(422, "a name has up to 24 bytes");
    }
  } else {
    const bool is_good = field_ == Field::kSecret && !is_full_ && ParseSecret(value, &settings.secret);
    line_.fill(0);
    if (!is_good) return Answer(422, "a secret has 32 hex digits");
    settings.has_secret = true;
  }
  const bool is_kept = host.WriteBoardSettings(settings);
  crypto::Wipe(settings.secret);
  if (!is_kept) return Answer(503, "it could not be stored");
  Answer(200, "Stored. The node begins anew.");
}

void Portal::Answer(uint16_t status, std::string_view text) {
  if (state_ == State::kAnswer) return;
  status_ = status;
  message_.Clear();
  message_.Add(text);
  state_ = State::kAnswer;
}

void Portal::Transmitted(size_t count) { out_at_ += count; }

std::span<const uint8_t> Portal::Transmit(PortalHost& host) {
  while (state_ == State::kAnswer && out_at_ == out_size_) {
    out_at_ = out_size_ = 0;
    if (!NextPiece(host)) state_ = State::kDone;
  }
  return {reinterpret_cast<const uint8_t*>(out_.data()) + out_at_, out_size_ - out_at_};
}

}  // namespace vesta::node
