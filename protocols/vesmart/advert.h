// The adverts of a VE.Smart network and the messages inside them.
//
// Layout and cipher (AES-128-CCM, 4-byte tag) as the reference of VE.Smart, sections 2 to 4. Sequence and overflow are
// opaque bytes. Everything here is a view or a value; Receiver (receiver.h) keeps the state.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace vesta::vesmart {

using Bytes = std::span<const uint8_t>;

inline constexpr uint8_t kOpOverflow = 0x01;
inline constexpr uint8_t kOpMessage = 0x02;

inline constexpr size_t kNonceSize = 13;
inline constexpr size_t kTagSize = 4;
inline constexpr size_t kMaxBody = 64;  // legacy adverts leave 13 bytes; extended ones could carry more

struct Advert {
  uint8_t op = 0;
  uint8_t group = 0;  // first byte of the network id
  std::array<uint8_t, 4> serial{};
  std::array<uint8_t, 4> sequence{};
  std::array<uint8_t, 2> overflow{};  // op 1 only
  Bytes body;                         // op 2 only: ciphertext
  Bytes tag;
};

// From manufacturer data without the company's two bytes, whose first byte is the op. nullopt: wrong length or op.
std::optional<Advert> ParseAdvert(Bytes manufacturer_data);

using Nonce = std::array<uint8_t, kNonceSize>;
Nonce MakeNonce(uint8_t op, const std::array<uint8_t, 4>& sequence, const std::array<uint8_t, 2>& overflow,
                const std::array<uint8_t, 4>& serial, uint16_t network);

// Steps through the registers of a message in the clear: one byte in front (priority, by all signs), then id, length,
// value.
class Items {
 public:
  explicit Items(Bytes cleartext) : rest_(cleartext.empty() ? cleartext : cleartext.subspan(1)) {}
  bool Next(uint16_t* id, Bytes* value);
  // The last item ran past the end; those before it are good.
  bool is_truncated() const { return is_truncated_; }

 private:
  Bytes rest_;
  bool is_truncated_ = false;
};

// Serial number as the label shows it, but for year and week, which the number does not hold: "HQyywwMAEI4".
inline constexpr size_t kSerialTextSize = 11;
void FormatSerial(const std::array<uint8_t, 4>& serial, std::span<char, kSerialTextSize> out);

}  // namespace vesta::vesmart
