// The program's own image as an update slot: what the hub sends goes to a file, and the supervisor starts it.
//
// In the state folder: `program-new` while it is loaded, `program-VERSION` when it is whole; the links `program-trial`
// and `program` name the one to try and the one that has reached the hub, and are swapped in one step each, so that a
// loss of power leaves the old one or the new one. `program-tried` is there from the moment the trial was started: one
// that was tried and not confirmed is thrown away. What was half loaded when this program ended is loaded anew.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "node/ports/update_slot.h"
#include "protocols/link/wire.h"

namespace vesta::node_linux {

struct ProgramFiles {
  explicit ProgramFiles(std::string state_folder) : folder(std::move(state_folder)) {}
  std::string loading() const { return folder + "/program-new"; }
  std::string trial() const { return folder + "/program-trial"; }
  std::string tried() const { return folder + "/program-tried"; }
  std::string good() const { return folder + "/program"; }
  std::string image(uint32_t version) const { return folder + "/program-" + std::to_string(version); }

  // Of the image that a link names; nullopt when there is none that could be started.
  std::optional<uint32_t> VersionOf(const std::string& link) const;
  bool SetLink(const std::string& link, uint32_t version) const;
  void RemoveTrial() const;

  std::string folder;
};

class ProgramSlot final : public node::UpdateSlot {
 public:
  // takes: without a signer's key nothing is taken.
  ProgramSlot(const std::string& folder, bool takes) : files_(folder), takes_(takes) {}
  ~ProgramSlot() override { Close(); }
  ProgramSlot(const ProgramSlot&) = delete;
  ProgramSlot& operator=(const ProgramSlot&) = delete;

  void SetVersion(uint32_t version) override { version_ = version; }
  bool Begin(uint32_t size) override;
  bool Write(uint32_t offset, std::span<const uint8_t> bytes) override;
  bool Read(uint32_t offset, std::span<uint8_t> out) override;
  bool Activate() override;
  void Confirm() override;
  size_t ReadActive(uint32_t, std::span<uint8_t>) override { return 0; }
  // Whether another program is to be started in place of this one.
  bool is_replaced() const { return is_replaced_; }

 private:
  void Close();

  const ProgramFiles files_;
  const bool takes_;
  int fd_ = -1;
  uint32_t size_ = 0;
  uint32_t version_ = 0;
  bool is_replaced_ = false;
};

}  // namespace vesta::node_linux
