// The key doctor: what a key text is worth, tried at once on what was heard.
//
// Pure: the adverts come from the running hub, from a capture or from the archive. No answer holds any part of a key.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/session.h"

namespace vesta::hub {

// The last advert of one device, as a datagram (protocols/ble_advert.h).
struct HeardAdvert {
  uint64_t address = 0;
  Bytes datagram;
};

struct KeyCheck {
  // "opens", "opens_other" (not the device it was meant for), "opens_nothing", "nothing_heard" (no device sends
  // Instant Readout), or what is wrong with the text: "empty", "too_short", "too_long", "bad_character", "bad_id".
  std::string code;
  std::string text;             // a sentence or two for people
  std::vector<uint64_t> opens;  // devices that it opens for sure
  std::vector<uint64_t> maybe;  // the first byte fits, but nothing more can be said of their records
  size_t tried = 0;             // devices that it was tried on
};

// meant_for: the device that the user thinks the key is of, as text; "" = not said.
KeyCheck CheckKey(std::string_view key_text, std::string_view meant_for, std::span<const HeardAdvert> heard);

// "SmartSolar MPPT 100|30 (c0:ff:ee:11:22:33)": product or sent name, and address. The name is the device's own text
// with everything but printable ASCII replaced.
std::string DescribeHeard(const HeardAdvert& heard);
std::string AddressWithColons(uint64_t address);

}  // namespace vesta::hub
