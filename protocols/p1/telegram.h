// A P1 telegram as text: its identification line, its objects, their groups and what each group holds.
//
// Nothing here allocates; all texts are views into the telegram. One odd line never stops the rest: it is named by an
// anomaly and skipped. Meaning (fields, devices) is decode.h's business. Facts: reference of the P1 port, grammar and
// numbers sections.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "model/value.h"
#include "protocols/p1/fields.h"
#include "protocols/p1/timestamp.h"

namespace vesta::p1 {

// Oddities worth a log line; none of them alone rejects a telegram. Bits of a set.
enum Anomaly : uint32_t {
  kNoBlankLine = 1u << 0,
  kHeaderNotPrintable = 1u << 1,
  kLineEnding = 1u << 2,
  kTrailingSpace = 1u << 3,
  kLongLine = 1u << 4,
  kJunkLine = 1u << 5,
  kMalformedLine = 1u << 6,
  kContinuationLine = 1u << 7,
  kEndMarkOnDataLine = 1u << 8,
  kObisSeparator = 1u << 9,
  kObisSixthGroup = 1u << 10,
  kBlankInGroup = 1u << 11,
  kDuplicateObject = 1u << 12,
  kUnitMissing = 1u << 13,
  kUnitSpelling = 1u << 14,
  kUnitUnknown = 1u << 15,
  kTooManyDigits = 1u << 16,
  kStampPlaceholder = 1u << 17,
  kStampInvalid = 1u << 18,
  kStampAmbiguous = 1u << 19,
  kStampNonexistent = 1u << 20,
  kStampWithoutLetter = 1u << 21,
  kStampLowerCase = 1u << 22,
  kDemandGroupsReversed = 1u << 23,
  kHistoryNonstandard = 1u << 24,
  kHistoryCountMismatch = 1u << 25,
  kFailureLogEmptyGroup = 1u << 26,
  kCrcLowerCase = 1u << 27,
  kCrcUnpadded = 1u << 28,
};

// "timestamp-invalid", ...; "" for no single anomaly.
const char* AnomalyName(uint32_t anomaly);
inline constexpr int kAnomalyCount = 29;

inline constexpr size_t kLongLineSize = 1024;  // what the documents' longest value (96.13.0) was once thought to need

struct Header {
  std::string_view raw;    // the line from '/' on, without its end
  std::string_view flag;   // three letters
  std::string_view ident;  // what follows the baud character
  char baud = 0;
};
Header ParseHeader(std::string_view telegram);

// Where the end mark stands in a telegram that runs to its last CRC digit; its size when there is none.
size_t FindEndMark(std::string_view telegram);

struct Object {
  char code[kObisTextSize + 1] = {};  // "A-B:C.D.E"
  size_t code_size = 0;
  std::string_view groups;  // from the first '(' to the last ')', perhaps over several lines
  const ObisRow* row = nullptr;
  uint32_t line = 0;      // 1 = identification
  int sixth_group = -1;   // the F of A-B:C.D.E.F
  bool in_block = false;  // inside a month-end block printed over many lines: not a live value
};

// Walks over the groups of an object: "(a)(b)", with line ends between them.
class GroupCursor {
 public:
  explicit GroupCursor(std::string_view groups) : p_(groups.data()), end_(groups.data() + groups.size()) {}
  // False at the end, and when the text is not a row of groups (then ok() is false).
  bool Next(std::string_view* raw);
  bool ok() const { return ok_; }

 private:
  const char* p_;
  const char* end_;
  bool ok_ = true;
};

class Tokenizer {
 public:
  // `body` runs from '/' to before the end mark.
  explicit Tokenizer(std::string_view body);

  const Header& header() const { return header_; }
  uint32_t anomalies() const { return anomalies_; }

  bool Next(Object* object);

  // For a reader that goes over ordinary lines by itself: the next line to be read starts there.
  const char* position() const { return p_; }
  void set_position(const char* p) { p_ = p; }
  bool in_block() const { return block_ == Block::kInside; }

 private:
  enum class Block : uint8_t { kNone, kAnnounced, kInside };

  std::string_view TakeLine();
  bool ParseLine(std::string_view line, Object* object);
  void TakeContinuations(Object* object);

  Header header_;
  const char* p_;
  const char* end_;
  uint32_t line_ = 0;
  uint32_t anomalies_ = 0;
  Block block_ = Block::kNone;
};

// How stamps of one meter are read.
struct TimeRules {
  Zone zone;
  SummerTimeRule summer_time = SummerTimeRule::kLetter;
};

enum class ScalarKind : uint8_t { kEmpty, kNumber, kStamp, kOctets, kObis, kText };

struct Scalar {
  ScalarKind kind = ScalarKind::kEmpty;
  std::string_view raw;   // between the parentheses, as sent
  std::string_view text;  // the same without blanks at its ends
  Decimal number;
  std::string_view unit;  // as sent, empty when missing
  Stamp stamp;
};

// A number without digits after the point that is not negative and fits; else -1.
inline int SmallNumber(const Scalar& scalar) {
  if (scalar.kind != ScalarKind::kNumber || scalar.number.exponent != 0) return -1;
  if (scalar.number.mantissa < 0 || scalar.number.mantissa > INT32_MAX) return -1;
  return static_cast<int>(scalar.number.mantissa);
}

// What one group of an object of that row (null: unknown) holds.
Scalar Classify(const ObisRow* row, std::string_view raw, const TimeRules& rules);

// The anomalies that a stamp is worth; those without a letter only where a letter is due.
uint32_t StampAnomalies(const Stamp& stamp, bool letter_due);

struct UnitScale {
  Unit unit = Unit::kNone;  // kNone: not a unit that meters use
  int8_t power = 0;         // the sent number times 10^power is in `unit`
  bool usual_spelling = false;
};
UnitScale FindUnit(std::string_view unit);

}  // namespace vesta::p1
