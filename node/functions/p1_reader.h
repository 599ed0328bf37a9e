// Reads a smart meter's P1 port: whole telegrams with a right checksum (or without one, from meters that send none) are
// forwarded, the newest of each period. A few values go to the meter screen. The hub decodes.
//
// Encrypted telegrams are forwarded as well, cut by their length; the hub checks them.
#pragma once

#include "node/functions/line_relay.h"

namespace vesta::node {

class P1Reader final : public LineRelay {
 public:
  // memory: config.max_bytes for the telegram.
  P1Reader(const FunctionConfig& config, std::span<uint8_t> memory);

 private:
  void Take(Bytes bytes, Board& board) override;
  void TakeByte(uint8_t byte, Board& board);
  void Finish(bool is_encrypted, Board& board);
  void ShowValues(std::string_view telegram, Board& board) const;

  std::span<uint8_t> memory_;
  size_t size_ = 0;
  size_t end_mark_ = 0;  // place behind '!', 0 = not seen
  int64_t first_us_ = 0;
};

}  // namespace vesta::node
