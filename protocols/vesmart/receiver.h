// Opens the adverts of VE.Smart networks: which network, which sender, which overflow, seen before or not.
//
// A message can be opened only after the sender's overflow announcement was heard and its tag held. A failed tag
// changes nothing. The same (overflow, sequence) of a sender is taken once, by whatever scanner it comes; the last
// kRememberedSequences of them are known, since a slower scanner's copies arrive late. Facts: reference of VE.Smart,
// sections 3 and 9.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "protocols/crypto.h"
#include "protocols/vesmart/advert.h"
#include "protocols/victron/keys.h"

namespace vesta::vesmart {

inline constexpr size_t kMaxSenders = 64;  // members of all networks; only authenticated ones take a place
inline constexpr size_t kRememberedSequences = 8;

enum class Outcome : uint8_t {
  kMalformed = 0,
  kForeignGroup,      // no configured network has this group byte
  kOverflowRecorded,  // announcement, tag good
  kAuthFailed,        // tag wrong under every network that could be meant
  kNoOverflowYet,     // message of a sender whose announcement was not heard
  kDecoded,
  kDuplicate,  // opened before
  kNoRoom,     // a new sender while all places are taken
  kCountOfOutcomes,
};

// "malformed", "foreign_group", ...: stable, as the reference names them.
const char* OutcomeName(Outcome outcome);

struct Message {
  uint16_t network = 0;
  std::array<uint8_t, 4> serial{};
  std::array<uint8_t, 2> overflow{};
  Bytes cleartext;  // of kDecoded and kDuplicate; valid until the next call
};

class Receiver {
 public:
  // manufacturer_data: without the company's two bytes, first byte 0x01 or 0x02.
  Outcome Receive(Bytes manufacturer_data, const victron::KeyRing& ring, Message* message);

 private:
  struct Sender {
    uint16_t network = 0;
    std::array<uint8_t, 4> serial{};
    std::array<uint8_t, 2> overflow{};
    std::array<std::array<uint8_t, 4>, kRememberedSequences> sequences{};
    size_t sequence_count = 0;  // ever
  };
  struct Network {
    uint16_t id = 0;
    victron::Key key{};
    crypto::Aes128Ccm cipher;
  };

  void TakeKeys(const victron::KeyRing& ring);
  Sender* FindSender(uint16_t network, const std::array<uint8_t, 4>& serial);
  Outcome TakeOverflow(const Advert& advert, Message* message);
  Outcome TakeMessage(const Advert& advert, Message* message);

  std::array<Network, victron::kMaxNetworks> networks_{};
  size_t network_count_ = 0;
  uint64_t revision_ = 0;  // of the ring that networks_ came from
  std::array<Sender, kMaxSenders> senders_{};
  size_t sender_count_ = 0;
  std::array<uint8_t, kMaxBody> clear_{};
};

}  // namespace vesta::vesmart
