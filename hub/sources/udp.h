// A source of UDP datagrams: what relays and simulators hear of Bluetooth, one advert a datagram
// (docs/formats/ble-advert.md). The sender does not log in.
//
// Senders that are not in the allow-list are refused and counted; without one, only this computer is heard, and without
// `exposed` and an allow-list it listens on loopback only, whatever the configuration says. Datagrams that came faster
// than they were taken are lost in the kernel's buffer, whose size bounds the memory; how many is counted as discarded
// "socket_full". Those longer than any advert are counted as discarded "overlong".
#pragma once

#include <memory>

#include "hub/sources/source.h"
#include "hub/sources/timing.h"

namespace vesta::hub {

// Datagrams taken in one turn of the main thread, so that a flood lets the rest of the hub work.
inline constexpr int kDatagramsPerTurn = 64;
// The kernel's buffer: about two thousand adverts, some tenths of a second of a flood. The kernel may give less.
inline constexpr int kDatagramBufferBytes = 1 << 20;

std::unique_ptr<Source> MakeUdpSource(boost::asio::io_context& io, const SourceConfig& config, Line& line,
                                      const StreamTiming& timing = {});

}  // namespace vesta::hub
