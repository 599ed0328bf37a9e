#include "hub/export/cell.h"

#include <charconv>
#include <cmath>

#include "formats/utf8.h"

namespace vesta::hub {
namespace {

bool NeedsGuard(std::string_view text) {
  if (text.empty()) return false;
  const auto first = static_cast<uint8_t>(text.front());
  if (first < 0x20 || first == 0x7F) return true;
  if (std::string_view("=+-@'").find(text.front()) != std::string_view::npos) return true;
  // The full-width forms of the same, which some spreadsheets take for them.
  for (const std::string_view wide : {"\xEF\xBC\x9D", "\xEF\xBC\x8B", "\xEF\xBC\x8D", "\xEF\xBC\xA0"}) {
    if (text.starts_with(wide)) return true;
  }
  return false;
}

}  // namespace

void AppendTextCell(std::string_view text, std::string* out) {
  const bool quoted = NeedsGuard(text) || text.find_first_of(",;\"\r\n\t ") != std::string_view::npos;
  if (quoted) *out += '"';
  if (NeedsGuard(text)) *out += '\'';
  while (!text.empty()) {
    const size_t size = text.front() == '\0' ? 0 : Utf8Length(text);
    if (size == 0) {
      *out += kUtf8Replacement;
      text.remove_prefix(1);
      continue;
    }
    if (text.front() == '"') *out += '"';
    out->append(text.substr(0, size));
    text.remove_prefix(size);
  }
  if (quoted) *out += '"';
}

std::string_view UnguardText(std::string_view cell) {
  if (cell.size() >= 2 && cell.front() == '\'' && NeedsGuard(cell.substr(1))) cell.remove_prefix(1);
  return cell;
}

void AppendNumber(const Value& value, std::string* out) {
  char text[kDecimalTextSize];
  switch (value.kind()) {
    case ValueKind::kDecimal:
      out->append(text, FormatDecimal(value.decimal(), text));
      break;
    case ValueKind::kReal:
      if (std::isnan(value.real())) {
        *out += "nan";
      } else if (std::isinf(value.real())) {
        *out += value.real() < 0 ? "-inf" : "inf";
      } else {
        out->append(text, std::to_chars(text, text + sizeof text, value.real()).ptr);
      }
      break;
    case ValueKind::kState:
      *out += std::to_string(value.state());
      break;
    case ValueKind::kText:
    case ValueKind::kNone:
      break;
  }
}

}  // namespace vesta::hub
