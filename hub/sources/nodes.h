// The airs of a node network: what ESP-NOW frames travel in between the nodes and the hub.
//
// udp: datagrams of docs/formats/udp-air.md. serial: an ESP32 as radio on a USB port (docs/formats/radio-serial.md).
// wifi: a Linux interface in monitor mode. To the line each is the same: a frame that was heard comes in the form of
// the UDP air or as radiotap and frame, and what the line wants to send it gives in the form of the UDP air.
#pragma once

#include <array>
#include <functional>
#include <memory>

#include "hub/sources/source.h"
#include "hub/sources/timing.h"

namespace vesta::hub {

using AirAddress = std::array<uint8_t, 6>;
// Told by a radio when it is open: which address nodes shall send to, and on which channel it is.
using SetAir = std::function<void(const AirAddress&, uint8_t channel)>;

std::unique_ptr<Source> MakeNodesSource(boost::asio::io_context& io, const SourceConfig& config, Line& line,
                                        SetAir set_air = {});

std::unique_ptr<Source> MakeUdpAir(boost::asio::io_context& io, const SourceConfig& config, Line& line,
                                   const StreamTiming& timing = {});
std::unique_ptr<Source> MakeSerialRadio(boost::asio::io_context& io, const SourceConfig& config, Line& line,
                                        SetAir set_air, const StreamTiming& timing = {});
std::unique_ptr<Source> MakeWifiMonitor(boost::asio::io_context& io, const SourceConfig& config, Line& line,
                                        SetAir set_air, const StreamTiming& timing = {});

// UDP addresses that are remembered for radio addresses: docs/formats/udp-air.md names the number.
inline constexpr size_t kMaxAirRoutes = 1024;

}  // namespace vesta::hub
