#include "hub/store/segments.h"

#include <fmt/format.h>

#include <algorithm>

namespace vesta::hub {
namespace {

constexpr uint32_t kSegmentMagic = 0x314A5356;  // "VSJ1"
constexpr uint32_t kEntryMagic = 0x31455356;    // "VSE1"
constexpr size_t kHeadBytes = 80;
constexpr size_t kZeroBytes = 64u << 10;

uint64_t PadToSector(uint64_t size) { return (size + kSectorBytes - 1) / kSectorBytes * kSectorBytes; }

std::string SegmentHeader(uint64_t segment) {
  std::string header;
  ByteWriter out(&header);
  out.Fixed32(kSegmentMagic);
  out.Fixed64(segment);
  out.Fixed32(Crc32(header));
  header.resize(kSectorBytes);
  return header;
}

// 0: no segment's header.
uint64_t SegmentOf(std::string_view header) {
  if (header.size() < 16) return 0;
  ByteReader in(header);
  const uint32_t magic = in.Fixed32();
  const uint64_t segment = in.Fixed64();
  return magic == kSegmentMagic && in.Fixed32() == Crc32(header.substr(0, 12)) ? segment : 0;
}

bool ParseHead(std::string_view bytes, EntryHead* head, uint32_t* crc) {
  if (bytes.size() < kHeadBytes) return false;
  ByteReader in(bytes);
  if (in.Fixed32() != kEntryMagic) return false;
  *crc = in.Fixed32();
  head->place.segment = in.Fixed64();
  head->place.unit = in.Fixed64();
  head->first_number = in.Fixed64();
  head->last_number = in.Fixed64();
  head->first_us = static_cast<UtcUs>(in.Fixed64());
  head->last_us = static_cast<UtcUs>(in.Fixed64());
  head->records = in.Fixed32();
  head->readings_size = in.Fixed32();
  head->readings_stored = in.Fixed32();
  head->rest_size = in.Fixed32();
  head->rest_stored = in.Fixed32();
  return head->readings_stored <= head->readings_size && head->rest_stored <= head->rest_size &&
         head->size() <= kMaxJournalEntryBytes;
}

}  // namespace

uint64_t EntryHead::size() const { return PadToSector(kHeadBytes + uint64_t{readings_stored} + uint64_t{rest_stored}); }

bool Entry::Readings(Packer* packer, std::string* out) const {
  const std::string_view stored = std::string_view(bytes_).substr(kHeadBytes, head.readings_stored);
  if (head.readings_stored != head.readings_size) return packer->Unpack(stored, head.readings_size, out);
  out->assign(stored);
  return true;
}

bool Entry::Rest(Packer* packer, std::string* out) const {
  const std::string_view stored = std::string_view(bytes_).substr(kHeadBytes + head.readings_stored, head.rest_stored);
  if (head.rest_stored != head.rest_size) return packer->Unpack(stored, head.rest_size, out);
  out->assign(stored);
  return true;
}

std::string BuildEntry(EntryHead head, std::string_view readings, std::string_view rest, Packer* packer) {
  std::string body;
  if (!packer->Pack(readings, &body, kJournalLevel)) body.append(readings);
  head.readings_size = static_cast<uint32_t>(readings.size());
  head.readings_stored = static_cast<uint32_t>(body.size());
  if (!packer->Pack(rest, &body, kJournalLevel)) body.append(rest);
  head.rest_size = static_cast<uint32_t>(rest.size());
  head.rest_stored = static_cast<uint32_t>(body.size()) - head.readings_stored;

  std::string checked;
  ByteWriter out(&checked);
  out.Fixed64(head.place.segment);
  out.Fixed64(head.place.unit);
  out.Fixed64(head.first_number);
  out.Fixed64(head.last_number);
  out.Fixed64(static_cast<uint64_t>(head.first_us));
  out.Fixed64(static_cast<uint64_t>(head.last_us));
  out.Fixed32(head.records);
  out.Fixed32(head.readings_size);
  out.Fixed32(head.readings_stored);
  out.Fixed32(head.rest_size);
  out.Fixed32(head.rest_stored);
  out.Fixed32(0);
  checked.append(body);

  std::string entry;
  ByteWriter front(&entry);
  front.Fixed32(kEntryMagic);
  front.Fixed32(Crc32(checked));
  entry.append(checked);
  entry.resize(PadToSector(entry.size()));
  return entry;
}

std::string SegmentSet::SlotPath(size_t slot) const { return fmt::format("{}-j{:04}", path_, slot); }

SegmentSet::Slot* SegmentSet::Find(uint64_t segment) {
  if (segment == 0) return nullptr;
  const auto found =
      std::find_if(slots_.begin(), slots_.end(), [segment](const Slot& slot) { return slot.segment == segment; });
  return found == slots_.end() ? nullptr : &*found;
}

int SegmentSet::Fail(const Slot& slot, int code) {
  errno_ = slot.file.system_errno();
  return code;
}

int SegmentSet::Refresh() {
  std::string header;
  for (size_t i = 0; i < kMaxSlots; ++i) {
    if (i == slots_.size()) {
      if (!SegmentFile::Exists(vfs_, SlotPath(i))) break;
      Slot slot;
      if (const int code = slot.file.Open(vfs_, SlotPath(i), write_, false); code != SQLITE_OK) return Fail(slot, code);
      slots_.push_back(std::move(slot));
    }
    Slot& slot = slots_[i];
    if (const int code = slot.file.Read(0, 16, &header); code != SQLITE_OK) return Fail(slot, code);
    slot.segment = SegmentOf(header);
    if (const int code = slot.file.Size(&slot.size); code != SQLITE_OK) return Fail(slot, code);
  }
  return SQLITE_OK;
}

// SQLITE_DONE: no whole entry of this commit stands there.
int SegmentSet::ReadAt(const JournalPlace& place, bool whole, Entry* entry) {
  Slot* const slot = Find(place.segment);
  if (slot == nullptr) return SQLITE_DONE;
  // Most entries are short: one read has all of it.
  constexpr size_t kFirstRead = 4096;
  if (const int code = slot->file.Read(place.offset, whole ? kFirstRead : kHeadBytes, &entry->bytes_);
      code != SQLITE_OK) {
    return Fail(*slot, code);
  }
  uint32_t crc = 0;
  if (!ParseHead(entry->bytes_, &entry->head, &crc)) return SQLITE_DONE;
  if (entry->head.place.segment != place.segment || entry->head.place.unit != place.unit) return SQLITE_DONE;
  entry->head.place.offset = place.offset;
  if (!whole) return SQLITE_OK;
  const size_t size = kHeadBytes + entry->head.readings_stored + entry->head.rest_stored;
  if (entry->bytes_.size() < size) {
    if (const int code = slot->file.Read(place.offset, size, &entry->bytes_); code != SQLITE_OK) {
      return Fail(*slot, code);
    }
    if (entry->bytes_.size() < size) return SQLITE_DONE;
  }
  entry->bytes_.resize(size);
  return Crc32(std::string_view(entry->bytes_).substr(8)) == crc ? SQLITE_OK : SQLITE_DONE;
}

int SegmentSet::ReadEntry(JournalPlace* place, Entry* entry) {
  int code = ReadAt(*place, true, entry);
  if (code != SQLITE_DONE || Find(place->segment + 1) == nullptr) return code;
  const JournalPlace next{place->segment + 1, kSectorBytes, place->unit};
  code = ReadAt(next, true, entry);
  if (code == SQLITE_OK) *place = next;
  return code;
}

int SegmentSet::ReadHead(JournalPlace* place, EntryHead* head) {
  Entry entry;
  int code = ReadAt(*place, false, &entry);
  if (code == SQLITE_DONE && Find(place->segment + 1) != nullptr) {
    const JournalPlace next{place->segment + 1, kSectorBytes, place->unit};
    code = ReadAt(next, false, &entry);
    if (code == SQLITE_OK) *place = next;
  }
  *head = entry.head;
  return code;
}

int SegmentSet::AnyBeyond(const JournalPlace& place, JournalPlace* found) {
  std::vector<Slot*> later;
  for (Slot& slot : slots_) {
    if (slot.segment >= place.segment) later.push_back(&slot);
  }
  std::sort(later.begin(), later.end(), [](const Slot* a, const Slot* b) { return a->segment < b->segment; });
  for (Slot* slot : later) {
    std::string head_bytes;
    const uint64_t from = slot->segment == place.segment ? place.offset : kSectorBytes;
    for (uint64_t offset = from; offset < slot->size; offset += kSectorBytes) {
      if (const int code = slot->file.Read(offset, kHeadBytes, &head_bytes); code != SQLITE_OK) {
        return Fail(*slot, code);
      }
      EntryHead head;
      uint32_t crc = 0;
      if (!ParseHead(head_bytes, &head, &crc) || head.place.segment != slot->segment || head.place.unit <= place.unit) {
        continue;
      }
      Entry entry;
      *found = {slot->segment, offset, head.place.unit};
      const int code = ReadAt(*found, true, &entry);
      if (code != SQLITE_DONE) return code;
    }
  }
  return SQLITE_DONE;
}

std::vector<std::string> SegmentSet::FilesFrom(uint64_t segment) const {
  std::vector<std::pair<uint64_t, std::string>> files;
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].segment >= segment) files.emplace_back(slots_[i].segment, SlotPath(i));
  }
  std::sort(files.rbegin(), files.rend());
  std::vector<std::string> paths;
  paths.reserve(files.size());
  for (auto& [number, path] : files) paths.push_back(std::move(path));
  return paths;
}

uint64_t SegmentSet::newest_segment() const {
  uint64_t newest = 0;
  for (const Slot& slot : slots_) newest = std::max(newest, slot.segment);
  return newest;
}

uint64_t SegmentSet::size_bytes() const {
  uint64_t bytes = 0;
  for (const Slot& slot : slots_) bytes += slot.size;
  return bytes;
}

int SegmentLog::NextSegment() {
  const uint64_t next = end_.segment;
  auto slot = std::find_if(slots_.begin(), slots_.end(),
                           [this](const Slot& one) { return one.segment == 0 || one.segment < free_below_; });
  if (slot == slots_.end()) {
    if (slots_.size() >= kMaxSlots) return SQLITE_FULL;
    Slot made;
    if (const int code = made.file.Open(vfs_, SlotPath(slots_.size()), true, true); code != SQLITE_OK) {
      return Fail(made, code);
    }
    // The whole slot is written once, so that later writes change no file's shape: one page a commit, and no more.
    const std::string zeros(kZeroBytes, '\0');
    int code = SQLITE_OK;
    for (; made.size < segment_bytes_ && code == SQLITE_OK; made.size += zeros.size()) {
      code = made.file.Write(made.size, std::string_view(zeros).substr(0, segment_bytes_ - made.size));
    }
    if (code == SQLITE_OK && sync_) code = made.file.Sync();
    if (code != SQLITE_OK) {
      Fail(made, code);
      made.file.Close();
      SegmentFile::Delete(vfs_, SlotPath(slots_.size()));
      return code;
    }
    made.size = segment_bytes_;
    slots_.push_back(std::move(made));
    slot = slots_.end() - 1;
  }
  slot->segment = 0;
  if (slot->size > segment_bytes_) {
    if (const int code = slot->file.Truncate(segment_bytes_); code != SQLITE_OK) return Fail(*slot, code);
    slot->size = segment_bytes_;
  }
  if (const int code = slot->file.Write(0, SegmentHeader(next)); code != SQLITE_OK) return Fail(*slot, code);
  slot->segment = next;
  header_is_due_ = true;
  return SQLITE_OK;
}

int SegmentLog::Append(const EntryHead& head, std::string_view readings, std::string_view rest, Packer* packer,
                       JournalPlace* place) {
  EntryHead placed = head;
  placed.place = end_;
  std::string entry = BuildEntry(placed, readings, rest, packer);
  if (end_.offset > kSectorBytes && end_.offset + entry.size() > segment_bytes_) {
    end_ = {end_.segment + 1, kSectorBytes, end_.unit};
    placed.place = end_;
    entry = BuildEntry(placed, readings, rest, packer);
  }
  Slot* slot = Find(end_.segment);
  if (slot == nullptr) {
    if (const int code = NextSegment(); code != SQLITE_OK) return code;
    slot = Find(end_.segment);
  } else if (header_is_due_) {
    // After a failed sync nobody knows what is on the disk: all of it is written again.
    if (const int code = slot->file.Write(0, SegmentHeader(end_.segment)); code != SQLITE_OK) return Fail(*slot, code);
  }
  if (const int code = slot->file.Write(end_.offset, entry); code != SQLITE_OK) return Fail(*slot, code);
  if (sync_) {
    if (const int code = slot->file.Sync(); code != SQLITE_OK) return Fail(*slot, code);
  }
  header_is_due_ = false;
  *place = end_;
  end_.offset += entry.size();
  ++end_.unit;
  slot->size = std::max(slot->size, end_.offset);
  return SQLITE_OK;
}

void SegmentLog::Free(uint64_t segment) {
  free_below_ = std::max(free_below_, segment);
  const auto is_free = [this](const Slot& slot) { return slot.segment == 0 || slot.segment < free_below_; };
  auto spare = static_cast<size_t>(std::count_if(slots_.begin(), slots_.end(), is_free));
  while (spare > kSpareSlots && is_free(slots_.back())) {
    slots_.pop_back();
    if (SegmentFile::Delete(vfs_, SlotPath(slots_.size())) != SQLITE_OK) break;
    --spare;
  }
}

}  // namespace vesta::hub
