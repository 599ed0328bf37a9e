// Puts readings of elsewhere into the history of a hub that is stopped, each once.
//
// Readings gather in chunks; a chunk is one commit, so an import that was cut off goes on when it is started again:
// what is there already is left out. A reading is there when its series has one with the same time, index and value.
// Throughput is bounded by the look-up of a chunk's span in the history, memory by a chunk and a page of that span.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "hub/devices/directory.h"
#include "hub/store/store.h"

namespace vesta::hub {

// Readings in one commit of an import.
inline constexpr size_t kImportChunk = 8192;

class StoreImport {
 public:
  // Makes the store when the folder has none. The error is for people: another hub has it open, ...
  static tl::expected<std::unique_ptr<StoreImport>, std::string> Open(const std::string& folder);
  ~StoreImport();

  Directory& directory() { return directory_; }
  // Takes a reading; number and frame are given here. A text is copied.
  tl::expected<void, std::string> Add(Record record);
  // Commits what is waiting.
  tl::expected<void, std::string> Finish();

  uint64_t imported() const { return imported_; }
  uint64_t already_there() const { return already_there_; }

 private:
  StoreImport() = default;
  tl::expected<void, std::string> DropKnown(std::vector<bool>* known);

  std::unique_ptr<Store> store_;
  std::unique_ptr<StoreReader> reader_;
  Directory directory_;
  JournalNumber next_number_ = 1;
  FrameId reserved_frames_end_ = 1;
  RecordBatch waiting_;
  uint64_t imported_ = 0;
  uint64_t already_there_ = 0;
};

}  // namespace vesta::hub
