#include "node_linux/program.h"

#include <poll.h>
#include <sys/random.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "node_linux/supervisor.h"

namespace vesta::node_linux {

namespace {

// While a page is on its way, a client that reads slowly is looked at so often.
constexpr int64_t kPortalLook_us = 50000;

}  // namespace

Program::Program(const Options& options, uint32_t firmware)
    : options_(options),
      version_(firmware),
      store_(options.state),
      firmware_(options.state, options.signer.has_value()),
      configuration_(options.state + "/configuration.json", kMaxConfiguration),
      udp_(options.gateway, options.port, options.exposed),
      udp_radio_(udp_, options.address.value_or(MakeAddress()), *this),
      wifi_(options.radio_interface.empty()
                ? nullptr
                : std::make_unique<WifiRadio>(options.radio_interface, static_cast<RandomSource&>(*this))),
      portal_(options_.page_password),
      memory_(kSleepMemory) {}

int64_t Program::now_us() const {
  timespec t;
  clock_gettime(CLOCK_BOOTTIME, &t);
  return int64_t{t.tv_sec} * 1000000 + t.tv_nsec / 1000;
}

void Program::Fill(std::span<uint8_t> out) {
  for (size_t at = 0; at < out.size();) {
    const ssize_t size = getrandom(out.data() + at, out.size() - at, 0);
    if (size <= 0) std::abort();  // without randomness there are no keys
    at += static_cast<size_t>(size);
  }
}

// The same at each start: of the computer and of the folder, so that two nodes on one computer differ.
link::Address Program::MakeAddress() const {
  std::error_code error;
  const std::string text =
      ReadFile("/etc/machine-id").value_or("") + std::filesystem::weakly_canonical(options_.state, error).string();
  crypto::Sha256Stream stream;
  stream.Add({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  const crypto::Digest digest = stream.Finish();
  link::Address address;
  std::copy_n(digest.begin(), address.size(), address.begin());
  address[0] = static_cast<uint8_t>((address[0] & 0xFC) | 0x02);
  return address;
}

node::Ports Program::MakePorts() {
  node::Radio& radio = wifi_ != nullptr ? static_cast<node::Radio&>(*wifi_) : udp_radio_;
  node::Ports ports{radio, *this, *this, store_, firmware_, configuration_, *this};
  for (size_t i = 0; i < serial_.size(); ++i) {
    if (options_.serial[i].empty()) continue;
    serial_[i] = std::make_unique<SerialLine>(options_.serial[i]);
    ports.serial[i] = serial_[i].get();
  }
  if (!options_.i2c.empty()) ports.i2c = (i2c_ = std::make_unique<I2cBus>(options_.i2c)).get();
  if (!options_.can.empty()) ports.can = (can_ = std::make_unique<CanBus>(options_.can)).get();
  if (!options_.gpio.empty()) ports.gpio = (pins_ = std::make_unique<SysfsPins>(options_.gpio)).get();
  if (!options_.one_wire.empty()) {
    ports.one_wire = (one_wire_ = std::make_unique<KernelOneWire>(options_.one_wire)).get();
  }
  if (!options_.display.empty()) {
    ports.display = (display_ = std::make_unique<DisplayFile>(options_.display)).get();
  }
  return ports;
}

void Program::TakeConfiguration() {
  if (options_.configuration.empty()) return;
  const std::optional<std::string> text = ReadFile(options_.configuration);
  if (!text) {
    std::printf("%s can't be read\n", options_.configuration.c_str());
    return;
  }
  node::TextView view(*text);
  node::Problem problem;
  if (app_->Configure(view, text->size(), &problem) != node::App::Taken::kRefused) return;
  const std::string why(problem.view());
  std::printf("%s is not used: %s\n", options_.configuration.c_str(), why.c_str());
}

void Program::Say() {
  const node::NodeStatus& s = app_->node_status();
  std::string now = s.is_linked    ? "linked to the hub"
                    : s.is_waiting ? "waits for the operator"
                    : s.is_joined  ? "does not hear its hub"
                                   : "looks for a hub";
  if (s.is_waiting) {
    char code[16];
    std::snprintf(code, sizeof(code), ", code %06u", s.code);
    now += code;
  }
  if (!s.is_linked && s.refusal != 0) now += ", refused for reason " + std::to_string(s.refusal);
  now += ", configuration " + std::to_string(s.configuration);
  if (s.lost > 0) now += ", " + std::to_string(s.lost) + " reports lost";
  if (!s.problem.empty()) now += ", problem: " + std::string(s.problem);
  if (!air_problem().empty()) now += ", " + air_problem();
  if (tcp_ != nullptr && !tcp_->problem().empty()) now += ", " + tcp_->problem();
  if (now == said_) return;
  said_ = now;
  std::printf("%s\n", now.c_str());
  std::fflush(stdout);
}

void Program::Wait(int64_t until_us) {
  std::array<pollfd, 4> fds;
  nfds_t count = 0;
  const auto add = [&](int fd) {
    if (fd >= 0) fds[count++] = {fd, POLLIN, 0};
  };
  add(wifi_ != nullptr ? wifi_->fd() : udp_.fd());
  if (tcp_ != nullptr) {
    add(tcp_->listener());
    add(tcp_->connection());
  }
  if (can_ != nullptr) add(can_->fd());
  const int64_t wait_us = std::clamp<int64_t>(until_us - now_us(), 0, 1000000);
  timespec timeout{static_cast<time_t>(wait_us / 1000000), static_cast<long>(wait_us % 1000000 * 1000)};
  ppoll(fds.data(), count, &timeout, nullptr);
}

bool Program::AwaitRadio(const std::atomic<bool>& stops) {
  while (wifi_ != nullptr && !wifi_->Open()) {
    if (stops) return false;
    if (said_ != wifi_->problem()) {
      said_ = wifi_->problem();
      std::printf("%s\n", said_.c_str());
      std::fflush(stdout);
    }
    Wait(now_us() + 1000000);
  }
  return true;
}

// The node's own page may have given it another secret and name.
node::AppOptions Program::MakeAppOptions() {
  const node::Settings settings = node::ReadSettings(store_);
  node::AppOptions o;
  o.firmware = version_;
  o.signer = options_.signer.value_or(crypto::P256Key{});
  o.hardware = node::kHardwareLinux;
  o.network = options_.network;
  o.has_secret = settings.has_secret || options_.secret.has_value();
  o.secret = settings.has_secret ? settings.secret : options_.secret.value_or(link::Secret{});
  o.joins_by_window = !o.has_secret;
  o.name.Set(settings.name.empty() ? options_.name : settings.name.view());
  return o;
}

void Program::Sleep(int64_t until_us) {
  const int64_t wait_us = std::clamp<int64_t>(until_us - now_us(), 0, kUsPerSecond);
  timespec time{static_cast<time_t>(wait_us / 1000000), static_cast<long>(wait_us % 1000000 * 1000)};
  nanosleep(&time, nullptr);
}

int Program::Run(const std::atomic<bool>& stops) {
  std::error_code error;
  std::filesystem::create_directories(options_.state, error);
  if (!AwaitRadio(stops)) return 0;
  const node::Ports ports = MakePorts();
  if (options_.page_port != 0) tcp_ = std::make_unique<TcpServer>(options_.page_port, options_.page_exposed);
  while (!stops && !firmware_.is_replaced()) {
    if (pins_ != nullptr) pins_->SetNow(now_us());
    app_ = std::make_unique<node::App>(ports, MakeAppOptions());
    app_->Start();
    TakeConfiguration();
    wake_us_ = 0;
    while (!stops && !app_->is_over()) {
      if (pins_ != nullptr) pins_->SetNow(now_us());
      int64_t next_us = app_->Run();
      if (tcp_ != nullptr && !app_->is_over()) {
        portal_.Run(now_us(), *tcp_, *app_);
        if (!portal_.is_done()) next_us = std::min(next_us, now_us() + kPortalLook_us);
      }
      Say();
      if (!app_->is_over()) Wait(next_us);
    }
    if (wake_us_ == 0) continue;
    while (!stops && wake_us_ > now_us()) Sleep(wake_us_);
    // What came meanwhile is not heard, as on a chip.
    node::RadioFrame frame;
    while (ports.radio.Next(&frame)) {
    }
  }
  app_->Stop();
  return firmware_.is_replaced() && !stops ? kExitReplaced : 0;
}

}  // namespace vesta::node_linux
