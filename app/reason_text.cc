#include "app/reason_text.h"

#include <fmt/format.h>

#include <iterator>

#include "protocols/p1/crc16.h"
#include "protocols/p1/telegram.h"

namespace vesta::app {
namespace {

struct ReasonText {
  std::string_view reason;
  std::string_view text;
  std::string_view advice;
};

constexpr ReasonText kReasons[] = {
    {"crc", "the checksum does not fit", "now and then is a bad cable or a busy reader; always is a wrong setting"},
    {"missing_crc", "the telegram has lost its checksum, though its version has one",
     "a relay may strip it: --repair missing-crc accepts such telegrams"},
    {"checksum", "the checksum does not fit",
     "now and then is a bad cable; always is a wrong parity or number of bits"},
    {"truncated", "the frame breaks off", "bytes were lost on the way"},
    {"aborted", "the device gave the frame up itself", ""},
    {"no_key", "the frame is encrypted and no key was given", "ask your grid operator for the key and give --key-file"},
    {"tag", "the frame's tag does not fit: a wrong key or authentication key, or a damaged frame",
     "check both keys, they may be swapped; some meters need --ignore-tag"},
    {"not_a_telegram", "what was decrypted is no telegram: the key is wrong", "check the key with your grid operator"},
    {"inner_crc", "the telegram inside the encrypted frame has a wrong checksum", ""},
    {"replay", "the frame's counter is not above the last one: a repeated or replayed frame", ""},
    {"cut", "the telegram breaks off", "a relay or a stalled reader lost bytes"},
    {"incomplete", "the input ends inside a telegram", ""},
    {"length", "the frame's length is one that no telegram has", "a damaged frame, or bytes of something else"},
    {"overlong", "no end after the longest telegram that is allowed",
     "the line may be noisy, or several telegrams lost their ends"},
};

const ReasonText* Find(std::string_view reason) {
  for (const ReasonText& entry : kReasons) {
    if (entry.reason == reason) return &entry;
  }
  return nullptr;
}

}  // namespace

std::string ExplainReason(std::string_view reason, Bytes raw) {
  if (reason == "crc") {
    const std::string_view text(reinterpret_cast<const char*>(raw.data()), raw.size());
    const size_t mark = p1::FindEndMark(text);
    if (mark < text.size()) {
      return fmt::format("the checksum is {}, but the bytes give {:04X}", text.substr(mark + 1),
                         p1::Crc16Arc(raw.first(mark + 1)));
    }
  }
  const ReasonText* entry = Find(reason);
  return std::string(entry == nullptr ? reason : entry->text);
}

std::string_view AdviseOn(std::string_view reason) {
  const ReasonText* entry = Find(reason);
  return entry == nullptr ? std::string_view() : entry->advice;
}

}  // namespace vesta::app
