#include "hub/config/json_tree.h"

#include <fmt/format.h>

#include <cstring>
#include <nlohmann/json.hpp>

namespace vesta::hub {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsWordCharacter(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '-' || c == '.';
}

// Walks over the text beside the parser: each of the parser's events is one token, and this knows where it stands.
class Follower {
 public:
  explicit Follower(std::string_view text) : text_(text) {
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") at_ = 3;
  }

  // Goes to the start of the next token, over blanks, comments, commas and colons.
  void Seek() {
    commas = colons = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '/' && at_ + 1 < text_.size() && (text_[at_ + 1] == '/' || text_[at_ + 1] == '*')) {
        if (!SkipComment()) return;
        continue;
      }
      if (c == ',') {
        if (++commas > 1) return;  // the second one is the error
      } else if (c == ':') {
        if (++colons > 1) return;
      } else if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
        return;
      }
      Step();
    }
  }

  // Over the token that starts here, which the parser has accepted.
  void SkipToken() {
    if (at_ >= text_.size()) return;
    const char first = text_[at_];
    Step();
    if (first == '"') {
      while (at_ < text_.size() && text_[at_] != '"') {
        if (text_[at_] == '\\') Step();
        Step();
      }
      Step();
    } else if (first == 't' || first == 'f' || first == 'n') {
      for (int letters = first == 'f' ? 4 : 3; letters > 0; --letters) Step();
    } else if (first == '-' || IsDigit(first)) {
      SkipNumber(first);
    }
    token_end_ = first == '{' || first == '[' || first == '}' || first == ']' ? std::string_view::npos : at_;
  }

  // One character on, whatever it is.
  void Step() {
    if (at_ >= text_.size()) return;
    if (text_[at_] == '\n') {
      ++line;
      column = 1;
    } else if ((static_cast<uint8_t>(text_[at_]) & 0xC0) != 0x80) {
      ++column;
    }
    ++at_;
  }

  char current() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  char previous() const { return at_ > 0 ? text_[at_ - 1] : '\0'; }
  // Nothing stands between the last text, number or word and this.
  bool touches_token() const { return at_ == token_end_; }
  bool at_end() const { return at_ >= text_.size(); }
  size_t offset() const { return at_; }

  int line = 1;
  int column = 1;
  int commas = 0;  // seen by the last Seek
  int colons = 0;

 private:
  void SkipDigits() {
    while (IsDigit(current())) Step();
  }

  // The rest of a number as JSON writes it: what follows a leading 0 is another token.
  void SkipNumber(char first) {
    if (first == '-') {
      first = current();
      Step();
    }
    if (first != '0') SkipDigits();
    if (current() == '.') {
      Step();
      SkipDigits();
    }
    if (current() == 'e' || current() == 'E') {
      Step();
      if (current() == '+' || current() == '-') Step();
      SkipDigits();
    }
  }

  bool SkipComment() {
    const bool to_line_end = text_[at_ + 1] == '/';
    const size_t end = to_line_end ? text_.find('\n', at_) : text_.find("*/", at_ + 2);
    if (end == std::string_view::npos && !to_line_end) return false;
    const size_t stop = end == std::string_view::npos ? text_.size() : end + (to_line_end ? 1 : 2);
    while (at_ < stop) Step();
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t token_end_ = std::string_view::npos;
};

// Builds the tree out of the parser's events.
class Builder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  Builder(std::string_view text, JsonNode* root, ProblemList* problems)
      : follower_(text), root_(root), problems_(problems) {}

  bool null() override { return Scalar(JsonNode::Kind::kNull) != nullptr; }
  bool boolean(bool value) override {
    Scalar(JsonNode::Kind::kBoolean)->boolean = value;
    return true;
  }
  bool number_integer(int64_t value) override {
    Scalar(JsonNode::Kind::kInteger)->number = static_cast<double>(value);
    return true;
  }
  bool number_unsigned(uint64_t value) override {
    Scalar(JsonNode::Kind::kInteger)->number = static_cast<double>(value);
    return true;
  }
  bool number_float(double value, const std::string&) override {
    Scalar(JsonNode::Kind::kNumber)->number = value;
    return true;
  }
  bool string(std::string& value) override {
    Scalar(JsonNode::Kind::kText)->text = std::move(value);
    return true;
  }
  bool binary(binary_t&) override { return false; }  // not in a text

  bool start_object(size_t) override { return Open(JsonNode::Kind::kObject); }
  bool start_array(size_t) override { return Open(JsonNode::Kind::kArray); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }

  bool key(std::string& name) override {
    follower_.Seek();
    JsonMember member;
    member.key = std::move(name);
    member.line = follower_.line;
    member.column = follower_.column;
    follower_.SkipToken();
    open_.back()->members.push_back(std::move(member));
    after_key_ = true;
    return true;
  }

  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception& error) override {
    Explain(position, error.id);
    return false;
  }

 private:
  JsonNode* Place(JsonNode::Kind kind) {
    JsonNode* node = root_;
    if (!open_.empty()) {
      JsonNode* parent = open_.back();
      if (parent->is_array()) {
        node = &parent->items.emplace_back();
      } else {
        node = &parent->members.back().value;
      }
    }
    follower_.Seek();
    node->kind = kind;
    node->line = follower_.line;
    node->column = follower_.column;
    after_key_ = false;
    return node;
  }

  JsonNode* Scalar(JsonNode::Kind kind) {
    JsonNode* node = Place(kind);
    follower_.SkipToken();
    complete_ = open_.empty();
    return node;
  }

  bool Open(JsonNode::Kind kind) {
    JsonNode* node = Place(kind);
    if (open_.size() == kMaxConfigDepth) {
      Report(fmt::format("more than {} levels of brackets", kMaxConfigDepth));
      return false;
    }
    follower_.SkipToken();
    open_.push_back(node);
    return true;
  }

  bool Close() {
    follower_.Seek();
    follower_.SkipToken();
    open_.pop_back();
    complete_ = open_.empty();
    return true;
  }

  void Report(std::string what, std::string allowed = {}) {
    ConfigProblem problem;
    problem.line = follower_.line;
    problem.column = follower_.column;
    problem.what = std::move(what);
    problem.allowed = std::move(allowed);
    problems_->Add(std::move(problem));
  }

  // Finds words for what the parser stumbled over. Nothing longer than one character of the text is repeated.
  void Explain(size_t position, int id) {
    follower_.Seek();
    const char c = follower_.current();
    const bool in_object = !open_.empty() && open_.back()->is_object();
    const bool has_value = !open_.empty() && !(in_object ? open_.back()->members.empty() : open_.back()->items.empty());
    constexpr int kNumberOutOfRange = 406;
    if (id == kNumberOutOfRange) return Report("this number is too large");
    if (c == '/' && follower_.offset() + 1 < position) return Report("this comment has no end", "*/ at its end");
    if (follower_.at_end()) {
      if (open_.empty()) return Report("the file is empty", "an object in { and }");
      return Report(fmt::format("the file ends, but the {} of line {} column {} has no end",
                                in_object ? "object" : "list", open_.back()->line, open_.back()->column),
                    in_object ? "a } for each {" : "a ] for each [");
    }
    if (complete_) return Report("something follows after the end of the configuration", "one object in { and }");
    if (after_key_ && (follower_.commas > 0 || c == '}' || c == ']')) return Report("the key has no value");
    if (follower_.commas > 1 || (follower_.commas == 1 && !has_value && !after_key_)) {
      return Report("a comma too many: nothing stands between it and what is before");
    }
    if (follower_.commas == 1 && (c == '}' || c == ']')) {
      return Report(fmt::format("a comma before '{}'", c), "no comma behind the last entry");
    }
    if (c == '#') return Report("a comment that begins with #", "comments are // to the end of the line or /* */");
    if (c == '\'') return Report("a text in single quotes", "double quotes");
    if (c == '"') {
      if (after_key_ && follower_.colons == 0) return Report("a ':' is missing before this");
      if (NeedsComma(in_object, has_value)) return Report("a ',' is missing before this");
      return ExplainText(position);
    }
    if (IsWordCharacter(c) && follower_.touches_token()) {
      return Report("this does not belong to the value before it",
                    "10 and 0.5, not 010 or 5.; true, not True or trueish");
    }
    if (IsWordCharacter(c)) {
      if (in_object && !after_key_) {
        return Report("a key without double quotes", "keys and texts stand in double quotes");
      }
      if (after_key_ && follower_.colons == 0) return Report("a ':' is missing before this");
      if (NeedsComma(in_object, has_value)) return Report("a ',' is missing before this");
      if (IsDigit(c) || c == '-' || c == '+' || c == '.') {
        return Report("a number that is not written as JSON wants it",
                      "digits without a 0 in front, at most one point: 10 or 0.5");
      }
      return Report("this is no value", "a text in double quotes, a number such as 10 or 0.5, true, false, null");
    }
    if ((c == '{' || c == '[') && in_object && !after_key_) {
      return Report(NeedsComma(in_object, has_value) ? "a ',' is missing before this" : "a key is missing before this");
    }
    if ((c == '{' || c == '[') && NeedsComma(in_object, has_value)) return Report("a ',' is missing before this");
    if (c >= ' ' && c <= '~') return Report(fmt::format("'{}' is not expected here", c));
    return Report("a character that is not expected here");
  }

  bool NeedsComma(bool in_object, bool has_value) const {
    return has_value && !(in_object && after_key_) && follower_.commas == 0;
  }

  // The parser stopped inside a text, at `position`.
  void ExplainText(size_t position) {
    const int line = follower_.line;
    const int column = follower_.column;
    while (!follower_.at_end() && follower_.offset() + 1 < position) follower_.Step();
    const char c = follower_.current();
    if (follower_.at_end() || c == '\n' || c == '\r') {
      follower_.line = line;
      follower_.column = column;
      return Report("this text has no closing double quote on its line");
    }
    if (static_cast<uint8_t>(c) < ' ') return Report("a control character inside a text", "\\t, \\n, ... instead");
    const bool beyond_ascii = static_cast<uint8_t>(c) >= 0x80 || static_cast<uint8_t>(follower_.previous()) >= 0x80;
    if (follower_.previous() != '\\' && beyond_ascii) {
      if (static_cast<uint8_t>(c) < 0x80) --follower_.column;  // the byte before was not complete
      return Report("bytes inside a text that are not UTF-8");
    }
    Report("a wrong escape inside a text", "\\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u with four hex digits");
  }

  Follower follower_;
  JsonNode* root_;
  ProblemList* problems_;
  std::vector<JsonNode*> open_;  // stays valid: a parent grows only when its last child is closed
  bool after_key_ = false;
  bool complete_ = false;
};

}  // namespace

const JsonNode* JsonNode::Find(std::string_view key) const {
  for (const JsonMember& member : members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

JsonNode* JsonNode::Find(std::string_view key) {
  return const_cast<JsonNode*>(static_cast<const JsonNode*>(this)->Find(key));
}

bool ParseJsonTree(std::string_view text, JsonNode* root, ProblemList* problems) {
  if (text.size() > kMaxConfigBytes) {
    ConfigProblem problem;
    problem.what = fmt::format("the text has {} bytes", text.size());
    problem.allowed = fmt::format("at most {} bytes", kMaxConfigBytes);
    problems->Add(std::move(problem));
    return false;
  }
  Builder builder(text, root, problems);
  constexpr bool kStrict = true;
  constexpr bool kComments = true;
  return nlohmann::json::sax_parse(text.begin(), text.end(), &builder, nlohmann::json::input_format_t::json, kStrict,
                                   kComments);
}

}  // namespace vesta::hub
