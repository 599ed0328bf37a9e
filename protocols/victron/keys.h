// Keys of Victron devices and networks: the ring that sessions look into, and what can be said of a key text.
//
// An Instant Readout key belongs to a radio address, a VE.Smart key to a network id. The ring does no I/O and is filled
// from files, the page or a command by others. Sessions compare revision() to notice a change. Key bytes never appear
// in any text: whoever shows a key shows whether there is one. Facts: reference of the Victron formats, section 3, and
// of VE.Smart, section 8.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace vesta::victron {

using Bytes = std::span<const uint8_t>;

inline constexpr size_t kKeySize = 16;
using Key = std::array<uint8_t, kKeySize>;

inline constexpr size_t kMaxKeys = 128;    // Instant Readout keys: a boatyard's worth
inline constexpr size_t kMaxNetworks = 8;  // VE.Smart networks, each is tried on every message of its group byte

enum class KeyTextResult : uint8_t {
  kOk = 0,
  kEmpty,
  kTooShort,      // fewer than 32 digits: the usual slip is 31
  kTooLong,       // more than 32
  kBadCharacter,  // neither a hex digit nor a separator
};

struct KeyText {
  KeyTextResult result = KeyTextResult::kEmpty;
  Key key{};
  size_t digits = 0;        // hex digits found before the fault, or in all
  size_t bad_position = 0;  // of the bad character, counted from 0
};

// 32 hex digits in either case; spaces, tabs, line ends, colons and dashes anywhere are passed over.
KeyText ParseKeyText(std::string_view text);

// A sentence for people, without any part of the key: "The key has 31 characters, it should have 32: ...".
// Valid until the next call with the same buffer.
std::string_view DescribeKeyText(const KeyText& parsed, std::span<char, 160> out);

// A radio address as 12 hex digits in either case, with or without colons or dashes; false when it is not one.
bool ParseAddress(std::string_view text, uint64_t* address);
// "c0ffee112233", the identity of the device in the directory.
inline constexpr size_t kAddressTextSize = 12;
void FormatAddress(uint64_t address, std::span<char, kAddressTextSize> out);

// A VE.Smart network id as the app shows it: 4 hex digits.
bool ParseNetworkId(std::string_view text, uint16_t* id);

struct Network {
  uint16_t id = 0;  // as shown: a1b2 is 0xA1B2
  Key key{};
};

class KeyRing {
 public:
  // False when the ring is full. A key that is there already is replaced.
  bool SetKey(uint64_t address, const Key& key);
  bool RemoveKey(uint64_t address);
  // nullptr when there is none.
  const Key* FindKey(uint64_t address) const;

  bool SetNetwork(uint16_t id, const Key& key);
  bool RemoveNetwork(uint16_t id);
  std::span<const Network> networks() const { return {networks_.data(), network_count_}; }

  size_t key_count() const { return key_count_; }
  // Grows with every change.
  uint64_t revision() const { return revision_; }

 private:
  struct Entry {
    uint64_t address = 0;
    Key key{};
  };
  size_t LowerBound(uint64_t address) const;

  std::array<Entry, kMaxKeys> keys_{};  // sorted by address
  size_t key_count_ = 0;
  std::array<Network, kMaxNetworks> networks_{};
  size_t network_count_ = 0;
  uint64_t revision_ = 1;
};

enum class KeyTrial : uint8_t {
  kOpens = 0,       // first byte fits and the content is plausible
  kOtherKey,        // first byte differs: the key of another device, or stale since the PIN was changed
  kImplausible,     // first byte fits by chance, the content is noise
  kNothingToOpen,   // no Instant Readout record (switched off, another format, too short)
  kNotEncrypted,    // the record needs no key
  kUnknownContent,  // first byte fits, but the record type has no known layout to judge by
};

// Tries an Instant Readout key on a manufacturer data element (without the company's two bytes). For a key doctor: one
// wrong key in 256 passes the first byte, so plausibility is judged as well.
KeyTrial TryKey(const Key& key, Bytes manufacturer_data);

}  // namespace vesta::victron
