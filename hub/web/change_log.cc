#include "hub/web/change_log.h"

namespace vesta::hub {

ChangeLog::Node& ChangeLog::At(uint32_t name) {
  std::vector<Node>& nodes = nodes_[name % 4];
  const size_t index = name / 4;
  if (nodes.size() <= index) nodes.resize(index + 1);
  return nodes[index];
}

ChangeLog::Entry ChangeLog::EntryOf(uint32_t name) const {
  if (name == 0) return {};
  return {At(name).number, static_cast<ChangeKind>(name % 4), name / 4};
}

void ChangeLog::Touch(ChangeKind kind, uint32_t id) {
  const uint32_t name = NameOf(kind, id);
  Node& node = At(name);
  const bool known = node.number != 0;
  node.number = ++last_number_;
  if (newest_ == name) return;
  if (known) {
    if (node.previous != 0) At(node.previous).next = node.next;
    At(node.next).previous = node.previous;  // not the newest, so there is one
  }
  node.previous = newest_;
  node.next = 0;
  if (newest_ != 0) At(newest_).next = name;
  newest_ = name;
}

ChangeLog::Entry ChangeLog::After(uint64_t after, const Entry& from) const {
  if (last_number_ <= after) return {};
  if (from.id != 0 && from.number == after) {
    const Node& node = At(NameOf(from.kind, from.id));
    if (node.number == from.number) return EntryOf(node.next);
  }
  uint32_t found = 0;
  for (uint32_t name = newest_; name != 0 && At(name).number > after; name = At(name).previous) found = name;
  return EntryOf(found);
}

}  // namespace vesta::hub
