// Shows devices and frames as a session reports them: a table for people, JSON lines for programs.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/session.h"

namespace vesta::app {

class DecodePrinter final : public SessionEvents {
 public:
  explicit DecodePrinter(bool json) : json_(json) {}

  // Before bytes of another session: the fields that its readings point into.
  void Use(const Session& session) { session_ = &session; }
  // A session that starts anew numbers its devices anew.
  void ForgetDevices() { devices_.clear(); }

  void OnDevice(uint16_t slot, const DeviceInfo& device) override;
  void OnFrame(const FrameEvent& frame) override;

  uint64_t accepted() const { return accepted_; }
  const std::map<std::string, uint64_t>& problems() const { return problems_; }
  uint64_t frame_bytes() const { return frame_bytes_; }

 private:
  struct Known {
    std::string title;
    std::string identity;
  };
  void PrintTable(const FrameEvent& frame) const;
  void PrintJson(const FrameEvent& frame) const;

  bool json_;
  const Session* session_ = nullptr;
  std::map<const Session*, std::map<uint16_t, Known>> devices_;
  uint64_t accepted_ = 0;
  uint64_t frame_bytes_ = 0;
  std::map<std::string, uint64_t> problems_;
};

}  // namespace vesta::app
