#include "protocols/medibus/codes.h"

#include <algorithm>

#include "protocols/medibus/hash.h"

namespace vesta::medibus {
namespace {

bool Lists(const CodeRow& row, uint16_t device) {
  return std::find(row.devices.begin(), row.devices.end(), device) != row.devices.end();
}

class Writer {
 public:
  explicit Writer(char* out) : out_(out) {}
  void Add(std::string_view text) {
    for (const char c : text) {
      if (size_ < kTableNameSize) out_[size_++] = c;
    }
  }
  void AddHex(uint64_t number) {
    for (int shift = 60; shift >= 0; shift -= 4) {
      const char digit = "0123456789abcdef"[(number >> shift) & 0xF];
      Add({&digit, 1});
    }
  }
  size_t size() const { return size_; }

 private:
  char* out_;
  size_t size_ = 0;
};

// Of several rows that fit, the last one wins.
template <typename Fits>
const CodeRow* FindLast(std::span<const CodeRow> rows, const Fits& fits) {
  for (size_t i = rows.size(); i > 0; --i) {
    if (fits(rows[i - 1])) return &rows[i - 1];
  }
  return nullptr;
}

template <typename Fits>
const CodeRow* FindLast(const SiteCodes* site, const Fits& fits) {
  const CodeRow* row = site == nullptr ? nullptr : FindLast(site->rows, fits);
  return row != nullptr ? row : FindLast(BuiltInCodes(), fits);
}

}  // namespace

uint64_t HashOf(std::span<const CodeRow> rows) {
  Fnv hash;
  for (const CodeRow& row : rows) {
    hash.Add(static_cast<uint8_t>(row.group)).Add(row.code);
    hash.Add(static_cast<uint8_t>(row.format)).Add(static_cast<uint8_t>(row.family));
    for (const std::string_view text :
         {std::string_view(row.name), std::string_view(row.unit_text), std::string_view(row.field.key)}) {
      hash.Add(text).Add(uint8_t{0});
    }
    for (const uint16_t device : row.devices) {
      hash.Add(static_cast<uint8_t>(device >> 8)).Add(static_cast<uint8_t>(device));
    }
  }
  return hash.value();
}

size_t TableName(const SiteCodes* site, char* out) {
  static const uint64_t kBuiltInHash = HashOf(BuiltInCodes());
  Writer writer(out);
  writer.Add("builtin-");
  writer.Add(kBuiltInVersion);
  writer.Add("/");
  writer.AddHex(kBuiltInHash);
  if (site != nullptr && !site->rows.empty()) {
    writer.Add("+");
    writer.Add(site->version.substr(0, 32));
    writer.Add("/");
    writer.AddHex(HashOf(site->rows));
  }
  return writer.size();
}

Family FamilyOf(uint16_t device, const SiteCodes* site) {
  if (device == 0) return Family::kNone;
  const CodeRow* row =
      FindLast(site, [device](const CodeRow& r) { return r.family != Family::kNone && Lists(r, device); });
  return row == nullptr ? Family::kNone : row->family;
}

const CodeRow* FindRow(uint16_t device, Family assumed, Group group, uint8_t code, const SiteCodes* site) {
  if (device != 0) {
    const CodeRow* row =
        FindLast(site, [=](const CodeRow& r) { return r.code == code && r.group == group && Lists(r, device); });
    if (row != nullptr) return row;
  }
  const Family family = device == 0 ? assumed : FamilyOf(device, site);
  if (family == Family::kNone) return nullptr;
  return FindLast(site, [=](const CodeRow& r) { return r.code == code && r.group == group && r.family == family; });
}

std::string_view GroupName(Group group) {
  constexpr std::string_view kNames[] = {"measured_p1",   "measured_p2",   "low_limit_p1", "low_limit_p2",
                                         "high_limit_p1", "high_limit_p2", "setting",      "alarm_p1",
                                         "alarm_p2",      "text",          "realtime"};
  static_assert(std::size(kNames) == kGroups);
  return kNames[static_cast<size_t>(group)];
}

}  // namespace vesta::medibus
