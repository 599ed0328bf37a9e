#include "hub/web/json_body.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace vesta::hub {
namespace {

using Json = nlohmann::json;

// Stops at the first thing that does not belong into a flat object of texts.
class StringsReader final : public nlohmann::json_sax<Json> {
 public:
  StringsReader(std::initializer_list<std::string_view> keys) : keys_(keys) {}

  bool null() override { return NotText(); }
  bool boolean(bool) override { return NotText(); }
  bool number_integer(number_integer_t) override { return NotText(); }
  bool number_unsigned(number_unsigned_t) override { return NotText(); }
  bool number_float(number_float_t, const string_t&) override { return NotText(); }
  bool binary(binary_t&) override { return NotText(); }
  bool start_array(size_t) override { return NotText(); }
  bool end_array() override { return false; }
  bool string(string_t& text) override {
    if (!inside_) return NotText();
    values_[key_] = text;
    return true;
  }
  bool start_object(size_t) override {
    if (inside_) return NotText();
    return inside_ = true;
  }
  bool key(string_t& name) override {
    if (std::find(keys_.begin(), keys_.end(), name) == keys_.end()) {
      std::string allowed;
      for (const std::string_view known : keys_) allowed += (allowed.empty() ? "" : ", ") + std::string(known);
      problem_ = "the body may hold only: " + allowed;
      return false;
    }
    if (values_.count(name) != 0) {
      problem_ = "the body holds " + name + " twice";
      return false;
    }
    key_ = name;
    return true;
  }
  bool end_object() override { return true; }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) override {
    problem_ = "the body is not valid JSON";
    return false;
  }

  std::map<std::string, std::string> values_;
  std::string problem_;

 private:
  bool NotText() {
    problem_ = inside_ ? "the value of " + key_ + " must be a text" : "the body must be a JSON object";
    return false;
  }

  std::initializer_list<std::string_view> keys_;
  std::string key_;
  bool inside_ = false;
};

}  // namespace

std::optional<BodyTexts> ParseStrings(const std::string& body, std::initializer_list<std::string_view> keys,
                                      std::string* problem) {
  StringsReader reader(keys);
  if (Json::sax_parse(body, &reader)) return std::move(reader.values_);
  *problem = reader.problem_;
  return std::nullopt;
}

std::string ValueOf(const BodyTexts& body, const char* key) {
  const auto found = body.find(key);
  return found == body.end() ? "" : found->second;
}

}  // namespace vesta::hub
