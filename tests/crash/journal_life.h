// One life of a journal on a store file, from its opening to its death, and the proof of what the next one must find.
//
// The content of every reading and the size of every batch follow from its number, so that the file alone tells whether
// a reading is right and its batch whole. What a life was told to be durable is in its LifeReport, which Verify holds
// against a fresh opening of the file.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "hub/journal/journal.h"

namespace vesta::hub {

// Plain numbers, so that a process can report through a pipe.
struct LifeReport {
  JournalNumber first = 0;         // given out; 0: the life ended before
  JournalNumber last_given = 0;    // no later life may give out this number or a lower one
  JournalNumber durable_mark = 0;  // acknowledged: first .. durable_mark are stored; 0: nothing was
  FrameId durable_frame = 0;       // a frame known to be stored; 0: none
  JournalNumber position = 0;      // of the output, known to be stored; 0: none was
  JournalNumber position_tried = 0;

  uint64_t acknowledged() const { return durable_mark < first ? 0 : durable_mark - first + 1; }
};

struct LifeOptions {
  std::string path;
  std::string vfs;  // "" = the real disk
  bool fsync = true;
  uint32_t seed = 1;
  int batches = 100;
};

// Lives until all batches are committed or `dead` says that the disk is gone. `told` hears each change of the report at
// once. Returns what went wrong while the disk was well, "" if nothing did.
std::string Live(const LifeOptions& options, const std::vector<LifeReport>& earlier,
                 const std::function<void(const LifeReport&)>& told, const std::function<bool()>& dead);

// Opens the file as the next life would and checks everything that was acknowledged; "" when all is well. Readings that
// are there without having been acknowledged are right as long as their batch is whole.
std::string Verify(const std::string& path, const std::string& vfs, const std::vector<LifeReport>& lives);

}  // namespace vesta::hub
