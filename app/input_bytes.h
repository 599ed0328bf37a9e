// The three forms in which bytes are handed to a command: as they are, as hex digits, as lines of a capture.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vesta::app {

enum class InputForm : uint8_t { kRaw, kHex, kCapture };

// What the beginning of the input looks like: "{" opens a capture and "(" a log of candump, nothing but hex digits and
// blanks is hex.
InputForm GuessForm(std::string_view beginning);

// Hex digits in any chunks: pairs, with blanks, commas and "0x" between them.
class HexReader {
 public:
  // False: `error` names the place and the character. What came before it was read.
  bool Read(std::string_view text, std::vector<uint8_t>* bytes, std::string* error);
  // Whether a lone digit is left over.
  bool odd() const { return high_ >= 0; }

 private:
  int high_ = -1;
  bool prefix_ = false;  // a '0' came that may belong to "0x"
  size_t line_ = 1;
  size_t column_ = 0;
};

}  // namespace vesta::app
