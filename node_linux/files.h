// Files: read as a whole, written as a whole or not at all; the node's non-volatile memory and its slots made of them.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "node/ports/store.h"
#include "node/ports/update_slot.h"

namespace vesta::node_linux {

inline constexpr size_t kMaxFile = 1 << 20;

// nullopt: not there, unreadable, or longer than kMaxFile.
std::optional<std::string> ReadFile(const std::string& path);
// Through a file beside it that takes its place when it is on the disk. Only its owner may read it.
bool WriteFile(const std::string& path, std::span<const uint8_t> bytes);

class FileStore final : public node::Store {
 public:
  explicit FileStore(std::string folder) : folder_(std::move(folder)) {}
  size_t Read(node::StoreRecord record, std::span<uint8_t> out) override;
  bool Write(node::StoreRecord record, std::span<const uint8_t> bytes) override;

 private:
  std::string PathOf(node::StoreRecord record) const;
  std::string folder_;
};

// A slot: what is written lies in memory until it is activated.
class FileSlot final : public node::UpdateSlot {
 public:
  FileSlot(std::string path, size_t max_size) : path_(std::move(path)), max_size_(max_size) {}
  bool Begin(uint32_t size) override;
  bool Write(uint32_t offset, std::span<const uint8_t> bytes) override;
  bool Read(uint32_t offset, std::span<uint8_t> out) override;
  bool Activate() override;
  void Confirm() override {}
  size_t ReadActive(uint32_t offset, std::span<uint8_t> out) override;

 private:
  std::string path_;
  size_t max_size_;
  std::vector<uint8_t> written_;
  std::optional<std::string> active_;
};

}  // namespace vesta::node_linux
