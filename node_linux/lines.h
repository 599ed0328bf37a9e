// Serial lines by termios, an I2C bus by its device, CAN by a raw socket.
#pragma once

#include <string>

#include "node/ports/can.h"
#include "node/ports/i2c.h"
#include "node/ports/serial.h"

namespace vesta::node_linux {

// Opens again, at most once a second, when the device went away and came back. The kernel inverts nothing: is_inverted
// is refused.
class SerialLine final : public node::Serial {
 public:
  explicit SerialLine(std::string path) : path_(std::move(path)) {}
  ~SerialLine() override { Close(); }
  SerialLine(const SerialLine&) = delete;
  SerialLine& operator=(const SerialLine&) = delete;

  bool Open(const node::SerialMode& mode) override;
  size_t Read(std::span<uint8_t> out) override;
  size_t Write(std::span<const uint8_t> bytes) override;
  uint32_t dropped() const override { return 0; }
  int fd() const { return fd_; }

 private:
  bool OpenNow();
  void Close();

  const std::string path_;
  node::SerialMode mode_;
  bool is_wanted_ = false;
  int64_t next_open_ms_ = 0;
  int fd_ = -1;
};

class I2cBus final : public node::I2c {
 public:
  explicit I2cBus(const std::string& path);
  ~I2cBus() override;
  I2cBus(const I2cBus&) = delete;
  I2cBus& operator=(const I2cBus&) = delete;
  bool Write(uint8_t address, std::span<const uint8_t> bytes) override;
  bool Read(uint8_t address, std::span<uint8_t> out) override;

 private:
  bool Select(uint8_t address);
  int fd_ = -1;
};

// Bit rate and listening are set on the interface beforehand (ip link set can0 type can bitrate 250000 listen-only on).
class CanBus final : public node::Can {
 public:
  explicit CanBus(std::string interface) : interface_(std::move(interface)) {}
  ~CanBus() override;
  CanBus(const CanBus&) = delete;
  CanBus& operator=(const CanBus&) = delete;
  bool Open(uint32_t bit_rate, bool listen_only) override;
  bool Next(can::Frame* out) override;
  uint32_t dropped() const override { return 0; }
  int fd() const { return fd_; }

 private:
  const std::string interface_;
  int fd_ = -1;
};

}  // namespace vesta::node_linux
