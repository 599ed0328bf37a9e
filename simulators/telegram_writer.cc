#include "simulators/telegram_writer.h"

#include <cstdio>

namespace vesta::simulators {

uint16_t TelegramCrc(std::string_view bytes) {
  uint32_t crc = 0;
  for (const char c : bytes) {
    crc ^= static_cast<uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xA001u : crc >> 1;
  }
  return static_cast<uint16_t>(crc);
}

std::string TelegramStamp(UtcUs utc_us, const Zone& zone, bool with_letter) {
  const CivilTime local = CivilFromUs(utc_us + OffsetUs(zone, utc_us));
  char text[16];
  std::snprintf(text, sizeof text, "%02u%02u%02u%02u%02u%02u", static_cast<unsigned>(local.year % 100) % 100u,
                local.month % 100u, local.day % 100u, local.hour % 100u, local.minute % 100u, local.second % 100u);
  std::string stamp = text;
  if (with_letter) stamp += IsSummerTime(zone, utc_us) ? 'S' : 'W';
  return stamp;
}

std::string HexOfText(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string hex;
  for (const char c : text) {
    hex += kDigits[static_cast<uint8_t>(c) >> 4];
    hex += kDigits[static_cast<uint8_t>(c) & 15];
  }
  return hex;
}

TelegramWriter::TelegramWriter(std::string_view identification) {
  text_ += '/';
  text_ += identification;
  text_ += "\r\n\r\n";
}

std::string TelegramWriter::Group(int64_t number, int digits, int decimals, std::string_view unit) {
  std::string figures = std::to_string(number < 0 ? -number : number);
  const auto width = static_cast<size_t>(digits);
  if (figures.size() < width) figures.insert(0, width - figures.size(), '0');
  if (decimals > 0) figures.insert(figures.size() - static_cast<size_t>(decimals), 1, '.');
  std::string group = number < 0 ? "(-" : "(";
  group += figures;
  if (!unit.empty()) {
    group += '*';
    group += unit;
  }
  group += ')';
  return group;
}

TelegramWriter& TelegramWriter::Text(std::string_view obis, std::string_view value) {
  text_ += obis;
  text_ += '(';
  text_ += value;
  text_ += ")\r\n";
  return *this;
}

TelegramWriter& TelegramWriter::Number(std::string_view obis, int64_t number, int digits, int decimals,
                                       std::string_view unit) {
  text_ += obis;
  text_ += Group(number, digits, decimals, unit);
  text_ += "\r\n";
  return *this;
}

TelegramWriter& TelegramWriter::Stamped(std::string_view obis, std::string_view stamp, int64_t number, int digits,
                                        int decimals, std::string_view unit) {
  text_ += obis;
  text_ += '(';
  text_ += stamp;
  text_ += ')';
  text_ += Group(number, digits, decimals, unit);
  text_ += "\r\n";
  return *this;
}

TelegramWriter& TelegramWriter::Line(std::string_view line) {
  text_ += line;
  text_ += "\r\n";
  return *this;
}

std::string TelegramWriter::FinishWithCrc() {
  text_ += '!';
  char crc[16];
  std::snprintf(crc, sizeof crc, "%04X\r\n", static_cast<unsigned>(TelegramCrc(text_)));
  text_ += crc;
  return std::move(text_);
}

std::string TelegramWriter::FinishWithoutCrc() {
  text_ += "!\r\n";
  return std::move(text_);
}

}  // namespace vesta::simulators
