#include "app/original_texts.h"

#include <fmt/format.h>

#include <array>

#include "formats/original_topics.h"
#include "protocols/victron/registers.h"

namespace vesta::app {
namespace {

// VE.Smart registers that were published; 0x0100 and 0x0102 were left out there too.
constexpr std::array<uint16_t, 31> kSmart = {0x0FFF, 0x2000, 0x2001, 0x2002, 0x2003, 0x2007, 0x2008, 0x2009,
                                             0x200A, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2013, 0x2014,
                                             0x2015, 0x2018, 0x2022, 0x2023, 0x2027, 0x2030, 0x2031, 0xEC3E,
                                             0xED8C, 0xED8D, 0xED8E, 0xEDBB, 0xEDBC, 0xEDBD, 0xEDEC};
// VE.Direct registers that were asked for.
constexpr std::array<uint16_t, 8> kDirect = {0x0100, 0x010A, 0x0200, 0xEDBB, 0xEDBC, 0xEDBD, 0xEDD5, 0xEDD7};

// The first of the registers that this field comes from; nullptr when none of them does.
template <size_t kCount>
const victron::Register* RegisterOf(const std::array<uint16_t, kCount>& ids, uint16_t field) {
  for (const uint16_t id : ids) {
    const victron::Register* const row = victron::FindRegister(id);
    if (row != nullptr && row->field == field) return row;
  }
  return nullptr;
}

std::string Smart(const victron::Register& row, const Value& value) {
  uint64_t raw = 0;
  if (value.kind() == ValueKind::kState) return std::to_string(value.state());
  if (value.kind() != ValueKind::kDecimal) return {};
  const int bytes = static_cast<int>(victron::RegisterSize(row.type));
  if (!original_topics::RawOf(value.decimal(), row.exponent, bytes, &raw)) return {};
  return std::to_string(raw);
}

std::string Direct(const Value& value) {
  char text[original_topics::kFixedTextSize];
  switch (value.kind()) {
    case ValueKind::kDecimal:
      return std::string(text, original_topics::FormatFixed(value.decimal(), 6, text));
    case ValueKind::kState:
      return std::string(text, original_topics::FormatFixed({value.state(), 0}, 6, text));
    case ValueKind::kText:
      return std::string(value.text());
    case ValueKind::kReal:
    case ValueKind::kNone:
      break;
  }
  return {};
}

// Each value was printed as the number on the wire, but for dates and times.
std::string Item(const Value& value) {
  switch (value.kind()) {
    case ValueKind::kReal:
    case ValueKind::kDecimal:
      return fmt::format("{:.6f}", value.ToDouble());
    case ValueKind::kState:
      return fmt::format("{:.6f}", static_cast<double>(value.state()));
    case ValueKind::kText: {
      const std::string_view text = value.text();
      const bool is_date = text.size() == 10 && text[4] == '-' && text[7] == '-';
      if (is_date) return fmt::format("{}/{}/{}", text.substr(8), text.substr(5, 2), text.substr(0, 4));
      const bool is_time = text.size() == 8 && text[2] == ':' && text[5] == ':';
      return is_time ? std::string(text) : std::string();
    }
    case ValueKind::kNone:
      break;
  }
  return {};
}

hub::OriginalText ItemText(const hub::Device& device, const hub::Series& series, const Value& value,
                           const BusDesk& buses) {
  const auto item = buses.FindItem(device, series.field.key);
  hub::OriginalText text;
  if (!item) return text;
  text.payload = Item(value);
  if (!text.payload.empty()) text.topic = original_topics::MasterBus(item->unique_id, item->number).view();
  return text;
}

}  // namespace

hub::OriginalText OriginalTextOf(const hub::Device& device, const hub::Series& series, const Value& value,
                                 const BusDesk& buses) {
  if (device.protocol == "masterbus") return ItemText(device, series, value, buses);
  const uint16_t field = victron::FindField(series.field.key);
  if (field == victron::kNoField) return {};
  hub::OriginalText text;
  if (device.protocol == "victron" && !device.serial.empty()) {
    const victron::Register* const row = RegisterOf(kSmart, field);
    if (row == nullptr) return {};
    text = {std::string(original_topics::VeNetworking(device.serial, row->id).view()), Smart(*row, value)};
  } else if (device.protocol == "vedirect") {
    const victron::Register* const row = RegisterOf(kDirect, field);
    if (row == nullptr) return {};
    const std::string& serial = device.serial.empty() ? device.identity : device.serial;
    text = {std::string(original_topics::VeDirect(serial, row->id).view()), Direct(value)};
  }
  if (text.payload.empty()) text.topic.clear();
  return text;
}

bool IsPanelPower(const hub::Device& device, const hub::Series& series) {
  return device.protocol == "vedirect" && series.field.key == "pv_power";
}

}  // namespace vesta::app
