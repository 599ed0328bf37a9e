// The node application over the ports of a Linux computer: made from the settings, run until it is told to stop.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "node/app.h"
#include "node/radio_over_ip.h"
#include "node_linux/files.h"
#include "node_linux/lines.h"
#include "node_linux/options.h"
#include "node_linux/pins.h"
#include "node_linux/program_slot.h"
#include "node_linux/tcp_server.h"
#include "node_linux/udp_link.h"
#include "node_linux/wifi_radio.h"

namespace vesta::node_linux {

// More than a chip has: reports of days without a hub.
inline constexpr size_t kSleepMemory = 64 * 1024;
inline constexpr size_t kMaxConfiguration = 4096;

class Program final : private node::Clock, private node::Sleep, private link::RandomSource {
 public:
  // firmware: the version that runs.
  Program(const Options& options, uint32_t firmware);

  // Returns the exit code. Notes on what happens go to standard output, a line each.
  int Run(const std::atomic<bool>& stops);

 private:
  int64_t now_us() const override;
  std::span<uint8_t> memory() override { return memory_; }
  bool is_kept() const override { return is_kept_; }
  // The process waits instead: the same as deep sleep for the application, without its saving of power.
  bool can_sleep() const override { return true; }
  void SleepUntil(int64_t at_us) override {
    is_kept_ = true;
    wake_us_ = at_us;
  }
  void Restart() override { is_kept_ = true; }
  void Fill(std::span<uint8_t> out) override;

  node::Ports MakePorts();
  link::Address MakeAddress() const;
  node::AppOptions MakeAppOptions();
  void TakeConfiguration();
  void Say();
  void Wait(int64_t until_us);
  // A radio's address is known once it was open. False: told to stop.
  bool AwaitRadio(const std::atomic<bool>& stops);
  const std::string& air_problem() const { return wifi_ != nullptr ? wifi_->problem() : udp_.problem(); }
  void Sleep(int64_t until_us);

  const Options options_;
  const uint32_t version_;
  FileStore store_;
  ProgramSlot firmware_;
  FileSlot configuration_;
  UdpLink udp_;
  node::RadioOverIp udp_radio_;
  std::unique_ptr<WifiRadio> wifi_;  // instead
  std::array<std::unique_ptr<SerialLine>, node::kMaxSerialPorts> serial_;
  std::unique_ptr<I2cBus> i2c_;
  std::unique_ptr<CanBus> can_;
  std::unique_ptr<SysfsPins> pins_;
  std::unique_ptr<KernelOneWire> one_wire_;
  std::unique_ptr<DisplayFile> display_;
  std::unique_ptr<TcpServer> tcp_;
  node::Portal portal_;
  std::vector<uint8_t> memory_;
  bool is_kept_ = false;
  int64_t wake_us_ = 0;  // 0: it does not sleep
  std::unique_ptr<node::App> app_;
  std::string said_;
};

}  // namespace vesta::node_linux
