// The part of a commit that writes devices, series and raw frames, and keeps the archive within its quotas.
#include <algorithm>

#include "hub/store/sqlite_restore.h"
#include "hub/store/sqlite_store.h"

namespace vesta::hub {
namespace {

// What a class becomes when the table of classes is full.
constexpr char kOtherReason[] = "other";

}  // namespace

int SqliteStore::WriteDevices(const std::vector<Device>& devices) {
  Statement& row = sql_.device;
  for (const Device& device : devices) {
    row.BindInteger(1, device.id);
    row.BindText(2, device.key);
    row.BindText(3, device.protocol);
    row.BindText(4, device.source);
    row.BindText(5, device.identity);
    row.BindInteger(6, device.identity_on_wire ? 1 : 0);
    row.BindText(7, DeviceKindName(device.kind));
    row.BindText(8, device.manufacturer);
    row.BindText(9, device.model);
    row.BindText(10, device.serial);
    row.BindText(11, device.firmware);
    row.BindInteger(12, device.parent);
    row.BindText(13, device.name);
    row.BindText(14, device.place);
    if (const int code = row.Run(); code != SQLITE_DONE) return code;
  }
  return SQLITE_DONE;
}

int SqliteStore::WriteSeries(const std::vector<Series>& series) {
  Statement& row = sql_.series;
  for (const Series& one : series) {
    row.BindInteger(1, one.id);
    row.BindInteger(2, one.device);
    row.BindText(3, one.field.key);
    row.BindText(4, QuantityName(one.field.quantity));
    row.BindText(5, StoredUnitText(one.field.unit));
    row.BindInteger(6, one.field.decimals);
    row.BindText(7, FieldKindName(one.field.kind));
    row.BindInteger(8, one.field.pace == Pace::kSlow ? 1 : 0);
    row.BindInteger(9, one.field.diagnostic ? 1 : 0);
    if (const int code = row.Run(); code != SQLITE_DONE) return code;
    sql_.clear_states.BindInteger(1, one.id);
    if (const int code = sql_.clear_states.Run(); code != SQLITE_DONE) return code;
    for (const auto& [state, name] : one.field.states) {
      sql_.state.BindInteger(1, one.id);
      sql_.state.BindInteger(2, state);
      sql_.state.BindText(3, name);
      if (const int code = sql_.state.Run(); code != SQLITE_DONE) return code;
    }
  }
  return SQLITE_DONE;
}

// A frame's readings have numbers in a row, so one small row links them all.
int SqliteStore::WriteFrameLinks(const RecordBatch& batch) {
  const std::vector<Record>& records = batch.records;
  for (size_t i = 0; i < records.size();) {
    const FrameId frame = records[i].frame;
    size_t end = i + 1;
    while (end < records.size() && records[end].frame == frame &&
           records[end].number == records[i].number + (end - i)) {
      ++end;
    }
    if (frame != 0) {
      sql_.frame_reading.BindInteger(1, static_cast<int64_t>(frame));
      sql_.frame_reading.BindInteger(2, static_cast<int64_t>(records[i].number));
      sql_.frame_reading.BindInteger(3, static_cast<int64_t>(end - i));
      if (const int code = sql_.frame_reading.Run(); code != SQLITE_DONE) return code;
    }
    i = end;
  }
  return SQLITE_DONE;
}

void SqliteStore::AddToClass(ArchiveClass& archive_class, uint64_t bytes) {
  working_.archive_cost -= archive_class.cost();
  ++archive_class.frames;
  archive_class.bytes += bytes;
  archive_class.changed = true;
  working_.archive_cost += archive_class.cost();
}

void SqliteStore::TakeFromClass(ArchiveClass& archive_class, uint64_t bytes) {
  working_.archive_cost -= archive_class.cost();
  archive_class.frames -= std::min<uint64_t>(archive_class.frames, 1);
  archive_class.bytes -= std::min(archive_class.bytes, bytes);
  archive_class.changed = true;
  working_.archive_cost += archive_class.cost();
}

// A sender that is new: an empty class gives its place, else the new one shares the class of sender 0.
int SqliteStore::MakeRoomForSender(ArchiveKey* key) {
  const auto& [source, verdict, reason, sender] = *key;
  const auto first = working_.classes.lower_bound({source, verdict, reason, 1});
  const auto end = working_.classes.upper_bound({source, verdict, reason, UINT64_MAX});
  if (static_cast<size_t>(std::distance(first, end)) < kMaxArchiveSenders) return SQLITE_DONE;
  const auto empty = std::find_if(first, end, [](const auto& entry) { return entry.second.frames == 0; });
  if (empty == end) {
    std::get<3>(*key) = 0;
    return SQLITE_DONE;
  }
  sql_.drop_class.BindInteger(1, empty->second.id);
  working_.classes.erase(empty);
  return sql_.drop_class.Run();
}

int SqliteStore::FindArchiveClass(ArchiveKey key, ArchiveClass** found) {
  auto entry = working_.classes.find(key);
  if (entry == working_.classes.end() && std::get<3>(key) != 0) {
    if (const int code = MakeRoomForSender(&key); code != SQLITE_DONE) return code;
    entry = working_.classes.find(key);
  }
  if (entry == working_.classes.end() && working_.classes.size() >= kMaxArchiveClasses) {
    std::get<2>(key) = kOtherReason;
    std::get<3>(key) = 0;
    entry = working_.classes.find(key);
  }
  if (entry == working_.classes.end()) {
    sql_.add_class.BindText(1, std::get<0>(key));
    sql_.add_class.BindInteger(2, static_cast<int64_t>(std::get<1>(key)));
    sql_.add_class.BindText(3, std::get<2>(key));
    sql_.add_class.BindInteger(4, static_cast<int64_t>(std::get<3>(key)));
    if (const int code = sql_.add_class.Run(); code != SQLITE_DONE) return code;
    entry = working_.classes.emplace(std::move(key), ArchiveClass{}).first;
    entry->second.id = sqlite3_last_insert_rowid(db_.get());
  }
  *found = &entry->second;
  return SQLITE_DONE;
}

int SqliteStore::WriteFrames(const std::vector<ArchivedFrame>& frames) {
  for (const ArchivedFrame& frame : frames) {
    ArchiveClass* archive_class = nullptr;
    const int code = FindArchiveClass({frame.source, frame.verdict, frame.reason, frame.sender}, &archive_class);
    if (code != SQLITE_DONE) return code;
    sql_.frame.BindInteger(1, static_cast<int64_t>(frame.id));
    sql_.frame.BindInteger(2, archive_class->id);
    sql_.frame.BindInteger(3, frame.received_us);
    const int64_t dictionary = frame_packer_.Pack(frame.source, frame.bytes, &packed_frame_);
    const std::vector<uint8_t>& stored = dictionary == 0 ? frame.bytes : packed_frame_;
    sql_.frame.BindBytes(4, stored);
    sql_.frame.BindInteger(5, static_cast<int64_t>(frame.sender));
    sql_.frame.BindInteger(6, static_cast<int64_t>(frame.clock));
    sql_.frame.BindInteger(7, dictionary);
    if (const int written = sql_.frame.Run(); written != SQLITE_DONE) return written;
    AddToClass(*archive_class, stored.size());
    if (!frame_packer_.Knows(frame.source) && !frame_packer_.full()) {
      Untrained& untrained = untrained_[frame.source];
      ++untrained.frames;
      untrained.bytes += frame.bytes.size();
    }
  }
  return SQLITE_DONE;
}

int SqliteStore::WriteMarks(const std::vector<FrameMark>& marks) {
  for (const FrameMark& mark : marks) {
    sql_.find_frame.BindInteger(1, static_cast<int64_t>(mark.frame));
    const int found = sql_.find_frame.Step();
    const int64_t old_class = sql_.find_frame.Integer(0);
    const auto bytes = static_cast<uint64_t>(sql_.find_frame.Integer(1));
    const auto sender = static_cast<uint64_t>(sql_.find_frame.Integer(2));
    sql_.find_frame.Reset();
    if (found == SQLITE_DONE) continue;  // evicted meanwhile
    if (found != SQLITE_ROW) return found;
    const auto old = std::find_if(working_.classes.begin(), working_.classes.end(),
                                  [&](const auto& entry) { return entry.second.id == old_class; });
    if (old == working_.classes.end()) continue;
    TakeFromClass(old->second, bytes);
    ArchiveClass* next = nullptr;
    const int code = FindArchiveClass({std::get<0>(old->first), mark.verdict, mark.reason, sender}, &next);
    if (code != SQLITE_DONE) return code;
    sql_.move_frame.BindInteger(1, next->id);
    sql_.move_frame.BindInteger(2, static_cast<int64_t>(mark.frame));
    if (const int moved = sql_.move_frame.Run(); moved != SQLITE_DONE) return moved;
    AddToClass(*next, bytes);
  }
  return SQLITE_DONE;
}

int SqliteStore::EvictOldest(ArchiveClass& archive_class) {
  sql_.oldest_frame.BindInteger(1, archive_class.id);
  if (const int code = sql_.oldest_frame.Step(); code != SQLITE_ROW) {
    sql_.oldest_frame.Reset();
    if (code != SQLITE_DONE) return code;
    // Someone deleted frames by hand: count anew instead of looking for them for ever.
    working_.archive_cost -= archive_class.cost();
    archive_class.frames = 0;
    archive_class.bytes = 0;
    archive_class.changed = true;
    return SQLITE_DONE;
  }
  const int64_t id = sql_.oldest_frame.Integer(0);
  const auto size = static_cast<uint64_t>(sql_.oldest_frame.Integer(1));
  sql_.oldest_frame.Reset();
  sql_.delete_frame.BindInteger(1, id);
  if (const int code = sql_.delete_frame.Run(); code != SQLITE_DONE) return code;
  sql_.delete_frame_reading.BindInteger(1, id);
  if (const int code = sql_.delete_frame_reading.Run(); code != SQLITE_DONE) return code;
  TakeFromClass(archive_class, size);
  return SQLITE_DONE;
}

int SqliteStore::Evict() {
  for (auto& [key, archive_class] : working_.classes) {
    while (archive_class.changed && archive_class.cost() > options_.archive_class_bytes) {
      if (const int code = EvictOldest(archive_class); code != SQLITE_DONE) return code;
    }
  }
  while (working_.archive_cost > options_.archive_total_bytes) {
    const auto largest =
        std::max_element(working_.classes.begin(), working_.classes.end(),
                         [](const auto& a, const auto& b) { return a.second.cost() < b.second.cost(); });
    if (const int code = EvictOldest(largest->second); code != SQLITE_DONE) return code;
  }
  for (auto& [key, archive_class] : working_.classes) {
    if (!archive_class.changed) continue;
    archive_class.changed = false;
    sql_.update_class.BindInteger(1, static_cast<int64_t>(archive_class.frames));
    sql_.update_class.BindInteger(2, static_cast<int64_t>(archive_class.bytes));
    sql_.update_class.BindInteger(3, archive_class.id);
    if (const int code = sql_.update_class.Run(); code != SQLITE_DONE) return code;
  }
  return SQLITE_DONE;
}

tl::expected<void, StoreError> SqliteStore::LoadDictionaries() {
  Statement rows = db_.Prepare("SELECT id, source, bytes FROM frame_dictionary ORDER BY id");
  if (!rows.valid()) return tl::unexpected(db_.Error("reading the archive"));
  int code = rows.Step();
  for (; code == SQLITE_ROW; code = rows.Step()) {
    frame_packer_.Add(rows.Integer(0), std::string(rows.Text(1)), rows.Bytes(2));
  }
  if (code != SQLITE_DONE) return tl::unexpected(db_.Error("reading the archive"));
  for (const auto& [key, archive_class] : working_.classes) {
    const std::string& source = std::get<0>(key);
    if (frame_packer_.Knows(source)) continue;
    untrained_[source].frames += archive_class.frames;
    untrained_[source].bytes += archive_class.bytes;
  }
  return {};
}

// The frames stay as they are that were there before: they give way to newer ones by themselves.
tl::expected<bool, StoreError> SqliteStore::TrainStep() {
  const auto due = std::find_if(untrained_.begin(), untrained_.end(), [](const auto& entry) {
    return entry.second.frames >= kTrainFrames && entry.second.bytes >= 2 * kFrameDictionaryBytes;
  });
  if (due == untrained_.end() || frame_packer_.full()) return false;
  const std::string source = due->first;
  untrained_.erase(due);
  Statement rows = db_.Prepare(
      "SELECT f.bytes FROM frame f CROSS JOIN frame_class c ON c.id = f.class"
      " WHERE c.source = ?1 AND f.dictionary = 0 ORDER BY f.id DESC LIMIT ?2");
  if (!rows.valid()) return tl::unexpected(db_.Error("training a dictionary"));
  rows.BindText(1, source);
  rows.BindInteger(2, 2 * static_cast<int64_t>(kTrainFrames));
  std::vector<std::vector<uint8_t>> frames;
  size_t bytes = 0;
  int code = rows.Step();
  for (; code == SQLITE_ROW && bytes < kTrainBytes; code = rows.Step()) {
    frames.emplace_back(rows.Bytes(0).begin(), rows.Bytes(0).end());
    bytes += frames.back().size();
  }
  rows.Reset();
  if (code != SQLITE_DONE && code != SQLITE_ROW) return tl::unexpected(db_.Error("training a dictionary"));
  if (frames.size() < kTrainFrames / 2) return true;  // most were evicted: wait for as many again
  const std::vector<uint8_t> dictionary = TrainFrameDictionary(frames);
  const auto last = db_.Integer("SELECT coalesce(max(id), 0) FROM frame_dictionary");
  if (!last) return tl::unexpected(last.error());
  sql_.dictionary.BindInteger(1, *last + 1);
  sql_.dictionary.BindText(2, source);
  sql_.dictionary.BindBytes(3, dictionary);
  if (sql_.dictionary.Run() != SQLITE_DONE) return tl::unexpected(db_.Error("keeping a dictionary"));
  frame_packer_.Add(*last + 1, source, dictionary);
  return true;
}

}  // namespace vesta::hub
