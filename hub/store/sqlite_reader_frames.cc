// The part of a reader that gives archived frames.
#include <algorithm>

#include "hub/store/sqlite_reader.h"

namespace vesta::hub {

std::vector<uint8_t> SqliteReader::UnpackFrame(std::span<const uint8_t> stored, int64_t dictionary) {
  if (dictionary == 0) return {stored.begin(), stored.end()};
  if (!unpacker_.Has(dictionary)) {
    const StatementReset reset(dictionary_);
    dictionary_.BindInteger(1, dictionary);
    if (dictionary_.Step() == SQLITE_ROW) unpacker_.Add(dictionary, dictionary_.Bytes(0));
  }
  std::vector<uint8_t> bytes;
  unpacker_.Unpack(dictionary, stored, &bytes);
  return bytes;
}

tl::expected<std::vector<ArchivedFrame>, StoreError> SqliteReader::ReadFrames(const std::string& source,
                                                                              bool rejected_only, FrameId before,
                                                                              size_t limit) {
  const StatementReset reset(frames_);
  frames_.BindInteger(1, before == 0 ? INT64_MAX : static_cast<int64_t>(before));
  frames_.BindText(2, source);
  frames_.BindInteger(3, rejected_only ? 1 : 0);
  frames_.BindInteger(4, static_cast<int64_t>(limit));
  std::vector<ArchivedFrame> frames;
  size_t bytes = 0;
  int code = frames_.Step();
  for (; code == SQLITE_ROW; code = frames_.Step()) {
    ArchivedFrame frame;
    frame.bytes = UnpackFrame(frames_.Bytes(5), frames_.Integer(8));
    bytes += frame.bytes.size();
    if (bytes > kMaxFrameAnswerBytes && !frames.empty()) return frames;
    frame.id = static_cast<FrameId>(frames_.Integer(0));
    frame.source = frames_.Text(1);
    frame.received_us = frames_.Integer(2);
    frame.verdict = static_cast<FrameVerdict>(frames_.Integer(3));
    frame.reason = frames_.Text(4);
    frame.sender = static_cast<uint64_t>(frames_.Integer(6));
    frame.clock = static_cast<ClockQuality>(frames_.Integer(7));
    frames.push_back(std::move(frame));
  }
  if (code != SQLITE_DONE) return tl::unexpected(db_.Error("reading the archive"));
  return frames;
}

int SqliteReader::ReadClass(int64_t frame_class, const ArchivedFrame& model, const FrameSelection& selection,
                            size_t limit, std::vector<ArchivedFrame>* frames, FrameId* complete_to) {
  const StatementReset reset(class_frames_);
  class_frames_.BindInteger(1, frame_class);
  class_frames_.BindInteger(2, static_cast<int64_t>(selection.after));
  class_frames_.BindInteger(3, static_cast<int64_t>(selection.sender));
  class_frames_.BindInteger(4, static_cast<int64_t>(limit));
  class_frames_.BindInteger(5, selection.before == 0 ? INT64_MAX : static_cast<int64_t>(selection.before));
  size_t bytes = 0;
  int code = class_frames_.Step();
  for (; code == SQLITE_ROW && bytes <= kMaxFrameAnswerBytes; code = class_frames_.Step()) {
    ArchivedFrame frame = model;
    frame.id = static_cast<FrameId>(class_frames_.Integer(0));
    frame.received_us = class_frames_.Integer(1);
    frame.bytes = UnpackFrame(class_frames_.Bytes(2), class_frames_.Integer(5));
    frame.sender = static_cast<uint64_t>(class_frames_.Integer(3));
    frame.clock = static_cast<ClockQuality>(class_frames_.Integer(4));
    bytes += frame.bytes.size();
    frames->push_back(std::move(frame));
  }
  if (code != SQLITE_ROW) return code;
  *complete_to = std::min(*complete_to, frames->back().id);
  return SQLITE_DONE;
}

bool SqliteReader::IsSelected(const FrameSelection& selection) const {
  if (classes_.Integer(1) == static_cast<int64_t>(FrameVerdict::kAccepted)) return true;
  const auto& reasons = selection.reasons;
  return reasons.empty() || std::find(reasons.begin(), reasons.end(), classes_.Text(2)) != reasons.end();
}

// Class by class, each by its index, and merged: the cost is that of what is wanted, however large the archive is.
tl::expected<std::vector<ArchivedFrame>, StoreError> SqliteReader::ReadSelected(const FrameSelection& selection,
                                                                                size_t limit) {
  const Snapshot snapshot(*this);
  std::vector<ArchivedFrame> frames;
  const StatementReset reset(classes_);
  classes_.BindText(1, selection.source);
  classes_.BindInteger(2, static_cast<int64_t>(selection.sender));
  classes_.BindInteger(3, selection.accepted ? 1 : 0);
  // A class that is cut for its size may have frames below those of the others: nothing above the cut is answered.
  FrameId complete_to = UINT64_MAX;
  int code = classes_.Step();
  for (; code == SQLITE_ROW; code = classes_.Step()) {
    if (!IsSelected(selection)) continue;
    ArchivedFrame model;
    model.source = selection.source;
    model.verdict = static_cast<FrameVerdict>(classes_.Integer(1));
    model.reason = classes_.Text(2);
    const int read = ReadClass(classes_.Integer(0), model, selection, limit, &frames, &complete_to);
    if (read != SQLITE_DONE) return tl::unexpected(db_.Error("reading the archive", read));
    std::sort(frames.begin(), frames.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    if (frames.size() > limit) frames.resize(limit);
  }
  if (code != SQLITE_DONE) return tl::unexpected(db_.Error("reading the archive"));
  while (!frames.empty() && frames.back().id > complete_to) frames.pop_back();
  return frames;
}

tl::expected<uint64_t, StoreError> SqliteReader::CountSelected(const FrameSelection& selection) {
  const StatementReset reset(classes_);
  classes_.BindText(1, selection.source);
  classes_.BindInteger(2, static_cast<int64_t>(selection.sender));
  classes_.BindInteger(3, selection.accepted ? 1 : 0);
  uint64_t frames = 0;
  int code = classes_.Step();
  for (; code == SQLITE_ROW; code = classes_.Step()) {
    if (IsSelected(selection)) frames += static_cast<uint64_t>(classes_.Integer(3));
  }
  if (code != SQLITE_DONE) return tl::unexpected(db_.Error("reading the archive"));
  return frames;
}

}  // namespace vesta::hub
