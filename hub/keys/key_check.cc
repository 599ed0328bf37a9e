#include "hub/keys/key_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "hub/keys/key_desk.h"
#include "protocols/ble_advert.h"
#include "protocols/victron/products.h"

namespace vesta::hub {
namespace {

constexpr uint16_t kVictronCompany = 0x02E1;
constexpr uint8_t kInstantReadout = 0x10;
constexpr size_t kMaxShownName = 32;

constexpr char kStale[] =
    "A key changes when the PIN of the device is changed, and each device has its own: look it up again in "
    "VictronConnect "
    "(Product info, Instant readout, Show)";

Bytes VictronData(const HeardAdvert& heard) {
  const auto advert = ble::ReadAdvert(heard.datagram);
  if (!advert) return {};
  return ble::FindManufacturerData(advert->data, kVictronCompany).value_or(Bytes());
}

std::string Shown(Bytes name) {
  std::string shown;
  for (const uint8_t byte : name.first(std::min(name.size(), kMaxShownName))) {
    shown += byte >= 0x20 && byte < 0x7F ? static_cast<char>(byte) : '?';
  }
  return shown;
}

std::string Names(const std::vector<uint64_t>& addresses, std::span<const HeardAdvert> heard) {
  std::string names;
  for (const HeardAdvert& one : heard) {
    if (std::find(addresses.begin(), addresses.end(), one.address) == addresses.end()) continue;
    names += (names.empty() ? "" : ", ") + DescribeHeard(one);
  }
  return names;
}

struct Trials {
  std::vector<uint64_t> opens;
  std::vector<uint64_t> maybe;
  size_t tried = 0;
  std::optional<victron::KeyTrial> of_meant;
};

Trials TryAll(const victron::Key& key, std::optional<uint64_t> meant, std::span<const HeardAdvert> heard) {
  Trials trials;
  for (const HeardAdvert& one : heard) {
    const victron::KeyTrial trial = victron::TryKey(key, VictronData(one));
    if (meant == one.address) trials.of_meant = trial;
    if (trial == victron::KeyTrial::kNothingToOpen || trial == victron::KeyTrial::kNotEncrypted) continue;
    ++trials.tried;
    if (trial == victron::KeyTrial::kOpens) trials.opens.push_back(one.address);
    if (trial == victron::KeyTrial::kUnknownContent) trials.maybe.push_back(one.address);
  }
  return trials;
}

// Why the device that was meant does not open.
std::string WhyNot(const std::string& name, std::optional<victron::KeyTrial> trial) {
  if (!trial) return fmt::format("{} is not heard", name);
  switch (*trial) {
    case victron::KeyTrial::kOtherKey:
      return fmt::format("It does not open {}: the first byte of its key differs", name);
    case victron::KeyTrial::kImplausible:
      return fmt::format("It does not open {}: the first byte fits by chance, what comes out is noise", name);
    case victron::KeyTrial::kNothingToOpen:
      return fmt::format("{} sends no Instant Readout: switch it on in VictronConnect (Product info)", name);
    case victron::KeyTrial::kNotEncrypted:
      return fmt::format("{} needs no key: what it sends is not encrypted", name);
    case victron::KeyTrial::kOpens:
    case victron::KeyTrial::kUnknownContent:
      break;
  }
  return "";
}

void Tell(const Trials& trials, std::optional<uint64_t> meant, std::span<const HeardAdvert> heard, KeyCheck* check) {
  const bool has_opened = !trials.opens.empty() || !trials.maybe.empty();
  const std::vector<uint64_t>& found = trials.opens.empty() ? trials.maybe : trials.opens;
  const std::string words =
      has_opened
          ? fmt::format("{} {}", trials.opens.empty() ? "By its first byte it fits" : "It opens", Names(found, heard))
          : "";
  if (meant) {
    const bool fits = std::find(trials.opens.begin(), trials.opens.end(), *meant) != trials.opens.end() ||
                      std::find(trials.maybe.begin(), trials.maybe.end(), *meant) != trials.maybe.end();
    const auto entry = std::find_if(heard.begin(), heard.end(), [&](const auto& one) { return one.address == *meant; });
    const std::string name = entry == heard.end() ? AddressWithColons(*meant) : DescribeHeard(*entry);
    check->code = fits ? "opens" : has_opened ? "opens_other" : trials.of_meant ? "opens_nothing" : "nothing_heard";
    check->text = fits ? words + "." : WhyNot(name, trials.of_meant) + ".";
    if (!fits && has_opened) check->text += " " + words + ".";
    if (check->code == "opens_nothing" && trials.of_meant == victron::KeyTrial::kOtherKey) {
      check->text += fmt::format(" {}.", kStale);
    }
    return;
  }
  if (has_opened) {
    check->code = "opens";
    check->text = words + ".";
  } else if (trials.tried == 0) {
    check->code = "nothing_heard";
    check->text = "The key is well formed, but no device with Instant Readout is heard that it could be tried on.";
  } else {
    check->code = "opens_nothing";
    check->text = fmt::format(
        "It opens none of the {} devices heard. Either its device is not heard here, or the key is out of date. {}.",
        trials.tried, kStale);
  }
}

}  // namespace

std::string AddressWithColons(uint64_t address) {
  std::string text;
  for (int shift = 40; shift >= 0; shift -= 8) {
    text += fmt::format("{}{:02x}", text.empty() ? "" : ":", (address >> shift) & 0xFF);
  }
  return text;
}

std::string DescribeHeard(const HeardAdvert& heard) {
  const std::string address = AddressWithColons(heard.address);
  const auto advert = ble::ReadAdvert(heard.datagram);
  const std::string name = advert ? Shown(ble::FindName(advert->data)) : "";
  if (!name.empty()) return fmt::format("{} ({})", name, address);
  const Bytes data = VictronData(heard);
  if (data.size() >= 4 && data[0] == kInstantReadout) {
    const auto id = static_cast<uint16_t>(data[2] | data[3] << 8);
    const victron::Product* product = victron::FindProduct(id);
    return product != nullptr ? fmt::format("{} ({})", product->name, address)
                              : fmt::format("product {:04x} ({})", id, address);
  }
  return address;
}

KeyCheck CheckKey(std::string_view key_text, std::string_view meant_for, std::span<const HeardAdvert> heard) {
  KeyCheck check;
  victron::Key key{};
  if (const KeyProblem problem = JudgeKeyText(key_text, &key); !problem.code.empty()) {
    check.code = problem.code;
    check.text = problem.text;
    return check;
  }
  std::optional<uint64_t> meant;
  if (!meant_for.empty()) {
    const auto id = ParseKeyId(meant_for);
    if (!id || id->is_network) {
      check.code = "bad_id";
      check.text = id ? "The key of a network can't be tried on single adverts." : id.error();
      return check;
    }
    meant = id->address;
  }
  const Trials trials = TryAll(key, meant, heard);
  check.opens = trials.opens;
  check.maybe = trials.maybe;
  check.tried = trials.tried;
  Tell(trials, meant, heard, &check);
  return check;
}

}  // namespace vesta::hub
