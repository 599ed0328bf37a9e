// Which series and devices changed last, in the order of their last change: what a live stream sends, to any number of
// readers of any speed, without a queue.
//
// Every change gets the next number and moves its entry to the end, so each thing stands in the log once, with its
// newest number. A reader is one number: it asks for the first entry after it, sends the thing as it is now, and takes
// the entry's number as its own. What it skips (numbers that no entry bears any more) are changes that newer ones
// replaced. So the memory is bounded by the number of series, however many readers there are and however long they
// sleep, and any position of this run can be resumed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vesta::hub {

enum class ChangeKind : uint8_t { kValue = 0, kAvailability = 1, kDevice = 2 };

class ChangeLog {
 public:
  struct Entry {
    uint64_t number = 0;  // 0: none
    ChangeKind kind = ChangeKind::kValue;
    uint32_t id = 0;  // of the series or device
  };

  // The id is not 0.
  void Touch(ChangeKind kind, uint32_t id);

  // The oldest entry with a number above `after`. `from` is the entry that the reader took last: when it has not moved
  // since, its successor is the answer at once; else the log is walked back from its end.
  Entry After(uint64_t after, const Entry& from) const;

  uint64_t last_number() const { return last_number_; }

 private:
  struct Node {
    uint64_t number = 0;
    uint32_t previous = 0;
    uint32_t next = 0;
  };
  // Id 0 is nobody's, so that the name 0 is no node.
  static uint32_t NameOf(ChangeKind kind, uint32_t id) { return id * 4 + static_cast<uint32_t>(kind); }
  Node& At(uint32_t name);
  const Node& At(uint32_t name) const { return nodes_[name % 4][name / 4]; }
  Entry EntryOf(uint32_t name) const;

  std::array<std::vector<Node>, 4> nodes_;  // by kind, then by id
  uint32_t newest_ = 0;
  uint64_t last_number_ = 0;
};

}  // namespace vesta::hub
